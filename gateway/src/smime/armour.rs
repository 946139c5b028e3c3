//! The last step of every CMS that leaves: base64 (RFC 8551, section 3.2), written over what it encodes.
//!
//! A large content stands in the buffer of the outgoing message already, where its base64 is to begin. That is longer, and
//! written from its end to its front, so that nothing is written over before it was read. There is no second buffer.

use certstore::cms::Frame;
use encodify::base64::MIME;

/// Bytes that are encoded at once: whole lines of 57.
const STEP: usize = 57 * 64;

/// Replaces what is in `out` from byte `start` on by the base64 of it with `frame` around it.
pub(super) fn encode_in_place(out: &mut Vec<u8>, start: usize, frame: &Frame) {
    let end = out.len();
    let whole = frame.whole_len(end.saturating_sub(start));
    let length = start + MIME.encoded_len(whole);
    out.reserve_exact(length.saturating_sub(end));
    out.resize(length, 0);
    let mut step = Vec::with_capacity(STEP);
    for first in (0..whole).step_by(STEP).rev() {
        let content = out.get(start..end).unwrap_or_default();
        fill(&mut step, [&frame.head, content, &frame.tail], first);
        let target = out.get_mut(start + MIME.encoded_len(first)..);
        let written = MIME.encode_slice(&step, target.unwrap_or_default());
        debug_assert!(written.is_ok(), "there is room for it all");
    }
}

/// Makes `step` the next bytes of `pieces` behind the `first` ones.
fn fill(step: &mut Vec<u8>, pieces: [&[u8]; 3], first: usize) {
    step.clear();
    let mut skipped = first;
    for piece in pieces {
        let rest = piece.get(skipped..).unwrap_or_default();
        skipped = skipped.saturating_sub(piece.len());
        let room = STEP.saturating_sub(step.len());
        step.extend_from_slice(rest.get(..room).unwrap_or(rest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_over_itself_is_what_is_encoded_elsewhere() {
        let bytes: Vec<u8> = (0..40_000_u32).map(|n| (n % 251) as u8).collect();
        let lengths = [
            0,
            1,
            2,
            56,
            57,
            58,
            113,
            STEP - 1,
            STEP,
            STEP + 1,
            3 * STEP,
            40_000,
        ];
        for content in lengths {
            for (head, tail) in [(0, 0), (1, 0), (0, 18), (300, 18), (5_000, 4_000)] {
                let [head, content, tail] = [head, content, tail].map(|length| &bytes[..length]);
                let frame = Frame {
                    head: head.to_vec(),
                    tail: tail.to_vec(),
                };
                let mut out = [b"before".as_slice(), content].concat();
                encode_in_place(&mut out, 6, &frame);
                let expected = MIME.encode([head, content, tail].concat());
                assert!(out == [b"before", expected.as_bytes()].concat());
            }
        }
    }
}

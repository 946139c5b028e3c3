//! Damaged inputs for the tests of readers, in this crate and those after it: the same ones in every run.
//!
//! Not part of the program: built for tests alone, or with the feature `mutation`.

use std::ops::Range;

/// Bytes that mean something to somebody who reads ASN.1, SMTP, MIME or TOML.
const TELLING: &[u8] =
    b"\0\x01\x02\x04\x06\x24\x30\x31\x7f\x80\x81\x82\x84\xa0\xc3\xff\r\n\t \"'\\().<>@,;:[]{}=*?~/#-_";

/// Longest run of one byte that is put in.
const LONGEST_RUN: usize = 2_000;

/// An endless row of damaged `seeds`, each in turn: bytes changed, cut out, repeated, or spliced in from another seed.
/// No seeds give no row.
pub fn mutations<S: AsRef<[u8]>>(seeds: &[S]) -> impl Iterator<Item = Vec<u8>> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    seeds.iter().cycle().map(move |seed| {
        let mut bytes = seed.as_ref().to_vec();
        for _ in 0..=random.below(3) {
            damage(&mut bytes, seeds, &mut random);
        }
        bytes
    })
}

fn damage<S: AsRef<[u8]>>(bytes: &mut Vec<u8>, seeds: &[S], random: &mut Random) {
    let piece = random.piece(bytes.len());
    let start = piece.start;
    match random.below(10) {
        0 => bytes.truncate(start),
        1 => drop(bytes.drain(piece)),
        2 => {
            let copy = bytes.get(piece).unwrap_or_default().to_vec();
            let place = random.below(bytes.len());
            drop(bytes.splice(place..place, copy));
        }
        3 => {
            let other = seeds.get(random.below(seeds.len())).map(AsRef::as_ref);
            let other = other.unwrap_or_default();
            let graft = other.get(random.piece(other.len())).unwrap_or_default();
            drop(bytes.splice(piece, graft.iter().copied()));
        }
        4 => {
            let run = vec![random.telling(); random.below(LONGEST_RUN)];
            drop(bytes.splice(start..start, run));
        }
        5 => bytes.insert(start, random.telling()),
        6 | 7 => {
            if let Some(byte) = bytes.get_mut(start) {
                *byte ^= 1 << random.below(8);
            }
        }
        _ => {
            if let Some(byte) = bytes.get_mut(start) {
                *byte = random.telling();
            }
        }
    }
}

/// xorshift64: enough to wander about, and the same each time.
struct Random(u64);

impl Random {
    /// A number below `limit`; 0 if that is 0.
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % limit.max(1)
    }

    /// A part of `length` bytes: a few of them mostly, sometimes many.
    fn piece(&mut self, length: usize) -> Range<usize> {
        let start = self.below(length);
        let most = if self.below(4) == 0 { length } else { 64 };
        start..start + self.below((length - start).min(most))
    }

    fn telling(&mut self) -> u8 {
        let place = self.below(TELLING.len());
        TELLING.get(place).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_damages_in_the_same_ways_and_within_bounds() {
        let seeds = ["MAIL FROM:<a@b.example>\r\n", "", "x"];
        let once: Vec<_> = mutations(&seeds).take(3_000).collect();
        assert!(
            once.iter()
                .zip(mutations(&seeds))
                .all(|(one, two)| *one == two)
        );
        assert!(
            once.iter()
                .all(|bytes| bytes.len() < 3 * LONGEST_RUN + 1_000)
        );
        let mut different = once.clone();
        different.sort();
        different.dedup();
        assert!(different.len() > 1_500, "{}", different.len());
        assert_eq!(mutations::<&str>(&[]).next(), None);
    }
}

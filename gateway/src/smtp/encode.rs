//! Replies on the wire (RFC 5321, section 4.2; RFC 2034): the one place that writes them.

use std::borrow::Cow;
use std::fmt::Write;

use bytes::BytesMut;

use crate::failure::Reply;

/// Most bytes of text in one line; with code, enhanced code and CR LF the line stays under 512 bytes.
const LONGEST_TEXT: usize = 480;

/// Appends `reply` to `output`.
///
/// Text may hold what strangers sent: whatever is not printable ASCII becomes `?`, so no text can end a line, and
/// long text goes on in a further line of the reply.
pub fn encode(reply: &Reply, output: &mut BytesMut) {
    let lines: Vec<Cow<'_, str>> = reply.lines.iter().map(|line| printable(line)).collect();
    let mut texts: Vec<&str> = lines.iter().flat_map(|line| wrap(line)).collect();
    let last = texts.pop().unwrap_or_default();
    for text in texts {
        write_line(reply, '-', text, output);
    }
    write_line(reply, ' ', last, output);
}

fn write_line(reply: &Reply, separator: char, text: &str, output: &mut BytesMut) {
    let code = reply.code;
    let written = match reply.enhanced {
        Some((class, subject, detail)) => {
            write!(
                output,
                "{code}{separator}{class}.{subject}.{detail} {text}\r\n"
            )
        }
        None => write!(output, "{code}{separator}{text}\r\n"),
    };
    // A growing buffer takes everything.
    debug_assert!(written.is_ok());
}

fn printable(text: &str) -> Cow<'_, str> {
    let is_printable = |letter: char| letter == ' ' || letter.is_ascii_graphic();
    if text.chars().all(is_printable) {
        return Cow::Borrowed(text);
    }
    let replaced = text
        .chars()
        .map(|letter| if is_printable(letter) { letter } else { '?' });
    Cow::Owned(replaced.collect())
}

/// Cuts ASCII text into pieces of at most [`LONGEST_TEXT`] bytes, between words where there are some.
fn wrap(mut text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    while let Some((piece, _)) = text.split_at_checked(LONGEST_TEXT + 1) {
        let cut = piece
            .rfind(' ')
            .filter(|cut| *cut > 0)
            .unwrap_or(LONGEST_TEXT);
        let Some((piece, rest)) = text.split_at_checked(cut) else {
            break;
        };
        pieces.push(piece);
        text = rest.trim_start_matches(' ');
    }
    pieces.push(text);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(reply: &Reply) -> String {
        let mut output = BytesMut::new();
        encode(reply, &mut output);
        String::from_utf8(output.to_vec()).unwrap()
    }

    fn lines(lines: &[&str], enhanced: Option<(u8, u8, u16)>) -> Reply {
        Reply {
            code: 250,
            enhanced,
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        }
    }

    #[test]
    fn every_line_carries_the_codes() {
        for (reply, expected) in [
            (Reply::new(550, (5, 7, 5), "No"), "550 5.7.5 No\r\n"),
            (Reply::bare(354, "Go"), "354 Go\r\n"),
            (lines(&["a", "b"], None), "250-a\r\n250 b\r\n"),
            (
                lines(&["a", "b"], Some((2, 0, 0))),
                "250-2.0.0 a\r\n250 2.0.0 b\r\n",
            ),
            (lines(&[], None), "250 \r\n"),
        ] {
            assert_eq!(encoded(&reply), expected);
        }
    }

    #[test]
    fn no_text_can_end_a_line() {
        let reply = Reply::new(550, (5, 1, 1), "a\r\n250 2.0.0 ok\0\u{7f}ö\u{2028}");
        assert_eq!(encoded(&reply), "550 5.1.1 a??250 2.0.0 ok????\r\n");
    }

    #[test]
    fn long_text_goes_on_in_the_next_line() {
        for text in ["word ".repeat(300), "x".repeat(1500), " ".repeat(2000)] {
            let reply = encoded(&Reply::new(550, (5, 7, 5), text.clone()));
            assert!(reply.lines().all(|line| line.len() < 510), "{reply}");
            let (last, others) = reply
                .lines()
                .collect::<Vec<_>>()
                .split_last()
                .map(|(l, o)| (*l, o.to_vec()))
                .unwrap();
            assert!(last.starts_with("550 5.7.5 "), "{last}");
            assert!(
                others.iter().all(|line| line.starts_with("550-5.7.5 ")),
                "{reply}"
            );
            let letters = |text: &str| text.matches(['w', 'x']).count();
            assert_eq!(letters(&reply), letters(&text));
        }
    }
}

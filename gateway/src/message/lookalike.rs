//! Takes out of a message what could be taken for our verdict (RFC 8601, section 5), before ours is written.
//!
//! That is: Authentication-Results in our name, X-Postern-* fields, and the subject tags that the operator lists, in any
//! case, with white space before the colon, in encoded words, or in characters that only look like them. Whole fields
//! are spliced out, and a Subject with a tag is written anew; every other byte stays. A message without a header gets the
//! empty line that makes it all body.

use std::ops::Range;

use bytes::Bytes;
use encodify::{Fold, rfc2047};
use policy::address::Address;

use super::confusable::folded;
use super::{Field, Message};

/// A message without look-alikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleaned {
    /// What is left: the very same bytes where nothing was found.
    pub content: Bytes,
    /// For the log: the names of the fields taken out, the tags taken out of subjects.
    pub removed: Vec<String>,
}

/// Removes what could be taken for a verdict of the gateway called `hostname`.
#[must_use]
pub fn without_lookalikes(message: &Message, hostname: &str, subject_tags: &[String]) -> Cleaned {
    let mut edits: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
    if message.lacks_header() {
        // Readers that pass over lines that are no fields would find fields further down.
        edits.push((0..0, b"\r\n".to_vec()));
    }
    let mut removed = Vec::new();
    let mut start = 0;
    for field in message.fields() {
        let range = start..start + field.raw.len();
        start = range.end;
        if is_verdict(&field, hostname) {
            removed.push(field.name.escape_ascii().to_string());
            edits.push((range, Vec::new()));
        } else if field.is("Subject") {
            let before = removed.len();
            let subject = without_tags(&field.decoded(), subject_tags, &mut removed);
            if removed.len() > before {
                edits.push((range, subject_field(&subject)));
            }
        }
    }
    Cleaned {
        content: spliced(message.content(), &edits),
        removed,
    }
}

/// `content` with these ranges, in order, replaced.
pub(crate) fn spliced(content: &Bytes, edits: &[(Range<usize>, Vec<u8>)]) -> Bytes {
    if edits.is_empty() {
        return content.clone();
    }
    let mut kept = Vec::with_capacity(content.len());
    let mut copied = 0;
    for (range, replacement) in edits {
        kept.extend_from_slice(content.get(copied..range.start).unwrap_or_default());
        kept.extend_from_slice(replacement);
        copied = range.end;
    }
    kept.extend_from_slice(content.get(copied..).unwrap_or_default());
    kept.into()
}

fn is_verdict(field: &Field<'_>, hostname: &str) -> bool {
    let name = std::str::from_utf8(field.name)
        .map(look)
        .unwrap_or_default();
    name.starts_with(&look("X-Postern-"))
        || (name == look("Authentication-Results") && is_in_our_name(&field.value(), hostname))
}

fn look(text: &str) -> String {
    folded(text).map(|(char, _)| char).collect()
}

/// Whether the authserv-id (RFC 8601, section 2.2) is `hostname`, or cannot be made out.
fn is_in_our_name(value: &[u8], hostname: &str) -> bool {
    let Some(id) = authserv_id(value) else {
        return true;
    };
    let canonical = |name: &str| Address::parse(&format!("a@{}", name.trim_end_matches('.')));
    match (canonical(&id), canonical(hostname)) {
        (Ok(theirs), Ok(ours)) => theirs == ours,
        _ => id
            .trim_end_matches('.')
            .eq_ignore_ascii_case(hostname.trim_end_matches('.')),
    }
}

/// The first word of the value, after comments: a token or a quoted string.
fn authserv_id(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?;
    let mut rest = after_comments(text)?.chars();
    let mut id = String::new();
    if rest.as_str().starts_with('"') {
        rest.next();
        loop {
            match rest.next()? {
                '"' => return Some(id),
                '\\' => id.push(rest.next()?),
                char => id.push(char),
            }
        }
    }
    let is_end = |char: &char| char.is_whitespace() || matches!(char, ';' | '(');
    id.extend(rest.take_while(|char| !is_end(char)));
    (!id.is_empty()).then_some(id)
}

/// What follows white space and comments (RFC 5322, section 3.2.2); none where a comment does not end.
fn after_comments(text: &str) -> Option<&str> {
    let mut depth = 0_usize;
    let mut chars = text.char_indices();
    while let Some((place, char)) = chars.next() {
        match char {
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            '\\' if depth > 0 => {
                chars.next();
            }
            _ if depth > 0 || char.is_whitespace() => {}
            _ => return text.get(place..),
        }
    }
    (depth == 0).then_some("")
}

/// The subject without the tags, and without those that appear once others are gone.
fn without_tags(subject: &str, tags: &[String], removed: &mut Vec<String>) -> String {
    let tags: Vec<(&String, Vec<char>)> = tags
        .iter()
        .map(|tag| (tag, look(tag).chars().collect()))
        .collect();
    let mut kept: Vec<(char, Range<usize>)> = Vec::new();
    let mut start = subject.len();
    for (char, range) in folded(subject) {
        start = start.min(range.start);
        kept.push((char, range));
        let ends = |tag: &[char]| {
            let end = kept
                .len()
                .checked_sub(tag.len())
                .and_then(|rest| kept.get(rest..));
            !tag.is_empty() && end.is_some_and(|end| end.iter().map(|(char, _)| char).eq(tag))
        };
        if let Some((tag, chars)) = tags.iter().find(|(_, chars)| ends(chars)) {
            removed.push(format!("Subject: {tag}"));
            kept.truncate(kept.len() - chars.len());
        }
    }
    joined(subject, start, &kept)
}

/// What is kept of `text`, each character with the unseen ones after it; white space after something taken out goes too.
fn joined(text: &str, start: usize, kept: &[(char, Range<usize>)]) -> String {
    let mut joined = text.get(..start).unwrap_or_default().to_owned();
    for (_, range) in kept {
        let rest = text.get(range.end..).unwrap_or_default();
        let next = folded(rest)
            .next()
            .map_or(rest.len(), |(_, next)| next.start);
        joined.push_str(text.get(range.start..range.end + next).unwrap_or_default());
    }
    joined.trim().to_owned()
}

/// A Subject field with this text.
pub(super) fn subject_field(text: &str) -> Vec<u8> {
    let mut field = b"Subject: ".to_vec();
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && !text.contains("=?");
    if is_plain && text.len() <= 900 {
        field.extend_from_slice(text.as_bytes());
    } else {
        let mut column = field.len();
        rfc2047::B.encode_words("utf-8", text, &mut column, Fold::HEADER, &mut field);
    }
    field.extend_from_slice(b"\r\n");
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(header: &str) -> (String, usize) {
        let content = Bytes::from(format!("{header}\r\n\r\nX-Postern-Verdict: body\r\n"));
        let message = Message::parse(content).unwrap();
        let tags = ["[signed OK]".to_owned(), "[secure]".to_owned()];
        let cleaned = without_lookalikes(&message, "gw.example.org", &tags);
        let text = String::from_utf8(cleaned.content.to_vec()).unwrap();
        let (header, body) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, "X-Postern-Verdict: body\r\n");
        (header.to_owned(), cleaned.removed.len())
    }

    #[test]
    fn fields_in_our_name_are_taken_out() {
        for field in [
            "Authentication-Results: gw.example.org; smime=pass",
            "authentication-results:GW.Example.ORG;smime=pass",
            "Authentication-Results : gw.example.org; smime=pass",
            "Authentication-Results: gw.example.org 1; smime=pass",
            "Authentication-Results: gw.example.org.; smime=pass",
            "Authentication-Results: (a (nested) comment) gw.example.org; smime=pass",
            "Authentication-Results: \"gw.example.org\"; smime=pass",
            "Authentication-Results: \"gw\\.example.org\"; smime=pass",
            "Authentication-Results:\r\n\tgw.example.org;\r\n\tsmime=pass",
            "Authentication-Results: gw.example.org(x); smime=pass",
            "Authentication-Results: (unended gw.example.org; smime=pass",
            "Authentication-Results: \"unended gw.example.org; smime=pass",
            "Authentication-Results:",
            "Аuthentication-Rеsults: gw.example.org; smime=pass",
            "X-Postern-Verdict: pass",
            "x-postern-verdict: pass",
            "X-POSTERN-ANYTHING\t: pass",
            "Х-Роstеrn-Verdict: pass",
            "X‐Postern‐Verdict: pass",
        ] {
            let (header, removed) =
                clean(&format!("From: a@b.example\r\n{field}\r\nTo: c@d.example"));
            assert_eq!(header, "From: a@b.example\r\nTo: c@d.example", "{field}");
            assert_eq!(removed, 1, "{field}");
        }
    }

    #[test]
    fn everything_else_stays() {
        for header in [
            "Authentication-Results: mx.example.net; spf=pass",
            "Authentication-Results: gw.example.org.evil.example; smime=pass",
            "Authentication-Results: (gw.example.org) mx.example.net; spf=pass",
            "X-Posterns: 1",
            "X-Other: X-Postern-Verdict: pass",
            "Subject: the [signed] offer OK]",
            "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=",
        ] {
            assert_eq!(clean(header), (header.to_owned(), 0));
        }
    }

    #[test]
    fn what_has_no_header_becomes_body_for_everybody() {
        let hidden =
            "From mallory Tue Jan 2 00:00:00 2024\r\nX-Postern-Verdict: pass\r\n\r\nbody\r\n";
        let message = Message::parse(Bytes::from(hidden)).unwrap();
        let cleaned = without_lookalikes(&message, "gw.example.org", &[]);
        assert_eq!(cleaned.content, format!("\r\n{hidden}"));
        let again = Message::parse(cleaned.content.clone()).unwrap();
        assert_eq!(again.fields().count(), 0);
        assert_eq!(
            without_lookalikes(&again, "gw.example.org", &[]).content,
            cleaned.content
        );
    }

    #[test]
    fn fields_after_odd_lines_are_found() {
        for odd in ["garbage", " \t", ": nameless"] {
            let header = format!("A: 1\r\n{odd}\r\nX-Postern-Verdict: pass\r\nB: 2");
            assert_eq!(clean(&header), (format!("A: 1\r\n{odd}\r\nB: 2"), 1));
        }
    }

    #[test]
    fn tags_are_taken_out_of_subjects() {
        for (subject, expected) in [
            ("[signed OK] offer", "offer"),
            ("Re: [SIGNED ok] offer", "Re: offer"),
            ("[signed\r\n OK] offer", "offer"),
            ("offer [sig[signed OK]ned OK]", "offer"),
            ("offer [secure][signed OK]", "offer"),
            ("=?utf-8?q?=5Bsigned_OK=5D_offer?=", "offer"),
            ("=?utf-8?b?W3NpZ25lZCBPS10=?= offer", "offer"),
            ("［ｓｉｇｎｅｄ ОК］ offer", "offer"),
            ("[sig\u{200b}ned OK] Grüße", "=?utf-8?B?R3LDvMOfZQ==?="),
        ] {
            let (header, removed) = clean(&format!("Subject: {subject}"));
            assert_eq!(header, format!("Subject: {expected}"), "{subject}");
            assert!(removed > 0);
        }
    }
}

//! A header block as ranges (RFC 5322, section 2.2).
//!
//! The block ends at the first empty line, or with the content. A block whose first line is no field is no block: all of
//! it is body. A later line that is neither a field nor the continuation of one is kept, without a name. Where other
//! readers may see another block, it counts as unclean. Nothing is decoded here.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr;

use super::{MAX_FIELDS, MAX_HEADER_BYTES, MessageError};

/// One header field.
#[derive(Debug, Clone, Copy)]
pub struct Field<'m> {
    /// The name as written, without the white space before the colon; empty for a line that is no field.
    pub name: &'m [u8],
    /// The whole field, with its folding and its final line end.
    pub raw: &'m [u8],
    body: &'m [u8],
}

impl<'m> Field<'m> {
    /// Whether it has this name; case does not count.
    #[must_use]
    pub const fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// Whether it describes the content (RFC 2045, section 9) and so belongs to the MIME entity.
    #[must_use]
    pub fn is_content(&self) -> bool {
        self.name
            .split_at_checked(b"content-".len())
            .is_some_and(|(start, _)| start.eq_ignore_ascii_case(b"content-"))
    }

    /// What follows the colon, unfolded (RFC 5322, section 2.2.3), without white space around it.
    #[must_use]
    pub fn value(&self) -> Cow<'m, [u8]> {
        let body = self.body.trim_ascii();
        if memchr(b'\n', body).is_none() {
            return Cow::Borrowed(body);
        }
        let mut unfolded = Vec::with_capacity(body.len());
        for line in body.split(|byte| *byte == b'\n') {
            unfolded.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        }
        Cow::Owned(unfolded)
    }

    /// What follows the colon as it is written, folding included, without white space around it.
    #[must_use]
    pub const fn folded_value(&self) -> &'m [u8] {
        self.body.trim_ascii()
    }
}

/// Where the fields of a header block lie, counted from the start of what was split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HeaderBlock {
    fields: Vec<FieldRange>,
    /// Where the fields end.
    pub(super) end: usize,
    /// Where the body begins, after the blank line if there is one.
    pub(super) body: usize,
    /// Whether every line belongs to a field, as everybody reads it.
    pub(super) is_clean: bool,
}

impl HeaderBlock {
    /// The fields of the content that was split.
    pub(super) fn fields<'m>(&self, content: &'m [u8]) -> impl Iterator<Item = Field<'m>> {
        self.fields.iter().map(|range| {
            let part = |range: Range<usize>| content.get(range).unwrap_or_default();
            Field {
                name: part(range.start..range.name_end),
                raw: part(range.start..range.end),
                body: part(range.body..range.end),
            }
        })
    }

    /// Where the fields of this name lie.
    pub(super) fn ranges_of(
        &self,
        content: &[u8],
        name: &str,
    ) -> impl Iterator<Item = Range<usize>> {
        let named = self.fields.iter().zip(self.fields(content));
        named
            .filter(move |(_, field)| field.is(name))
            .map(|(range, _)| range.start..range.end)
    }

    /// How many fields there are.
    pub(super) const fn len(&self) -> usize {
        self.fields.len()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct FieldRange {
    start: usize,
    name_end: usize,
    body: usize,
    end: usize,
}

/// Finds the header block at the start of `content`.
///
/// # Errors
/// [`MessageError::HeaderTooLong`], [`MessageError::TooManyFields`].
pub(super) fn split(content: &[u8]) -> Result<HeaderBlock, MessageError> {
    let mut block = HeaderBlock {
        fields: Vec::new(),
        end: 0,
        body: 0,
        is_clean: true,
    };
    let mut rest = content;
    while let Some((line, after)) = next_line(rest) {
        let start = content.len() - rest.len();
        let end = start + line.len();
        block.end = start;
        block.body = start;
        if matches!(line, b"\n" | b"\r\n") {
            block.body = end;
            return Ok(block);
        }
        let folded = matches!(line.first(), Some(b' ' | b'\t'));
        match (block.fields.last_mut(), field_name(line)) {
            (Some(field), _) if folded => {
                // Some readers end the header at a folded line of white space alone (RFC 5322, section 4.2).
                block.is_clean &= !line.trim_ascii().is_empty();
                field.end = end;
            }
            (None, None) => {
                block.is_clean = false;
                return Ok(block);
            }
            (_, None) => {
                block.is_clean = false;
                block.fields.push(FieldRange {
                    start,
                    name_end: start,
                    body: start,
                    end,
                });
            }
            (_, Some((name, colon))) => block.fields.push(FieldRange {
                start,
                name_end: start + name,
                body: start + colon + 1,
                end,
            }),
        }
        if block.fields.len() > MAX_FIELDS {
            return Err(MessageError::TooManyFields);
        }
        if end > MAX_HEADER_BYTES {
            return Err(MessageError::HeaderTooLong);
        }
        rest = after;
        block.end = end;
        block.body = end;
    }
    Ok(block)
}

/// The first line with its line end, and what follows it; none where there is nothing left.
pub(super) fn next_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = memchr(b'\n', bytes).map_or(bytes.len(), |newline| newline + 1);
    bytes
        .split_at_checked(length)
        .filter(|(line, _)| !line.is_empty())
}

/// Lengths of the name and of what comes before the colon. White space before the colon is obsolete syntax (RFC 5322,
/// section 4.5) that others read as part of the field, so it is read here too. A name beyond ASCII is no standard name,
/// but it may be made to look like one.
fn field_name(line: &[u8]) -> Option<(usize, usize)> {
    let colon = memchr(b':', line)?;
    let name = line.get(..colon)?.trim_ascii_end();
    let is_name = !name.is_empty() && name.iter().all(|byte| *byte > b' ' && *byte != 0x7f);
    is_name.then_some((name.len(), colon))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names (`?` for a line without one) and the body, joined by `|`; `!` where the block is not clean.
    fn summary(content: &[u8]) -> String {
        let block = split(content).unwrap();
        let names: Vec<_> = block
            .fields(content)
            .map(|field| {
                if field.name.is_empty() {
                    "?".into()
                } else {
                    field.name.escape_ascii().to_string()
                }
            })
            .collect();
        let body = content[block.body..].escape_ascii();
        format!(
            "{}|{body}{}",
            names.join(","),
            if block.is_clean { "" } else { "!" }
        )
    }

    #[test]
    fn ugly_headers() {
        for (input, expected) in [
            (&b""[..], "|"),
            (b"\r\n", "|"),
            (b"\r\nbody\r\n", r"|body\r\n"),
            (b"A: 1\r\n\r\nbody", "A|body"),
            (b"A: 1\r\n", "A|"),
            (b"A: 1", "A|"),
            (b"A: 1\n\nbody", "A|body"),
            (b"A: 1\r\n folded\r\n\tmore\r\nB:2\r\n\r\n", "A,B|"),
            (b"A : 1\r\n\r\n", "A|"),
            (b"A: 1\r\n \t\r\nB: 2\r\n\r\nx", "A,B|x!"),
            (b"Hello\r\nworld\r\n", r"|Hello\r\nworld\r\n!"),
            (b" A: 1\r\n\r\nbody", r"| A: 1\r\n\r\nbody!"),
            (
                b"From a@b Mon Jan 1 00:00:00\r\nA: 1\r\n\r\n",
                r"|From a@b Mon Jan 1 00:00:00\r\nA: 1\r\n\r\n!",
            ),
            (
                b"A: 1\r\ngarbage\r\n folded garbage\r\nB: 2\r\n\r\nx",
                "A,?,B|x!",
            ),
            (b": no name\r\n\r\n", r"|: no name\r\n\r\n!"),
            (b"A: 1\r\n: no name\r\n\r\n", "A,?|!"),
            (b"A: 1\r\nB\0: 2\r\n\r\n", "A,?|!"),
            ("Ä: 1\r\n\r\n".as_bytes(), r"\xc3\x84|"),
            (b"A: \r\r\n\r\n", "A|"),
        ] {
            assert_eq!(summary(input), expected, "{}", input.escape_ascii());
        }
    }

    #[test]
    fn values_are_unfolded() {
        for (input, expected) in [
            (&b"A:1\r\n"[..], &b"1"[..]),
            (b"A:  1 \r\n", b"1"),
            (b"A:\r\n 1\r\n\t2\r\n", b"1\t2"),
            (b"A:", b""),
            (b"A: a\n b", b"a b"),
        ] {
            let block = split(input).unwrap();
            let field = block.fields(input).next().unwrap();
            assert_eq!(*field.value(), *expected, "{}", input.escape_ascii());
        }
    }

    #[test]
    fn bounds_hold() {
        let many = b"A: 1\r\n".repeat(MAX_FIELDS + 1);
        assert_eq!(split(&many), Err(MessageError::TooManyFields));
        let long = [b"A: ".as_slice(), &vec![b'x'; MAX_HEADER_BYTES]].concat();
        assert_eq!(split(&long), Err(MessageError::HeaderTooLong));
        let just = b"A: 1\r\n".repeat(MAX_FIELDS);
        assert_eq!(split(&just).unwrap().len(), MAX_FIELDS);
    }
}

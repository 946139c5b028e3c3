//! The addresses of a header field such as From, To or Cc: a mailbox-list or address-list of RFC 5322, section 3.4.
//!
//! Read strictly: comments, groups and folding are understood, obsolete routes, empty list elements and anything that
//! does not parse to its last character are refused, never skipped. Encoded words in display names are left as they are.

use std::borrow::Cow;

use super::parts::{is_atom_character, quoted_string};
use super::{Address, AddressError};

/// Most mailboxes that one field may have.
const MOST_MAILBOXES: usize = 10_000;
/// How deep comments may be nested.
const DEEPEST_COMMENT: usize = 16;

/// One mailbox of a header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The name before the angle brackets, without quotes; encoded words (RFC 2047) are not decoded.
    pub display_name: Option<String>,
    /// The address.
    pub address: Address,
}

/// Reads the body of an address field, folded or not; the members of groups stand in place of their group.
///
/// A field of white space and comments alone has no mailboxes.
///
/// # Errors
/// [`AddressError`], if any of it is not by the grammar.
pub fn mailboxes(field_body: &[u8]) -> Result<Vec<Mailbox>, AddressError> {
    let text = std::str::from_utf8(field_body).map_err(|_| AddressError::NotUtf8)?;
    let text = unfold(text);
    let mut reader = Reader {
        text: &text,
        rest: &text,
        mailboxes: Vec::new(),
    };
    reader.address_list()?;
    Ok(reader.mailboxes)
}

/// Takes out each CRLF before white space (RFC 5322, section 2.2.3) and the one at the end.
fn unfold(text: &str) -> Cow<'_, str> {
    let text = text.strip_suffix("\r\n").unwrap_or(text);
    if !text.contains("\r\n") {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\r\n ", " ").replace("\r\n\t", "\t"))
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
    mailboxes: Vec<Mailbox>,
}

impl<'a> Reader<'a> {
    fn address_list(&mut self) -> Result<(), AddressError> {
        self.space()?;
        if self.rest.is_empty() {
            return Ok(());
        }
        loop {
            self.address(true)?;
            if self.rest.is_empty() {
                return Ok(());
            }
            self.expect(',')?;
        }
    }

    /// A mailbox or, where one may stand, a group; with the space around it.
    fn address(&mut self, may_be_group: bool) -> Result<(), AddressError> {
        self.space()?;
        let start = self.rest;
        let name = self.phrase()?;
        match self.peek() {
            Some('<') => self.angle_address(name),
            Some(':') if may_be_group && name.is_some() => self.group(),
            _ => {
                self.rest = start;
                let address = self.address_spec()?;
                self.push(None, address)
            }
        }
    }

    fn angle_address(&mut self, display_name: Option<String>) -> Result<(), AddressError> {
        self.expect('<')?;
        self.space()?;
        let address = self.address_spec()?;
        self.expect('>')?;
        self.space()?;
        self.push(display_name, address)
    }

    fn group(&mut self) -> Result<(), AddressError> {
        self.expect(':')?;
        self.space()?;
        if self.peek() != Some(';') {
            self.address(false)?;
            while self.peek() == Some(',') {
                self.expect(',')?;
                self.address(false)?;
            }
        }
        self.expect(';')?;
        self.space()
    }

    /// Words, and the dots that many people leave unquoted in names (obs-phrase, RFC 5322, section 4.1).
    fn phrase(&mut self) -> Result<Option<String>, AddressError> {
        let mut name = String::new();
        let mut is_apart = false;
        while let Some(next) = self.peek() {
            if is_apart && !name.is_empty() && (next == '"' || is_name_character(next)) {
                name.push(' ');
            }
            if next == '"' {
                name.push_str(&self.quoted_string()?.0);
            } else if is_name_character(next) {
                name.push_str(self.take_while(is_name_character));
            } else {
                break;
            }
            let before = self.rest.len();
            self.space()?;
            is_apart = self.rest.len() != before;
        }
        Ok((!name.is_empty()).then_some(name))
    }

    /// An addr-spec and the space after it.
    fn address_spec(&mut self) -> Result<Address, AddressError> {
        let local_part = if self.peek() == Some('"') {
            self.quoted_string()?.1
        } else {
            self.take_while(is_name_character)
        };
        if local_part.is_empty() {
            return Err(self.unexpected());
        }
        self.space()?;
        self.expect('@')?;
        self.space()?;
        let domain = if self.peek() == Some('[') {
            let end = self.rest.find(']').ok_or(AddressError::UnexpectedEnd)?;
            self.take(end + 1)
        } else {
            self.take_while(is_name_character)
        };
        if domain.is_empty() {
            return Err(self.unexpected());
        }
        self.space()?;
        Address::parse(&format!("{local_part}@{domain}"))
    }

    /// A quoted string: its content, and as it was written.
    fn quoted_string(&mut self) -> Result<(String, &'a str), AddressError> {
        let (content, rest) = quoted_string(self.rest)?;
        let length = self.rest.len() - rest.len();
        let (written, _) = self.rest.split_at(length);
        if let Some(wrong) = written.find(|c: char| c.is_control() && c != '\t') {
            self.take(wrong);
            return Err(self.unexpected());
        }
        Ok((content, self.take(length)))
    }

    /// White space and comments, if there are any (CFWS, RFC 5322, section 3.2.2).
    fn space(&mut self) -> Result<(), AddressError> {
        let mut depth = 0;
        while let Some(next) = self.peek() {
            match next {
                '(' if depth == DEEPEST_COMMENT => return Err(AddressError::TooDeep),
                '(' => depth += 1,
                ')' if depth > 0 => depth -= 1,
                ' ' | '\t' => {}
                _ if depth == 0 => return Ok(()),
                '\\' => self.skip_character(),
                _ => {}
            }
            match self.peek() {
                Some(next) if !next.is_control() || next == '\t' => self.skip_character(),
                _ => return Err(self.unexpected()),
            }
        }
        if depth > 0 {
            return Err(AddressError::UnexpectedEnd);
        }
        Ok(())
    }

    fn push(&mut self, display_name: Option<String>, address: Address) -> Result<(), AddressError> {
        if self.mailboxes.len() == MOST_MAILBOXES {
            return Err(AddressError::TooMany);
        }
        self.mailboxes.push(Mailbox {
            display_name,
            address,
        });
        Ok(())
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn skip_character(&mut self) {
        let mut characters = self.rest.chars();
        characters.next();
        self.rest = characters.as_str();
    }

    fn expect(&mut self, expected: char) -> Result<(), AddressError> {
        self.rest = self
            .rest
            .strip_prefix(expected)
            .ok_or_else(|| self.unexpected())?;
        Ok(())
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let length = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        self.take(length)
    }

    /// Takes `length` bytes, or all if there are fewer.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn unexpected(&self) -> AddressError {
        let Some(found) = self.peek() else {
            return AddressError::UnexpectedEnd;
        };
        let before = self.text.len() - self.rest.len();
        let position = 1 + self
            .text
            .char_indices()
            .take_while(|(offset, _)| *offset < before)
            .count();
        AddressError::Unexpected { found, position }
    }
}

fn is_name_character(character: char) -> bool {
    character == '.' || is_atom_character(character)
}

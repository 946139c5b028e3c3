//! The two halves of an address, each read to its canonical form. What they may contain is RFC 5321, section 4.1.2,
//! with the UTF-8 of RFC 6531, section 3.3.

use std::net::{Ipv4Addr, Ipv6Addr};

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::AddressError;

/// Most octets of a local part (RFC 5321, section 4.5.3.1.1).
const LONGEST_LOCAL_PART: usize = 64;
/// Most octets of a domain (RFC 5321, section 4.5.3.1.2).
const LONGEST_DOMAIN: usize = 255;

/// Reads the local part that `text` begins with; gives its canonical form and what follows it.
pub(super) fn local_part(text: &str) -> Result<(String, &str), AddressError> {
    let (canonical, rest) = if text.starts_with('"') {
        let (content, rest) = quoted_string(text)?;
        (canonical_quoted(&content)?, rest)
    } else {
        let (atoms, rest) = text.split_at(text.find('@').unwrap_or(text.len()));
        check_dot_string(atoms)?;
        (atoms.to_ascii_lowercase(), rest)
    };
    let length = text.len() - rest.len();
    if length > LONGEST_LOCAL_PART {
        return Err(AddressError::LocalPartTooLong(length));
    }
    Ok((canonical, rest))
}

/// Reads a whole domain or address literal; gives its canonical form.
pub(super) fn domain(text: &str) -> Result<String, AddressError> {
    if let Some(literal) = text.strip_prefix('[') {
        return address_literal(literal.strip_suffix(']').ok_or(AddressError::Literal)?);
    }
    // IDNA ignores invisible characters: two names that look alike and differ in bytes would become one.
    if text.len() > LONGEST_DOMAIN || text.chars().any(is_unseen) {
        return Err(AddressError::Domain);
    }
    Uts46::new()
        .to_ascii(
            text.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| AddressError::Domain)
}

/// Reads the quoted string that `text` begins with; gives its content without backslashes, and what follows it.
pub(super) fn quoted_string(text: &str) -> Result<(String, &str), AddressError> {
    let mut content = String::new();
    let mut characters = text.chars();
    characters.next();
    loop {
        match characters.next().ok_or(AddressError::OpenQuote)? {
            '"' => return Ok((content, characters.as_str())),
            '\\' => content.push(characters.next().ok_or(AddressError::OpenQuote)?),
            other => content.push(other),
        }
    }
}

/// Whether it is a character of an atom (RFC 5322, section 3.2.3; RFC 6532, section 3.2).
pub(super) fn is_atom_character(character: char) -> bool {
    if character.is_ascii() {
        character.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(character)
    } else {
        !is_unseen(character)
    }
}

fn check_dot_string(text: &str) -> Result<(), AddressError> {
    if text.is_empty() {
        return Err(AddressError::NoLocalPart);
    }
    for atom in text.split('.') {
        if atom.is_empty() {
            return Err(AddressError::LocalPartDot);
        }
        if let Some(wrong) = atom.chars().find(|&c| !is_atom_character(c)) {
            return Err(AddressError::LocalPartCharacter(wrong));
        }
    }
    Ok(())
}

/// Quotes and backslashes stay only where the local part is not one without them.
fn canonical_quoted(content: &str) -> Result<String, AddressError> {
    let is_wrong = |c: &char| *c != ' ' && is_unseen(*c);
    if let Some(wrong) = content.chars().find(is_wrong) {
        return Err(AddressError::LocalPartCharacter(wrong));
    }
    let content = content.to_ascii_lowercase();
    if check_dot_string(&content).is_ok() {
        return Ok(content);
    }
    let mut quoted = String::with_capacity(content.len() + 2);
    quoted.push('"');
    for character in content.chars() {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    Ok(quoted)
}

fn address_literal(text: &str) -> Result<String, AddressError> {
    const TAG: &str = "ipv6:";
    match text.split_at_checked(TAG.len()) {
        Some((tag, address)) if tag.eq_ignore_ascii_case(TAG) => {
            let address: Ipv6Addr = address.parse().map_err(|_| AddressError::Literal)?;
            Ok(format!("[{TAG}{address}]"))
        }
        _ => {
            let address: Ipv4Addr = text.parse().map_err(|_| AddressError::Literal)?;
            Ok(format!("[{address}]"))
        }
    }
}

/// White space, control characters, and those that a reader cannot see or that turn the text around them.
fn is_unseen(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..='\u{e0fff}'
        )
}

//! Just enough MIME to take the mails of the stories apart and put them together, byte for byte.
//!
//! Header fields and boundaries are found by plain scanning, so that the bytes under a signature are what was on the
//! wire; only the contents of leaf parts come from a MIME parser. Mails have CRLF line ends throughout.

use anyhow::{Context, Result, ensure};
use encodify::base64;
use mail_parser::{MessageParser, PartKind};

/// A part that holds no other part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Its media type, such as `text/plain`.
    pub kind: String,
    /// Its content with the transfer encoding undone.
    pub content: Vec<u8>,
}

impl Leaf {
    /// A part of this type and content.
    #[must_use]
    pub fn new(kind: &str, content: impl Into<Vec<u8>>) -> Self {
        let kind = kind.to_owned();
        let content = content.into();
        Self { kind, content }
    }
}

/// The leaf parts of a mail or MIME entity in order, those of enclosed messages included.
///
/// # Errors
/// It is no mail.
pub fn leaves(mail: &[u8]) -> Result<Vec<Leaf>> {
    let message = MessageParser::default()
        .parse(mail)
        .context("this is no mail")?;
    Ok(message
        .parts()
        .filter(|part| !matches!(part.kind(), PartKind::Multipart | PartKind::Message(_)))
        .map(|part| {
            let declared = part
                .content_type()
                .map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()));
            let kind = declared.unwrap_or_else(|| "text/plain".to_owned());
            Leaf::new(&kind, part.decoded())
        })
        .collect())
}

/// Header block (its last CRLF included) and body of a mail.
#[must_use]
pub fn split(mail: &[u8]) -> (&[u8], &[u8]) {
    match find(mail, b"\r\n\r\n") {
        Some(end) => (&mail[..end + 2], &mail[end + 4..]),
        None => (mail, b""),
    }
}

/// The header fields as they stand, each with its folded lines and its last CRLF.
#[must_use]
pub fn fields(mail: &[u8]) -> Vec<&[u8]> {
    let (head, _) = split(mail);
    let mut found = Vec::new();
    let mut start = 0;
    for (at, _) in head.windows(2).enumerate().filter(|(_, w)| w == b"\r\n") {
        let next = at + 2;
        if !matches!(head.get(next), Some(b' ' | b'\t')) {
            found.push(&head[start..next]);
            start = next;
        }
    }
    found
}

/// The values of all fields of this name, unfolded, in order.
#[must_use]
pub fn values(mail: &[u8], name: &str) -> Vec<String> {
    fields(mail)
        .into_iter()
        .filter_map(|field| {
            let text = String::from_utf8_lossy(field);
            let (found, value) = text.split_once(':')?;
            let wanted = found.eq_ignore_ascii_case(name);
            wanted.then(|| value.replace("\r\n", "").trim().to_owned())
        })
        .collect()
}

/// The MIME entity within a mail: its content fields and its body, without everything that belongs to the way.
#[must_use]
pub fn entity(mail: &[u8]) -> Vec<u8> {
    let mut entity = content_fields(mail, true);
    entity.extend_from_slice(b"\r\n");
    entity.extend_from_slice(split(mail).1);
    entity
}

/// A mail with the addressing of `mail` and `entity` as its content.
#[must_use]
pub fn dress(mail: &[u8], entity: &[u8]) -> Vec<u8> {
    let mut dressed = content_fields(mail, false);
    if values(entity, "MIME-Version").is_empty() {
        dressed.extend_from_slice(b"MIME-Version: 1.0\r\n");
    }
    dressed.extend_from_slice(entity);
    dressed
}

/// An entity with its signature (DER) beside it (RFC 8551, section 3.5.3).
#[must_use]
pub fn multipart_signed(entity: &[u8], signature: &[u8], micalg: &str) -> Vec<u8> {
    let mut mail = format!(
        "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg={micalg};\r\n \
         boundary=\"=_signed\"\r\n\r\n--=_signed\r\n"
    )
    .into_bytes();
    mail.extend_from_slice(entity);
    mail.extend_from_slice(b"\r\n--=_signed\r\n");
    mail.extend(pkcs7(
        "application/pkcs7-signature; name=smime.p7s",
        signature,
    ));
    mail.extend_from_slice(b"\r\n--=_signed--\r\n");
    mail
}

/// A CMS message (DER) of this smime-type as an entity (RFC 8551, section 3.2).
#[must_use]
pub fn pkcs7mime(smime_type: &str, message: &[u8]) -> Vec<u8> {
    let kind = format!("application/pkcs7-mime; smime-type={smime_type}; name=smime.p7m");
    pkcs7(&kind, message)
}

fn pkcs7(kind: &str, message: &[u8]) -> Vec<u8> {
    let body = base64::MIME.encode(message);
    format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}\r\n")
        .into_bytes()
}

/// Whether a mail is signed, with its content readable.
#[must_use]
pub fn is_multipart_signed(mail: &[u8]) -> bool {
    let kind = values(mail, "Content-Type").pop().unwrap_or_default();
    kind.to_ascii_lowercase().starts_with("multipart/signed")
}

/// The decoded body of a mail or entity that is one base64 part, such as `application/pkcs7-mime`.
///
/// # Errors
/// It is not base64.
pub fn payload(mail: &[u8]) -> Result<Vec<u8>> {
    let encoding = values(mail, "Content-Transfer-Encoding");
    ensure!(
        encoding == ["base64"],
        "not a base64 part but {encoding:?}: {}",
        String::from_utf8_lossy(split(mail).0),
    );
    decoded(split(mail).1)
}

/// The bytes under the signature of a `multipart/signed` mail, and the signature in DER (RFC 1847).
///
/// # Errors
/// It is not such a mail.
pub fn clear_signed(mail: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    let kind = values(mail, "Content-Type").pop().unwrap_or_default();
    ensure!(kind.starts_with("multipart/signed"), "not signed: {kind}");
    let (_, boundary) = kind.split_once("boundary=").context("no boundary")?;
    let boundary = boundary.split(';').next().unwrap_or_default();
    let delimiter = format!("\r\n--{}", boundary.trim().trim_matches('"'));
    let mut parts = Vec::new();
    let mut rest = &mail[split(mail).0.len()..];
    while let Some(at) = find(rest, delimiter.as_bytes()) {
        parts.push(&rest[..at]);
        rest = &rest[at + delimiter.len()..];
    }
    ensure!(parts.len() == 3, "{} parts", parts.len().saturating_sub(1));
    // What follows a delimiter is the rest of its own line.
    let signed = parts[1].strip_prefix(b"\r\n").context("no signed part")?;
    let signature = parts[2].strip_prefix(b"\r\n").context("no signature")?;
    Ok((signed.to_vec(), payload(&ended(signature))?))
}

/// The same text with CRLF for every line end.
#[must_use]
pub fn crlf(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 40);
    let mut previous = 0;
    for &byte in text {
        if byte == b'\n' && previous != b'\r' {
            out.push(b'\r');
        }
        out.push(byte);
        previous = byte;
    }
    out
}

/// Where `needle` first stands in `bytes`.
#[must_use]
pub fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(step) = bytes[from..].iter().position(|&byte| byte == first) {
        from += step;
        if bytes[from..].starts_with(needle) {
            return Some(from);
        }
        from += 1;
    }
    None
}

fn decoded(base64_text: &[u8]) -> Result<Vec<u8>> {
    let text: Vec<u8> = base64_text
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    base64::STANDARD
        .decode(text)
        .map_err(|error| anyhow::anyhow!("not base64: {error}"))
}

fn content_fields(mail: &[u8], wanted: bool) -> Vec<u8> {
    let is_content = |field: &[u8]| {
        let name = field.to_ascii_lowercase();
        name.starts_with(b"content-")
    };
    let is_version = |field: &[u8]| field.to_ascii_lowercase().starts_with(b"mime-version:");
    fields(mail)
        .into_iter()
        .filter(|field| is_content(field) == wanted && !is_version(field))
        .collect::<Vec<_>>()
        .concat()
}

fn ended(part: &[u8]) -> Vec<u8> {
    [part, b"\r\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &[u8] = b"From: a@x\r\nContent-Type: text/plain;\r\n charset=utf-8\r\nMIME-Version: 1.0\r\n\r\nHi\r\n";

    #[test]
    fn takes_a_mail_apart_and_puts_it_together() -> Result<()> {
        let entity = entity(MAIL);
        assert_eq!(
            entity,
            b"Content-Type: text/plain;\r\n charset=utf-8\r\n\r\nHi\r\n"
        );
        assert_eq!(
            dress(MAIL, &entity),
            [b"From: a@x\r\nMIME-Version: 1.0\r\n", &entity[..]].concat()
        );
        assert_eq!(values(MAIL, "content-type"), ["text/plain; charset=utf-8"]);
        assert_eq!(leaves(MAIL)?, [Leaf::new("text/plain", "Hi\r\n")]);
        Ok(())
    }

    #[test]
    fn finds_what_is_under_a_signature() -> Result<()> {
        let mail = b"Content-Type: multipart/signed; protocol=\"x\"; boundary=\"=_b\"\r\n\r\nnote\r\n--=_b\r\nA: b\r\n\r\n \
            text\r\n\r\n--=_b\r\nContent-Transfer-Encoding: base64\r\n\r\nMAA=\r\n--=_b--\r\n";
        let (signed, signature) = clear_signed(mail)?;
        assert_eq!(signed, b"A: b\r\n\r\n text\r\n");
        assert_eq!(signature, [0x30, 0x00]);
        assert!(clear_signed(MAIL).is_err());
        Ok(())
    }

    #[test]
    fn line_ends_become_crlf_once() {
        for (input, expected) in [
            ("a\nb", "a\r\nb"),
            ("a\r\nb", "a\r\nb"),
            ("\n\n", "\r\n\r\n"),
        ] {
            assert_eq!(crlf(input.as_bytes()), expected.as_bytes());
        }
    }
}

//! What is said about a message's signature, and how: `Authentication-Results` (RFC 8601) with `smime` (RFC 7281).
//!
//! Names out of certificates are strangers' text. They stand in quoted strings, cut to a length, without line ends.

use std::fmt;

use certstore::certificate::Certificate;
use certstore::trust::Distrust;
use policy::address::Address;

/// The result (RFC 7281, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VerdictResult {
    /// Signed by whom the From names, with a certificate that is trusted.
    Pass,
    /// Signed, and the signature or its certificate is not right.
    Fail,
    /// Signed in a way of which nothing can be said.
    Neutral,
    /// Signed rightly, in a way that is not accepted.
    Policy,
    /// It cannot be said now; it may be later.
    TempError,
    /// It can never be said.
    PermError,
    /// Not signed.
    None,
}

/// Why it is no pass: the words that stand in verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The content is not what was signed.
    Altered,
    /// The certificate is not for the address in From.
    AddressMismatch,
    /// No path leads to an anchor.
    Untrusted,
    /// A certificate is past its time.
    Expired,
    /// A certificate is before its time.
    NotYetValid,
    /// A certificate was revoked.
    Revoked,
    /// Whether a certificate was revoked must be known, and is not.
    RevocationUnknown,
    /// A certificate is not for signing mail.
    WrongUsage,
    /// A key or digest is too weak.
    Weak,
    /// An algorithm is not supported.
    Unsupported,
    /// Something is not what the standard says.
    Malformed,
    /// Others may read another message than we do.
    Ambiguous,
    /// Only a part is signed.
    PartlySigned,
    /// The encryption did not protect the content against changes.
    Unauthenticated,
}

/// What is said about the signature of a message.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The result.
    pub result: VerdictResult,
    /// Why it is no pass.
    pub reason: Option<Reason>,
    /// The same for people; empty for a pass.
    pub text: String,
    /// Whose signature it is: the From address, and for a pass alone.
    pub signer: Option<Address>,
    /// The certificate that signed; not trusted unless it is a pass.
    pub certificate: Option<Certificate>,
    /// All certificates that came with the signature, the signer's among them; not trusted.
    pub certificates: Vec<Certificate>,
    /// The part with the signature, as IMAP counts (RFC 3501, section 6.4.5).
    pub part: Option<&'static str>,
}

impl Verdict {
    /// The message is not signed.
    #[must_use]
    pub const fn unsigned() -> Self {
        Self {
            result: VerdictResult::None,
            reason: None,
            text: String::new(),
            signer: None,
            certificate: None,
            certificates: Vec::new(),
            part: None,
        }
    }

    /// No pass, for this reason; `text` says it to people.
    #[must_use]
    pub fn refused(result: VerdictResult, reason: Reason, text: impl Into<String>) -> Self {
        Self {
            result,
            reason: Some(reason),
            text: text.into(),
            ..Self::unsigned()
        }
    }

    /// The signature is right and its certificate is not.
    pub(super) fn distrusted(distrust: &Distrust) -> Self {
        let (result, reason) = match distrust {
            Distrust::AddressMismatch { .. } => (VerdictResult::Fail, Reason::AddressMismatch),
            Distrust::Untrusted(_) => (VerdictResult::Fail, Reason::Untrusted),
            Distrust::Expired { .. } => (VerdictResult::Fail, Reason::Expired),
            Distrust::NotYetValid { .. } => (VerdictResult::Fail, Reason::NotYetValid),
            Distrust::Revoked { .. } => (VerdictResult::Fail, Reason::Revoked),
            Distrust::RevocationUnknown {
                is_temporary: true, ..
            } => (VerdictResult::TempError, Reason::RevocationUnknown),
            Distrust::RevocationUnknown { .. } => {
                (VerdictResult::Policy, Reason::RevocationUnknown)
            }
            Distrust::WrongUsage { .. } => (VerdictResult::Fail, Reason::WrongUsage),
            Distrust::Weak { .. } => (VerdictResult::Policy, Reason::Weak),
            Distrust::Malformed { .. } => (VerdictResult::PermError, Reason::Malformed),
        };
        let sentence = distrust.to_string();
        let text = sentence
            .split_once(": ")
            .map_or(sentence.as_str(), |(_, text)| text);
        Self::refused(result, reason, text)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.result)?;
        match self.reason {
            Some(reason) => write!(f, " ({reason}: {})", self.text),
            None => Ok(()),
        }
    }
}

/// The verdict as a header field with its line ends, in the name of `hostname`.
#[must_use]
pub fn authentication_results(hostname: &str, verdict: &Verdict) -> Vec<u8> {
    let mut field = format!(
        "Authentication-Results: {hostname};\r\n\tsmime={}",
        verdict.result
    );
    if let Some(reason) = verdict.reason {
        let text = format!("{reason}: {}", verdict.text);
        field.push_str(&format!("\r\n\treason={}", quoted(&text)));
    }
    if let Some(part) = verdict.part {
        field.push_str(&format!("\r\n\tbody.smime-part={part}"));
    }
    if let Some(certificate) = &verdict.certificate {
        if let Some(address) = verdict.signer.as_ref().or(certificate.addresses().first()) {
            field.push_str(&format!(
                "\r\n\tbody.smime-identifier={}",
                identifier(address)
            ));
        }
        field.push_str(&format!(
            "\r\n\tbody.smime-serial={}",
            quoted(&certificate.serial())
        ));
        let issuer = hex_escaped(certificate.issuer());
        field.push_str(&format!("\r\n\tbody.smime-issuer={}", quoted(&issuer)));
    }
    field.push_str("\r\n");
    field.into_bytes()
}

/// A quoted-string (RFC 5322, section 3.2.4) of one line at most: whatever is not printable ASCII becomes `?`.
fn quoted(text: &str) -> String {
    const LONGEST: usize = 400;
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars().take(LONGEST) {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            ' '..='~' => quoted.push(char),
            _ => quoted.push('?'),
        }
    }
    quoted.push('"');
    quoted
}

/// An address as it is, if it is made of atoms (RFC 8601, section 2.2: pvalue), else in quotes.
fn identifier(address: &Address) -> String {
    let text = address.canonical();
    let is_atoms = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"@.-_+".contains(&byte));
    if is_atoms {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// A distinguished name without anything beyond ASCII (RFC 4514, section 2.4: hex pairs).
fn hex_escaped(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for char in name.chars() {
        if char.is_ascii() {
            escaped.push(char);
        } else {
            let mut utf8 = [0; 4];
            for byte in char.encode_utf8(&mut utf8).bytes() {
                escaped.push_str(&format!("\\{byte:02X}"));
            }
        }
    }
    escaped
}

impl fmt::Display for VerdictResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Neutral => "neutral",
            Self::Policy => "policy",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
            Self::None => "none",
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Altered => "altered",
            Self::AddressMismatch => "address-mismatch",
            Self::Untrusted => "untrusted",
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::Revoked => "revoked",
            Self::RevocationUnknown => "revocation-unknown",
            Self::WrongUsage => "wrong-usage",
            Self::Weak => "weak",
            Self::Unsupported => "unsupported",
            Self::Malformed => "malformed",
            Self::Ambiguous => "ambiguous",
            Self::PartlySigned => "partly-signed",
            Self::Unauthenticated => "unauthenticated",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(verdict: &Verdict) -> String {
        String::from_utf8(authentication_results("gw.example.org", verdict)).unwrap()
    }

    #[test]
    fn an_unsigned_message_has_no_more_than_that() {
        let expected = "Authentication-Results: gw.example.org;\r\n\tsmime=none\r\n";
        assert_eq!(field(&Verdict::unsigned()), expected);
    }

    #[test]
    fn a_strangers_text_stays_within_its_quotes() {
        let text = "CN=\"x\"\\; smime=pass\r\nX-Postern: 1\u{2028}ü";
        let verdict = Verdict::refused(VerdictResult::Fail, Reason::Untrusted, text);
        let expected = "Authentication-Results: gw.example.org;\r\n\tsmime=fail\r\n\t\
                        reason=\"untrusted: CN=\\\"x\\\"\\\\; smime=pass??X-Postern: 1??\"\r\n";
        assert_eq!(field(&verdict), expected);
    }

    #[test]
    fn lines_stay_short() {
        let verdict = Verdict::refused(VerdictResult::Fail, Reason::Untrusted, "\"".repeat(5_000));
        assert!(field(&verdict).lines().all(|line| line.len() < 998));
    }

    #[test]
    fn names_beyond_ascii_are_escaped() {
        assert_eq!(hex_escaped("CN=Jürgen"), "CN=J\\C3\\BCrgen");
        let odd = Address::parse("\"a b\"@example.org").unwrap();
        assert_eq!(identifier(&odd), "\"\\\"a b\\\"@example.org\"");
        let plain = Address::parse("A.b+c@example.org").unwrap();
        assert_eq!(identifier(&plain), "a.b+c@example.org");
    }
}

//! Which header fields of an encrypted message may be read on the way (RFC 9788, section 3.2).

use std::borrow::Cow;

use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use policy::address::mailboxes;

use crate::config::HeaderPolicy;
use crate::message::Field;

impl HeaderPolicy {
    /// What stands outside in place of `field`, without the name and without the line end; None where nothing does. What
    /// is borrowed is the field's own value, unchanged.
    pub(super) fn outer_value<'m>(self, field: &Field<'m>) -> Option<Cow<'m, [u8]>> {
        let unchanged = Some(Cow::Borrowed(field.folded_value()));
        if self == Self::None {
            return unchanged;
        }
        if field.is("Subject") {
            return Some(Cow::Borrowed(b"[...]".as_slice()));
        }
        if field.is("Comments") || field.is("Keywords") {
            return None;
        }
        let shy = match self {
            Self::Shy if field.is("From") || field.is("To") || field.is("Cc") => addresses(field),
            Self::Shy if field.is("Date") => in_utc(field),
            Self::None | Self::Baseline | Self::Shy => None,
        };
        shy.filter(|shy| *shy.as_bytes() != *field.value())
            .map(|shy| Cow::Owned(shy.into_bytes()))
            .or(unchanged)
    }
}

/// The addresses alone; None where the field cannot be read, or names nobody.
fn addresses(field: &Field<'_>) -> Option<String> {
    let mailboxes = mailboxes(&field.value()).ok()?;
    let addresses: Vec<String> = mailboxes
        .iter()
        .map(|mailbox| mailbox.address.to_string())
        .collect();
    (!addresses.is_empty()).then(|| addresses.join(",\r\n "))
}

/// The same moment in UTC.
fn in_utc(field: &Field<'_>) -> Option<String> {
    let parser = rfc2822::DateTimeParser::new().relaxed_weekday(true);
    let moment = parser.parse_timestamp(field.value()).ok()?;
    rfc2822::to_string(&moment.to_zoned(TimeZone::UTC)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::message;

    fn outer(policy: HeaderPolicy, field: &str) -> String {
        let mail = message(format!("{field}\r\n\r\n"));
        let field = mail.fields().next().unwrap();
        policy.outer_value(&field).map_or("-".to_owned(), |value| {
            String::from_utf8(value.into_owned()).unwrap()
        })
    }

    #[test]
    fn each_policy_hides_what_the_standard_says() {
        let (none, baseline, shy) = (
            HeaderPolicy::None,
            HeaderPolicy::Baseline,
            HeaderPolicy::Shy,
        );
        for (policy, field, expected) in [
            (none, "Subject: x", "x"),
            (none, "Keywords: x", "x"),
            (baseline, "subject: x", "[...]"),
            (baseline, "Comments: x", "-"),
            (baseline, "Keywords: x", "-"),
            (baseline, "From: A <a@b.example>", "A <a@b.example>"),
            (baseline, "To: A\r\n <a@b.example>", "A\r\n <a@b.example>"),
            (shy, "Subject: x", "[...]"),
            (shy, "Keywords: x", "-"),
            (shy, "From: Älice <Al@b.example>", "Al@b.example"),
            (shy, "From: al@b.example", "al@b.example"),
            (
                shy,
                "To: \"A, B\" <a@b.example>, c@d.example (C)",
                "a@b.example,\r\n c@d.example",
            ),
            (
                shy,
                "Cc: friends: a@b.example, E <e@f.example>;",
                "a@b.example,\r\n e@f.example",
            ),
            (
                shy,
                "To: undisclosed-recipients:;",
                "undisclosed-recipients:;",
            ),
            (shy, "To: not an address", "not an address"),
            (shy, "Reply-To: A <a@b.example>", "A <a@b.example>"),
            (
                shy,
                "Date: Sat, 20 Feb 2021 10:13:02 -0500",
                "Sat, 20 Feb 2021 15:13:02 +0000",
            ),
            (
                shy,
                "Date: Sun, 20 Feb 2021 10:13:02 -0500 (EST)",
                "Sat, 20 Feb 2021 15:13:02 +0000",
            ),
            (shy, "Date: yesterday", "yesterday"),
            (shy, "Message-ID: <1@b.example>", "<1@b.example>"),
        ] {
            assert_eq!(outer(policy, field), expected, "{policy:?} {field}");
        }
    }
}

//! MAIL (RFC 5321, section 4.1.1.2): who sends, how large, in which form.

use policy::address::Address;

use super::envelope::Body;
use super::mistake::Mistake;
use super::path::{self, Parameter};
use super::session::{Action, Phase, Session, Stage};
use super::starttls::StartTls;

const FORM: &str = "MAIL FROM:<address> [parameters]";

/// What MAIL said.
#[derive(Debug, Default)]
pub(super) struct Mail {
    /// None is `<>`.
    pub reverse_path: Option<Address>,
    /// SIZE=, in bytes.
    pub size: Option<u64>,
    /// BODY=.
    pub body: Body,
    /// SMTPUTF8.
    pub smtputf8: bool,
}

/// Reads the arguments.
pub(super) fn parse(text: &str) -> Result<Mail, Mistake> {
    let arguments = path::arguments(text, "FROM:", FORM)?;
    let mut mail = Mail::default();
    for parameter in path::parameters(arguments.parameters, FORM)? {
        take_parameter(&mut mail, parameter)?;
    }
    if arguments.path.is_empty() {
        return Ok(mail);
    }
    if !mail.smtputf8 && !arguments.path.is_ascii() {
        return Err(Mistake::NeedsSmtpUtf8);
    }
    mail.reverse_path = Some(Address::parse(arguments.path).map_err(Mistake::Sender)?);
    Ok(mail)
}

fn take_parameter(mail: &mut Mail, parameter: Parameter<'_>) -> Result<(), Mistake> {
    match (parameter.keyword.as_str(), parameter.value) {
        ("SIZE", Some(value)) => mail.size = Some(size(value)?),
        ("BODY", Some(value)) if value.eq_ignore_ascii_case("7BIT") => mail.body = Body::SevenBit,
        ("BODY", Some(value)) if value.eq_ignore_ascii_case("8BITMIME") => {
            mail.body = Body::EightBitMime;
        }
        ("SMTPUTF8", None) => mail.smtputf8 = true,
        ("SIZE", None) => return Err(Mistake::Arguments("SIZE=bytes")),
        ("BODY", _) => return Err(Mistake::Arguments("BODY=7BIT or BODY=8BITMIME")),
        ("SMTPUTF8", Some(_)) => return Err(Mistake::Arguments("SMTPUTF8 without a value")),
        _ => return Err(Mistake::UnknownParameter(parameter.keyword)),
    }
    Ok(())
}

/// One to twenty digits (RFC 1870, section 3); a number that no computer holds is only too big.
fn size(value: &str) -> Result<u64, Mistake> {
    let is_number = value.len() <= 20 && value.bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        Ok(value.parse().unwrap_or(u64::MAX))
    } else {
        Err(Mistake::Arguments("SIZE=bytes"))
    }
}

impl Session {
    /// Checks order, TLS and size; then asks the caller whether a message can be taken now.
    pub(super) fn mail(&mut self, stage: Stage, mail: Mail) -> Phase {
        let is_clear = self.client.tls.is_none();
        let limit = self.settings.message_size;
        let mistake = match stage {
            Stage::Fresh => Some(Mistake::Sequence("EHLO or HELO")),
            Stage::Open(_) => Some(Mistake::Sequence("RSET or the message")),
            Stage::Greeted if is_clear && self.settings.start_tls == StartTls::Required => {
                Some(Mistake::TlsRequired)
            }
            Stage::Greeted => mail
                .size
                .filter(|size| *size > limit)
                .map(|_| Mistake::TooBig(limit)),
        };
        if let Some(mistake) = mistake {
            return self.complain(stage, &mistake);
        }
        self.act(Action::Open { size: mail.size });
        Phase::Opening(mail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_taken() {
        let mail = parse("FROM:<a@example.org> SIZE=100 body=8bitmime SMTPUTF8").unwrap();
        assert_eq!(mail.reverse_path.unwrap().as_str(), "a@example.org");
        assert_eq!(
            (mail.size, mail.body, mail.smtputf8),
            (Some(100), Body::EightBitMime, true)
        );
        let bounce = parse("FROM:<> BODY=7BIT").unwrap();
        assert_eq!(bounce.reverse_path, None);
        assert_eq!(
            parse("FROM:<> SIZE=99999999999999999999").unwrap().size,
            Some(u64::MAX)
        );
    }

    #[test]
    fn quoted_local_parts_are_kept() {
        let mail = parse(r#"FROM:<"a b>\"c"@example.org>"#).unwrap();
        assert_eq!(
            mail.reverse_path.unwrap().as_str(),
            r#""a b>\"c"@example.org"#
        );
        let mail = parse("FROM:<jürgen@example.org> SMTPUTF8").unwrap();
        assert_eq!(mail.reverse_path.unwrap().as_str(), "jürgen@example.org");
    }

    #[test]
    fn mistakes_are_named() {
        let unknown = |keyword: &str| Mistake::UnknownParameter(keyword.to_owned());
        for (text, expected) in [
            ("FROM:<> AUTH=<>", unknown("AUTH")),
            ("FROM:<> RET=HDRS", unknown("RET")),
            ("FROM:<> SIZE", Mistake::Arguments("SIZE=bytes")),
            ("FROM:<> SIZE=-1", Mistake::Arguments("SIZE=bytes")),
            ("FROM:<> SIZE=1K", Mistake::Arguments("SIZE=bytes")),
            (
                "FROM:<> SIZE=000000000000000000001",
                Mistake::Arguments("SIZE=bytes"),
            ),
            (
                "FROM:<> SIZE=1 SIZE=1",
                Mistake::RepeatedParameter("SIZE".to_owned()),
            ),
            (
                "FROM:<> BODY=BINARYMIME",
                Mistake::Arguments("BODY=7BIT or BODY=8BITMIME"),
            ),
            (
                "FROM:<> BODY",
                Mistake::Arguments("BODY=7BIT or BODY=8BITMIME"),
            ),
            (
                "FROM:<> SMTPUTF8=yes",
                Mistake::Arguments("SMTPUTF8 without a value"),
            ),
            ("FROM:<jürgen@example.org>", Mistake::NeedsSmtpUtf8),
            ("FROM:<@x:a@b>", Mistake::SourceRoute),
        ] {
            assert_eq!(parse(text).err(), Some(expected), "{text}");
        }
        for text in ["FROM:<postmaster>", "FROM:<\">"] {
            let mistake = parse(text).unwrap_err();
            assert!(
                matches!(mistake, Mistake::Sender(_) | Mistake::Arguments(FORM)),
                "{text}: {mistake:?}"
            );
        }
    }
}

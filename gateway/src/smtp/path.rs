//! The arguments of MAIL and RCPT (RFC 5321, sections 4.1.1.2, 4.1.1.3 and 4.1.2): a path, then parameters.
//!
//! A path is only found here, with respect for quoted local parts; what stands between its brackets is kept exactly,
//! and whether it is an address is `policy::address`'s to say.

use super::mistake::Mistake;

/// A path and the parameters behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arguments<'a> {
    /// What stands between `<` and `>`.
    pub path: &'a str,
    /// The parameters, not yet split.
    pub parameters: &'a str,
}

/// Reads `KEYWORD<path> [parameters]`. `keyword` is `FROM:` or `TO:`; `form` is the whole command's right form.
///
/// White space before the path is tolerated, since old devices send it.
pub(super) fn arguments<'a>(
    text: &'a str,
    keyword: &str,
    form: &'static str,
) -> Result<Arguments<'a>, Mistake> {
    let wrong = Mistake::Arguments(form);
    let (head, rest) = text.split_at_checked(keyword.len()).ok_or(wrong.clone())?;
    if !head.eq_ignore_ascii_case(keyword) {
        return Err(wrong);
    }
    let rest = rest
        .trim_start_matches(' ')
        .strip_prefix('<')
        .ok_or(wrong.clone())?;
    let (path, rest) = rest
        .split_at_checked(end(rest).ok_or(wrong.clone())?)
        .ok_or(wrong.clone())?;
    let rest = rest.strip_prefix('>').ok_or(wrong.clone())?;
    if !rest.is_empty() && !rest.starts_with(' ') {
        return Err(wrong);
    }
    if path.starts_with('@') {
        return Err(Mistake::SourceRoute);
    }
    Ok(Arguments {
        path,
        parameters: rest,
    })
}

/// Where the path's `>` stands: the first one outside a quoted string.
fn end(text: &str) -> Option<usize> {
    let mut is_quoted = false;
    let mut is_escaped = false;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b'>' if !is_quoted => return Some(index),
            b'<' if !is_quoted => return None,
            _ => {}
        }
    }
    None
}

/// One parameter: its keyword in upper case, and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameter<'a> {
    /// The keyword, in upper case.
    pub keyword: String,
    /// What stands behind `=`.
    pub value: Option<&'a str>,
}

/// Splits parameters, each `KEYWORD` or `KEYWORD=value`; none may come twice.
pub(super) fn parameters<'a>(
    text: &'a str,
    form: &'static str,
) -> Result<Vec<Parameter<'a>>, Mistake> {
    let mut found: Vec<Parameter<'a>> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let (keyword, value) = match word.split_once('=') {
            Some((keyword, value)) => (keyword, Some(value)),
            None => (word, None),
        };
        if !is_keyword(keyword) || !value.is_none_or(is_value) {
            return Err(Mistake::Arguments(form));
        }
        let keyword = keyword.to_ascii_uppercase();
        if found.iter().any(|earlier| earlier.keyword == keyword) {
            return Err(Mistake::RepeatedParameter(keyword));
        }
        found.push(Parameter { keyword, value });
    }
    Ok(found)
}

fn is_keyword(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_value(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|letter| !letter.is_control() && letter != '=')
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "MAIL FROM:<address>";

    #[test]
    fn paths_are_found_and_kept() {
        for (text, path, parameters) in [
            ("FROM:<>", "", ""),
            ("from:<a@b>", "a@b", ""),
            ("FROM: <a@b>", "a@b", ""),
            (
                "FROM:<a@b> SIZE=1  BODY=7BIT ",
                "a@b",
                " SIZE=1  BODY=7BIT ",
            ),
            (r#"FROM:<"a>b c"@d> X"#, r#""a>b c"@d"#, " X"),
            (r#"FROM:<"a\">b"@d>"#, r#""a\">b"@d"#, ""),
            (r#"FROM:<"\\"@d>"#, r#""\\"@d"#, ""),
            (r#"FROM:<"<"@d>"#, r#""<"@d"#, ""),
            ("FROM:<jürgen@bücher.example>", "jürgen@bücher.example", ""),
            (r"FROM:<a\@b>", r"a\@b", ""),
        ] {
            assert_eq!(
                arguments(text, "FROM:", FORM),
                Ok(Arguments { path, parameters }),
                "{text}"
            );
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "F",
            "FROM",
            "FROM:",
            "FROM:a@b",
            "FROM:<a@b",
            "FROM:a@b>",
            "FROM<a@b>",
            "TO:<a@b>",
            "FROM :<a@b>",
            "FROM:<a@b>SIZE=1",
            "FROM:<a@b>>",
            "FROM:<<a@b>>",
            "FROM:<a@b>\t",
            r#"FROM:<"a@b>"#,
            r#"FROM:<"a\"@b>"#,
            "FROM:\t<a@b>",
            "FRÖM:<a@b>",
            "FROMö<a@b>",
        ] {
            assert_eq!(
                arguments(text, "FROM:", FORM),
                Err(Mistake::Arguments(FORM)),
                "{text}"
            );
        }
        for text in ["FROM:<@x:a@b>", "FROM:<@x,@y:a@b>", "FROM:<@>"] {
            assert_eq!(
                arguments(text, "FROM:", FORM),
                Err(Mistake::SourceRoute),
                "{text}"
            );
        }
    }

    #[test]
    fn parameters_are_split() {
        let parameter = |keyword: &str, value| Parameter {
            keyword: keyword.to_owned(),
            value,
        };
        let wrong = Err(Mistake::Arguments(FORM));
        for (text, expected) in [
            ("", Ok(vec![])),
            ("  ", Ok(vec![])),
            (" size=5", Ok(vec![parameter("SIZE", Some("5"))])),
            (
                " A B-c=d;e",
                Ok(vec![parameter("A", None), parameter("B-C", Some("d;e"))]),
            ),
            (" A a=1", Err(Mistake::RepeatedParameter("A".to_owned()))),
            (" =", wrong.clone()),
            (" A=", wrong.clone()),
            (" A=b=c", wrong.clone()),
            (" -A", wrong.clone()),
            (" Ä=1", wrong.clone()),
            (" A=\x01", wrong.clone()),
            (" A\t=1", wrong),
        ] {
            assert_eq!(parameters(text, FORM), expected, "{text}");
        }
    }
}

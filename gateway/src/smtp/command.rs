//! From a line to a command: verbs, and which arguments they take.

use super::mail::Mail;
use super::mistake::Mistake;
use super::rcpt::Rcpt;
use super::{hello, mail, rcpt};

/// Longest line of a command without path, in bytes with CR LF (RFC 5321, section 4.5.3.1.4).
const LONGEST: usize = 512;

/// Verbs that tell of an HTTP client, such as a browser that was tricked into posting mail.
const HTTP: [&str; 10] = [
    "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "PATCH", "TRACE", "PRI",
];

/// A command whose syntax is right.
#[derive(Debug)]
pub(super) enum Command {
    /// EHLO or HELO.
    Hello {
        /// What the client calls itself.
        name: String,
        /// Whether it was EHLO.
        extended: bool,
    },
    Mail(Mail),
    Rcpt(Rcpt),
    Data,
    Rset,
    Noop,
    Quit,
    Vrfy,
    Help,
    StartTls,
}

/// Reads a line (without its CR LF).
pub(super) fn parse(line: &str) -> Result<Command, Mistake> {
    // Trailing white space is tolerated (RFC 5321, section 4.1.1).
    let line = line.trim_end_matches([' ', '\t']);
    let (verb, arguments) = line.split_once(' ').unwrap_or((line, ""));
    let verb = verb.to_ascii_uppercase();
    let takes_path = verb == "MAIL" || verb == "RCPT";
    if !takes_path && line.len() + 2 > LONGEST {
        return Err(Mistake::LineTooLong);
    }
    match verb.as_str() {
        "EHLO" => hello::parse(arguments, true),
        "HELO" => hello::parse(arguments, false),
        "MAIL" => mail::parse(arguments).map(Command::Mail),
        "RCPT" => rcpt::parse(arguments).map(Command::Rcpt),
        "DATA" => alone(arguments, "DATA", Command::Data),
        "RSET" => alone(arguments, "RSET", Command::Rset),
        "QUIT" => alone(arguments, "QUIT", Command::Quit),
        "STARTTLS" => alone(arguments, "STARTTLS", Command::StartTls),
        "NOOP" => Ok(Command::Noop),
        "HELP" => Ok(Command::Help),
        "VRFY" if arguments.is_empty() => Err(Mistake::Arguments("VRFY address")),
        "VRFY" => Ok(Command::Vrfy),
        "EXPN" | "ETRN" | "TURN" | "AUTH" | "BDAT" => Err(Mistake::NotImplemented),
        other if HTTP.contains(&other) => Err(Mistake::OtherProtocol),
        _ => Err(Mistake::UnknownCommand),
    }
}

fn alone(arguments: &str, form: &'static str, command: Command) -> Result<Command, Mistake> {
    if arguments.is_empty() {
        Ok(command)
    } else {
        Err(Mistake::Arguments(form))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_named() {
        for (line, expected) in [
            ("", Mistake::UnknownCommand),
            (" NOOP", Mistake::UnknownCommand),
            ("FOO bar", Mistake::UnknownCommand),
            ("NOOPX", Mistake::UnknownCommand),
            ("NÖOP", Mistake::UnknownCommand),
            ("MAIL\tFROM:<>", Mistake::UnknownCommand),
            ("expn list", Mistake::NotImplemented),
            ("ETRN x", Mistake::NotImplemented),
            ("TURN", Mistake::NotImplemented),
            ("BDAT 5 LAST", Mistake::NotImplemented),
            ("GET / HTTP/1.1", Mistake::OtherProtocol),
            ("post /", Mistake::OtherProtocol),
            ("PRI * HTTP/2.0", Mistake::OtherProtocol),
            ("DATA now", Mistake::Arguments("DATA")),
            ("QUIT x", Mistake::Arguments("QUIT")),
            ("RSET x", Mistake::Arguments("RSET")),
            ("STARTTLS x", Mistake::Arguments("STARTTLS")),
            ("VRFY", Mistake::Arguments("VRFY address")),
            ("EHLO", Mistake::Arguments("EHLO name")),
            ("HELO ", Mistake::Arguments("HELO name")),
            (
                "MAIL",
                Mistake::Arguments("MAIL FROM:<address> [parameters]"),
            ),
            ("RCPT TO:", Mistake::Arguments("RCPT TO:<address>")),
        ] {
            assert_eq!(parse(line).err(), Some(expected), "{line}");
        }
        let long = format!("NOOP {}", "x".repeat(LONGEST));
        assert_eq!(parse(&long).err(), Some(Mistake::LineTooLong));
    }

    #[test]
    fn case_and_trailing_space_do_not_count() {
        for line in [
            "noop",
            "NOOP ",
            "NoOp whatever",
            "Help",
            "quit \t",
            "dATA",
            "rset",
            "VRFY a",
            "starttls",
        ] {
            assert!(parse(line).is_ok(), "{line}");
        }
    }
}

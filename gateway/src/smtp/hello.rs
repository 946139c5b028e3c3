//! EHLO and HELO (RFC 5321, section 4.1.1.1), and what we offer in answer (RFC 1870, 1869, 2034, 2920, 3207, 6152, 6531).

use super::command::Command;
use super::mistake::Mistake;
use super::session::{Phase, Session, Stage};
use super::starttls::StartTls;
use crate::failure::Reply;

/// Longest name, in bytes.
const LONGEST: usize = 255;

/// Reads the name. It ends up in trace headers: a domain or an address literal has these characters alone.
pub(super) fn parse(arguments: &str, extended: bool) -> Result<Command, Mistake> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    if arguments.is_empty() || arguments.len() > LONGEST || !arguments.bytes().all(is_name) {
        let form = if extended { "EHLO name" } else { "HELO name" };
        return Err(Mistake::Arguments(form));
    }
    Ok(Command::Hello {
        name: arguments.to_owned(),
        extended,
    })
}

impl Session {
    /// Greets, and forgets a transaction that was open.
    pub(super) fn hello(&mut self, name: String, extended: bool) -> Phase {
        let mut reply = Reply::bare(250, self.settings.hostname.clone());
        if extended {
            reply.lines.extend(self.keywords());
        }
        self.client.helo = name;
        self.client.extended = extended;
        self.reply(reply);
        Phase::Commands(Stage::Greeted)
    }

    fn keywords(&self) -> Vec<String> {
        let mut keywords = vec!["PIPELINING".to_owned()];
        keywords.push(format!("SIZE {}", self.settings.message_size));
        if self.settings.start_tls != StartTls::NotOffered && self.client.tls.is_none() {
            keywords.push("STARTTLS".to_owned());
        }
        keywords.extend(["ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8", "HELP"].map(str::to_owned));
        keywords
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_domains_or_address_literals() {
        for (name, is_good) in [
            ("client.example.org", true),
            ("[192.0.2.1]", true),
            ("[IPv6:2001:db8::1]", true),
            ("OLD_PRINTER", true),
            ("a b", false),
            ("", false),
            ("bücher.example", false),
            ("x(comment)", false),
            ("a;b", false),
            (&"x".repeat(256), false),
        ] {
            assert_eq!(parse(name, true).is_ok(), is_good, "{name}");
        }
    }
}

//! A policy as text again: what it means, with every list, default and inherited order written out.
//!
//! What is printed compiles to the same rules. Comments, tests and the order of keys are lost.

mod value;

use std::fmt::{self, Display, Write};

use crate::compile::Policy;
use crate::decision::{
    ASK_DEADLINE, AskThen, Decision, HiddenRecipients, Mixed, NoCertificate, NoSigner, NoTls,
    OnBadSignature, OnUnavailable, OnUndecryptable, Requirement, SignerChoice,
};
use crate::document::Words;
use crate::rule::{Addresses, Condition, ContentCondition, SessionCondition};

use value::{list, quoted};

impl Policy {
    /// The policy as TOML.
    #[must_use]
    pub fn print(&self) -> String {
        let mut text = String::new();
        // Writing to a text never fails.
        let _written = self.write(&mut text);
        text
    }

    fn write(&self, to: &mut String) -> fmt::Result {
        write!(to, "[defaults]\ntime-zone = {}\n", quoted(&self.time_zone))?;
        if !self.lists.is_empty() {
            to.push_str("\n[lists]\n");
        }
        for named in &self.lists {
            let entries = list(named.addresses.patterns());
            writeln!(to, "{} = {entries}", quoted(&named.name))?;
        }
        for rule in &self.rules {
            write!(
                to,
                "\n[[rule]]\nname = {}\n",
                quoted(&rule.decision.rule.name)
            )?;
            if !matches!(&rule.condition, Condition::All(all) if all.is_empty()) {
                writeln!(to, "when = {}", Table(&rule.condition))?;
            }
            orders(&rule.decision, to)?;
        }
        Ok(())
    }
}

/// The condition as the policy writes it, without the braces: `recipient = "*@partner.example"`.
impl Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direction(direction) => write!(f, "direction = {}", quoted(direction.word())),
            Self::Recipient(addresses) => write!(f, "recipient = {}", named(addresses)),
            Self::Sender(addresses) => write!(f, "sender = {}", named(addresses)),
            Self::Group(patterns) => write!(f, "group = {}", list(patterns)),
            Self::Time(periods) => write!(f, "time = {}", list(periods)),
            Self::Session(condition) => condition.fmt(f),
            Self::Content(condition) => condition.fmt(f),
            Self::All(inner) => write!(f, "all = [{}]", tables(inner)),
            Self::Any(inner) => write!(f, "any = [{}]", tables(inner)),
            Self::Not(inner) => write!(f, "not = {}", Table(inner)),
        }
    }
}

impl Display for SessionCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authenticated(patterns) => write!(f, "authenticated = {}", list(patterns)),
            Self::Client(networks) => write!(f, "client = {}", list(networks)),
            Self::Tls(kinds) => write!(f, "tls = {}", list(kinds.iter().map(|kind| kind.word()))),
        }
    }
}

impl Display for ContentCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subject(patterns) => write!(f, "subject = {}", list(patterns)),
            Self::Header(name, patterns) => {
                write!(f, "header = {{ {} = {} }}", quoted(name), list(patterns))
            }
            Self::Size(range) => write!(f, "size = {}", quoted(&range.to_string())),
            Self::Attachment(patterns) => write!(f, "attachment = {}", list(patterns)),
            Self::AttachmentType(patterns) => write!(f, "attachment-type = {}", list(patterns)),
            Self::Is(property, wanted) => write!(f, "{} = {wanted}", property.word()),
        }
    }
}

/// A condition with its braces.
struct Table<'c>(&'c Condition);

impl Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Condition::All(inner) = self.0 else {
            return write!(f, "{{ {} }}", self.0);
        };
        if inner.is_empty() {
            return f.write_str("{}");
        }
        // Each in a table of its own, since a key may come twice.
        write!(f, "{{ all = [{}] }}", tables(inner))
    }
}

fn tables(conditions: &[Condition]) -> String {
    let tables = conditions
        .iter()
        .map(|condition| Table(condition).to_string());
    tables.collect::<Vec<_>>().join(", ")
}

fn named(addresses: &Addresses) -> String {
    let lists = addresses
        .lists()
        .iter()
        .map(|list| format!("list:{}", list.name));
    list(addresses.own().iter().map(ToString::to_string).chain(lists))
}

/// Every order that its rule does not have by default.
fn orders(decision: &Decision, to: &mut String) -> fmt::Result {
    for (key, value) in decision.orders() {
        if decision.is_usual(key) {
            continue;
        }
        match key {
            "encrypt-to-self" | "strip-subject-tag" | "strip-signature" | "rewrap" => {
                writeln!(to, "{key} = {value}")?;
            }
            "add-header" => writeln!(to, "{key} = {{ {} }}", fields(&decision.add_header))?,
            _ => writeln!(to, "{key} = {}", quoted(&value))?,
        }
    }
    Ok(())
}

/// Names and values; those of one name in a list, since a key stands once in a table.
fn fields(fields: &[(String, String)]) -> String {
    let runs = fields.chunk_by(|(one, _), (other, _)| one == other);
    let tables = runs.filter_map(|run| {
        let (name, _) = run.first()?;
        Some(format!(
            "{} = {}",
            quoted(name),
            list(run.iter().map(|(_, value)| value))
        ))
    });
    tables.collect::<Vec<_>>().join(", ")
}

impl Decision {
    /// Whether leaving an order out says the same.
    fn is_usual(&self, key: &str) -> bool {
        match key {
            "sign" => self.sign == Requirement::No,
            "encrypt" => self.encrypt == Requirement::No,
            "decrypt" => self.decrypt == Requirement::Preferred,
            "verify" => self.verify == Requirement::Preferred,
            "signer" => self.signer == SignerChoice::Sender,
            "no-signer" => self.no_signer == NoSigner::usual(self.sign),
            "no-certificate" => self.no_certificate == NoCertificate::usual(self.encrypt),
            "on-undecryptable" => self.on_undecryptable == OnUndecryptable::usual(self.decrypt),
            "on-bad-signature" => self.on_bad_signature == OnBadSignature::usual(self.verify),
            "no-tls" => self.no_tls == NoTls::Reject,
            "ask-deadline" => self.ask_deadline == ASK_DEADLINE,
            "ask-then" => self.ask_then == AskThen::Reject,
            "on-unavailable" => self.on_unavailable == OnUnavailable::Defer,
            "mixed" => self.mixed == Mixed::Reject,
            "hidden-recipients" => self.hidden_recipients == HiddenRecipients::Separate,
            "encrypt-to-self" => self.encrypt_to_self.is_none(),
            "header-protection" => self.header_protection.is_none(),
            "strip-subject-tag" => self.strip_subject_tag.is_none(),
            "strip-signature" => !self.strip_signature,
            "rewrap" => !self.rewrap,
            "profile" => self.profile.is_none(),
            "add-header" => self.add_header.is_empty(),
            "note" => self.note.is_none(),
            "reject" => self.refusal().is_none(),
            "hold" => self.held().is_none(),
            // Said by the four orders that it stands for.
            "pass" => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;

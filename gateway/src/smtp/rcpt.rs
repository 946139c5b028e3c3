//! RCPT (RFC 5321, section 4.1.1.3). Whether a recipient is wanted, the caller says.

use policy::address::{Address, AddressError};

use super::mistake::Mistake;
use super::path;
use super::session::{Action, Phase, Session, Stage, Transaction};
use crate::failure::Reply;

const FORM: &str = "RCPT TO:<address>";

/// What RCPT said. The address waits for the transaction, which knows whether it may be in UTF-8.
#[derive(Debug)]
pub(super) struct Rcpt {
    address: Result<Address, AddressError>,
    is_ascii: bool,
}

/// Reads the arguments; there are no parameters that we offer.
pub(super) fn parse(text: &str) -> Result<Rcpt, Mistake> {
    let arguments = path::arguments(text, "TO:", FORM)?;
    if let Some(parameter) = path::parameters(arguments.parameters, FORM)?
        .into_iter()
        .next()
    {
        return Err(Mistake::UnknownParameter(parameter.keyword));
    }
    Ok(Rcpt {
        address: Address::parse(arguments.path),
        is_ascii: arguments.path.is_ascii(),
    })
}

impl Session {
    /// Checks order, form and number; then asks the caller. A repeated recipient is accepted and kept once.
    pub(super) fn rcpt(&mut self, stage: Stage, rcpt: Rcpt) -> Phase {
        let Stage::Open(transaction) = stage else {
            return self.complain(stage, &Mistake::Sequence("MAIL"));
        };
        let recipient = match check(&transaction, rcpt, self.settings.recipients) {
            Ok(recipient) => recipient,
            Err(mistake) => return self.complain(Stage::Open(transaction), &mistake),
        };
        if transaction.accepted.contains(&recipient) {
            self.reply(Reply::new(250, (2, 1, 5), "Recipient ok"));
            return Phase::Commands(Stage::Open(transaction));
        }
        self.act(Action::Recipient(recipient.clone()));
        Phase::Asking(transaction, recipient)
    }
}

fn check(transaction: &Transaction, rcpt: Rcpt, most: usize) -> Result<Address, Mistake> {
    if !rcpt.is_ascii && !transaction.envelope.smtputf8 {
        return Err(Mistake::NeedsSmtpUtf8);
    }
    let recipient = rcpt.address.map_err(Mistake::Recipient)?;
    let is_new = !transaction.accepted.contains(&recipient);
    if is_new && transaction.envelope.recipients.len() >= most {
        return Err(Mistake::TooManyRecipients);
    }
    Ok(recipient)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_parameters_are_offered() {
        assert!(parse("TO:<a@example.org>").is_ok());
        for (text, expected) in [
            (
                "TO:<a@b> NOTIFY=NEVER",
                Mistake::UnknownParameter("NOTIFY".to_owned()),
            ),
            ("TO:<a@b> X", Mistake::UnknownParameter("X".to_owned())),
            ("TO:<a@b> X=", Mistake::Arguments(FORM)),
            ("TO:<@c:a@b>", Mistake::SourceRoute),
            ("FROM:<a@b>", Mistake::Arguments(FORM)),
        ] {
            assert_eq!(parse(text).err(), Some(expected), "{text}");
        }
    }
}

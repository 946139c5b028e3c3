//! DATA (RFC 5321, section 4.1.1.4), from the command to the reply to the message. Reading is `data`'s.

use std::mem;

use bytes::BytesMut;

use super::data::{DataReader, Progress};
use super::mistake::Mistake;
use super::session::{Action, Arrival, Phase, Session, Stage, Transaction};
use crate::failure::Reply;

impl Session {
    /// Checks that there are recipients; then asks for memory, before 354.
    pub(super) fn data(&mut self, stage: Stage) -> Phase {
        let transaction = match stage {
            Stage::Open(transaction) if transaction.accepted.is_empty() => {
                return self.complain(Stage::Open(transaction), &Mistake::NoRecipients);
            }
            Stage::Open(transaction) => transaction,
            Stage::Fresh | Stage::Greeted => {
                return self.complain(stage, &Mistake::Sequence("MAIL and RCPT"));
            }
        };
        let reader = DataReader::new(self.settings.message_size, transaction.size);
        self.act(Action::Room(reader.wanted()));
        Phase::Starting(transaction, reader)
    }

    /// Reads content, and hands the message over at its end.
    pub(super) fn receive(
        &mut self,
        transaction: Box<Transaction>,
        mut reader: DataReader,
        input: &mut BytesMut,
    ) -> Phase {
        match reader.read(input) {
            Progress::NeedsInput => Phase::Receiving(transaction, reader),
            Progress::NeedsRoom => {
                self.act(Action::Room(reader.wanted()));
                Phase::Growing(transaction, reader)
            }
            Progress::Whole => {
                self.act(Action::Message(Arrival {
                    id: transaction.id,
                    envelope: transaction.envelope,
                    content: reader.into_content(),
                }));
                Phase::Handed
            }
            Progress::TooBig => {
                let limit = self.settings.message_size;
                self.complain(Stage::Greeted, &Mistake::TooBig(limit))
            }
            Progress::BareLineEnd => self.complain(Stage::Greeted, &Mistake::BareLineEndInContent),
        }
    }

    /// Answers [`Action::Room`]. A refusal before 354 ends the transaction; within the content it
    /// becomes a 421 and ends the session, since the rest of the content could not be told from commands.
    pub fn room(&mut self, answer: Result<(), Reply>) {
        let phase = mem::replace(&mut self.phase, Phase::Closed);
        self.phase = match (phase, answer) {
            (Phase::Starting(transaction, mut reader), Ok(())) => {
                reader.make_room();
                self.reply(Reply::bare(
                    354,
                    "Start mail input; end with <CR><LF>.<CR><LF>",
                ));
                Phase::Receiving(transaction, reader)
            }
            (Phase::Growing(transaction, mut reader), Ok(())) => {
                reader.make_room();
                Phase::Receiving(transaction, reader)
            }
            (Phase::Starting(..), Err(refusal)) => {
                self.reply(refusal);
                Phase::Commands(Stage::Greeted)
            }
            (Phase::Growing(..), Err(refusal)) => {
                self.reply(Reply {
                    code: 421,
                    ..refusal
                });
                return self.close();
            }
            _ => return self.close(),
        };
    }

    /// Answers [`Action::Message`]; the client is given `reply` as it is.
    pub fn answered(&mut self, reply: Reply) {
        let Phase::Handed = mem::replace(&mut self.phase, Phase::Commands(Stage::Greeted)) else {
            return self.close();
        };
        self.reply(reply);
    }
}

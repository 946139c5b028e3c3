//! `postern policy explain`: which rule decides about a mail, why no earlier one did, and what would happen then.

mod show;
mod world;

use std::path::Path;

use certstore::clock::{Clock, SystemClock};
use policy::address::Address;
use policy::explain::Explanation;
use policy::facts::{Content, Direction, Facts, Session};
use policy::schedule::Moment;

use super::loaded;
use crate::app::Store;
use crate::cli::arguments::Question;
use crate::cli::opened;
use crate::cli::output::Output;
use crate::cli::trouble::Trouble;
use crate::decide::{self, Seen};
use crate::message::Message;

use world::Consequence;

/// What is said about one recipient.
struct Answer<'p> {
    recipient: Address,
    direction: Direction,
    explanation: Explanation<'p>,
    consequence: Consequence,
}

pub(super) async fn explain(
    given: Option<&Path>,
    question: &Question,
    output: &Output,
) -> Result<(), Trouble> {
    let (config, checked) = loaded(given)?;
    let policy = &checked.policy;
    let clock: std::sync::Arc<dyn Clock> = std::sync::Arc::new(SystemClock);
    let sender = sender(question)?;
    let mail = Mail::read(question)?;
    let seen = Seen::in_message(&mail.message, policy.needs());
    let content = Content {
        // What was never asked for is no reason to wait.
        answers_encrypted: Some(false),
        ..seen.content(mail.subject.as_deref(), &mail.headers)
    };
    let moment = match &question.time {
        Some(text) => text
            .parse::<Moment>()
            .map_err(|error| Trouble::data(error.to_string()))?
            .into(),
        None => decide::moment(clock.now(), policy.time_zone()),
    };
    let store = match question.offline {
        true => None,
        false => Some(Store::open(&config, clock).await?),
    };
    let mut answers = Vec::with_capacity(question.to.len());
    for recipient in &question.to {
        let recipient = opened::address(recipient)?;
        let direction = decide::direction(&recipient, &config.internal_domains);
        let facts = Facts {
            session: Some(Session {
                client: question.client,
                authenticated: question.auth.as_deref(),
                tls: None,
            }),
            groups: Some(&question.group),
            moment,
            content: Some(content),
            ..Facts::of_envelope(direction, sender.as_ref(), &recipient)
        };
        let explanation = policy.explain(&facts);
        let from = mail.from().or_else(|| sender.clone());
        let asked = world::Asked {
            recipient: &recipient,
            direction,
            from: from.as_ref(),
        };
        let consequence =
            world::consequence(&explanation.answer, &asked, store.as_ref(), &config).await;
        answers.push(Answer {
            recipient,
            direction,
            explanation,
            consequence,
        });
    }
    output.print(|| show::json(&answers), || show::text(&answers));
    Ok(())
}

fn sender(question: &Question) -> Result<Option<Address>, Trouble> {
    match question.from.as_str() {
        "" | "<>" => Ok(None),
        address => opened::address(address).map(Some),
    }
}

/// The message that is asked about: from a file, or made of the options.
struct Mail {
    message: Message,
    subject: Option<String>,
    headers: Vec<(String, String)>,
}

impl Mail {
    fn read(question: &Question) -> Result<Self, Trouble> {
        let bytes = match &question.message {
            Some(file) => crate::message::with_crlf(&opened::read(file)?).into_owned(),
            None => Vec::new(),
        };
        let message = Message::parse(bytes.into())
            .map_err(|error| Trouble::data(format!("the message cannot be read: {error}")))?;
        let mut headers = message.decoded_fields();
        for field in &question.header {
            let Some((name, value)) = field.split_once(':') else {
                let text = format!("{field:?} is no header field: write it as 'Name: value'");
                return Err(Trouble::data(text));
            };
            headers.push((name.trim().to_owned(), value.trim().to_owned()));
        }
        let subject = question.subject.clone().or_else(|| message.subject());
        Ok(Self {
            message,
            subject,
            headers,
        })
    }

    /// The one From address, if there is one.
    fn from(&self) -> Option<Address> {
        let mut authors = self.message.from_addresses().ok()?;
        (authors.len() == 1).then(|| authors.pop()).flatten()
    }
}

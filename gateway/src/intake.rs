//! The way of a message from its final dot to our reply: parse, decide, resolve, transform, store.
//!
//! Each stage takes what only the one before it can make. A 250 is given for [`Stored`](crate::spool::Stored) and for
//! nothing else; whatever goes wrong on the way is a refusal, and nothing of the message is kept.

use std::sync::Arc;
use std::time::{Duration, Instant};

use certstore::clock::Clock;
use certstore::trust::Trust;
use policy::address::Address;
use policy::compile::Policy;
use policy::decision::Requirement;
use policy::facts::Direction;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::config::Config;
use crate::decide::{self, decide};
use crate::deliver::is_protected;
use crate::failure::{Failure, Refusal, Reply};
use crate::harvest::Harvester;
use crate::listen::{Intake, Received};
use crate::message::{Origin, parse};
use crate::observe::{self, QueueId};
use crate::resolve::{self, Keyring, Resolved, resolve};
use crate::smime::learned;
use crate::smtp::Envelope;
use crate::spool::{CopyId, NewCopy, Spool, SpoolError, Stored, Transport};
use crate::transform::{Context, Copies, Copy, Transformed, transform};

/// How long a recipient may wait for the answer to RCPT.
const RCPT_PATIENCE: Duration = Duration::from_secs(5);

/// All copies of a message together may be so many times as large as the largest message that is taken in.
const LARGEST_OUTPUT: u64 = 4;

/// So many times its size a message may take while its copies are made.
const WORKING_MEMORY: u64 = 3;

/// Takes mail in: everything that the stages need.
#[derive(Debug)]
pub struct Gatekeeper {
    /// What the operator configured.
    pub config: Arc<Config>,
    /// The policy in force.
    pub policy: Arc<Policy>,
    /// Certificates and keys.
    pub keyring: Keyring,
    /// Where copies rest.
    pub spool: Arc<Spool>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where certificates of those who sign are handed in.
    pub harvester: Option<Harvester>,
    /// How many messages may be in cryptography at once: as many as there are cores.
    pub crypto: Arc<Semaphore>,
}

impl Intake for Gatekeeper {
    fn ready(&self) -> Result<(), Reply> {
        self.spool
            .health()
            .map_err(|error| spool_failure(&error).reply())
    }

    async fn recipient(
        self: &Arc<Self>,
        _: QueueId,
        envelope: &Envelope,
        recipient: &Address,
    ) -> Reply {
        match timeout(RCPT_PATIENCE, self.early_answer(envelope, recipient)).await {
            Ok(Err(failure)) => failure.reply(),
            // What takes longer is answered after the content.
            Ok(Ok(())) | Err(_) => Reply::new(250, (2, 1, 5), "Recipient ok"),
        }
    }

    async fn message(self: &Arc<Self>, received: Received) -> Reply {
        let id = received.id;
        match self.take(received).await {
            Ok(Stored { .. }) => Reply::new(250, (2, 0, 0), format!("stored as {id}")),
            Err(refusal) => {
                observe::refused(id, &refusal);
                refusal.reply()
            }
        }
    }
}

impl Gatekeeper {
    async fn take(&self, received: Received) -> Result<Stored, Refusal> {
        let start = Instant::now();
        // Storing has no time limit: a 451 for what is stored after all would double the mail.
        let transformed = timeout(self.config.limits.message_budget, self.prepare(received));
        let transformed = transformed.await.map_err(|_| Failure::OutOfTime)??;
        let stored = self.store(&transformed).await?;
        if let Some(harvester) = &self.harvester {
            harvester.offer(&transformed);
        }
        self.remember_capabilities(&transformed);
        tell(&transformed, &stored, start.elapsed());
        Ok(stored)
    }

    async fn prepare(&self, received: Received) -> Result<Transformed, Refusal> {
        let domains = &self.config.internal_domains;
        let parsed = parse(received)?;
        let decided = decide(parsed, &self.policy, domains, self.clock.now())?;
        let mut resolved = resolve(decided, &self.keyring, &self.config.profiles, domains).await?;
        // Memory before a core: who has both finishes and gives back both, so that nobody waits for ever.
        resolved.reserve(WORKING_MEMORY).await;
        let resolved = Arc::new(resolved);
        // What certificates a message brings is known only when it is open: if something must be fetched to judge them,
        // that is done off the threads that compute, and then it is transformed anew.
        let lookup = &self.keyring.lookup;
        let copies = lookup.with_trust(|trust| self.copies(trust, Arc::clone(&resolved)));
        let copies = copies.await?;
        let resolved = Arc::into_inner(resolved);
        let resolved =
            resolved.ok_or_else(|| Failure::Internal("the message is still in use".into()))?;
        Ok(Transformed::release(resolved, copies).await)
    }

    /// Makes the copies, on a thread that may block: so many messages at once as there are cores.
    async fn copies(&self, trust: Trust, resolved: Arc<Resolved>) -> Result<Copies, Refusal> {
        let context = Context {
            hostname: self.config.hostname.clone(),
            profiles: Arc::clone(&self.config.profiles),
            trust,
            now: self.clock.now(),
            most_bytes: self
                .config
                .limits
                .message_size
                .saturating_mul(LARGEST_OUTPUT),
        };
        let permit = Arc::clone(&self.crypto).acquire_owned().await;
        let permit = permit.map_err(|closed| Failure::Internal(closed.to_string()))?;
        let task = tokio::task::spawn_blocking(move || {
            let copies = transform(&resolved, &context);
            drop(permit);
            copies
        });
        task.await
            .map_err(|panic| Failure::Internal(panic.to_string()))?
    }

    /// Stores every copy, or none.
    async fn store(&self, transformed: &Transformed) -> Result<Stored, Refusal> {
        let mut copies = Vec::with_capacity(transformed.copies().len());
        let mut failures = Vec::new();
        for (copy, number) in transformed.copies().iter().zip(1..) {
            for recipient in copy.recipients.iter().filter(|_| copy.treated.opened) {
                if !is_protected(&self.config.routes, recipient.address.domain()) {
                    failures.push((recipient.address.clone(), Failure::NoProtectedRoute));
                }
            }
            copies.push(new_copy(transformed.origin(), copy, number));
        }
        if let Some(refusal) = Refusal::of_recipients(failures) {
            return Err(refusal);
        }
        self.spool
            .store(copies)
            .await
            .map_err(|error| spool_failure(&error).into())
    }

    /// Writes down what the signers of verified mail read. Nobody waits for it: the next signed mail says it again.
    fn remember_capabilities(&self, transformed: &Transformed) {
        let mut verdicts = transformed
            .copies()
            .iter()
            .filter_map(|copy| copy.treated.verdict.as_ref());
        // Copies of one message say the same.
        if let Some((signer, said)) = verdicts.find_map(|verdict| learned(verdict)) {
            let lookup = Arc::clone(&self.keyring.lookup);
            tokio::spawn(async move {
                match lookup.remember_capabilities(&signer, said).await {
                    Ok(true) => observe::capabilities_remembered(&signer),
                    Ok(false) => {}
                    Err(error) => observe::capabilities_forgotten(&signer, &error.to_string()),
                }
            });
        }
    }

    /// What can be said at RCPT; a lookup that the content may need begins now.
    async fn early_answer(&self, envelope: &Envelope, recipient: &Address) -> Result<(), Failure> {
        let domains = &self.config.internal_domains;
        let now = self.clock.now();
        let early = decide::decide_early(envelope, recipient, &self.policy, domains, now)?;
        let is_outbound = decide::direction(recipient, domains) == Direction::Outbound;
        match early {
            Some(order) if is_outbound && order.decision.encrypt == Requirement::Required => {
                resolve::certificate(recipient, &order.decision, &self.keyring.lookup)
                    .await
                    .map(drop)
            }
            None if is_outbound => {
                self.keyring.warm_up(recipient);
                Ok(())
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// A copy as the spool takes it.
fn new_copy(origin: &Origin, copy: &Copy, number: u16) -> NewCopy {
    NewCopy {
        id: CopyId {
            message: origin.id,
            number,
        },
        reverse_path: origin.envelope.reverse_path.clone(),
        recipients: copy
            .recipients
            .iter()
            .map(|recipient| recipient.address.clone())
            .collect(),
        content: copy.content.clone(),
        smtputf8: origin.envelope.smtputf8,
        transport: if copy.treated.opened {
            Transport::Private
        } else {
            Transport::Any
        },
        // A bounce must not tell what the copy hides.
        original_headers: copy
            .outer_headers
            .clone()
            .unwrap_or_else(|| origin.headers.clone()),
        message_id: origin.message_id.clone(),
        subject: origin.subject.clone(),
    }
}

fn tell(transformed: &Transformed, stored: &Stored, took: Duration) {
    let Origin {
        id, envelope, size, ..
    } = transformed.origin();
    for copy in transformed.copies() {
        let treatment = copy.treated.to_string();
        if let Some(verdict) = &copy.treated.verdict {
            let reason = verdict.reason.as_ref();
            observe::judged(*id, verdict.result, reason, &verdict.text, verdict.as_ref());
        }
        for recipient in &copy.recipients {
            let (rule, address) = (&recipient.rule, &recipient.address);
            observe::decided(
                *id,
                address,
                &rule.name,
                &format!("{}:{}", rule.file, rule.line),
                &treatment,
            );
            if let Some(reason) = &recipient.closed {
                observe::not_opened(*id, address, &reason.to_string());
            }
        }
    }
    let recipients = envelope.recipients.len();
    observe::stored(*id, *size, recipients, stored.copies(), took);
}

fn spool_failure(error: &SpoolError) -> Failure {
    match error {
        SpoolError::Full(_) => Failure::SpoolFull,
        SpoolError::Locked(_)
        | SpoolError::WrongKey
        | SpoolError::Damaged { .. }
        | SpoolError::Format(_)
        | SpoolError::Unavailable(_)
        | SpoolError::Corrupt { .. }
        | SpoolError::Gone(_) => Failure::Internal(error.to_string()),
    }
}

//! What a message's orders need: a trusted certificate for each recipient, a signer for the sender, the keys that each
//! recipient owns.
//!
//! It asks; it changes nothing. What is missing becomes a refusal here, before any cryptography.

mod encryption;
mod signing;

use std::sync::Arc;

use certstore::certificate::Purpose;
use certstore::cms::{Decryptor, Signer};
use certstore::lookup::Lookup;
use certstore::trust::TrustedCertificate;
use certstore::vault::Vault;
use futures_util::StreamExt;
use futures_util::stream;
use policy::address::Address;
use policy::decision::{Decision, Requirement};
use policy::facts::Direction;

use crate::config::Profiles;
use crate::decide::{Decided, Order};
use crate::failure::{Failure, Refusal};
use crate::message::{Origin, Parsed};
use crate::smime::{ClientForm, Readable};
use signing::{Signing, entitled_author, signing};

pub use encryption::certificate;

/// Lookups of one message under way at once.
const CONCURRENT_LOOKUPS: usize = 32;

/// Where certificates and keys are asked for.
#[derive(Debug, Clone)]
pub struct Keyring {
    /// Recipients' certificates.
    pub lookup: Arc<Lookup>,
    /// Our users' keys.
    pub vault: Arc<Vault>,
}

/// A message, and for each recipient everything that its copy needs.
#[derive(Debug)]
pub struct Resolved {
    parsed: Parsed,
    originator: Originator,
    plans: Vec<Plan>,
}

/// What there is of whoever wrote the message, as far as a plan needs it.
#[derive(Debug, Default)]
pub struct Originator {
    /// The key that signs.
    pub signer: Option<Arc<dyn Signer>>,
    /// The certificate that makes what was encrypted readable for the originator, too.
    pub certificate: Option<TrustedCertificate>,
}

/// One recipient's order and what it needs.
#[derive(Debug)]
pub struct Plan {
    /// The recipient.
    pub recipient: Address,
    /// What the deciding rule says.
    pub decision: Decision,
    /// What is done.
    pub treatment: Treatment,
}

/// What is done to one recipient's copy.
#[derive(Debug)]
pub enum Treatment {
    /// It leaves.
    Outbound {
        /// Whether it is signed by the sender's key.
        sign: bool,
        /// Whom it is encrypted to.
        reader: Option<Reader>,
    },
    /// It arrives: the keys that its recipient owns, to open it with.
    Inbound(Vec<Arc<dyn Decryptor>>),
}

/// Somebody that a copy is encrypted to.
#[derive(Debug)]
pub struct Reader {
    /// The certificate.
    pub certificate: TrustedCertificate,
    /// The ciphers that are known to be read.
    pub readable: Readable,
    /// Whether the originator is to read the copy, too.
    pub encrypt_to_self: bool,
}

impl Keyring {
    /// Begins a lookup whose answer may be wanted soon.
    pub fn warm_up(&self, recipient: &Address) {
        let (lookup, recipient) = (Arc::clone(&self.lookup), recipient.clone());
        tokio::spawn(async move { lookup.find(&recipient, Purpose::Encryption).await.is_ok() });
    }
}

impl Resolved {
    /// The message.
    #[must_use]
    pub const fn parsed(&self) -> &Parsed {
        &self.parsed
    }

    /// Waits until the message's share of the memory budget covers its content so many times.
    pub async fn reserve(&mut self, times: u64) {
        let size = u64::try_from(self.parsed.message().content().len()).unwrap_or(u64::MAX);
        self.parsed.reserve(size.saturating_mul(times)).await;
    }

    /// Lets go of everything but where the message came from.
    #[must_use]
    pub fn into_origin(self) -> Origin {
        self.parsed.into_origin()
    }

    /// What there is of whoever wrote it.
    #[must_use]
    pub const fn originator(&self) -> &Originator {
        &self.originator
    }

    /// What is done for each recipient.
    #[must_use]
    pub fn plans(&self) -> &[Plan] {
        &self.plans
    }
}

/// What all recipients of a message have in common.
struct Asking<'a> {
    client_form: ClientForm,
    signing: Signing,
    keyring: &'a Keyring,
    profiles: &'a Profiles,
}

/// Finds everything, for all recipients at once.
///
/// # Errors
/// A [`Refusal`] that names each recipient whose copy cannot be made as ordered.
pub async fn resolve(
    decided: Decided,
    keyring: &Keyring,
    profiles: &Profiles,
    internal_domains: &[String],
) -> Result<Resolved, Refusal> {
    let (parsed, orders) = decided.into_parts();
    let client_form = ClientForm::of(parsed.message());
    let signing = signing(&parsed, &client_form, &orders, keyring, internal_domains).await?;
    let asking = Asking {
        client_form,
        signing,
        keyring,
        profiles,
    };
    let found: Vec<_> = stream::iter(orders)
        .map(|order| async {
            let treatment = match order.direction {
                Direction::Outbound => asking.outbound(&order).await,
                Direction::Inbound => inbound(&order, keyring).await,
            };
            (order, treatment)
        })
        .buffered(CONCURRENT_LOOKUPS)
        .collect()
        .await;
    let plans = plans(found)?;
    let mut originator = Originator {
        signer: asking.signing.signer(),
        certificate: None,
    };
    if plans.iter().any(Plan::is_encrypted_to_self)
        && let Ok(author) = entitled_author(&parsed, internal_domains)
    {
        originator.certificate = encryption::own_certificate(&author, &keyring.lookup).await;
    }
    Ok(Resolved {
        parsed,
        originator,
        plans,
    })
}

fn plans(found: Vec<(Order, Result<Treatment, Failure>)>) -> Result<Vec<Plan>, Refusal> {
    let mut plans = Vec::with_capacity(found.len());
    let mut failures = Vec::new();
    for (order, treatment) in found {
        match treatment {
            Ok(treatment) => plans.push(Plan {
                recipient: order.recipient,
                decision: order.decision,
                treatment,
            }),
            Err(failure) => failures.push((order.recipient, failure)),
        }
    }
    match Refusal::of_recipients(failures) {
        Some(refusal) => Err(refusal),
        None => Ok(plans),
    }
}

impl Plan {
    fn is_encrypted_to_self(&self) -> bool {
        self.reader().is_some_and(|reader| reader.encrypt_to_self)
    }

    /// Whom the copy is encrypted to, if it leaves and is encrypted.
    #[must_use]
    pub const fn reader(&self) -> Option<&Reader> {
        match &self.treatment {
            Treatment::Outbound { reader, .. } => reader.as_ref(),
            Treatment::Inbound(_) => None,
        }
    }
}

impl Asking<'_> {
    async fn outbound(&self, order: &Order) -> Result<Treatment, Failure> {
        let (recipient, decision) = (&order.recipient, &order.decision);
        let lookup = &self.keyring.lookup;
        let certificate = certificate(recipient, decision, lookup).await?;
        let Some(certificate) = certificate else {
            let sign = self.signing.applies_to(decision)?;
            return Ok(Treatment::Outbound { sign, reader: None });
        };
        if self.client_form.is_encrypted_to(&certificate) {
            // What the client encrypted to this very recipient passes as it is.
            return Ok(Treatment::Outbound {
                sign: false,
                reader: None,
            });
        }
        let profile = self.profiles.named(decision.profile.as_deref());
        let reader = Reader {
            readable: encryption::readable(recipient, &certificate, lookup).await,
            certificate,
            encrypt_to_self: decision
                .encrypt_to_self
                .unwrap_or_else(|| profile.is_some_and(|profile| profile.encrypt_to_self)),
        };
        Ok(Treatment::Outbound {
            sign: self.signing.applies_to(decision)?,
            reader: Some(reader),
        })
    }
}

async fn inbound(order: &Order, keyring: &Keyring) -> Result<Treatment, Failure> {
    if order.decision.decrypt == Requirement::No {
        return Ok(Treatment::Inbound(Vec::new()));
    }
    let decryptors = keyring.vault.decryptors_for(&order.recipient).await;
    decryptors
        .map(Treatment::Inbound)
        .map_err(|error| Failure::Internal(error.to_string()))
}

//! What a message's orders need: a trusted certificate for each recipient, a signer for the sender, the keys that each
//! recipient owns.
//!
//! It asks; it changes nothing. What is missing becomes a refusal here, before any cryptography.

use std::sync::Arc;

use certstore::certificate::Purpose;
use certstore::cms::{Decryptor, Signer};
use certstore::lookup::{Lookup, Unavailable};
use certstore::selection::Selection;
use certstore::trust::TrustedCertificate;
use certstore::vault::Vault;
use futures_util::StreamExt;
use futures_util::stream;
use policy::address::Address;
use policy::decision::{Decision, NoCertificate, NoSigner, OnUnavailable, Requirement};
use policy::facts::Direction;

use crate::decide::{Decided, Order};
use crate::failure::{Failure, Refusal};
use crate::message::{Origin, Parsed};
use crate::observe;
use crate::smime;

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
    signer: Option<Arc<dyn Signer>>,
    plans: Vec<Plan>,
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
        /// The certificate it is encrypted to.
        certificate: Option<TrustedCertificate>,
    },
    /// It arrives: the keys that its recipient owns, to open it with.
    Inbound(Vec<Arc<dyn Decryptor>>),
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

    /// The key that signs, if anybody's copy is signed.
    #[must_use]
    pub fn signer(&self) -> Option<&dyn Signer> {
        self.signer.as_deref()
    }

    /// What is done for each recipient.
    #[must_use]
    pub fn plans(&self) -> &[Plan] {
        &self.plans
    }
}

/// Finds everything, for all recipients at once.
///
/// # Errors
/// A [`Refusal`] that names each recipient whose copy cannot be made as ordered.
pub async fn resolve(
    decided: Decided,
    keyring: &Keyring,
    internal_domains: &[String],
) -> Result<Resolved, Refusal> {
    let (parsed, orders) = decided.into_parts();
    let signing = signing(&parsed, &orders, keyring, internal_domains).await?;
    let found: Vec<_> = stream::iter(orders)
        .map(|order| {
            let (parsed, signing) = (&parsed, &signing);
            async move {
                let treatment = match order.direction {
                    Direction::Outbound => outbound(parsed, &order, signing, keyring).await,
                    Direction::Inbound => inbound(&order, keyring).await,
                };
                (order, treatment)
            }
        })
        .buffered(CONCURRENT_LOOKUPS)
        .collect()
        .await;

    let mut plans = Vec::with_capacity(found.len());
    let mut failures = Vec::new();
    for (
        Order {
            recipient,
            decision,
            ..
        },
        treatment,
    ) in found
    {
        match treatment {
            Ok(treatment) => plans.push(Plan {
                recipient,
                decision,
                treatment,
            }),
            Err(failure) => failures.push((recipient, failure)),
        }
    }
    match Refusal::of_recipients(failures) {
        Some(refusal) => Err(refusal),
        None => Ok(Resolved {
            parsed,
            signer: signing.signer(),
            plans,
        }),
    }
}

/// The certificate to encrypt to for `recipient`, or none where the order can do without.
///
/// # Errors
/// [`Failure::NoCertificate`] or [`Failure::DirectoryUnavailable`], as the order says.
pub async fn certificate(
    recipient: &Address,
    decision: &Decision,
    lookup: &Lookup,
) -> Result<Option<TrustedCertificate>, Failure> {
    if decision.encrypt == Requirement::No {
        return Ok(None);
    }
    let selection = match lookup.find(recipient, Purpose::Encryption).await {
        Ok(selection) => selection,
        Err(unavailable) => without(unavailable, recipient, decision)?,
    };
    match &selection.chosen {
        Some((trusted, _)) => Ok(Some(trusted.clone())),
        None if decision.no_certificate == NoCertificate::Clear => Ok(None),
        None => Err(Failure::NoCertificate(why_none(&selection))),
    }
}

/// What the other sources have, where the order lets a mail go on without the one that is down. "None" then leads where it
/// always does: to clear text only if the order says so for an outage, too (law 2).
fn without(
    unavailable: Unavailable,
    recipient: &Address,
    decision: &Decision,
) -> Result<Arc<Selection>, Failure> {
    let is_found = unavailable.otherwise.chosen.is_some();
    let clears = decision.no_certificate == NoCertificate::Clear;
    let goes_on = match decision.on_unavailable {
        OnUnavailable::Defer => false,
        OnUnavailable::Next => is_found || !clears,
        OnUnavailable::Clear => is_found || decision.encrypt == Requirement::Preferred,
    };
    if !goes_on {
        return Err(Failure::DirectoryUnavailable(unavailable.to_string()));
    }
    observe::directory_passed_over(recipient, &unavailable.to_string());
    Ok(unavailable.otherwise)
}

fn why_none(selection: &Selection) -> String {
    match selection.considered.as_slice() {
        [] => "none is known; ask the recipient for a signed mail or a certificate".into(),
        [only] => only.reason.clone(),
        [first, rest @ ..] => format!("{} (and {} more)", first.reason, rest.len()),
    }
}

async fn outbound(
    parsed: &Parsed,
    order: &Order,
    signing: &Signing,
    keyring: &Keyring,
) -> Result<Treatment, Failure> {
    let certificate = certificate(&order.recipient, &order.decision, &keyring.lookup).await?;
    let message = parsed.message();
    if certificate
        .as_ref()
        .is_some_and(|trusted| smime::encrypted_to(message, trusted))
    {
        // What the client encrypted to this very recipient passes as it is.
        return Ok(Treatment::Outbound {
            sign: false,
            certificate: None,
        });
    }
    let sign = signing.applies_to(&order.decision)?;
    Ok(Treatment::Outbound { sign, certificate })
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

/// Whether and by whom a message can be signed.
#[derive(Debug)]
enum Signing {
    /// Nobody asks for it, or the client has done it, or it is a kind of mail that is not signed.
    Unwanted,
    /// The key of its author.
    By(Arc<dyn Signer>),
    /// The author is entitled but has no usable key.
    NoKey(Failure),
    /// Law 7 forbids it.
    Forbidden(Failure),
}

impl Signing {
    fn signer(self) -> Option<Arc<dyn Signer>> {
        match self {
            Self::By(signer) => Some(signer),
            Self::Unwanted | Self::NoKey(_) | Self::Forbidden(_) => None,
        }
    }

    fn applies_to(&self, decision: &Decision) -> Result<bool, Failure> {
        match (decision.sign, self) {
            (Requirement::No, _) | (_, Self::Unwanted) => Ok(false),
            (_, Self::By(_)) => Ok(true),
            (Requirement::Preferred, _) => Ok(false),
            (Requirement::Required, Self::NoKey(_)) if decision.no_signer == NoSigner::Unsigned => {
                Ok(false)
            }
            (Requirement::Required, Self::NoKey(failure) | Self::Forbidden(failure)) => {
                Err(failure.clone())
            }
        }
    }
}

async fn signing(
    parsed: &Parsed,
    orders: &[Order],
    keyring: &Keyring,
    internal_domains: &[String],
) -> Result<Signing, Refusal> {
    let wanted = orders.iter().any(|order| {
        order.direction == Direction::Outbound && order.decision.sign != Requirement::No
    });
    let message = parsed.message();
    if !wanted || smime::is_client_signed(message) || message.is_calendar() || message.is_report() {
        return Ok(Signing::Unwanted);
    }
    let author = match entitled_author(parsed, internal_domains) {
        Ok(author) => author,
        Err(failure) => return Ok(Signing::Forbidden(failure)),
    };
    match keyring.vault.signer_for(&author).await {
        Ok(Some(signer)) => Ok(Signing::By(signer)),
        Ok(None) => Ok(Signing::NoKey(Failure::NoSigner(format!(
            "{author} has no usable signing key"
        )))),
        Err(error) => Err(Failure::Internal(error.to_string()).into()),
    }
}

/// The one From, if it is ours and the client may use it (law 7).
fn entitled_author(parsed: &Parsed, internal_domains: &[String]) -> Result<Address, Failure> {
    if !parsed.envelope().client.may_have_signed() {
        return Err(Failure::NotEntitled(
            "this client may not use our users' keys".into(),
        ));
    }
    let authors = parsed.message().from_addresses();
    let authors = authors.map_err(|error| Failure::NotEntitled(error.to_string()))?;
    let [author] = authors.as_slice() else {
        return Err(Failure::NotEntitled(
            "the message must have exactly one From address".into(),
        ));
    };
    if internal_domains
        .iter()
        .any(|domain| domain == author.domain())
    {
        Ok(author.clone())
    } else {
        Err(Failure::NotEntitled(format!(
            "From <{author}> is not in an internal domain"
        )))
    }
}

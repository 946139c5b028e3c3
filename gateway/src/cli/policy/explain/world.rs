//! What follows from a decision: the certificate, the algorithms, the fate of the copy, the reply.

use certstore::certificate::Purpose;
use certstore::cms::{KeyTransport, RsaSignature};
use certstore::lookup::Explanation as Found;
use policy::address::Address;
use policy::decision::{Decision, NoSigner, Requirement};
use policy::evaluate::Answer;
use policy::facts::Direction;
use policy::fate::{Availability, Fate, World};

use crate::app::Store;
use crate::config::Config;
use crate::decide::verdict;
use crate::failure::Failure;
use crate::resolve;

/// Whom it is about.
pub(super) struct Asked<'a> {
    pub(super) recipient: &'a Address,
    pub(super) direction: Direction,
    /// The author, if there is exactly one.
    pub(super) from: Option<&'a Address>,
}

/// What follows from a decision.
pub(super) struct Consequence {
    /// What the sources of certificates say; none offline, or where nothing is encrypted.
    pub(super) certificates: Option<Found>,
    /// The algorithms that it would be signed or encrypted with.
    pub(super) algorithms: Option<String>,
    /// What becomes of the copy, in every world that is possible.
    pub(super) fates: Vec<Fate>,
    /// The reply to the sending server; none if that depends on what nobody looked up.
    pub(super) reply: Option<String>,
}

pub(super) async fn consequence(
    answer: &Answer<'_>,
    asked: &Asked<'_>,
    store: Option<&Store>,
    config: &Config,
) -> Consequence {
    let decision = match verdict(answer) {
        Ok(Some(decision)) => decision,
        Ok(None) => return Consequence::of(Vec::new(), None),
        Err(failure) => {
            let fate = if failure.is_temporary() {
                Fate::Deferred
            } else {
                Fate::Refused
            };
            return Consequence::of(vec![fate], Some(failure.reply().to_string()));
        }
    };
    let outbound = asked.direction == Direction::Outbound;
    let encrypts = outbound && decision.encrypt.is_wanted();
    let certificates = match store.filter(|_| encrypts) {
        Some(store) => Some(
            store
                .lookup
                .explain(asked.recipient, Purpose::Encryption)
                .await,
        ),
        None => None,
    };
    let known = match store.filter(|_| encrypts) {
        Some(store) => Some(availability(asked.recipient, store).await),
        None => None,
    };
    Consequence {
        fates: fates(&decision, asked.direction, known),
        reply: reply(&decision, asked, store).await,
        algorithms: (encrypts || (outbound && decision.sign.is_wanted()))
            .then(|| algorithms(&decision, config))
            .flatten(),
        certificates,
    }
}

impl Consequence {
    const fn of(fates: Vec<Fate>, reply: Option<String>) -> Self {
        Self {
            certificates: None,
            algorithms: None,
            fates,
            reply,
        }
    }
}

async fn availability(recipient: &Address, store: &Store) -> Availability {
    match store.lookup.find(recipient, Purpose::Encryption).await {
        Ok(selection) if selection.chosen.is_some() => Availability::Usable,
        Ok(_) => Availability::None,
        Err(_) => Availability::Unavailable,
    }
}

fn fates(decision: &Decision, direction: Direction, known: Option<Availability>) -> Vec<Fate> {
    let is_possible = |world: &World| known.is_none_or(|known| known == world.certificate);
    let worlds = World::ALL.into_iter().filter(is_possible);
    let mut fates: Vec<_> = worlds
        .map(|world| decision.fate(direction, world))
        .collect();
    fates.sort_unstable();
    fates.dedup();
    fates
}

/// As the gateway would answer; none without a store where keys or certificates decide.
async fn reply(decision: &Decision, asked: &Asked<'_>, store: Option<&Store>) -> Option<String> {
    const ACCEPTED: &str = "250 2.0.0 stored";
    let must_encrypt = decision.encrypt.is_wanted();
    let must_sign =
        decision.sign == Requirement::Required && decision.no_signer == NoSigner::Reject;
    if asked.direction == Direction::Inbound {
        let may_refuse =
            decision.decrypt == Requirement::Required || decision.verify == Requirement::Required;
        return (!may_refuse).then(|| ACCEPTED.to_owned());
    }
    let Some(store) = store else {
        return (!must_encrypt && !must_sign).then(|| ACCEPTED.to_owned());
    };
    if let Err(failure) = resolve::certificate(asked.recipient, decision, &store.lookup).await {
        return Some(failure.reply().to_string());
    }
    match asked.from.filter(|_| must_sign) {
        Some(from) => match store.vault.signer_for(from).await {
            Ok(Some(_)) => Some(ACCEPTED.to_owned()),
            Ok(None) => {
                let failure = Failure::NoSigner(format!("{from} has no usable signing key"));
                Some(failure.reply().to_string())
            }
            Err(error) => Some(Failure::Internal(error.to_string()).reply().to_string()),
        },
        None => Some(ACCEPTED.to_owned()),
    }
}

fn algorithms(decision: &Decision, config: &Config) -> Option<String> {
    let profile = config.profiles.named(decision.profile.as_deref())?;
    let ciphers: Vec<_> = profile.ciphers.iter().map(|cipher| cipher.name()).collect();
    let padding = match profile.rsa_signature {
        RsaSignature::Pkcs1 => "PKCS #1 v1.5",
        RsaSignature::Pss => "PSS",
    };
    let transport = match profile.key_transport {
        KeyTransport::Pkcs1 => "PKCS #1 v1.5".to_owned(),
        KeyTransport::Oaep(digest) => format!("OAEP with {}", digest.name()),
    };
    Some(format!(
        "profile {:?}: signed with {} (RSA: {padding}); encrypted with {} (keys for RSA: {transport})",
        profile.name,
        profile.digest.name(),
        ciphers.join(" or "),
    ))
}

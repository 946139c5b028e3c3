//! What becomes of a recipient's copy: the decision, and what the world has to offer.
//!
//! Pure arithmetic of orders, used wherever somebody asks what would happen. It never says that mail goes in clear where
//! the rule requires encryption.

use serde::{Deserialize, Serialize};

use crate::decision::{Decision, NoCertificate, NoTls, OnUnavailable, Requirement, Stop};
use crate::facts::Direction;

/// What the recipient's certificate is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Availability {
    /// There is a usable one.
    Usable,
    /// There is none.
    None,
    /// Nobody could say: a source of certificates gave no answer.
    Unavailable,
}

/// What the world offers to a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct World {
    /// The recipient's certificate.
    pub certificate: Availability,
    /// Whether the next hop offers TLS that can be verified.
    pub verified_tls: bool,
}

/// What becomes of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fate {
    /// It arrives: inbound mail that passes.
    Arrives,
    /// It leaves encrypted.
    Encrypted,
    /// It leaves in clear over verified TLS.
    ClearOverTls,
    /// It leaves in clear.
    Clear,
    /// It waits, sealed.
    Held,
    /// It waits, sealed, and the recipient is asked for a certificate.
    Asked,
    /// The sending server is asked to try again.
    Deferred,
    /// It is refused.
    Refused,
}

impl World {
    /// Every world there is.
    pub const ALL: [Self; 6] = {
        const fn world(certificate: Availability, verified_tls: bool) -> World {
            World {
                certificate,
                verified_tls,
            }
        }
        [
            world(Availability::Usable, true),
            world(Availability::Usable, false),
            world(Availability::None, true),
            world(Availability::None, false),
            world(Availability::Unavailable, true),
            world(Availability::Unavailable, false),
        ]
    };
}

impl Fate {
    /// In the words of reports.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Arrives => "arrives",
            Self::Encrypted => "leaves encrypted",
            Self::ClearOverTls => "leaves in clear over verified TLS",
            Self::Clear => "leaves in clear",
            Self::Held => "is held",
            Self::Asked => "waits for the recipient's certificate",
            Self::Deferred => "is deferred",
            Self::Refused => "is refused",
        }
    }
}

impl Decision {
    /// What becomes of mail that goes this way, in this world. Whether it can be signed or opened is left out.
    #[must_use]
    pub const fn fate(&self, direction: Direction, world: World) -> Fate {
        match (&self.stop, direction) {
            (Some(Stop::Reject(_)), _) => return Fate::Refused,
            (Some(Stop::Hold(_)), _) => return Fate::Held,
            (None, Direction::Inbound) => return Fate::Arrives,
            (None, Direction::Outbound) => {}
        }
        match (self.encrypt, world.certificate, self.on_unavailable) {
            (Requirement::No, _, _) => Fate::Clear,
            (_, Availability::Usable, _) => Fate::Encrypted,
            (Requirement::Preferred, Availability::Unavailable, OnUnavailable::Clear) => {
                Fate::Clear
            }
            (_, Availability::None, _) | (_, Availability::Unavailable, OnUnavailable::Next) => {
                self.without_certificate(world)
            }
            (_, Availability::Unavailable, _) => Fate::Deferred,
        }
    }

    /// Law 2 a second time: whatever the order says, what must be encrypted does not leave in clear.
    const fn without_certificate(&self, world: World) -> Fate {
        match (self.no_certificate, self.encrypt, self.no_tls) {
            (NoCertificate::Hold, _, _) => Fate::Held,
            (NoCertificate::Ask, _, _) => Fate::Asked,
            (NoCertificate::Clear, Requirement::Preferred, _) => Fate::Clear,
            (NoCertificate::Tls, _, _) if world.verified_tls => Fate::ClearOverTls,
            (NoCertificate::Tls, _, NoTls::Hold) => Fate::Held,
            (NoCertificate::Reject | NoCertificate::Clear | NoCertificate::Tls, _, _) => {
                Fate::Refused
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::generated::{compiled, policies};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_500))]

        #[test]
        fn nothing_that_compiles_sends_in_clear_what_must_be_encrypted(text in policies()) {
            let policy = compiled(&text);
            for decision in policy.iter().flat_map(|policy| policy.decisions()) {
                let fates = World::ALL.map(|world| decision.fate(Direction::Outbound, world));
                if decision.encrypt == Requirement::Required {
                    prop_assert!(!fates.contains(&Fate::Clear), "{decision:?}");
                    let may_use_tls = decision.no_certificate == NoCertificate::Tls;
                    prop_assert!(may_use_tls || !fates.contains(&Fate::ClearOverTls), "{decision:?}");
                }
            }
        }
    }

    #[test]
    fn a_fate_follows_the_orders() {
        let world = |certificate, verified_tls| World {
            certificate,
            verified_tls,
        };
        let none = world(Availability::None, false);
        let down = world(Availability::Unavailable, true);
        for (orders, world, fate) in [
            ("", none, Fate::Clear),
            ("encrypt = \"required\"", World::ALL[0], Fate::Encrypted),
            ("encrypt = \"required\"", none, Fate::Refused),
            ("encrypt = \"required\"", down, Fate::Deferred),
            (
                "encrypt = \"required\"\non-unavailable = \"next\"",
                down,
                Fate::Refused,
            ),
            (
                "encrypt = \"required\"\nno-certificate = \"hold\"",
                none,
                Fate::Held,
            ),
            (
                "encrypt = \"required\"\nno-certificate = \"ask\"",
                none,
                Fate::Asked,
            ),
            (
                "encrypt = \"required\"\nno-certificate = \"tls\"",
                none,
                Fate::Refused,
            ),
            (
                "encrypt = \"required\"\nno-certificate = \"tls\"",
                World::ALL[2],
                Fate::ClearOverTls,
            ),
            (
                "encrypt = \"preferred\"\nno-certificate = \"tls\"\nno-tls = \"hold\"",
                none,
                Fate::Held,
            ),
            ("encrypt = \"preferred\"", none, Fate::Clear),
            ("encrypt = \"preferred\"", down, Fate::Deferred),
            (
                "encrypt = \"preferred\"\non-unavailable = \"clear\"",
                down,
                Fate::Clear,
            ),
            ("reject = \"no\"", none, Fate::Refused),
            ("hold = \"look\"", none, Fate::Held),
        ] {
            let policy = compiled(&format!("[[rule]]\nname = \"r\"\n{orders}\n")).unwrap();
            let decision = policy.decisions().next().unwrap();
            assert_eq!(
                decision.fate(Direction::Outbound, world),
                fate,
                "{orders} {world:?}"
            );
        }
    }
}

//! Conditions on the SMTP session.

use super::{TlsKind, any_matches, each_in_one};
use crate::facts::Session;
use crate::network::Network;
use crate::pattern::Pattern;

/// What the session must be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionCondition {
    /// One of these matches the identity that the client proved; without one none does.
    Authenticated(Vec<Pattern>),
    /// The client lies in one of these networks; mail that came by no network does not.
    Client(Vec<Network>),
    /// The session is of one of these kinds.
    Tls(Vec<TlsKind>),
}

impl SessionCondition {
    /// Whether a session is so.
    #[must_use]
    pub fn holds(&self, session: &Session<'_>) -> bool {
        match self {
            Self::Authenticated(patterns) => session
                .authenticated
                .is_some_and(|identity| any_matches(patterns, identity)),
            Self::Client(networks) => {
                let is_in = |address| networks.iter().any(|network| network.contains(address));
                session.client.is_some_and(is_in)
            }
            Self::Tls(kinds) => kinds.iter().any(|kind| kind.holds(session.tls)),
        }
    }

    /// Whether `wide` looks at the same thing and holds for every session that this one holds for.
    pub(super) fn is_narrower(&self, wide: &Self) -> bool {
        match (self, wide) {
            (Self::Authenticated(own), Self::Authenticated(wide)) => {
                each_in_one(own, wide, Pattern::covers)
            }
            (Self::Client(own), Self::Client(wide)) => each_in_one(own, wide, Network::covers),
            (Self::Tls(own), Self::Tls(wide)) => {
                each_in_one(own, wide, |wide, own| wide.covers(*own))
            }
            _ => false,
        }
    }
}

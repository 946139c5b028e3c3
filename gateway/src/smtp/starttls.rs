//! STARTTLS (RFC 3207): nothing that was said in clear survives it.

use bytes::BytesMut;

use super::mistake::Mistake;
use super::session::{Action, Phase, Session, Stage};
use crate::failure::Reply;

/// Whether a session in clear may become one in TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartTls {
    /// It cannot.
    NotOffered,
    /// It may.
    Offered,
    /// It must before MAIL (530 5.7.0).
    Required,
}

impl Session {
    /// Checks that `input` is empty: what a stranger slipped in behind the command must not be taken for the client's
    /// after the handshake (command injection). Then the caller shakes hands.
    pub(super) fn starttls(&mut self, stage: Stage, input: &mut BytesMut) -> Phase {
        let mistake = if self.client.tls.is_some() {
            Some(Mistake::TlsAlready)
        } else if self.settings.start_tls == StartTls::NotOffered {
            Some(Mistake::NotImplemented)
        } else if !input.is_empty() {
            Some(Mistake::BytesAfterStartTls)
        } else {
            None
        };
        if let Some(mistake) = mistake {
            return self.complain(stage, &mistake);
        }
        self.reply(Reply::new(220, (2, 0, 0), "Ready to start TLS"));
        self.act(Action::StartTls);
        Phase::Securing
    }

    /// The handshake is done: the client begins anew with EHLO. `protocol` and `cipher` are for the trace header.
    pub fn secured(&mut self, protocol: String, cipher: String) {
        self.client.tls = Some((protocol, cipher));
        self.client.helo.clear();
        self.client.extended = false;
        self.phase = Phase::Commands(Stage::Fresh);
    }
}

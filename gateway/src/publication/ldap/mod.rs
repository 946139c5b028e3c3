//! A read-only LDAP server (RFC 4511) that knows one tree: a person for each of our users, found by address.
//!
//! It takes anonymous binds, searches, StartTLS and unbinds. A password is refused, so that nobody thinks it means
//! anything; so is every change.

mod search;

use std::sync::Arc;

use bytes::BytesMut;
use certstore::ldap::{
    Authentication, Operation, Request, ResultCode, START_TLS, bind_response, extended_response,
    message_length, read_request, refusal, search_done,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Office;
use super::doors::{Door, Tls, Visitor};

/// Longest request, in bytes: nothing that is asked here needs more.
const LONGEST_REQUEST: usize = 16 * 1024;
/// The notice of disconnection (RFC 4511, section 4.4.1).
const DISCONNECTION: &str = "1.3.6.1.4.1.1466.20036";

/// Serves all who come in by `door`.
pub(super) async fn serve(door: Door, office: Arc<Office>) {
    let tls = door.tls.clone();
    let mut visitors = door.open();
    while let Some(visitor) = visitors.recv().await {
        let (office, tls) = (Arc::clone(&office), tls.clone());
        // However a stranger's connection ends, it is of no interest to the operator.
        tokio::spawn(async move { attend(visitor, &tls, &office).await.is_ok() });
    }
}

/// What is to be done after a request.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Answer(Vec<u8>),
    Nothing,
    Secure(Vec<u8>),
    Close(Vec<u8>),
}

async fn attend(mut visitor: Visitor, tls: &Tls, office: &Office) -> std::io::Result<()> {
    let mut bytes = BytesMut::with_capacity(1024);
    let mut may_secure = matches!(tls, Tls::Offered(_));
    loop {
        let message = match message_length(&bytes, LONGEST_REQUEST) {
            Ok(Some(length)) if bytes.len() >= length => bytes.split_to(length),
            Ok(_) => {
                if visitor.read_buf(&mut bytes).await? == 0 {
                    return Ok(());
                }
                continue;
            }
            Err(error) => return farewell(&mut visitor, &error.to_string()).await,
        };
        let request = match read_request(&message) {
            Ok(request) => request,
            Err(error) => return farewell(&mut visitor, &error.to_string()).await,
        };
        let client = visitor.address.ip();
        let next = if office.rate.admits(client) {
            respond(request, may_secure, office).await
        } else {
            Next::Close(disconnection(
                ResultCode::Busy,
                "too many requests; try again in a minute",
            ))
        };
        match next {
            Next::Nothing => {}
            Next::Answer(answer) => visitor.write_all(&answer).await?,
            Next::Close(answer) => {
                visitor.write_all(&answer).await?;
                return visitor.shutdown().await;
            }
            Next::Secure(answer) => {
                // What was sent ahead of the handshake was sent in clear, by whomever.
                if !bytes.is_empty() {
                    return farewell(&mut visitor, "data before the TLS handshake").await;
                }
                visitor.write_all(&answer).await?;
                if let Tls::Offered(acceptor) = tls {
                    visitor = visitor.secure(acceptor).await?;
                }
                may_secure = false;
            }
        }
    }
}

async fn respond(request: Request, may_secure: bool, office: &Office) -> Next {
    let id = request.id;
    if request.has_critical_control {
        let code = ResultCode::UnavailableCriticalExtension;
        let text = "this server knows no controls";
        return Next::Answer(match request.operation {
            Operation::Bind { .. } => bind_response(id, code, text),
            Operation::Search(_) => search_done(id, code, text),
            Operation::Extended(_) => extended_response(id, code, text, None),
            Operation::Other(tag) => refusal(id, tag, code, text),
            Operation::Unbind | Operation::Abandon => return Next::Nothing,
        });
    }
    match request.operation {
        Operation::Unbind => Next::Close(Vec::new()),
        Operation::Abandon => Next::Nothing,
        Operation::Bind {
            version,
            authentication,
            ..
        } => {
            let (code, text) = bind(version, authentication);
            Next::Answer(bind_response(id, code, text))
        }
        Operation::Search(search) => {
            Next::Answer(search::answer(id, &search, office, may_secure).await)
        }
        Operation::Extended(name) if name == START_TLS && may_secure => Next::Secure(
            extended_response(id, ResultCode::Success, "", Some(START_TLS)),
        ),
        Operation::Extended(_) => {
            let text = "this extended operation is not known here";
            Next::Answer(extended_response(id, ResultCode::ProtocolError, text, None))
        }
        Operation::Other(tag) => {
            let text = "this directory can only be searched";
            Next::Answer(refusal(id, tag, ResultCode::UnwillingToPerform, text))
        }
    }
}

fn bind(version: u32, authentication: Authentication) -> (ResultCode, &'static str) {
    match authentication {
        _ if version != 3 => (ResultCode::ProtocolError, "LDAP version 3 is spoken here"),
        Authentication::Anonymous => (ResultCode::Success, ""),
        Authentication::Password => (
            ResultCode::InvalidCredentials,
            "nobody has a password here; bind anonymously",
        ),
        Authentication::Sasl => (
            ResultCode::AuthenticationMethodNotSupported,
            "bind anonymously",
        ),
    }
}

fn disconnection(code: ResultCode, text: &str) -> Vec<u8> {
    extended_response(0, code, text, Some(DISCONNECTION))
}

async fn farewell(visitor: &mut Visitor, text: &str) -> std::io::Result<()> {
    visitor
        .write_all(&disconnection(ResultCode::ProtocolError, text))
        .await?;
    visitor.shutdown().await
}

#[cfg(test)]
mod tests;

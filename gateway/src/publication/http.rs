//! An RFC 4387 certificate store over HTTP: `GET …?uri=ADDRESS`, and the certificates as they are.
//!
//! It answers at the well-known place (RFC 4387, section 3) and at `/search`, by the attributes `uri` and `email`, which
//! mean the same for S/MIME certificates. One certificate is sent as `application/pkix-cert`, several in multipart/mixed.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::Listener;
use certstore::certificate::Certificate;
use policy::address::Address;
use serde::Deserialize;
use tokio::sync::mpsc;

use super::Office;
use super::doors::{Door, Visitor};
use crate::observe;

/// Where a store is if nobody says otherwise, and a shorter place.
const PLACES: [&str; 2] = ["/certificates/search.cgi", "/search"];
/// How long others may keep an answer, in seconds.
const KEEP: &str = "max-age=300";
const BOUNDARY: &str = "certificates";

/// Serves all who come in by `door`.
pub(super) async fn serve(door: Door, office: Arc<Office>) {
    let Ok(address) = door.socket.local_addr() else {
        return;
    };
    let router = PLACES
        .iter()
        .fold(Router::new(), |router, place| {
            router.route(place, get(search))
        })
        .with_state(office)
        .into_make_service_with_connect_info::<Peer>();
    let visitors = Visitors {
        arriving: door.open(),
        address,
    };
    if let Err(error) = axum::serve(visitors, router).await {
        observe::publication_accept_failed(&error);
    }
}

/// Those who come in, for axum.
struct Visitors {
    arriving: mpsc::Receiver<Visitor>,
    address: SocketAddr,
}

/// Where a connection comes from.
#[derive(Debug, Clone, Copy)]
struct Peer(SocketAddr);

impl Listener for Visitors {
    type Io = Visitor;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Visitor, SocketAddr) {
        match self.arriving.recv().await {
            Some(visitor) => {
                let address = visitor.address;
                (visitor, address)
            }
            // The door is closed, and nobody comes any more.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl axum::extract::connect_info::Connected<axum::serve::IncomingStream<'_, Visitors>> for Peer {
    fn connect_info(stream: axum::serve::IncomingStream<'_, Visitors>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// What may be asked by.
#[derive(Debug, Deserialize)]
struct Asked {
    uri: Option<String>,
    email: Option<String>,
}

async fn search(
    State(office): State<Arc<Office>>,
    ConnectInfo(Peer(client)): ConnectInfo<Peer>,
    Query(asked): Query<Asked>,
) -> Response {
    if !office.rate.admits(client.ip()) {
        return (
            StatusCode::TOO_MANY_REQUESTS,
            "too many requests; try again in a minute\n",
        )
            .into_response();
    }
    let text = asked.uri.or(asked.email).unwrap_or_default();
    let Ok(address) = Address::parse(text.strip_prefix("mailto:").unwrap_or(&text)) else {
        let help = "ask by address, as in ?uri=somebody%40example.org\n";
        return (StatusCode::BAD_REQUEST, help).into_response();
    };
    match office.people.find(&address).await {
        Ok(Some(person)) => found(&person.certificates),
        Ok(None) => (StatusCode::NOT_FOUND, "no certificate\n").into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "try again later\n").into_response(),
    }
}

fn found(certificates: &[Certificate]) -> Response {
    let (content_type, body) = match certificates {
        [only] => ("application/pkix-cert".to_owned(), only.der().to_vec()),
        several => (
            format!("multipart/mixed; boundary={BOUNDARY}"),
            multipart(several),
        ),
    };
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, KEEP.to_owned()),
    ];
    (headers, Body::from(body)).into_response()
}

fn multipart(certificates: &[Certificate]) -> Vec<u8> {
    let mut body = Vec::new();
    for certificate in certificates {
        body.extend_from_slice(
            format!("--{BOUNDARY}\r\nContent-Type: application/pkix-cert\r\n\r\n").as_bytes(),
        );
        body.extend_from_slice(certificate.der());
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

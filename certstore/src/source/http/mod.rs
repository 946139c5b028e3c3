//! Certificates from web servers: RFC 4387 certificate stores, and any URL with the address in it.
//!
//! Size, time and redirects are bounded, and a redirect stays on its host. 404 and 410 are the answer "none"; whatever
//! else is no certificate is an outage.

mod multipart;
mod template;

use std::sync::Arc;
use std::time::Duration;

use policy::address::Address;
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Response, StatusCode, header};
use rustls::ClientConfig;

use super::{Answer, Found, LARGEST_ANSWER, MOST_CERTIFICATES, Source, SourceFailure};
use crate::certificate::{Certificate, read_certificates};
use crate::selection::Candidate;

pub use multipart::split as split_multipart;
pub use template::{UrlError, UrlTemplate};

/// Most redirects that are followed.
const MOST_REDIRECTS: usize = 3;
/// How long a connection may take to be made.
const CONNECTING: Duration = Duration::from_secs(5);

/// Where a web server is asked.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Its name in explanations and metrics.
    pub name: String,
    /// The URL for an address.
    pub url: UrlTemplate,
    /// TLS for `https:`.
    pub tls: Arc<ClientConfig>,
}

/// A web server as a directory.
#[derive(Debug)]
pub struct HttpDirectory {
    name: String,
    url: UrlTemplate,
    client: Client,
}

impl HttpDirectory {
    /// A directory; nothing is connected before the first question.
    ///
    /// # Errors
    /// [`SourceFailure`] if there can be no HTTP client with this TLS.
    pub fn new(settings: HttpSettings) -> Result<Self, SourceFailure> {
        let client = Client::builder()
            .tls_backend_preconfigured(ClientConfig::clone(&settings.tls))
            .https_only(settings.url.is_https())
            .redirect(Policy::custom(redirect))
            .connect_timeout(CONNECTING)
            .no_proxy()
            .user_agent("postern")
            .build()
            .map_err(|error| SourceFailure(explain(&error)))?;
        Ok(Self {
            name: settings.name,
            url: settings.url,
            client,
        })
    }

    async fn look_up(&self, address: &Address) -> Result<Found, SourceFailure> {
        let request = self.client.get(self.url.fill(address));
        let response = request
            .send()
            .await
            .map_err(|error| SourceFailure(explain(&error)))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::NO_CONTENT => {
                return Ok(Found::default());
            }
            status => return Err(SourceFailure(format!("the server answers {status}"))),
        }
        let content_type = response.headers().get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        let body = bounded(response).await?;
        let certificates = read_body(&content_type, &body)?;
        Ok(certificates
            .into_iter()
            .map(|certificate| Candidate {
                certificate,
                source: self.name.clone(),
            })
            .collect())
    }
}

impl Source for HttpDirectory {
    fn name(&self) -> &str {
        &self.name
    }

    fn find<'a>(&'a self, address: &'a Address) -> Answer<'a> {
        Box::pin(self.look_up(address))
    }
}

/// The certificates in a response; an empty one has none.
///
/// # Errors
/// [`SourceFailure`] if it holds something else: that may be a login page, and says nothing about the address.
pub fn read_body(content_type: &str, body: &[u8]) -> Result<Vec<Certificate>, SourceFailure> {
    let parts = match multipart::boundary(content_type) {
        Some(boundary) => multipart::split(body, &boundary),
        None => vec![body],
    };
    let mut certificates = Vec::new();
    let mut unreadable = None;
    for part in parts
        .into_iter()
        .filter(|part| !part.trim_ascii().is_empty())
    {
        for found in read_certificates(part) {
            match found {
                Ok(certificate) => certificates.push(certificate),
                Err(error) => unreadable = Some(error),
            }
        }
    }
    certificates.truncate(MOST_CERTIFICATES);
    match unreadable {
        Some(error) if certificates.is_empty() => Err(SourceFailure(format!(
            "the server's answer holds no certificate: {error}"
        ))),
        Some(_) | None => Ok(certificates),
    }
}

async fn bounded(mut response: Response) -> Result<Vec<u8>, SourceFailure> {
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| SourceFailure(explain(&error)))?
    {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            let most = LARGEST_ANSWER / 1024 / 1024;
            return Err(SourceFailure(format!(
                "the server's answer is larger than {most} MiB"
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The same host, and never from `https:` to `http:`.
fn redirect(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let stays = attempt.previous().last().is_some_and(|from| {
        let to = attempt.url();
        from.host_str() == to.host_str()
            && from.port_or_known_default() == to.port_or_known_default()
            && from.scheme() == to.scheme()
    });
    if !stays {
        attempt.error("it redirects to another host")
    } else if attempt.previous().len() > MOST_REDIRECTS {
        attempt.error("it redirects too often")
    } else {
        attempt.follow()
    }
}

/// An error and what is behind it, without the URL: that names the address that was asked for.
fn explain(error: &reqwest::Error) -> String {
    let mut text = if error.is_connect() {
        "no connection".to_owned()
    } else if error.is_redirect() {
        "a redirect that is not followed".to_owned()
    } else {
        "the request failed".to_owned()
    };
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use policy::mutation::mutations;

    use super::*;
    use crate::cms::certificate_bundle;
    use crate::samples::Sample;

    fn sample() -> Certificate {
        Sample::ec("alice@example.org").self_signed().0
    }

    fn two_parts(one: &Certificate, two: &Certificate) -> Vec<u8> {
        let part = b"--x\r\nContent-Type: application/pkix-cert\r\n\r\n";
        [
            &part[..],
            one.der(),
            b"\r\n",
            part,
            two.der(),
            b"\r\n--x--\r\n",
        ]
        .concat()
    }

    #[test]
    fn every_form_of_an_answer_is_read() {
        // In the order that DER gives to the certificates of a bundle.
        let (one, two) = (sample(), sample());
        let (one, two) = if one.der() < two.der() {
            (one, two)
        } else {
            (two, one)
        };
        let bundle = certificate_bundle(&[one.der(), two.der()]);
        let pem = encodify::pem::STANDARD.encode("CERTIFICATE", one.der());
        let multipart = two_parts(&one, &two);
        for (content_type, body, expected) in [
            ("application/pkix-cert", one.der(), vec![&one]),
            ("", one.der(), vec![&one]),
            ("application/pkcs7-mime", &bundle, vec![&one, &two]),
            ("text/plain", pem.as_bytes(), vec![&one]),
            ("multipart/mixed; boundary=x", &multipart, vec![&one, &two]),
            ("application/pkix-cert", b"", vec![]),
        ] {
            let found = read_body(content_type, body).unwrap();
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{content_type}");
        }
    }

    #[test]
    fn what_is_no_certificate_is_no_answer() {
        for (content_type, body) in [
            ("text/html", &b"<html>please log in</html>"[..]),
            ("application/pkix-cert", b"\x30\x03\x02\x01\x01"),
            (
                "multipart/mixed; boundary=x",
                b"--x\r\n\r\nnothing\r\n--x--",
            ),
        ] {
            assert!(read_body(content_type, body).is_err(), "{content_type}");
        }
    }

    #[test]
    fn damaged_answers_do_no_harm() {
        let (one, two) = (sample(), sample());
        for damaged in mutations(&[two_parts(&one, &two)]).take(3_000) {
            if let Ok(found) = read_body("multipart/mixed; boundary=\"x\"", &damaged) {
                assert!(found.len() <= damaged.len() / 100);
            }
        }
    }
}

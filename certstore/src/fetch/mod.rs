//! Fetching what certificates point to: issuers' certificates, CRLs, answers of OCSP responders.
//!
//! The addresses were chosen by strangers. So a fetch is bounded in size, time and redirects, only so many are under
//! way at once, and it goes to public addresses only, or to private networks that the operator listed. What was fetched
//! is not looked at here: everything that comes from here is as untrusted as its address.

mod guard;
mod public;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::time::Duration;

use policy::network::Network;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect;
use reqwest::{Client, Request, Url};
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::Semaphore;

use guard::{Guard, Private};

/// The most bytes of an answer: the largest public CRLs have about 10 MiB.
pub const MAX_FETCHED_SIZE: usize = 32 * 1024 * 1024;
const MAX_URL_LENGTH: usize = 2048;
const MAX_REDIRECTS: usize = 3;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// For one fetch with all its redirects.
const TIMEOUT: Duration = Duration::from_secs(8);
/// Fetches under way at once, of all messages together.
const CONCURRENCY: usize = 16;

/// Why nothing was fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// No http or https URL. `ldap:` is never followed.
    #[error("{0} is no http or https address")]
    Address(String),
    /// It leads into a private network.
    #[error("{url} leads to a private network (list it in trust.fetch-private to allow that)")]
    Private {
        /// The URL.
        url: String,
    },
    /// Redirected too often, or to something that is no http or https URL.
    #[error("{url} leads on in too many or in forbidden ways")]
    Redirect {
        /// The URL.
        url: String,
    },
    /// Longer than [`MAX_FETCHED_SIZE`] bytes.
    #[error("what {url} gives is larger than {MAX_FETCHED_SIZE} bytes")]
    TooLarge {
        /// The URL.
        url: String,
    },
    /// Another HTTP status than 200.
    #[error("{url} answers with HTTP status {status}")]
    Status {
        /// The URL.
        url: String,
        /// The status.
        status: u16,
    },
    /// No answer in time.
    #[error("{url} does not answer in time")]
    Timeout {
        /// The URL.
        url: String,
    },
    /// No connection, or it broke off.
    #[error("{url} cannot be reached: {reason}")]
    Unreachable {
        /// The URL.
        url: String,
        /// What the system says.
        reason: String,
    },
}

impl FetchError {
    /// Whether the same address may give something later.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Unreachable { .. } => true,
            Self::Status { status, .. } => *status >= 500 || *status == 429,
            Self::Address(_)
            | Self::Private { .. }
            | Self::Redirect { .. }
            | Self::TooLarge { .. } => false,
        }
    }
}

/// Fetches, within bounds. One serves the whole program.
#[derive(Debug)]
pub struct Fetcher {
    client: Client,
    guard: Guard,
    slots: Semaphore,
}

impl Fetcher {
    /// A fetcher that may also ask addresses in `private_networks`.
    ///
    /// # Errors
    /// A sentence, if the system gives no TLS.
    pub fn new(private_networks: Vec<Network>) -> Result<Self, String> {
        let guard = Guard::new(private_networks);
        let on_redirect = guard.clone();
        let policy = redirect::Policy::custom(move |attempt| {
            if attempt.previous().len() > MAX_REDIRECTS || !is_web(attempt.url()) {
                return attempt.stop();
            }
            match on_redirect.check(attempt.url()) {
                Ok(()) => attempt.follow(),
                Err(private) => attempt.error(private),
            }
        });
        let client = Client::builder()
            .tls_backend_preconfigured(tls()?)
            .dns_resolver(guard.clone())
            .redirect(policy)
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .pool_max_idle_per_host(1)
            .user_agent("Postern")
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            client,
            guard,
            slots: Semaphore::new(CONCURRENCY),
        })
    }

    /// What `url` gives.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn get(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        let request = Request::new(reqwest::Method::GET, self.allowed(url)?);
        self.run(url, request).await
    }

    /// What `url` answers to `body`, which is of the kind `content_type`.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn post(
        &self,
        url: &str,
        content_type: &'static str,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, FetchError> {
        let mut request = Request::new(reqwest::Method::POST, self.allowed(url)?);
        let content_type = reqwest::header::HeaderValue::from_static(content_type);
        request.headers_mut().insert(CONTENT_TYPE, content_type);
        *request.body_mut() = Some(body.into());
        self.run(url, request).await
    }

    fn allowed(&self, url: &str) -> Result<Url, FetchError> {
        let foreign = || FetchError::Address(url.escape_debug().take(MAX_URL_LENGTH).collect());
        let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic());
        if url.len() > MAX_URL_LENGTH || !is_plain {
            return Err(foreign());
        }
        let parsed = Url::parse(url).map_err(|_| foreign())?;
        if !is_web(&parsed) {
            return Err(foreign());
        }
        let private = |_| FetchError::Private {
            url: url.to_owned(),
        };
        self.guard.check(&parsed).map_err(private)?;
        Ok(parsed)
    }

    async fn run(&self, url: &str, request: Request) -> Result<Vec<u8>, FetchError> {
        let slot = tokio::time::timeout(TIMEOUT, self.slots.acquire()).await;
        let _slot = slot.map_err(|_| FetchError::Timeout {
            url: url.to_owned(),
        })?;
        let describe = |error: reqwest::Error| describe(url, &error);
        let mut response = self.client.execute(request).await.map_err(describe)?;
        let status = response.status();
        if status.is_redirection() {
            return Err(FetchError::Redirect {
                url: url.to_owned(),
            });
        }
        if status != reqwest::StatusCode::OK {
            return Err(FetchError::Status {
                url: url.to_owned(),
                status: status.as_u16(),
            });
        }
        let mut content = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(describe)? {
            if content.len() + chunk.len() > MAX_FETCHED_SIZE {
                return Err(FetchError::TooLarge {
                    url: url.to_owned(),
                });
            }
            content.extend_from_slice(&chunk);
        }
        Ok(content)
    }
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}

/// Revocation is signed by itself, so TLS adds little; where a URL asks for it, the system's roots decide.
fn tls() -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let builder = ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn describe(url: &str, error: &reqwest::Error) -> FetchError {
    let url = url.to_owned();
    let causes = causes(error);
    if causes.iter().any(|cause| cause.is::<Private>()) {
        return FetchError::Private { url };
    }
    if error.is_timeout() {
        return FetchError::Timeout { url };
    }
    if error.is_redirect() {
        return FetchError::Redirect { url };
    }
    let last = causes.last();
    let reason = last.map_or_else(|| error.to_string(), ToString::to_string);
    FetchError::Unreachable { url, reason }
}

fn causes<'e>(error: &'e reqwest::Error) -> Vec<&'e (dyn Error + 'static)> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause);
        next = cause.source();
    }
    causes
}

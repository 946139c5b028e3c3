//! Figures for Prometheus: counted all over the program, shown at one place.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use certstore::lookup::Lookup;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;

use super::StartError;
use crate::observe;
use crate::spool::Spool;

/// Bounds of all histograms, in seconds.
const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];
/// How often what was counted is put in order, whether anybody asks or not.
const UPKEEP: Duration = Duration::from_secs(5);
/// The text format that Prometheus reads.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Figures that are counted, and the socket that they are shown on.
pub(super) struct Figures {
    socket: TcpListener,
    handle: PrometheusHandle,
}

/// What is looked at when somebody asks.
struct Page {
    handle: PrometheusHandle,
    lookup: Arc<Lookup>,
    spool: Arc<Spool>,
}

impl Figures {
    /// Begins to count. To be called before what shall be counted is made.
    ///
    /// # Errors
    /// [`StartError::Metrics`].
    pub(super) async fn start(address: SocketAddr) -> Result<Self, StartError> {
        let failed = |reason: String| StartError::Metrics { address, reason };
        let socket = TcpListener::bind(address).await;
        let socket = socket.map_err(|error| failed(error.to_string()))?;
        let recorder = PrometheusBuilder::new().set_buckets(SECONDS);
        let handle = recorder.and_then(PrometheusBuilder::install_recorder);
        let handle = handle.map_err(|error| failed(error.to_string()))?;
        observe::describe();
        Ok(Self { socket, handle })
    }

    /// Shows them at `/metrics`, for ever.
    pub(super) async fn serve(self, lookup: Arc<Lookup>, spool: Arc<Spool>) {
        let handle = self.handle.clone();
        let page = Page {
            handle: self.handle,
            lookup,
            spool,
        };
        let router = Router::new()
            .route("/metrics", get(show))
            .with_state(Arc::new(page));
        let upkeep = async {
            loop {
                tokio::time::sleep(UPKEEP).await;
                handle.run_upkeep();
            }
        };
        tokio::select! {
            served = axum::serve(self.socket, router) => if let Err(error) = served {
                observe::publication_accept_failed(&error);
            },
            () = upkeep => {}
        }
    }
}

async fn show(State(page): State<Arc<Page>>) -> impl IntoResponse {
    let cache = page.lookup.cache_figures();
    observe::cache_size(cache.entries, cache.bytes);
    if let Ok(waiting) = page.spool.waiting().await {
        observe::queue_length(waiting);
    }
    ([(CONTENT_TYPE, TEXT_FORMAT)], page.handle.render())
}

//! `postern run`.

use std::path::Path;
use std::sync::Arc;

use certstore::clock::SystemClock;
use tokio::signal::unix::{SignalKind, signal};

use super::opened;
use super::trouble::Trouble;
use crate::app::{self, load_policy};
use crate::observe;

/// Sent to who writes beyond RLIMIT_FSIZE; tokio has no name for it.
const SIGXFSZ: i32 = 25;

pub(super) async fn run(given: Option<&Path>) -> Result<(), Trouble> {
    let config = opened::config(given)?;
    let checked = load_policy(&config).map_err(|mistakes| Trouble::mistakes(&mistakes))?;
    observe::start(config.log.format, config.log.level);
    for warning in &checked.warnings {
        observe::policy_warning(&warning.to_string());
    }
    app::run(
        config,
        checked.policy,
        Arc::new(SystemClock),
        |_| (),
        told_to_stop()?,
    )
    .await?;
    Ok(())
}

/// Ends when the system or the operator asks the program to stop.
pub(super) fn told_to_stop() -> Result<impl Future<Output = &'static str>, Trouble> {
    let no_signals = |error| Trouble::unavailable(format!("signals cannot be received: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
    // A limit on file sizes shall be an error like a full disk, not the end of the program.
    let file_size_limit = signal(SignalKind::from_raw(SIGXFSZ)).map_err(no_signals)?;
    Ok(async move {
        let _heard = file_size_limit;
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    })
}

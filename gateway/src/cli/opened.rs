//! The configuration that a command works with, and what it opens.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use certstore::clock::{Clock, SystemClock};
use policy::address::Address;
use policy::diagnostic::Source;

use super::trouble::Trouble;
use crate::app::Store;
use crate::config::Config;

/// Reads the configuration: FILE, else $POSTERN_CONFIG, ./postern.toml, /etc/postern/postern.toml.
pub(super) fn config(given: Option<&Path>) -> Result<Config, Trouble> {
    let path = place(given)?;
    let text = fs::read_to_string(&path).map_err(|error| {
        Trouble::configuration(format!("{} cannot be read: {error}", path.display()))
    })?;
    let absolute = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
    let folder = absolute.parent().unwrap_or(Path::new("/"));
    let source = Source::new(path.display().to_string(), text);
    Config::read(&source, folder).map_err(|mistakes| Trouble::mistakes(&mistakes))
}

fn place(given: Option<&Path>) -> Result<PathBuf, Trouble> {
    if let Some(path) = given {
        return Ok(path.to_owned());
    }
    if let Some(path) = env::var_os("POSTERN_CONFIG") {
        return Ok(path.into());
    }
    let usual = ["postern.toml", "/etc/postern/postern.toml"].map(PathBuf::from);
    usual.into_iter().find(|path| path.exists()).ok_or_else(|| {
        let text = "no configuration: give --config FILE, or write ./postern.toml or /etc/postern/postern.toml";
        Trouble::configuration(text)
    })
}

/// The configuration, its store, and the time.
pub(super) struct Opened {
    pub(super) config: Config,
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
}

/// Opens what the configuration names.
pub(super) async fn store(given: Option<&Path>) -> Result<Opened, Trouble> {
    let config = config(given)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = Store::open(&config, Arc::clone(&clock)).await?;
    Ok(Opened {
        config,
        store,
        clock,
    })
}

/// Reads a file that the command line names.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Trouble> {
    fs::read(path)
        .map_err(|error| Trouble::data(format!("{} cannot be read: {error}", path.display())))
}

/// Reads an address from the command line.
pub(super) fn address(text: &str) -> Result<Address, Trouble> {
    Address::parse(text).map_err(|error| Trouble::data(format!("{text:?} is no address: {error}")))
}

/// The first line of a passphrase file; an empty passphrase where there is none.
pub(super) fn passphrase(file: Option<&Path>) -> Result<zeroize::Zeroizing<String>, Trouble> {
    let Some(path) = file else {
        return Ok(zeroize::Zeroizing::default());
    };
    let text = String::from_utf8(read(path)?);
    let text = text.map_err(|_| Trouble::data(format!("{} is not UTF-8 text", path.display())))?;
    let text = zeroize::Zeroizing::new(text);
    Ok(zeroize::Zeroizing::new(
        text.lines().next().unwrap_or_default().to_owned(),
    ))
}

//! The configured directories, ready to be asked: files read, TLS and resolvers prepared, nothing connected.

use std::fs;
use std::path::Path;

use certstore::source::http::{HttpDirectory, HttpSettings};
use certstore::source::ldap::{Bind, LdapDirectory, LdapSettings};
use certstore::source::smimea::{SmimeaDirectory, SmimeaError, SmimeaSettings};
use certstore::source::tls::{TlsError, client_config};
use certstore::source::{Framed, Source, SourceFailure};
use zeroize::Zeroizing;

use crate::config::{BindConfig, DirectoryConfig, DirectoryKind, LdapConfig};

/// Why a directory cannot be asked.
#[derive(Debug, thiserror::Error)]
#[error("directory {name:?}: {reason}")]
pub struct DirectoryError {
    /// Its name.
    pub name: String,
    /// What is wrong.
    pub reason: Reason,
}

/// What is wrong with a directory.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// A file of its TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The file with its password.
    #[error("the password in {file}: {error}")]
    Password {
        /// The file.
        file: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// DNS.
    #[error(transparent)]
    Smimea(#[from] SmimeaError),
    /// HTTP.
    #[error(transparent)]
    Http(#[from] SourceFailure),
}

/// All of them, in their order.
///
/// # Errors
/// [`DirectoryError`].
pub(super) fn open(configs: &[DirectoryConfig]) -> Result<Vec<Box<dyn Source>>, DirectoryError> {
    let open = |config: &DirectoryConfig| {
        one(config).map_err(|reason| DirectoryError {
            name: config.name.clone(),
            reason,
        })
    };
    configs.iter().map(open).collect()
}

fn one(config: &DirectoryConfig) -> Result<Box<dyn Source>, Reason> {
    let name = config.name.clone();
    Ok(match &config.kind {
        DirectoryKind::Ldap(ldap) => {
            let directory = LdapDirectory::new(ldap_settings(name, ldap)?);
            Box::new(Framed::new(directory, config.limits))
        }
        DirectoryKind::Smimea {
            resolvers,
            trust_anchor,
        } => {
            let directory = SmimeaDirectory::new(SmimeaSettings {
                name,
                resolvers: resolvers.clone(),
                trust_anchor: trust_anchor.clone(),
            })?;
            Box::new(Framed::new(directory, config.limits))
        }
        DirectoryKind::Http { url, tls } => {
            let directory = HttpDirectory::new(HttpSettings {
                name,
                url: url.clone(),
                tls: client_config(tls)?,
            })?;
            Box::new(Framed::new(directory, config.limits))
        }
    })
}

fn ldap_settings(name: String, ldap: &LdapConfig) -> Result<LdapSettings, Reason> {
    let bind = match &ldap.bind {
        BindConfig::Anonymous => Bind::Anonymous,
        BindConfig::External => Bind::External,
        BindConfig::Simple {
            name,
            password_file,
        } => Bind::Simple {
            name: name.clone(),
            password: first_line(password_file)?,
        },
    };
    Ok(LdapSettings {
        name,
        servers: ldap.servers.clone(),
        start_tls: ldap.start_tls,
        tls: client_config(&ldap.tls)?,
        bind,
        base: ldap.base.clone(),
        scope: ldap.scope,
        filter: ldap.filter.clone(),
        attributes: ldap.attributes.clone(),
        page_size: ldap.page_size,
    })
}

fn first_line(file: &Path) -> Result<Zeroizing<String>, Reason> {
    let text = fs::read_to_string(file).map_err(|error| Reason::Password {
        file: file.display().to_string(),
        error,
    })?;
    let text = Zeroizing::new(text);
    Ok(Zeroizing::new(
        text.lines().next().unwrap_or_default().to_owned(),
    ))
}

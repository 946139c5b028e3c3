//! Empty databases for tests, of both kinds.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use super::super::Database;
use super::postgres::Postgres;

/// Where an empty database is, gone when it is dropped.
pub(crate) enum Place {
    File(TempDir),
    Server(String),
}

impl Place {
    pub(crate) fn file() -> Self {
        Self::File(tempfile::tempdir().unwrap())
    }

    /// One server for all tests of this process, a database for each; none where PostgreSQL is not installed.
    pub(crate) fn server() -> Option<Self> {
        static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = SERVER.get_or_init(Postgres::start).as_ref()?;
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        Some(Self::Server(server.database(&format!("test{number}"))))
    }

    /// Opens it, as each process does for itself.
    pub(crate) async fn open(&self) -> Database {
        match self {
            Self::File(folder) => Database::open(&folder.path().join("postern.db")).await,
            Self::Server(url) => Database::connect(url).await,
        }
        .unwrap()
    }
}

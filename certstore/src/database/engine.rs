//! The two kinds of database, and what differs between them: how they are opened, how a transaction begins, and the names
//! of types. Everything else is said to both in the same words.

use std::fmt;
use std::fs::OpenOptions;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::migrate::{Migration, Migrator};
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, Connection, SqlSafeStr};

use super::{DatabaseError, Transaction};

static MIGRATIONS: Migrator = sqlx::migrate!("src/database/migrations");

/// Where PostgreSQL tells of changes.
pub(super) const CHANNEL: &str = "postern_change";

/// Readers do not wait for each other or for the writer; more connections than this gain nothing on SQLite.
const CONNECTIONS: u32 = 8;
/// Said to each connection to SQLite. The wait is for another writer, in this process or beside it.
const SQLITE_SETTINGS: &[&str] = &[
    "PRAGMA busy_timeout = 10000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
];
/// Said to each connection to PostgreSQL: a lock or an answer that does not come is an error, as on SQLite.
const POSTGRES_SETTINGS: &[&str] = &["SET lock_timeout = '10s'", "SET statement_timeout = '60s'"];
/// How long a question waits for a connection to a server: one that is down is an error before a sender gives up.
const SERVER_PATIENCE: Duration = Duration::from_secs(5);

/// Each statement that writes changes wakes those who listen; PostgreSQL sends it when they are committed.
const POSTGRES_NOTIFY: &[&str] = &[
    "CREATE OR REPLACE FUNCTION notify_change() RETURNS trigger LANGUAGE plpgsql AS \
     $$ BEGIN PERFORM pg_notify('postern_change', ''); RETURN NULL; END $$",
    "CREATE OR REPLACE TRIGGER notify_change AFTER INSERT ON change \
     FOR EACH STATEMENT EXECUTE FUNCTION notify_change()",
];

/// What kind of database it is.
#[derive(Clone)]
pub(super) enum Engine {
    /// A file.
    Sqlite,
    /// A server.
    Postgres {
        /// Where, and as whom; it may hold a password.
        url: Arc<str>,
    },
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "Sqlite",
            Self::Postgres { .. } => "Postgres",
        })
    }
}

impl Engine {
    /// Begins a transaction that is the only one that writes.
    pub(super) async fn begin(&self, pool: &AnyPool) -> Result<Transaction, DatabaseError> {
        match self {
            Self::Sqlite => Ok(pool.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres { .. } => {
                let mut transaction = pool.begin().await?;
                sqlx::query("LOCK TABLE change IN EXCLUSIVE MODE")
                    .execute(&mut *transaction)
                    .await?;
                Ok(transaction)
            }
        }
    }

    /// Begins a transaction that reads, and sees all tables as they are at one moment.
    pub(super) async fn begin_reading(&self, pool: &AnyPool) -> Result<Transaction, DatabaseError> {
        Ok(pool
            .begin_with(match self {
                Self::Sqlite => "BEGIN",
                Self::Postgres { .. } => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            })
            .await?)
    }

    /// Brings the tables up to date.
    pub(super) async fn migrate(&self, pool: &AnyPool) -> Result<(), DatabaseError> {
        let failed = |error: &dyn fmt::Display| DatabaseError::Migration(error.to_string());
        match self {
            Self::Sqlite => MIGRATIONS.run(pool).await.map_err(|error| failed(&error)),
            Self::Postgres { .. } => {
                let migrator = postgres_migrations();
                migrator.run(pool).await.map_err(|error| failed(&error))?;
                let mut transaction = self.begin(pool).await?;
                for statement in POSTGRES_NOTIFY {
                    let done = sqlx::query(*statement).execute(&mut *transaction).await;
                    done.map_err(|error| failed(&error))?;
                }
                transaction.commit().await.map_err(|error| failed(&error))
            }
        }
    }
}

/// The names of all tables, those that others refer to first.
pub(super) fn tables() -> Vec<&'static str> {
    let statements = MIGRATIONS
        .iter()
        .flat_map(|migration| migration.sql.as_str().split("CREATE TABLE "));
    let is_name = |text: &&str| {
        text.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    statements
        .filter_map(|statement| statement.split_whitespace().next())
        .filter(is_name)
        .collect()
}

/// Opens or creates a file.
pub(super) async fn open_file(path: &Path) -> Result<AnyPool, DatabaseError> {
    let shown = path.display().to_string();
    create_private_file(path).map_err(|error| open_error(&shown, &error))?;
    let url = format!("sqlite://{}", percent_encoded(path));
    pool(&url, SQLITE_SETTINGS, Duration::from_secs(30))
        .await
        .map_err(|error| open_error(&shown, &error))
}

/// Connects to a server.
pub(super) async fn connect(url: &str) -> Result<AnyPool, DatabaseError> {
    pool(url, POSTGRES_SETTINGS, SERVER_PATIENCE)
        .await
        .map_err(|error| open_error(&without_user(url), &error))
}

async fn pool(
    url: &str,
    settings: &'static [&'static str],
    patience: Duration,
) -> Result<AnyPool, sqlx::Error> {
    install_default_drivers();
    // Once by itself: a pool tries again what fails until its patience is over.
    let mut first = AnyConnection::connect(url).await?;
    prepare(&mut first, settings).await?;
    first.close().await?;
    AnyPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(patience)
        .after_connect(move |connection, _| Box::pin(prepare(connection, settings)))
        .connect(url)
        .await
}

async fn prepare(connection: &mut AnyConnection, settings: &[&'static str]) -> sqlx::Result<()> {
    for setting in settings {
        sqlx::query(*setting).execute(&mut *connection).await?;
    }
    Ok(())
}

fn open_error(path: &str, error: &dyn fmt::Display) -> DatabaseError {
    DatabaseError::Open {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

/// SQLite gives its journal files the mode of the database, so that one is made before SQLite makes it.
fn create_private_file(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    options.open(path).map(drop)
}

/// A path as it stands in a URL (RFC 3986, section 2.1).
fn percent_encoded(path: &Path) -> String {
    let mut text = String::with_capacity(path.as_os_str().len());
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// A URL as it may be shown: who logs in, and with what password, is nobody's business.
fn without_user(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let rest = rest.split_once('?').map_or(rest, |(rest, _)| rest);
    format!("{scheme}://{rest}")
}

/// The tables are written down once, with SQLite's types.
fn postgres_migrations() -> Migrator {
    let translate = |migration: &Migration| {
        let sql = postgres_types(migration.sql.as_str());
        Migration::new(
            migration.version,
            migration.description.clone(),
            migration.migration_type,
            AssertSqlSafe(sql).into_sql_str(),
            migration.no_tx,
        )
    };
    Migrator {
        migrations: MIGRATIONS.iter().map(translate).collect(),
        ..Migrator::DEFAULT
    }
}

fn postgres_types(sql: &str) -> String {
    const NUMBERED: &str = "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY";
    [
        ("INTEGER PRIMARY KEY AUTOINCREMENT", NUMBERED),
        ("INTEGER PRIMARY KEY", NUMBERED),
        ("INTEGER", "BIGINT"),
        ("BLOB", "BYTEA"),
        (" WITHOUT ROWID", ""),
    ]
    .iter()
    .fold(sql.to_owned(), |sql, (sqlite, postgres)| {
        sql.replace(sqlite, postgres)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_a_url_has_no_password() {
        for (url, shown) in [
            (
                "postgres://postern:se%40cret@db.example:5432/certs?sslmode=require",
                "postgres://db.example:5432/certs",
            ),
            (
                "postgres:///certs?host=/run/x&password=y",
                "postgres:///certs",
            ),
            ("postgres://u:p@a@b/c", "postgres://b/c"),
            ("nonsense", "://nonsense"),
        ] {
            assert_eq!(without_user(url), shown);
        }
        let engine = Engine::Postgres {
            url: "postgres://u:secret@h/d".into(),
        };
        assert!(!format!("{engine:?}").contains("secret"));
    }

    #[test]
    fn types_are_translated() {
        for (sqlite, postgres) in [
            (
                "a INTEGER PRIMARY KEY AUTOINCREMENT,",
                "a BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,",
            ),
            ("b BLOB NOT NULL, c INTEGER", "b BYTEA NOT NULL, c BIGINT"),
            (") WITHOUT ROWID;", ");"),
        ] {
            assert_eq!(postgres_types(sqlite), postgres);
        }
    }

    #[tokio::test]
    async fn every_table_has_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let pool = open_file(&folder.path().join("x.db")).await.unwrap();
        Engine::Sqlite.migrate(&pool).await.unwrap();
        let question = "SELECT name FROM sqlite_master WHERE type = 'table' \
                        AND name NOT LIKE 'sqlite_%' AND name <> '_sqlx_migrations' ORDER BY name";
        let there: Vec<String> = sqlx::query_scalar(question).fetch_all(&pool).await.unwrap();
        let mut known = tables();
        known.sort_unstable();
        assert_eq!(there, known);
    }

    #[tokio::test]
    async fn any_file_name_will_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b?c#d%20e.db");
        let pool = open_file(&path).await.unwrap();
        pool.close().await;
        let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(files.len(), 1, "{files:?}");
        assert!(path.exists());
    }
}

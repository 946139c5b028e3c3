//! All rows of all tables as lines of text, out of one kind of database and into another.
//!
//! A line is JSON: a head that names a table and its columns, or an array with the values of a row. Values keep their
//! types; what is sealed stays sealed. What differs from one database to the next by its nature (changes, what was
//! asked lately, the vault's check value) is left out.

use std::io;

use encodify::base64;
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::any::{AnyArguments, AnyRow, AnyTypeInfoKind};
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, Column, Row};

use super::engine::{Engine, tables};
use super::{Database, DatabaseError, Transaction};

/// Tables that stay where they are.
const LEFT_OUT: [&str; 3] = ["asked", "change", "vault_check"];

/// Why a database could not be written out or read in.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The lines cannot be written or read.
    #[error("{0}")]
    Lines(#[from] io::Error),
    /// A line is not what it should be.
    #[error("line {0} is not of this program, or of a newer version")]
    Line(u64),
    /// There is something in the database already.
    #[error("the store is not empty: it has rows in {0}; import into a new one")]
    NotEmpty(String),
}

impl From<sqlx::Error> for TransferError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

/// The first line of a table.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    table: String,
    columns: Vec<(String, Kind)>,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Number,
    Text,
    Bytes,
}

impl Database {
    /// Gives every row, as it is at one moment, to `write`, line by line. Gateways may go on meanwhile. Returns how many.
    ///
    /// # Errors
    /// [`TransferError`].
    pub async fn write_out(
        &self,
        mut write: impl FnMut(&str) -> io::Result<()>,
    ) -> Result<u64, TransferError> {
        let mut transaction = self.engine.begin_reading(&self.pool).await?;
        let mut count = 0;
        for table in tables()
            .into_iter()
            .filter(|table| !LEFT_OUT.contains(table))
        {
            let query = AssertSqlSafe(format!("SELECT * FROM {table}"));
            let mut rows = sqlx::query(query).fetch(&mut *transaction);
            let mut head: Option<Head> = None;
            while let Some(row) = rows.try_next().await? {
                if head.is_none() {
                    let new = head_of(table, &row)?;
                    write(&serde_json::to_string(&new).map_err(io::Error::from)?)?;
                    head = Some(new);
                }
                let kinds = head.iter().flat_map(|head| &head.columns);
                let values = kinds
                    .enumerate()
                    .map(|(place, (_, kind))| value(&row, place, *kind));
                let values = values.collect::<Result<Vec<_>, sqlx::Error>>()?;
                write(&Value::Array(values).to_string())?;
                count += 1;
            }
        }
        transaction.rollback().await?;
        Ok(count)
    }

    /// Takes every row that `lines` have, all of them or none, into a database that is empty but for the vault's check
    /// value. Returns how many.
    ///
    /// # Errors
    /// [`TransferError`].
    pub async fn read_in(
        &self,
        lines: impl Iterator<Item = io::Result<String>>,
    ) -> Result<u64, TransferError> {
        let mut transaction = self.begin().await?;
        self.demand_empty(&mut transaction).await?;
        let mut insert: Option<(String, Vec<Kind>)> = None;
        let mut count = 0;
        for (line, number) in lines.zip(1..) {
            let line = line?;
            if line.starts_with('{') {
                let head: Head =
                    serde_json::from_str(&line).map_err(|_| TransferError::Line(number))?;
                insert = Some(insertion(&head).ok_or(TransferError::Line(number))?);
                continue;
            }
            let (sql, kinds) = insert.as_ref().ok_or(TransferError::Line(number))?;
            let row = bound(sql, kinds, &line).ok_or(TransferError::Line(number))?;
            row.execute(&mut *transaction).await?;
            count += 1;
        }
        self.engine.renumber(&mut transaction).await?;
        transaction.commit().await?;
        Ok(count)
    }

    async fn demand_empty(&self, transaction: &mut Transaction) -> Result<(), TransferError> {
        for table in tables()
            .into_iter()
            .filter(|table| !LEFT_OUT.contains(table))
        {
            let query = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
            let count: i64 = sqlx::query_scalar(query)
                .fetch_one(&mut **transaction)
                .await?;
            if count > 0 {
                return Err(TransferError::NotEmpty(table.to_owned()));
            }
        }
        Ok(())
    }
}

impl Engine {
    /// What is inserted next gets numbers above those that were read in; SQLite does so by itself.
    async fn renumber(&self, transaction: &mut Transaction) -> Result<(), DatabaseError> {
        let Self::Postgres { .. } = self else {
            return Ok(());
        };
        let numbered: Vec<String> = sqlx::query_scalar(
            "SELECT table_name::text FROM information_schema.columns \
             WHERE table_schema = current_schema() AND column_name = 'id' AND is_identity = 'YES'",
        )
        .fetch_all(&mut **transaction)
        .await?;
        for table in numbered
            .iter()
            .filter(|table| tables().contains(&table.as_str()))
        {
            let query = AssertSqlSafe(format!(
                "SELECT setval(pg_get_serial_sequence('{table}', 'id'), MAX(id)) FROM {table} \
                 HAVING MAX(id) IS NOT NULL"
            ));
            sqlx::query(query).execute(&mut **transaction).await?;
        }
        Ok(())
    }
}

fn head_of(table: &str, row: &AnyRow) -> Result<Head, DatabaseError> {
    let columns = row.columns().iter().map(|column| {
        let kind = match column.type_info().kind() {
            AnyTypeInfoKind::SmallInt | AnyTypeInfoKind::Integer | AnyTypeInfoKind::BigInt => {
                Kind::Number
            }
            AnyTypeInfoKind::Text => Kind::Text,
            AnyTypeInfoKind::Blob => Kind::Bytes,
            AnyTypeInfoKind::Null
            | AnyTypeInfoKind::Bool
            | AnyTypeInfoKind::Real
            | AnyTypeInfoKind::Double => {
                let text = format!("the type of column {} of {table}", column.name());
                return Err(DatabaseError::Damaged(text));
            }
        };
        Ok((column.name().to_owned(), kind))
    });
    Ok(Head {
        table: table.to_owned(),
        columns: columns.collect::<Result<_, DatabaseError>>()?,
    })
}

fn value(row: &AnyRow, place: usize, kind: Kind) -> Result<Value, sqlx::Error> {
    Ok(match kind {
        Kind::Number => row.try_get::<Option<i64>, _>(place)?.into(),
        Kind::Text => row.try_get::<Option<String>, _>(place)?.into(),
        Kind::Bytes => {
            let bytes = row.try_get::<Option<Vec<u8>>, _>(place)?;
            bytes.map(|bytes| base64::STANDARD.encode(bytes)).into()
        }
    })
}

/// The statement that takes rows under this head in; none if its names are not ours.
fn insertion(head: &Head) -> Option<(String, Vec<Kind>)> {
    let is_name = |name: &String| {
        name.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let (names, kinds): (Vec<String>, Vec<Kind>) = head.columns.iter().cloned().unzip();
    let is_ours =
        tables().contains(&head.table.as_str()) && !LEFT_OUT.contains(&head.table.as_str());
    if !is_ours || names.is_empty() || !names.iter().all(is_name) {
        return None;
    }
    let places: Vec<String> = (1..=names.len()).map(|place| format!("${place}")).collect();
    let sql = format!(
        "INSERT INTO {} ({}) VALUES ({})",
        head.table,
        names.join(", "),
        places.join(", ")
    );
    Some((sql, kinds))
}

/// The statement with the values of a line; none if they are not those of its columns.
fn bound(sql: &str, kinds: &[Kind], line: &str) -> Option<Query<'static, Any, AnyArguments>> {
    let values: Vec<Value> = serde_json::from_str(line).ok()?;
    if values.len() != kinds.len() {
        return None;
    }
    let mut query = sqlx::query(AssertSqlSafe(sql.to_owned()));
    for (kind, value) in kinds.iter().zip(values) {
        query = match (kind, value) {
            (Kind::Number, Value::Null) => query.bind(None::<i64>),
            (Kind::Number, Value::Number(number)) => query.bind(number.as_i64()?),
            (Kind::Text, Value::Null) => query.bind(None::<String>),
            (Kind::Text, Value::String(text)) => query.bind(text),
            (Kind::Bytes, Value::Null) => query.bind(None::<Vec<u8>>),
            (Kind::Bytes, Value::String(text)) => query.bind(base64::STANDARD.decode(text).ok()?),
            _ => return None,
        };
    }
    Some(query)
}

//! Why the database did not do as asked.

use diesel::result::{DatabaseErrorKind, Error};

use crate::connect::with_sources;

#[derive(Debug, thiserror::Error)]
pub enum DbError {
    #[error("no database connection became free in time")]
    Busy,
    #[error("can't reach the database: {0}")]
    Connect(String),
    #[error("the database address can't be used: {0}")]
    Address(String),
    /// A unique key, check or reference held: the state asked for is a wrong one.
    #[error("the database refused a wrong state ({constraint}): {message}")]
    Constraint { constraint: String, message: String },
    #[error("the database failed: {0}")]
    Query(String),
    #[error("a stored value can't be read: {0}")]
    Stored(String),
    #[error("the database's tables could not be brought up to date: {0}")]
    Migrate(String),
    #[error("no table can be made for {what}: {why}")]
    Table { what: String, why: String },
}

impl DbError {
    pub(crate) fn stored(what: impl std::fmt::Display) -> Self {
        DbError::Stored(what.to_string())
    }
}

impl From<Error> for DbError {
    fn from(error: Error) -> Self {
        match error {
            Error::DatabaseError(
                DatabaseErrorKind::UniqueViolation
                | DatabaseErrorKind::CheckViolation
                | DatabaseErrorKind::ForeignKeyViolation
                | DatabaseErrorKind::NotNullViolation,
                info,
            ) => DbError::Constraint {
                constraint: info
                    .constraint_name()
                    .or(info.column_name())
                    .unwrap_or("unnamed")
                    .to_owned(),
                // Not the details, which quote the row's values.
                message: info.message().to_owned(),
            },
            Error::DatabaseError(DatabaseErrorKind::ClosedConnection, info) => {
                DbError::Connect(info.message().to_owned())
            }
            other => DbError::Query(unquoted(&other.to_string())),
        }
    }
}

impl From<tokio_postgres::Error> for DbError {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(said) => DbError::Query(unquoted(said.message())),
            None => DbError::Connect(with_sources(&error)),
        }
    }
}

/// Postgres quotes what it can't make sense of (`invalid input syntax for type bigint: "…"`), which may be a sender's value.
fn unquoted(message: &str) -> String {
    message
        .split('"')
        .enumerate()
        .map(|(idx, part)| if idx % 2 == 0 { part } else { "…" })
        .collect::<Vec<_>>()
        .join("\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_gets_into_an_error() {
        for (message, told) in [
            (
                "invalid input syntax for type bigint: \"Jo Smith\"",
                "invalid input syntax for type bigint: \"…\"",
            ),
            (
                "value \"1e30\" is out of range for type \"integer\"",
                "value \"…\" is out of range for type \"…\"",
            ),
            ("cut off \"Jo Smi", "cut off \"…"),
            (
                "canceling statement due to lock timeout",
                "canceling statement due to lock timeout",
            ),
        ] {
            assert_eq!(unquoted(message), told);
        }
    }
}

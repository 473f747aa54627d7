//! Why the database did not do as asked.

use diesel::result::{DatabaseErrorKind, Error};

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
            other => DbError::Query(other.to_string()),
        }
    }
}

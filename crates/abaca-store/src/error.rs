//! What can go wrong between the service and its database.

use std::error::Error as StdError;

/// The result of a statement.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a statement did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A row with the same unique key exists.
    #[error("a row with the same key exists")]
    Unique(#[source] Box<dyn StdError + Send + Sync>),
    /// A row that others refer to can't go, or one that was referred to is gone.
    #[error("a row is still referred to, or refers to none")]
    ForeignKey(#[source] Box<dyn StdError + Send + Sync>),
    /// Another transaction was in the way; the same transaction may succeed when run again.
    #[error("another transaction was in the way")]
    Conflict(#[source] Box<dyn StdError + Send + Sync>),
    /// The database could not be reached, every connection was taken for too long, or it takes no
    /// writes for now: its disk is full or failing, or it became read-only.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// A stored value is not what the program expects in that column.
    #[error("column {column}: {problem}")]
    Decode {
        /// The column's name in the result.
        column: String,
        /// What is wrong with its value.
        problem: String,
    },
    /// The URL of the database is not one this program understands.
    #[error("database url: {0}")]
    Url(String),
    /// A migration failed, or the schema is newer than the program.
    #[error("the schema could not be migrated")]
    Migration(#[source] Box<dyn StdError + Send + Sync>),
    /// Anything else the database said.
    #[error("the database refused a statement")]
    Database(#[source] Box<dyn StdError + Send + Sync>),
}

impl Error {
    /// Whether running the whole transaction again may succeed.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ffi;
        let code = match &error {
            rusqlite::Error::SqliteFailure(failure, _) => failure.extended_code,
            _ => 0,
        };
        match code {
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {
                Self::Unique(error.into())
            }
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Self::ForeignKey(error.into()),
            _ if code & 0xff == ffi::SQLITE_BUSY => Self::Conflict(error.into()),
            _ if is_out_of_service(code & 0xff) => Self::Unavailable(error.into()),
            _ => Self::Database(error.into()),
        }
    }
}

/// Whether this primary result code of SQLite says that the file, not the statement, is at fault.
fn is_out_of_service(code: i32) -> bool {
    use rusqlite::ffi;
    [ffi::SQLITE_CANTOPEN, ffi::SQLITE_FULL, ffi::SQLITE_IOERR, ffi::SQLITE_READONLY]
        .contains(&code)
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        use tokio_postgres::error::SqlState;
        let Some(code) = error.code() else {
            return if error.is_closed() {
                Self::Unavailable(error.into())
            } else {
                Self::Database(error.into())
            };
        };
        match code {
            code if *code == SqlState::UNIQUE_VIOLATION => Self::Unique(error.into()),
            code if *code == SqlState::FOREIGN_KEY_VIOLATION => Self::ForeignKey(error.into()),
            code if *code == SqlState::T_R_SERIALIZATION_FAILURE
                || *code == SqlState::T_R_DEADLOCK_DETECTED =>
            {
                Self::Conflict(error.into())
            }
            code if *code == SqlState::ADMIN_SHUTDOWN
                || *code == SqlState::CRASH_SHUTDOWN
                || *code == SqlState::CANNOT_CONNECT_NOW
                || *code == SqlState::DISK_FULL
                || *code == SqlState::READ_ONLY_SQL_TRANSACTION =>
            {
                Self::Unavailable(error.into())
            }
            _ => Self::Database(error.into()),
        }
    }
}

impl From<deadpool_postgres::PoolError> for Error {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<mysql_async::Error> for Error {
    fn from(error: mysql_async::Error) -> Self {
        // Codes from the MySQL server error reference, the same in MariaDB.
        const DISK_FULL: u16 = 1021;
        const DUPLICATE_ENTRY: u16 = 1062;
        const TABLE_FULL: u16 = 1114;
        const LOCK_WAIT_TIMEOUT: u16 = 1205;
        const DEADLOCK: u16 = 1213;
        const READ_ONLY_SERVER: u16 = 1290;
        const ROW_IS_REFERENCED: u16 = 1451;
        const NO_REFERENCED_ROW: u16 = 1452;
        match &error {
            mysql_async::Error::Server(server) => match server.code {
                DUPLICATE_ENTRY => Self::Unique(error.into()),
                LOCK_WAIT_TIMEOUT | DEADLOCK => Self::Conflict(error.into()),
                ROW_IS_REFERENCED | NO_REFERENCED_ROW => Self::ForeignKey(error.into()),
                DISK_FULL | TABLE_FULL | READ_ONLY_SERVER => Self::Unavailable(error.into()),
                _ => Self::Database(error.into()),
            },
            mysql_async::Error::Io(_) => Self::Unavailable(error.into()),
            _ => Self::Database(error.into()),
        }
    }
}

impl From<tokio::task::JoinError> for Error {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Database(error.into())
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn what_the_disk_is_to_blame_for_is_no_fault_of_the_statement() {
        let from = |code| Error::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_READONLY_DBMOVED] {
            assert!(matches!(from(code), Error::Unavailable(_)), "{code}");
        }
        assert!(matches!(from(ffi::SQLITE_CORRUPT), Error::Database(_)));
    }
}

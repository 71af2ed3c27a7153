//! A row's columns, borrowed from the driver's own row.

use std::fmt::Display;
use std::str::FromStr;

use abaca_model::Timestamp;

use crate::error::{Error, Result};

/// One row of a result. Columns are read by their place in the select list; an error names the
/// column.
pub enum Row<'a> {
    /// Of SQLite.
    Sqlite(&'a rusqlite::Row<'a>),
    /// Of PostgreSQL.
    Postgres(&'a tokio_postgres::Row),
    /// Of MariaDB or MySQL.
    Mysql(&'a mysql_async::Row),
}

impl Row<'_> {
    /// The text at `index`, `None` for NULL.
    ///
    /// # Errors
    /// When the column holds no text.
    pub fn optional_text(&self, index: usize) -> Result<Option<&str>> {
        match self {
            Self::Sqlite(row) => {
                let value = row.get_ref(index).map_err(|error| self.decode(index, error))?;
                value.as_str_or_null().map_err(|error| self.decode(index, error))
            }
            Self::Postgres(row) => row.try_get(index).map_err(|error| self.decode(index, error)),
            Self::Mysql(row) => match row.as_ref(index) {
                Some(mysql_async::Value::NULL) => Ok(None),
                Some(mysql_async::Value::Bytes(bytes)) => {
                    std::str::from_utf8(bytes).map(Some).map_err(|error| self.decode(index, error))
                }
                _ => Err(self.decode(index, "is no text")),
            },
        }
    }

    /// The text at `index`.
    ///
    /// # Errors
    /// When the column holds no text, or NULL.
    pub fn text(&self, index: usize) -> Result<&str> {
        self.optional_text(index)?.ok_or_else(|| self.decode(index, "is NULL"))
    }

    /// The text at `index` as an owned string, `None` for NULL.
    ///
    /// # Errors
    /// As [`Row::optional_text`].
    pub fn optional_string(&self, index: usize) -> Result<Option<String>> {
        Ok(self.optional_text(index)?.map(str::to_owned))
    }

    /// The text at `index` as an owned string.
    ///
    /// # Errors
    /// As [`Row::text`].
    pub fn string(&self, index: usize) -> Result<String> {
        self.text(index).map(str::to_owned)
    }

    /// The integer at `index`, `None` for NULL.
    ///
    /// # Errors
    /// When the column holds no integer.
    pub fn optional_integer(&self, index: usize) -> Result<Option<i64>> {
        match self {
            Self::Sqlite(row) => row.get(index).map_err(|error| self.decode(index, error)),
            Self::Postgres(row) => row.try_get(index).map_err(|error| self.decode(index, error)),
            Self::Mysql(row) => match row.as_ref(index) {
                Some(mysql_async::Value::NULL) => Ok(None),
                Some(mysql_async::Value::Int(value)) => Ok(Some(*value)),
                Some(mysql_async::Value::UInt(value)) => {
                    i64::try_from(*value).map(Some).map_err(|error| self.decode(index, error))
                }
                // A SUM is a DECIMAL, which comes as text.
                Some(mysql_async::Value::Bytes(bytes)) => std::str::from_utf8(bytes)
                    .ok()
                    .and_then(|text| text.parse().ok())
                    .map(Some)
                    .ok_or_else(|| self.decode(index, "is no integer")),
                _ => Err(self.decode(index, "is no integer")),
            },
        }
    }

    /// The integer at `index`.
    ///
    /// # Errors
    /// When the column holds no integer, or NULL.
    pub fn integer(&self, index: usize) -> Result<i64> {
        self.optional_integer(index)?.ok_or_else(|| self.decode(index, "is NULL"))
    }

    /// The boolean at `index`, stored as 0 or 1.
    ///
    /// # Errors
    /// As [`Row::integer`].
    pub fn boolean(&self, index: usize) -> Result<bool> {
        Ok(self.integer(index)? != 0)
    }

    /// The time at `index`, `None` for NULL.
    ///
    /// # Errors
    /// As [`Row::optional_integer`].
    pub fn optional_time(&self, index: usize) -> Result<Option<Timestamp>> {
        Ok(self.optional_integer(index)?.map(Timestamp::from_micros))
    }

    /// The time at `index`.
    ///
    /// # Errors
    /// As [`Row::integer`].
    pub fn time(&self, index: usize) -> Result<Timestamp> {
        self.integer(index).map(Timestamp::from_micros)
    }

    /// The text at `index` read as an id, a status or another word, `None` for NULL.
    ///
    /// # Errors
    /// When the text is not one of them.
    pub fn optional_parsed<T: FromStr<Err: Display>>(&self, index: usize) -> Result<Option<T>> {
        self.optional_text(index)?
            .map(|text| text.parse().map_err(|error| self.decode(index, error)))
            .transpose()
    }

    /// The text at `index` read as an id, a status or another word.
    ///
    /// # Errors
    /// When the text is not one of them, or NULL.
    pub fn parsed<T: FromStr<Err: Display>>(&self, index: usize) -> Result<T> {
        self.text(index)?.parse().map_err(|error| self.decode(index, error))
    }

    fn decode(&self, index: usize, problem: impl Display) -> Error {
        let column = match self {
            Self::Sqlite(row) => row.as_ref().column_name(index).ok().map(str::to_owned),
            Self::Postgres(row) => row.columns().get(index).map(|column| column.name().to_owned()),
            Self::Mysql(row) => {
                row.columns_ref().get(index).map(|column| column.name_str().into_owned())
            }
        };
        Error::Decode {
            column: column.unwrap_or_else(|| format!("number {index}")),
            problem: problem.to_string(),
        }
    }
}

//! The query string of a request.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use super::{ApiError, dict_literal, strict_bool};

/// Keys and values in the order they came, decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `a=1&b=2`.
    ///
    /// # Errors
    /// 400 for what is not UTF-8 or has a NUL, which no database takes.
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        text.split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((decode(key)?, decode(value)?))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The value of `key`; the last one if there are several.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Every value of `key`.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(name, _)| *name == key).map(|(_, value)| value)
    }

    /// Every pair, in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The value of `key` as a boolean.
    ///
    /// # Errors
    /// 400 that names `key`.
    pub fn boolean(&self, key: &str) -> Result<Option<bool>, ApiError> {
        self.parsed(key, "a boolean", strict_bool)
    }

    /// The value of `key` as a dictionary of texts; without one, an empty one.
    ///
    /// # Errors
    /// 400 that names `key`.
    pub fn dictionary(&self, key: &str) -> Result<BTreeMap<String, String>, ApiError> {
        self.get(key).map_or(Ok(BTreeMap::new()), |text| dict_literal::read(key, text))
    }

    /// The value of `key` as an id (or anything else that is read from text), `what` it should be
    /// for the message: "a UUID".
    ///
    /// # Errors
    /// 400 that names `key`.
    pub fn parsed<T>(
        &self,
        key: &str,
        what: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        self.get(key)
            .map(|value| {
                parse(value).ok_or_else(|| {
                    ApiError::bad_request(format!(
                        "Invalid value {value} for {key}. Expecting {what}."
                    ))
                })
            })
            .transpose()
    }
}

fn decode(text: &str) -> Result<String, ApiError> {
    let spaced = text.replace('+', " ");
    decode_percent(&spaced)
}

/// Decodes `%20` and the like.
///
/// # Errors
/// 400 for what is not UTF-8 or has a NUL.
pub(super) fn decode_percent(text: &str) -> Result<String, ApiError> {
    percent_decode_str(text)
        .decode_utf8()
        .ok()
        .filter(|decoded| !decoded.contains('\0'))
        .map(std::borrow::Cow::into_owned)
        .ok_or_else(|| ApiError::bad_request("The URL has characters that are not valid UTF-8."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_several_values_counts() {
        let query = Query::parse("limit=1&name=a%20b+c&limit=2&flag").unwrap();
        assert_eq!(query.get("limit"), Some("2"));
        assert_eq!(query.all("limit").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(query.get("name"), Some("a b c"));
        assert_eq!(query.get("flag"), Some(""));
        assert_eq!(query.get("none"), None);
    }

    #[test]
    fn refuses_what_no_database_takes() {
        assert!(Query::parse("name=%ff").is_err());
        assert!(Query::parse("name=a%00").is_err());
    }

    #[test]
    fn a_bad_value_is_named() {
        let query = Query::parse("with_count=nope").unwrap();
        let error = query.boolean("with_count").unwrap_err();
        assert!(matches!(error, ApiError::BadRequest(message)
            if message == "Invalid value nope for with_count. Expecting a boolean."));
    }
}

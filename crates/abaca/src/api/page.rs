//! Which part of a list was asked for, and in which order.

use std::str::FromStr;

use abaca_store::{Direction, Position};

use super::{ApiError, Query};

/// `limit`, `marker` and `offset`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// At most this many; `None` when no limit was asked for. Never above `api.max_limit`. With 0 the
    /// list is empty, as the reference has it.
    pub limit: Option<u64>,
    /// The id of the last item the client has seen.
    pub marker: Option<String>,
    /// Leave out this many.
    pub offset: u64,
}

impl Page {
    /// Reads the query; `max_limit` caps the limit.
    pub(super) fn parse(query: &Query, max_limit: u64) -> Result<Self, ApiError> {
        let limit = non_negative(query, "limit")?;
        Ok(Self {
            limit: limit.map(|limit| limit.min(max_limit)),
            marker: query.get("marker").map(str::to_owned),
            offset: non_negative(query, "offset")?.unwrap_or(0),
        })
    }

    /// The place behind which the page begins, by `find`; `what` the list is of, for the message.
    pub(super) async fn after<Id: FromStr>(
        &self,
        what: &str,
        find: impl AsyncFnOnce(Id) -> abaca_store::Result<Option<Position>>,
    ) -> Result<Option<Position>, ApiError> {
        let Some(marker) = &self.marker else { return Ok(None) };
        let position = match marker.parse() {
            Ok(id) => find(id).await?,
            Err(_) => None,
        };
        position.map(Some).ok_or_else(|| {
            ApiError::bad_request(format!(
                "Invalid value {marker} for marker. Expecting the id of a {what}."
            ))
        })
    }
}

fn non_negative(query: &Query, key: &str) -> Result<Option<u64>, ApiError> {
    let Some(text) = query.get(key) else {
        return Ok(None);
    };
    match text.trim().parse::<i64>() {
        Ok(number) => u64::try_from(number)
            .map(Some)
            .map_err(|_| ApiError::bad_request(format!("{key} param must be positive"))),
        Err(_) => Err(ApiError::bad_request(format!("{key} param must be an integer"))),
    }
}

/// `sort_key` and `sort_dir`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort<Key> {
    /// What to sort by.
    pub key: Key,
    /// Which way.
    pub direction: Direction,
}

impl<Key: Copy> Sort<Key> {
    /// Reads the query. `keys` are the names a client may sort by; `default` is sorted by,
    /// descending, when it names none.
    ///
    /// # Errors
    /// 400 for an unknown key, which names those there are, or an unknown direction.
    pub fn parse(query: &Query, keys: &[(&str, Key)], default: Key) -> Result<Self, ApiError> {
        let key = match query.get("sort_key") {
            None => default,
            Some(name) => {
                keys.iter().find(|(known, _)| *known == name).map(|(_, key)| *key).ok_or_else(
                    || {
                        let known: Vec<_> = keys.iter().map(|(known, _)| *known).collect();
                        ApiError::bad_request(format!(
                            "Invalid value {name} for sort_key. Expecting one of {}.",
                            known.join(", ")
                        ))
                    },
                )?
            }
        };
        let direction = match query.get("sort_dir") {
            None => Direction::Descending,
            Some(text) if text.eq_ignore_ascii_case("desc") => Direction::Descending,
            Some(text) if text.eq_ignore_ascii_case("asc") => Direction::Ascending,
            Some(other) => {
                return Err(ApiError::bad_request(format!(
                    "Invalid value {other} for sort_dir. Expecting one of asc, desc."
                )));
            }
        };
        Ok(Self { key, direction })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> Result<Page, ApiError> {
        Page::parse(&Query::parse(text).unwrap(), 1_000)
    }

    #[test]
    fn reads_pages() {
        assert_eq!(page("").unwrap(), Page::default());
        assert_eq!(page("limit=0").unwrap().limit, Some(0));
        assert_eq!(page("limit=5000").unwrap().limit, Some(1_000));
        assert_eq!(page("limit=%2b1&offset=%202").unwrap().offset, 2);
        assert_eq!(page("marker=").unwrap().marker.as_deref(), Some(""));
    }

    #[test]
    fn names_what_is_wrong() {
        for (text, message) in [
            ("limit=a", "limit param must be an integer"),
            ("limit=", "limit param must be an integer"),
            ("limit=-1", "limit param must be positive"),
            ("limit=1&limit=a", "limit param must be an integer"),
            ("offset=1.5", "offset param must be an integer"),
            ("offset=-1", "offset param must be positive"),
            ("offset=99999999999999999999", "offset param must be an integer"),
        ] {
            assert!(
                matches!(page(text), Err(ApiError::BadRequest(said)) if said == message),
                "{text}"
            );
        }
    }

    #[test]
    fn sorts_by_known_keys_only() {
        let sort = |text: &str| {
            let query = Query::parse(text).unwrap();
            Sort::parse(&query, &[("created_at", 0), ("name", 1)], 0)
        };
        assert_eq!(sort("").unwrap(), Sort { key: 0, direction: Direction::Descending });
        assert_eq!(
            sort("sort_key=name&sort_dir=ASC").unwrap(),
            Sort { key: 1, direction: Direction::Ascending }
        );
        assert!(matches!(sort("sort_key=nope"), Err(ApiError::BadRequest(message))
            if message == "Invalid value nope for sort_key. Expecting one of created_at, name."));
        assert!(sort("sort_dir=up").is_err());
    }
}

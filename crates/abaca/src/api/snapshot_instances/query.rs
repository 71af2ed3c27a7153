//! The query of a list of snapshot instances: what it is of, how it is sorted, which part of it.

use abaca_model::{SnapshotStatus, Timestamp};
use abaca_store::snapshot_instances::{Filter, SortKey};

use crate::api::{ApiError, Page, Query, Sort};

/// What a list was asked for with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// `None`: of a snapshot that can't exist, so that the list is empty.
    pub(super) filter: Option<Filter>,
    pub(super) sort: Sort<SortKey>,
    pub(super) with_count: bool,
    pub(super) page: Page,
}

pub(super) const SORT_KEYS: [(&str, SortKey); 7] = [
    ("created_at", SortKey::CreatedAt),
    ("id", SortKey::Id),
    ("share_id", SortKey::ShareId),
    ("share_instance_id", SortKey::ShareInstanceId),
    ("snapshot_id", SortKey::SnapshotId),
    ("status", SortKey::Status),
    ("updated_at", SortKey::UpdatedAt),
];

/// Reads the query. Unknown keys are ignored, as the reference does.
///
/// # Errors
/// 400 that names the key and what was expected.
pub(super) fn read(query: &Query, page: Page) -> Result<Wanted, ApiError> {
    let sort = Sort::parse(query, &SORT_KEYS, SortKey::CreatedAt)?;
    let with_count = query.boolean("with_count")?.unwrap_or(false);
    Ok(Wanted { filter: filter(query)?, sort, with_count, page })
}

fn filter(query: &Query) -> Result<Option<Filter>, ApiError> {
    let filter = Filter {
        snapshot_id: None,
        project_id: None,
        status: query
            .parsed("status", &format!("one of {}", statuses()), |text| text.parse().ok())?,
        share_id: query.parsed("share_id", "a UUID", |text| text.parse().ok())?,
        share_instance_id: query.parsed("share_instance_id", "a UUID", |text| text.parse().ok())?,
        host: query.parsed("host", HOST, host)?,
        created_since: query.parsed("created_since", TIME, time)?,
        created_before: query.parsed("created_before", TIME, time)?,
    };
    // The one filter the reference has takes any text: an empty one is none, one that is no id
    // finds nothing.
    match query.get("snapshot_id") {
        None | Some("") => Ok(Some(filter)),
        Some(text) => Ok(text.parse().ok().map(|id| Filter { snapshot_id: Some(id), ..filter })),
    }
}

const HOST: &str = "host, host@backend or host@backend#pool";
const TIME: &str = "an ISO 8601 time such as 2017-08-04T00:44:52";

fn statuses() -> String {
    let statuses: Vec<_> = SnapshotStatus::ALL.iter().map(|status| status.as_str()).collect();
    statuses.join(", ")
}

fn host(text: &str) -> Option<String> {
    // A pool is part of a backend, a backend of a host.
    let (host, backend) = text.split_once('@').map_or((text, None), |(h, b)| (h, Some(b)));
    let (host_is_whole, backend_is_whole) =
        (!host.is_empty() && !host.contains('#'), backend != Some(""));
    (host_is_whole && backend_is_whole).then(|| text.to_owned())
}

fn time(text: &str) -> Option<Timestamp> {
    // `+` is a space in a query string; a client that forgets to encode it means an offset.
    text.replace(' ', "+").parse().or_else(|_| text.parse()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(text: &str) -> Result<Wanted, ApiError> {
        read(&Query::parse(text).unwrap(), Page::default())
    }

    #[test]
    fn nothing_asked_for_is_everything() {
        let wanted = wanted("nope=1").unwrap();
        assert_eq!(wanted.filter, Some(Filter::default()));
        assert_eq!((wanted.sort.key, wanted.with_count), (SortKey::CreatedAt, false));
    }

    #[test]
    fn a_snapshot_id_that_is_none_finds_nothing() {
        assert_eq!(wanted("snapshot_id=nope").unwrap().filter, None);
        assert_eq!(wanted("snapshot_id=").unwrap().filter, Some(Filter::default()));
    }

    #[test]
    fn every_filter_is_read() {
        let id = "275516e8-c998-4e78-a41e-7dd3a03e71cd";
        let text = format!(
            "snapshot_id={id}&status=error_deleting&share_id={id}&share_instance_id={id}\
             &host=a@b%23c&created_since=2017-08-04&created_before=2017-08-04T02:44:52+02:00"
        );
        let expected = Filter {
            project_id: None,
            snapshot_id: id.parse().ok(),
            status: Some(SnapshotStatus::ErrorDeleting),
            share_id: id.parse().ok(),
            share_instance_id: id.parse().ok(),
            host: Some("a@b#c".to_owned()),
            created_since: Some(Timestamp::from_micros(1_501_804_800_000_000)),
            created_before: Some(Timestamp::from_micros(1_501_807_492_000_000)),
        };
        assert_eq!(wanted(&text).unwrap().filter, Some(expected));
    }

    #[test]
    fn bad_values_are_refused_by_name() {
        for (key, value) in [
            ("status", "stuck"),
            ("status", ""),
            ("status", "ERROR"),
            ("share_id", "1"),
            ("share_id", ""),
            ("share_instance_id", "x"),
            ("host", ""),
            ("host", "@b"),
            ("host", "a@"),
            ("host", "a%23b@c"),
            ("created_since", "yesterday"),
            ("created_before", "1501807492"),
            ("with_count", "maybe"),
            ("sort_key", "provider_location"),
            ("sort_dir", "up"),
        ] {
            let error = wanted(&format!("{key}={value}")).unwrap_err();
            assert!(
                matches!(&error, ApiError::BadRequest(message)
                    if message.contains(&format!("for {key}")) && message.contains("Expecting")),
                "{key}={value}: {error}"
            );
        }
    }
}

//! The query of a list of shares: what it is of, how it is sorted, which part of it.

use abaca_store::shares::{Filter, Scope, SortKey};

use crate::api::{ApiError, Call, Page, Query, Sort, V};

/// What a list was asked for with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) filter: Filter,
    /// Something no share has was asked for, so that the list is empty.
    pub(super) nothing: bool,
    pub(super) sort: Sort<SortKey>,
    pub(super) with_count: bool,
    pub(super) page: Page,
}

pub(super) const SORT_KEYS: [(&str, SortKey); 20] = [
    ("availability_zone", SortKey::AvailabilityZone),
    ("availability_zone_id", SortKey::AvailabilityZone),
    ("created_at", SortKey::CreatedAt),
    ("description", SortKey::Description),
    ("display_description", SortKey::Description),
    ("display_name", SortKey::Name),
    ("host", SortKey::Host),
    ("id", SortKey::Id),
    ("is_public", SortKey::IsPublic),
    ("name", SortKey::Name),
    ("project_id", SortKey::ProjectId),
    // No share has one: what is left is the order among equals.
    ("share_network_id", SortKey::Id),
    ("share_proto", SortKey::ShareProto),
    ("share_type", SortKey::ShareTypeId),
    ("share_type_id", SortKey::ShareTypeId),
    ("size", SortKey::Size),
    ("snapshot_id", SortKey::SourceSnapshotId),
    ("status", SortKey::Status),
    ("updated_at", SortKey::UpdatedAt),
    ("user_id", SortKey::UserId),
];

/// Filters by what belongs to parts of the API that are not there: no share has any of it.
const OF_NO_SHARE: [&str; 3] = ["share_network_id", "share_group_id", "share_server_id"];

/// Reads the query. Unknown keys, and those the version does not have, are ignored.
///
/// # Errors
/// 400 that names the key and what was expected.
pub(super) fn read(call: &Call, counts_since: V) -> Result<Wanted, ApiError> {
    let query = &call.query;
    let sort = Sort::parse(query, &SORT_KEYS, SortKey::CreatedAt)?;
    let with_count = call.since(counts_since) && query.boolean("with_count")?.unwrap_or(false);
    let own = call.caller.project_id.clone().unwrap_or_default();
    let scope = match query.boolean("is_public")? {
        Some(true) => Scope::ProjectAndPublic(own),
        Some(false) | None => Scope::Project(own),
    };
    let filter = filter(query, call.version, scope)?;
    let nothing = asks_for_nothing(query, call.version, call.caller.is_admin);
    let page = call.page()?;
    Ok(Wanted { filter, nothing, sort, with_count, page })
}

/// Whether shares of every project are asked for. An empty value asks for them, as the reference
/// has it.
///
/// # Errors
/// 400 for what is neither yes nor no.
pub(super) fn all_projects(query: &Query) -> Result<bool, ApiError> {
    match query.get("all_tenants") {
        Some("") => Ok(true),
        _ => Ok(query.boolean("all_tenants")?.unwrap_or(false)),
    }
}

fn filter(query: &Query, version: V, scope: Scope) -> Result<Filter, ApiError> {
    let since = |minor| version >= V(2, minor);
    let any = |key: &str| query.get(key).map(str::to_owned);
    // An empty value of these is no filter.
    let text = |key: &str| any(key).filter(|value| !value.is_empty());
    let mut filter = Filter {
        name: text("name").or_else(|| text("display_name")),
        description: text("display_description"),
        status: any("status"),
        source_snapshot_id: any("snapshot_id"),
        share_type_id: any("share_type_id"),
        host: any("host"),
        mount_point_name: any("mount_point_name"),
        metadata: query.dictionary("metadata")?,
        extra_specs: query.dictionary("extra_specs")?,
        ..Filter::all_of(scope)
    };
    if since(35) {
        filter.export_location_id = text("export_location_id");
        filter.export_location_path = text("export_location_path");
    }
    if since(36) {
        filter.description = text("description").or(filter.description);
        filter.name_like = text("name~").or_else(|| text("display_name~"));
        filter.description_like = text("description~").or_else(|| text("display_description~"));
    }
    if since(69) {
        filter.soft_deleted = query.boolean("is_soft_deleted")?.unwrap_or(false);
    }
    if since(97) {
        filter.availability_zone = any("availability_zone");
    }
    Ok(filter)
}

fn asks_for_nothing(query: &Query, version: V, is_admin: bool) -> bool {
    let of_none = OF_NO_SHARE.iter().any(|key| query.get(key).is_some());
    let encrypted = version >= V(2, 90) && is_admin && query.get("encryption_key_ref").is_some();
    of_none || encrypted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filtered(text: &str, minor: u32) -> Filter {
        let scope = Scope::Project("p".to_owned());
        filter(&Query::parse(text).unwrap(), V(2, minor), scope).unwrap()
    }

    #[test]
    fn filters_come_with_their_versions() {
        let none = Filter::all_of(Scope::Project("p".to_owned()));
        let text = |text: &str| Some(text.to_owned());
        let path = Filter { export_location_path: text("/x"), ..none.clone() };
        let name_like = Filter { name_like: text("a"), ..none.clone() };
        let description = Filter { description: text("d"), ..none.clone() };
        let binned = Filter { soft_deleted: true, ..none.clone() };
        let mounted = Filter { mount_point_name: text("m"), ..none.clone() };
        let zone = Filter { availability_zone: text("z"), ..none.clone() };
        let table = [
            ("export_location_path=/x", 34, &none),
            ("export_location_path=/x", 35, &path),
            ("name~=a", 35, &none),
            ("name~=a", 36, &name_like),
            ("display_name~=a", 36, &name_like),
            ("description=d", 35, &none),
            ("description=d", 36, &description),
            ("display_description=d", 0, &description),
            ("is_soft_deleted=x", 68, &none),
            ("is_soft_deleted=true", 69, &binned),
            ("is_soft_deleted=no", 69, &none),
            ("mount_point_name=m", 0, &mounted),
            ("availability_zone=z", 96, &none),
            ("availability_zone=z", 97, &zone),
            ("name=&description=&name~=&export_location_id=", 99, &none),
            ("nope=1&share_proto=NFS&volume_type_id=1&share_type=1&all_projects=1", 99, &none),
        ];
        for (text, minor, expected) in table {
            assert_eq!(filtered(text, minor), *expected, "{text} at 2.{minor}");
        }
        assert_eq!(filtered("status=&host=", 0).status, text(""), "an empty status is of no share");
    }

    #[test]
    fn dictionaries_are_read_as_clients_print_them() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(filtered("metadata={'a':+'1'}", 0).metadata, [pair("a", "1")].into());
        assert_eq!(
            filtered("extra_specs={\"a\":\"True\",'b':'c'}", 0).extra_specs,
            [pair("a", "True"), pair("b", "c")].into()
        );
        for text in ["metadata=x", "metadata=5", "metadata=", "extra_specs=[]", "is_soft_deleted=x"]
        {
            let query = Query::parse(text).unwrap();
            let refused = filter(&query, V::MAX, Scope::Everything);
            assert!(matches!(refused, Err(ApiError::BadRequest(_))), "{text}");
        }
    }

    #[test]
    fn what_no_share_has_finds_none() {
        let nothing = |text: &str, minor, is_admin| {
            asks_for_nothing(&Query::parse(text).unwrap(), V(2, minor), is_admin)
        };
        assert!(!nothing("", 99, true));
        assert!(nothing("share_network_id=x", 0, false));
        assert!(nothing("encryption_key_ref=x", 90, true));
        assert!(!nothing("encryption_key_ref=x", 90, false));
    }

    #[test]
    fn every_project_is_asked_for_by_a_yes_or_an_empty_value() {
        let all = |text: &str| all_projects(&Query::parse(text).unwrap());
        assert!(all("all_tenants=1").unwrap() && all("all_tenants=").unwrap());
        assert!(!all("all_tenants=0").unwrap() && !all("").unwrap());
        assert!(all("all_tenants=x").is_err());
    }
}

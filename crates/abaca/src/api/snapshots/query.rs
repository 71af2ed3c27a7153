//! The query of a list of snapshots: what it is of, how it is sorted, which part of it.

use abaca_store::snapshots::{Filter, SortKey};

use crate::api::{ApiError, Call, Page, Query, Sort, V};

/// What a list was asked for with, but for whose snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) filter: Filter,
    pub(super) all_projects: bool,
    pub(super) sort: Sort<SortKey>,
    pub(super) with_count: bool,
    pub(super) page: Page,
}

pub(super) const SORT_KEYS: [(&str, SortKey); 13] = [
    ("created_at", SortKey::CreatedAt),
    ("description", SortKey::Description),
    ("display_description", SortKey::Description),
    ("display_name", SortKey::Name),
    ("id", SortKey::Id),
    ("name", SortKey::Name),
    ("project_id", SortKey::ProjectId),
    ("share_id", SortKey::ShareId),
    ("share_proto", SortKey::ShareProto),
    ("share_size", SortKey::ShareSize),
    ("size", SortKey::Size),
    ("updated_at", SortKey::UpdatedAt),
    ("user_id", SortKey::UserId),
];

/// Reads the query of `/snapshots` and `/snapshots/detail`. Unknown keys, and those only
/// administrators may filter by, are ignored.
///
/// # Errors
/// 400 that names the key.
pub(super) fn read(call: &Call, counts_since: V) -> Result<Wanted, ApiError> {
    let query = &call.query;
    let sort = Sort::parse(query, &SORT_KEYS, SortKey::CreatedAt)?;
    // An empty value asks for all projects, as the reference has it.
    let all_projects = match query.get("all_tenants") {
        Some("") => true,
        _ => query.boolean("all_tenants")?.unwrap_or(false),
    };
    let with_count = call.since(counts_since) && query.boolean("with_count")?.unwrap_or(false);
    let filter = filter(query, call.version, call.caller.is_admin)?;
    let page = call.page()?;
    Ok(Wanted { filter, all_projects, sort, with_count, page })
}

fn filter(query: &Query, version: V, is_admin: bool) -> Result<Filter, ApiError> {
    let since = |major, minor| version >= V(major, minor);
    let text = |key| query.parsed(key, "a text", not_empty);
    let number = |key| query.parsed(key, "an integer", |text| text.trim().parse::<i64>().ok());
    let either = |key, other| Ok::<_, ApiError>(text(key)?.or(text(other)?));
    let mut filter = Filter {
        name: either("name", "display_name")?,
        status: text("status")?,
        share_id: text("share_id")?,
        size: number("size")?,
        ..Filter::default()
    };
    if since(2, 36) {
        filter.description = either("description", "display_description")?;
        filter.name_like = either("name~", "display_name~")?;
        filter.description_like = either("description~", "display_description~")?;
    }
    if since(2, 73) {
        filter.metadata = query.dictionary("metadata")?;
    }
    if is_admin {
        filter.id = text("id")?;
        filter.user_id = text("user_id")?;
        filter.project_id = text("project_id")?;
        filter.share_proto = text("share_proto")?;
        filter.share_size = number("share_size")?;
        filter.used = query.parsed("usage", "one of any, used, unused", usage)?.flatten();
    }
    Ok(filter)
}

fn not_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[expect(clippy::option_option, reason = "outer: is it a usage; inner: does it filter")]
fn usage(text: &str) -> Option<Option<bool>> {
    match text {
        "any" => Some(None),
        "used" => Some(Some(true)),
        "unused" => Some(Some(false)),
        _ => None,
    }
}

//! Lists of locks: filtered, sorted, in pages.

use std::str::FromStr;

use abaca_model::Timestamp;
use abaca_store::resource_locks::{self, Filter, SortKey};
use abaca_store::{Db, Position};
use uuid::Uuid;

use super::view;
use crate::api::list::{Frame, Part, Rows, Writer};
use crate::api::{ApiError, Call, Links, Query, Reply, Sort};

pub(super) const SORT_KEYS: [(&str, SortKey); 10] = [
    ("created_at", SortKey::CreatedAt),
    ("id", SortKey::Id),
    ("lock_context", SortKey::Context),
    ("lock_reason", SortKey::Reason),
    ("project_id", SortKey::ProjectId),
    ("resource_action", SortKey::Action),
    ("resource_id", SortKey::ResourceId),
    ("resource_type", SortKey::ResourceType),
    ("updated_at", SortKey::UpdatedAt),
    ("user_id", SortKey::UserId),
];

const FRAME: Frame = Frame {
    name: "resource_locks",
    links: "resource_locks_links",
    path: "resource-locks",
    count: None,
};

/// `GET /resource-locks`: those of the caller's project; `all_projects` shows more to who may see
/// them.
pub(crate) async fn index(call: Call) -> Result<Reply, ApiError> {
    let sort = Sort::parse(&call.query, &SORT_KEYS, SortKey::CreatedAt)?;
    let page = call.page()?;
    let with_count = call.query.boolean("with_count")?.unwrap_or(false);
    let mut filter = filter(&call.query)?;
    filter.project_id = project(&call).await?;
    let project = filter.project_id.as_deref();
    let find = async |id| {
        resource_locks::position(&mut call.app.db.read().await?, id, project, sort.key).await
    };
    let after = page.after("resource lock", find).await?;
    let count = match with_count {
        true => Some(resource_locks::count(&mut call.app.db.read().await?, &filter).await?),
        false => None,
    };
    let list = List { db: call.app.db.clone(), links: call.links.clone(), filter, sort };
    Frame { count, ..FRAME }.reply(&call, &page, after, list).await
}

fn filter(query: &Query) -> Result<Filter, ApiError> {
    let text = |key| query.get(key).filter(|text| !text.is_empty()).map(str::to_owned);
    let time = |key| query.parsed(key, "a time", |text| text.parse::<Timestamp>().ok());
    Ok(Filter {
        project_id: None,
        id: text("id"),
        user_id: text("user_id"),
        resource_id: word(query, "resource_id", "a UUID")?.map(|id: Uuid| id.to_string()),
        resource_type: word(query, "resource_type", "one of share, access_rule")?,
        action: word(query, "resource_action", "one of delete, show")?,
        context: text("lock_context"),
        reason: text("lock_reason"),
        reason_contains: text("lock_reason~"),
        created_since: time("created_since")?,
        created_before: time("created_before")?,
    })
}

/// A word that the API knows, or an id; an empty one is no filter.
fn word<T: FromStr>(query: &Query, key: &str, what: &str) -> Result<Option<T>, ApiError> {
    match query.get(key) {
        None | Some("") => Ok(None),
        Some(_) => query.parsed(key, what, |text| text.parse().ok()),
    }
}

/// Whose locks are shown; `None`: everybody's.
async fn project(call: &Call) -> Result<Option<String>, ApiError> {
    let query = &call.query;
    let all_tenants = match query.get("all_tenants") {
        Some("") => true,
        _ => query.boolean("all_tenants")?.unwrap_or(false),
    };
    let all = query.boolean("all_projects")?.unwrap_or(all_tenants);
    let wanted = query.get("project_id").filter(|project| !project.is_empty());
    let own = || call.caller.project_id.clone().unwrap_or_default();
    let sees_all = call.allows("resource_lock:get_all_projects", None).await;
    match wanted {
        // As in the reference: who may not see all projects sees his own instead.
        _ if all && !sees_all => Ok(Some(own())),
        Some(project) if project != own() && !sees_all => {
            Err(ApiError::Forbidden("Not authorized.".to_owned()))
        }
        Some(project) => Ok(Some(project.to_owned())),
        None if all => Ok(None),
        None => Ok(Some(own())),
    }
}

struct List {
    db: Db,
    links: Links,
    filter: Filter,
    sort: Sort<SortKey>,
}

impl Rows for List {
    async fn append(
        &self,
        buffer: Vec<u8>,
        part: Part,
    ) -> Result<(Vec<u8>, Option<Position>), ApiError> {
        let page = part.of(&self.filter, self.sort);
        let (locks, next) = resource_locks::list(&mut self.db.read().await?, page).await?;
        let mut writer = Writer::new(buffer);
        for lock in &locks {
            writer.row(|buffer| serde_json::to_writer(buffer, &view::shown(lock, &self.links)));
        }
        Ok((writer.finish()?, next))
    }
}

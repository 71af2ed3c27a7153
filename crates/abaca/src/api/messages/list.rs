//! Lists of messages: filtered, sorted, in pages.

use abaca_model::Timestamp;
use abaca_store::messages::{self, Filter, SortKey};
use abaca_store::{Db, Position};

use super::view;
use crate::api::list::{Frame, Part, Rows, Writer};
use crate::api::{ApiError, Call, Links, Reply, Sort, V};

pub(super) const SORT_KEYS: [(&str, SortKey); 10] = [
    ("action_id", SortKey::ActionId),
    ("created_at", SortKey::CreatedAt),
    ("detail_id", SortKey::DetailId),
    ("expires_at", SortKey::ExpiresAt),
    ("id", SortKey::Id),
    ("message_level", SortKey::Level),
    ("project_id", SortKey::ProjectId),
    ("request_id", SortKey::RequestId),
    ("resource_id", SortKey::ResourceId),
    ("resource_type", SortKey::ResourceType),
];

const FRAME: Frame =
    Frame { name: "messages", links: "messages_links", path: "messages", count: None };

/// `GET /messages`: those of the caller's project, of all projects for administrators.
pub(crate) async fn index(call: Call) -> Result<Reply, ApiError> {
    let sort = Sort::parse(&call.query, &SORT_KEYS, SortKey::CreatedAt)?;
    let page = call.page()?;
    let filter = filter(&call)?;
    let project = filter.project_id.as_deref();
    let find =
        async |id| messages::position(&mut call.app.db.read().await?, id, project, sort.key).await;
    let after = page.after("message", find).await?;
    let list = List { db: call.app.db.clone(), links: call.links.clone(), filter, sort };
    FRAME.reply(&call, &page, after, list).await
}

fn filter(call: &Call) -> Result<Filter, ApiError> {
    let text = |key| call.query.get(key).map(str::to_owned);
    let time = |key| {
        let given = call.query.get(key).filter(|_| call.since(V(2, 52)));
        given.map(|text| text.parse::<Timestamp>()).transpose().map_err(|_| {
            ApiError::bad_request(format!("Invalid value specified for the query key: {key}"))
        })
    };
    let own = || call.caller.project_id.clone().unwrap_or_default();
    Ok(Filter {
        project_id: (!call.caller.is_admin).then(own),
        request_id: text("request_id"),
        resource_type: text("resource_type"),
        resource_id: text("resource_id"),
        action_id: text("action_id"),
        detail_id: text("detail_id"),
        level: text("message_level"),
        created_since: time("created_since")?,
        created_before: time("created_before")?,
    })
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
        let (messages, next) = messages::list(&mut self.db.read().await?, page).await?;
        let mut writer = Writer::new(buffer);
        for message in &messages {
            writer.row(|buffer| serde_json::to_writer(buffer, &view::shown(message, &self.links)));
        }
        Ok((writer.finish()?, next))
    }
}

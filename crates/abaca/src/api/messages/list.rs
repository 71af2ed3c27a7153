//! Lists of messages: filtered, sorted, in pages.

use std::sync::Arc;

use abaca_model::{MessageId, Timestamp};
use abaca_store::messages::{self, Filter, Page, SortKey};
use abaca_store::{Db, Direction, Position};

use super::view;
use crate::api::batches::{self, BATCH};
use crate::api::{ApiError, Call, Links, Reply, Sort, SortDirection, V};

const SORT_KEYS: [(&str, SortKey); 10] = [
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

const HEAD: &str = "{\"messages\": [";

/// `GET /messages`: those of the caller's project, of all projects for administrators.
pub(crate) async fn index(call: Call) -> Result<Reply, ApiError> {
    let sort = Sort::parse(&call.query, &SORT_KEYS, SortKey::CreatedAt)?;
    let direction = match sort.direction {
        SortDirection::Ascending => Direction::Ascending,
        SortDirection::Descending => Direction::Descending,
    };
    let page = call.page()?;
    let list = List {
        db: call.app.db.clone(),
        links: call.links.clone(),
        filter: Arc::new(filter(&call)?),
        sort_key: sort.key,
        direction,
        offset: page.offset,
    };
    let after = match &page.marker {
        None => None,
        Some(marker) => Some(list.behind(marker).await?),
    };
    match page.limit {
        None => list.whole(after).await,
        Some(limit) => list.part(&call, after, limit).await,
    }
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

#[derive(Clone)]
struct List {
    db: Db,
    links: Links,
    filter: Arc<Filter>,
    sort_key: SortKey,
    direction: Direction,
    offset: u64,
}

impl List {
    /// The place of the message the client saw last.
    async fn behind(&self, marker: &str) -> Result<Position, ApiError> {
        let position = match marker.parse::<MessageId>() {
            Ok(id) => {
                let project = self.filter.project_id.as_deref();
                let mut tx = self.db.read().await?;
                messages::position(&mut tx, id, project, self.sort_key).await?
            }
            Err(_) => None,
        };
        position.ok_or_else(|| {
            ApiError::bad_request(format!(
                "Invalid value {marker} for marker. Expecting the id of a message."
            ))
        })
    }

    /// Everything, batch by batch.
    async fn whole(self, start: Option<Position>) -> Result<Reply, ApiError> {
        batches::reply(HEAD, "]}".to_owned(), move |buffer, after: Option<Position>| {
            let list = self.clone();
            // The offset counts from where the whole list begins.
            let (offset, after) = match after {
                None => (list.offset, start.clone()),
                Some(after) => (0, Some(after)),
            };
            async move { list.rows(buffer, after, offset, BATCH).await }
        })
        .await
    }

    /// The page that was asked for, with a link to the next one if there is more.
    async fn part(
        self,
        call: &Call,
        after: Option<Position>,
        limit: u64,
    ) -> Result<Reply, ApiError> {
        let head = HEAD.as_bytes().to_vec();
        let (mut body, next) = self.rows(head, after, self.offset, limit).await?;
        body.push(b']');
        if let Some(last) = next {
            let links = self.links.next("messages", &call.query, &last.id);
            body.extend_from_slice(format!(", \"messages_links\": {links}").as_bytes());
        }
        body.push(b'}');
        Ok(Reply::ready_json(body))
    }

    /// Appends at most `limit` messages to `buffer`.
    async fn rows(
        &self,
        mut buffer: Vec<u8>,
        after: Option<Position>,
        offset: u64,
        limit: u64,
    ) -> Result<(Vec<u8>, Option<Position>), ApiError> {
        let (filter, sort_key, direction) = (&*self.filter, self.sort_key, self.direction);
        let page = Page { filter, sort_key, direction, after, offset, limit };
        let (messages, next) = messages::list(&mut self.db.read().await?, page).await?;
        for message in &messages {
            batches::separate(&mut buffer);
            serde_json::to_writer(&mut buffer, &view::shown(message, &self.links))
                .map_err(ApiError::internal)?;
        }
        Ok((buffer, next))
    }
}

//! Lists of snapshot instances.

use std::sync::Arc;

use abaca_model::SnapshotInstanceId;
use abaca_store::snapshot_instances::{self, Filter, Page, Shape};
use abaca_store::{Db, Position};

use super::query::{self, Wanted};
use super::{target, view};
use crate::api::batches::{self, BATCH};
use crate::api::{ApiError, Call, Reply};

/// `GET /snapshot-instances`
pub(crate) async fn index(call: Call) -> Result<Reply, ApiError> {
    list(&call, Shape::Summary, "share_snapshot_instance:index", "snapshot-instances").await
}

/// `GET /snapshot-instances/detail`
pub(crate) async fn detail(call: Call) -> Result<Reply, ApiError> {
    list(&call, Shape::Detail, "share_snapshot_instance:detail", "snapshot-instances/detail").await
}

const HEAD: &str = "{\"snapshot_instances\": [";

async fn list(call: &Call, shape: Shape, rule: &str, path: &str) -> Result<Reply, ApiError> {
    let mut wanted = query::read(&call.query, call.page()?)?;
    let after = marker(call, &wanted).await?;
    let Some(filter) = &mut wanted.filter else {
        let count = if wanted.with_count { ", \"count\": 0" } else { "" };
        return Ok(Reply::ready_json(format!("{HEAD}]{count}}}")));
    };
    filter.project_id = target::only_project(call, rule).await;
    let count = count(call, filter, wanted.with_count).await?;
    let list = List { db: call.app.db.clone(), shape, wanted: Arc::new(wanted) };
    match list.wanted.page.limit {
        None => list.whole(after, count).await,
        Some(limit) => list.part(call, path, after, count, limit).await,
    }
}

/// The place of the instance the client saw last.
async fn marker(call: &Call, wanted: &Wanted) -> Result<Option<Position>, ApiError> {
    let Some(marker) = &wanted.page.marker else { return Ok(None) };
    let position = match marker.parse::<SnapshotInstanceId>() {
        Ok(id) => {
            let mut tx = call.app.db.read().await?;
            snapshot_instances::position(&mut tx, id, wanted.sort_key).await?
        }
        Err(_) => None,
    };
    position.map(Some).ok_or_else(|| {
        ApiError::bad_request(format!(
            "Invalid value {marker} for marker. Expecting the id of a snapshot instance."
        ))
    })
}

/// The member of the body that tells how many there are, if that was asked for.
async fn count(call: &Call, filter: &Filter, wanted: bool) -> Result<String, ApiError> {
    if !wanted {
        return Ok(String::new());
    }
    let mut tx = call.app.db.read().await?;
    let count = snapshot_instances::count(&mut tx, filter).await?;
    Ok(format!(", \"count\": {count}"))
}

#[derive(Clone)]
struct List {
    db: Db,
    shape: Shape,
    wanted: Arc<Wanted>,
}

impl List {
    /// Everything, batch by batch.
    async fn whole(self, start: Option<Position>, count: String) -> Result<Reply, ApiError> {
        batches::reply(HEAD, format!("]{count}}}"), move |buffer, after: Option<Position>| {
            let list = self.clone();
            // The offset counts from where the whole list begins.
            let (offset, after) = match after {
                None => (list.wanted.page.offset, start.clone()),
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
        path: &str,
        after: Option<Position>,
        count: String,
        limit: u64,
    ) -> Result<Reply, ApiError> {
        let offset = self.wanted.page.offset;
        let (mut body, next) = self.rows(HEAD.as_bytes().to_vec(), after, offset, limit).await?;
        body.push(b']');
        body.extend_from_slice(count.as_bytes());
        if let Some(last) = next {
            let links = call.links.next(path, &call.query, &last.id);
            body.extend_from_slice(format!(", \"snapshot_instances_links\": {links}").as_bytes());
        }
        body.push(b'}');
        Ok(Reply::ready_json(body))
    }

    /// Appends at most `limit` rows to `buffer`, straight from the columns of the database.
    async fn rows(
        &self,
        buffer: Vec<u8>,
        after: Option<Position>,
        offset: u64,
        limit: u64,
    ) -> Result<(Vec<u8>, Option<Position>), ApiError> {
        let Wanted { filter: Some(filter), sort_key, direction, .. } = &*self.wanted else {
            return Ok((buffer, None));
        };
        let page =
            Page { filter, sort_key: *sort_key, direction: *direction, after, offset, limit };
        let mut tx = self.db.read().await?;
        let fold = snapshot_instances::fold(
            &mut tx,
            page,
            self.shape,
            (buffer, None),
            |(buffer, failure), row| {
                batches::separate(buffer);
                if let Err(error) = view::write(buffer, row) {
                    *failure = Some(error);
                }
                Ok(())
            },
        );
        match fold.await? {
            ((buffer, None), next) => Ok((buffer, next)),
            ((_, Some(failure)), _) => Err(ApiError::internal(failure)),
        }
    }
}

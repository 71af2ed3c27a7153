//! Lists of snapshots.

use std::sync::Arc;

use abaca_model::SnapshotId;
use abaca_store::snapshots::{self, Page, SnapshotWithStatus};
use abaca_store::{Db, Position, snapshot_instances};

use super::load::SEES_DEFERRED;
use super::query::{self, Wanted};
use super::view::Viewer;
use crate::api::batches::{self, BATCH};
use crate::api::{ApiError, Call, Reply, V};

/// `GET /snapshots`
pub(crate) async fn index(call: Call) -> Result<Reply, ApiError> {
    list(&call, Shape::Summary, "snapshots", V(2, 79)).await
}

/// `GET /snapshots/detail`, which counts at every version, as the reference does.
pub(crate) async fn detail(call: Call) -> Result<Reply, ApiError> {
    list(&call, Shape::Detail, "snapshots/detail", V::MIN).await
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Summary,
    Detail,
}

const HEAD: &str = "{\"snapshots\": [";

async fn list(call: &Call, shape: Shape, path: &str, counts_since: V) -> Result<Reply, ApiError> {
    call.authorise("share_snapshot:get_all_snapshots", None).await?;
    let mut wanted = query::read(call, counts_since)?;
    if wanted.filter.status.as_deref().is_some_and(|status| status.contains("deferred")) {
        call.authorise(SEES_DEFERRED, None).await?;
    }
    // Asked first, since there is hardly ever any: the list itself is quicker without.
    wanted.filter.hide_deferred = !call.allows(SEES_DEFERRED, None).await
        && snapshot_instances::any_deferred(&mut call.app.db.read().await?).await?;
    let of_one_project =
        !wanted.all_projects || !call.allows("share_snapshot:list_all_projects", None).await;
    if of_one_project {
        // Who names another project as well asks for what is in both: nothing.
        let own = call.caller.project_id.clone().unwrap_or_default();
        let named = wanted.filter.project_id.replace(own.clone());
        if named.is_some_and(|named| named != own) {
            wanted.filter.id = Some(String::new());
        }
    }
    let after = marker(call, &wanted).await?;
    let count = count(call, &wanted).await?;
    let viewer = Viewer::new(call.version, &call.caller, &call.links);
    let list = List { db: call.app.db.clone(), shape, viewer, wanted: Arc::new(wanted) };
    match list.wanted.page.limit {
        None => list.whole(after, count).await,
        Some(limit) => list.part(call, path, after, count, limit).await,
    }
}

/// The place of the snapshot the client saw last.
async fn marker(call: &Call, wanted: &Wanted) -> Result<Option<Position>, ApiError> {
    let Some(marker) = &wanted.page.marker else { return Ok(None) };
    let position = match marker.parse::<SnapshotId>() {
        Ok(id) => {
            let mut tx = call.app.db.read().await?;
            snapshots::position(&mut tx, id, wanted.sort_key).await?
        }
        Err(_) => None,
    };
    position.map(Some).ok_or_else(|| {
        ApiError::bad_request(format!(
            "Invalid value {marker} for marker. Expecting the id of a snapshot."
        ))
    })
}

/// The member of the body that tells how many there are, if that was asked for.
async fn count(call: &Call, wanted: &Wanted) -> Result<String, ApiError> {
    if !wanted.with_count {
        return Ok(String::new());
    }
    let mut tx = call.app.db.read().await?;
    let count = snapshots::count(&mut tx, &wanted.filter).await?;
    Ok(format!(", \"count\": {count}"))
}

#[derive(Clone)]
struct List {
    db: Db,
    shape: Shape,
    viewer: Viewer,
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
            body.extend_from_slice(format!(", \"share_snapshots_links\": {links}").as_bytes());
        }
        body.push(b'}');
        Ok(Reply::ready_json(body))
    }

    /// Appends at most `limit` snapshots to `buffer`.
    async fn rows(
        &self,
        mut buffer: Vec<u8>,
        after: Option<Position>,
        offset: u64,
        limit: u64,
    ) -> Result<(Vec<u8>, Option<Position>), ApiError> {
        let Wanted { filter, sort_key, direction, .. } = &*self.wanted;
        let page =
            Page { filter, sort_key: *sort_key, direction: *direction, after, offset, limit };
        let mut tx = self.db.read().await?;
        let (snapshots, next) = snapshots::list(&mut tx, page).await?;
        drop(tx);
        for snapshot in &snapshots {
            batches::separate(&mut buffer);
            self.write(&mut buffer, snapshot).map_err(ApiError::internal)?;
        }
        Ok((buffer, next))
    }

    fn write(
        &self,
        buffer: &mut Vec<u8>,
        snapshot: &SnapshotWithStatus,
    ) -> Result<(), serde_json::Error> {
        match self.shape {
            Shape::Summary => serde_json::to_writer(buffer, &self.viewer.summary(snapshot)),
            Shape::Detail => serde_json::to_writer(buffer, &self.viewer.detail(snapshot)),
        }
    }
}

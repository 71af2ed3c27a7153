//! Lists of snapshots.

use abaca_store::snapshots::{self, SnapshotWithStatus};
use abaca_store::{Db, Position, snapshot_instances};

use super::load::SEES_DEFERRED;
use super::query::{self, Wanted};
use super::view::Viewer;
use crate::api::list::{Frame, Part, Rows, Writer};
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

async fn list(
    call: &Call,
    shape: Shape,
    path: &'static str,
    counts_since: V,
) -> Result<Reply, ApiError> {
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
    let (db, page) = (&call.app.db, wanted.page.clone());
    let project = wanted.filter.project_id.as_deref();
    let find =
        async |id| snapshots::position(&mut db.read().await?, id, project, wanted.sort.key).await;
    let after = page.after("snapshot", find).await?;
    let count = match wanted.with_count {
        true => Some(snapshots::count(&mut db.read().await?, &wanted.filter).await?),
        false => None,
    };
    let frame = Frame { name: "snapshots", links: "share_snapshots_links", path, count };
    let viewer = Viewer::new(call.version, &call.caller, &call.links);
    let list = List { db: db.clone(), shape, viewer, wanted };
    frame.reply(call, &page, after, list).await
}

struct List {
    db: Db,
    shape: Shape,
    viewer: Viewer,
    wanted: Wanted,
}

impl Rows for List {
    async fn append(
        &self,
        buffer: Vec<u8>,
        part: Part,
    ) -> Result<(Vec<u8>, Option<Position>), ApiError> {
        let page = part.of(&self.wanted.filter, self.wanted.sort);
        let (snapshots, next) = snapshots::list(&mut self.db.read().await?, page).await?;
        let mut writer = Writer::new(buffer);
        for snapshot in &snapshots {
            writer.row(|buffer| self.write(buffer, snapshot));
        }
        Ok((writer.finish()?, next))
    }
}

impl List {
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

//! Lists of snapshot instances.

use abaca_store::snapshot_instances::{self, Filter, Shape, SortKey};
use abaca_store::{Db, Position};

use super::query::{self, Wanted};
use super::{target, view};
use crate::api::list::{Frame, Part, Rows, Writer};
use crate::api::{ApiError, Call, Reply, Sort};

/// `GET /snapshot-instances`
pub(crate) async fn index(call: Call) -> Result<Reply, ApiError> {
    list(&call, Shape::Summary, "share_snapshot_instance:index", "snapshot-instances").await
}

/// `GET /snapshot-instances/detail`
pub(crate) async fn detail(call: Call) -> Result<Reply, ApiError> {
    list(&call, Shape::Detail, "share_snapshot_instance:detail", "snapshot-instances/detail").await
}

async fn list(
    call: &Call,
    shape: Shape,
    rule: &str,
    path: &'static str,
) -> Result<Reply, ApiError> {
    let Wanted { filter, sort, with_count, page } = query::read(&call.query, call.page()?)?;
    let (name, links) = ("snapshot_instances", "snapshot_instances_links");
    let frame = |count| Frame { name, links, path, count };
    let db = &call.app.db;
    let project_id = target::only_project(call, rule).await;
    let project = project_id.as_deref();
    let find =
        async |id| snapshot_instances::position(&mut db.read().await?, id, project, sort.key).await;
    let after = page.after("snapshot instance", find).await?;
    let Some(mut filter) = filter else {
        return Ok(frame(with_count.then_some(0)).empty());
    };
    filter.project_id = project_id;
    let count = match with_count {
        true => Some(snapshot_instances::count(&mut db.read().await?, &filter).await?),
        false => None,
    };
    let list = List { db: db.clone(), shape, filter, sort };
    frame(count).reply(call, &page, after, list).await
}

struct List {
    db: Db,
    shape: Shape,
    filter: Filter,
    sort: Sort<SortKey>,
}

impl Rows for List {
    /// Straight from the columns of the database.
    async fn append(
        &self,
        buffer: Vec<u8>,
        part: Part,
    ) -> Result<(Vec<u8>, Option<Position>), ApiError> {
        let page = part.of(&self.filter, self.sort);
        let mut tx = self.db.read().await?;
        let writer = Writer::new(buffer);
        let fold = snapshot_instances::fold(&mut tx, page, self.shape, writer, |writer, row| {
            writer.row(|buffer| view::write(buffer, row));
            Ok(())
        });
        let (writer, next) = fold.await?;
        Ok((writer.finish()?, next))
    }
}

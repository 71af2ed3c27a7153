//! Replicas: the instances of a replicated share, each with its replica state. There is no route yet
//! that makes one; clients ask for a share's replicas before they delete it.

pub(super) mod contract;
mod view;

use abaca_store::share_instances::{self, Filter, Page};
use abaca_store::{Db, Position};

use self::view::{Shown, View};
use super::list::{self, Part, Rows, Writer};
use super::{ApiError, Call, Reply};

/// `GET /share-replicas`
pub(crate) async fn index(call: Call) -> Result<Reply, ApiError> {
    list(&call, View::Summary).await
}

/// `GET /share-replicas/detail`
pub(crate) async fn detail(call: Call) -> Result<Reply, ApiError> {
    let view = if call.caller.is_admin { View::AdminDetail(call.version) } else { View::Detail };
    list(&call, view).await
}

/// Those of the caller's project, of all projects for administrators; with `share_id` of one share.
async fn list(call: &Call, view: View) -> Result<Reply, ApiError> {
    let share_id = call.query.get("share_id").filter(|id| !id.is_empty()).map(str::to_owned);
    let project_id = if call.caller.is_admin { None } else { Some(call.project()?.to_owned()) };
    let filter = Filter { project_id, share_id, replicas: true, ..Filter::default() };
    list::whole("share_replicas", List { db: call.app.db.clone(), filter, view }).await
}

struct List {
    db: Db,
    filter: Filter,
    view: View,
}

impl Rows for List {
    async fn append(
        &self,
        buffer: Vec<u8>,
        part: Part,
    ) -> Result<(Vec<u8>, Option<Position>), ApiError> {
        let Part { after, limit, .. } = part;
        let page = Page { filter: &self.filter, with_exports: false, after, limit };
        let mut tx = self.db.read().await?;
        let view = self.view;
        let writer = Writer::new(buffer);
        let fold = share_instances::fold(&mut tx, page, writer, move |writer, row| {
            writer.row(|buffer| serde_json::to_writer(buffer, &Shown { row, view }));
            Ok(())
        });
        let (writer, next) = fold.await?;
        Ok((writer.finish()?, next))
    }
}

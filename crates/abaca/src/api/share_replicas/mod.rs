//! Replicas: the instances of a replicated share, each with its replica state. There is no route yet
//! that makes one; clients ask for a share's replicas before they delete it.

mod view;

use std::sync::Arc;

use abaca_store::share_instances::{self, Filter, Page};
use abaca_store::{Db, Position};

use self::view::{Shown, View};
use super::batches::{self, BATCH};
use super::{ApiError, Call, Reply};

const HEAD: &str = "{\"share_replicas\": [";

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
    let list = List { db: call.app.db.clone(), filter: Arc::new(filter), view };
    batches::reply(HEAD, "]}".to_owned(), move |buffer, after: Option<Position>| {
        let list = list.clone();
        async move { list.rows(buffer, after).await }
    })
    .await
}

#[derive(Clone)]
struct List {
    db: Db,
    filter: Arc<Filter>,
    view: View,
}

impl List {
    async fn rows(
        &self,
        buffer: Vec<u8>,
        after: Option<Position>,
    ) -> Result<(Vec<u8>, Option<Position>), ApiError> {
        let page = Page { filter: &self.filter, with_exports: false, after, limit: BATCH };
        let mut tx = self.db.read().await?;
        let view = self.view;
        let start = (buffer, Ok(()));
        let fold = share_instances::fold(&mut tx, page, start, move |(buffer, written), row| {
            batches::separate(buffer);
            if let Err(error) = serde_json::to_writer(buffer, &Shown { row, view }) {
                *written = Err(error);
            }
            Ok(())
        });
        let ((buffer, written), next) = fold.await?;
        written.map_err(ApiError::internal)?;
        Ok((buffer, next))
    }
}

//! The lists of replicas.

use abaca_store::share_instances::{self, Filter, ListedInstance, Page as StorePage};
use abaca_store::{Db, Position, metadata};

use super::view::{Shown, View};
use crate::api::list::{Frame, Part, Rows, Writer};
use crate::api::{ApiError, Call, Page, Reply, V};

/// `GET /share-replicas`
pub(crate) async fn index(call: Call) -> Result<Reply, ApiError> {
    list(&call, View::Summary, "share-replicas").await
}

/// `GET /share-replicas/detail`
pub(crate) async fn detail(call: Call) -> Result<Reply, ApiError> {
    list(&call, View::detail(&call), "share-replicas/detail").await
}

/// Those of the caller's project, of all projects for administrators; with `share_id` of one share.
async fn list(call: &Call, view: View, path: &'static str) -> Result<Reply, ApiError> {
    let page = call.page()?;
    // Here a limit of 0 is none, as in the reference.
    let page = Page { limit: page.limit.filter(|limit| *limit > 0), ..page };
    let share_id = call.query.get("share_id").filter(|id| !id.is_empty()).map(str::to_owned);
    let project_id = if call.caller.is_admin { None } else { Some(call.project()?.to_owned()) };
    let filter = Filter { project_id, share_id, replicas: true, ..Filter::default() };
    let with_metadata = call.since(V(2, 95)) && view != View::Summary;
    let db = &call.app.db;
    let project = filter.project_id.as_deref();
    let find = async |id| share_instances::position(&mut db.read().await?, id, project).await;
    let after = page.after("share replica", find).await?;
    let (name, links) = ("share_replicas", "share_replica_links");
    let list = List { db: db.clone(), filter, view, with_metadata };
    Frame { name, links, path, count: None }.reply(call, &page, after, list).await
}

struct List {
    db: Db,
    filter: Filter,
    view: View,
    with_metadata: bool,
}

impl Rows for List {
    async fn append(
        &self,
        buffer: Vec<u8>,
        part: Part,
    ) -> Result<(Vec<u8>, Option<Position>), ApiError> {
        let Part { after, offset, limit } = part;
        let filter = &self.filter;
        let page = StorePage { filter, with_exports: false, after, offset, limit };
        let mut tx = self.db.read().await?;
        let fold = share_instances::fold(&mut tx, page, Vec::new(), |rows, row| {
            rows.push(Row::from(row));
            Ok(())
        });
        let (rows, next) = fold.await?;
        let metadata = match self.with_metadata {
            true => {
                let ids: Vec<_> = rows.iter().map(|row| row.id.clone()).collect();
                Some(metadata::of_share_instances(&mut tx, &ids).await?)
            }
            false => None,
        };
        drop(tx);
        let none = metadata::Pairs::new();
        let mut writer = Writer::new(buffer);
        for row in &rows {
            let metadata = metadata.as_ref().map(|all| all.get(&row.id).unwrap_or(&none));
            let shown = Shown { row: &row.listed(), view: self.view, metadata };
            writer.row(|buffer| serde_json::to_writer(buffer, &shown));
        }
        Ok((writer.finish()?, next))
    }
}

/// A row, kept until its metadata is known.
struct Row {
    id: String,
    share_id: String,
    share_type_id: String,
    host: Option<String>,
    availability_zone: Option<String>,
    replica_state: Option<String>,
    rest: ListedInstance<'static>,
}

impl From<&ListedInstance<'_>> for Row {
    fn from(row: &ListedInstance<'_>) -> Self {
        Self {
            id: row.id.to_owned(),
            share_id: row.share_id.to_owned(),
            share_type_id: row.share_type_id.to_owned(),
            host: row.host.map(str::to_owned),
            availability_zone: row.availability_zone.map(str::to_owned),
            replica_state: row.replica_state.map(str::to_owned),
            rest: ListedInstance {
                id: "",
                share_id: "",
                share_type_id: "",
                host: None,
                availability_zone: None,
                replica_state: None,
                progress: None,
                export_path: None,
                status: row.status,
                access_rules_status: row.access_rules_status,
                cast_rules_to_readonly: row.cast_rules_to_readonly,
                created_at: row.created_at,
                updated_at: row.updated_at,
            },
        }
    }
}

impl Row {
    fn listed(&self) -> ListedInstance<'_> {
        ListedInstance {
            id: &self.id,
            share_id: &self.share_id,
            share_type_id: &self.share_type_id,
            host: self.host.as_deref(),
            availability_zone: self.availability_zone.as_deref(),
            replica_state: self.replica_state.as_deref(),
            ..self.rest
        }
    }
}

//! Lists of shares.

use std::sync::Arc;

use abaca_model::ShareId;
use abaca_store::shares::{self, Page, Scope};
use abaca_store::{Db, Position, share_instances};

use super::load::SEES_DEFERRED;
use super::query::{self, Wanted};
use super::view::{ShareWriter, Viewer};
use crate::api::batches::{self, BATCH};
use crate::api::{ApiError, Call, Reply, V};

/// `GET /shares`
pub(crate) async fn index(call: Call) -> Result<Reply, ApiError> {
    list(&call, Shape::Summary, "shares", V(2, 42)).await
}

/// `GET /shares/detail`, which counts at every version, as the reference does.
pub(crate) async fn detail(call: Call) -> Result<Reply, ApiError> {
    list(&call, Shape::Detail, "shares/detail", V::MIN).await
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Summary,
    Detail,
}

const HEAD: &str = "{\"shares\": [";

async fn list(call: &Call, shape: Shape, path: &str, counts_since: V) -> Result<Reply, ApiError> {
    let mut wanted = query::read(call, counts_since)?;
    authorise(call, &wanted).await?;
    if let Some(scope) = every_project(call).await? {
        wanted.filter.scope = scope;
    }
    // Asked first, since there is hardly ever any: the list itself is quicker without.
    wanted.filter.hide_deferred = !call.allows(SEES_DEFERRED, None).await
        && share_instances::any_deferred(&mut call.app.db.read().await?).await?;
    if wanted.nothing {
        let count = if wanted.with_count { ", \"count\": 0" } else { "" };
        return Ok(Reply::ready_json(format!("{HEAD}]{count}}}")));
    }
    let after = marker(call, &wanted).await?;
    let count = count(call, &wanted).await?;
    let viewer = Viewer::new(call);
    let list = List { db: call.app.db.clone(), shape, viewer, wanted: Arc::new(wanted) };
    match list.wanted.page.limit {
        None => list.whole(after, count).await,
        Some(limit) => list.part(call, path, after, count, limit).await,
    }
}

/// Some filters tell of what tenants don't see, and have rules of their own.
async fn authorise(call: &Call, wanted: &Wanted) -> Result<(), ApiError> {
    let filter = &wanted.filter;
    if !filter.extra_specs.is_empty() {
        call.authorise("share_types_extra_spec:index", None).await?;
    }
    if filter.status.as_deref().is_some_and(|status| status.contains("deferred")) {
        call.authorise(SEES_DEFERRED, None).await?;
    }
    if filter.host.is_some() {
        call.authorise("share:list_by_host", None).await?;
    }
    if call.query.get("share_server_id").is_some() {
        call.authorise("share:list_by_share_server_id", None).await?;
    }
    Ok(())
}

/// Whose shares are listed, if not those of the caller's project alone.
async fn every_project(call: &Call) -> Result<Option<Scope>, ApiError> {
    let asked = query::all_projects(&call.query)?;
    if !asked || !call.allows("share:list_all_projects", None).await {
        return Ok(None);
    }
    let named = call.query.get("project_id").filter(|project| !project.is_empty());
    Ok(Some(named.map_or(Scope::Everything, |project| Scope::Project(project.to_owned()))))
}

/// The place of the share the client saw last.
async fn marker(call: &Call, wanted: &Wanted) -> Result<Option<Position>, ApiError> {
    let Some(marker) = &wanted.page.marker else { return Ok(None) };
    let position = match marker.parse::<ShareId>() {
        Ok(id) => {
            let mut tx = call.app.db.read().await?;
            shares::position(&mut tx, id, &wanted.filter, wanted.sort_key).await?
        }
        Err(_) => None,
    };
    position.map(Some).ok_or_else(|| {
        ApiError::bad_request(format!(
            "Invalid value {marker} for marker. Expecting the id of a share."
        ))
    })
}

/// The member of the body that tells how many there are, if that was asked for.
async fn count(call: &Call, wanted: &Wanted) -> Result<String, ApiError> {
    if !wanted.with_count {
        return Ok(String::new());
    }
    let mut tx = call.app.db.read().await?;
    let count = shares::count(&mut tx, &wanted.filter).await?;
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
            body.extend_from_slice(format!(", \"shares_links\": {links}").as_bytes());
        }
        body.push(b'}');
        Ok(Reply::ready_json(body))
    }

    /// Appends at most `limit` shares to `buffer`, straight from the columns of the database.
    async fn rows(
        &self,
        buffer: Vec<u8>,
        after: Option<Position>,
        offset: u64,
        limit: u64,
    ) -> Result<(Vec<u8>, Option<Position>), ApiError> {
        let Wanted { filter, sort_key, direction, .. } = &*self.wanted;
        let page =
            Page { filter, sort_key: *sort_key, direction: *direction, after, offset, limit };
        match self.shape {
            Shape::Summary => self.summaries(page, buffer).await,
            Shape::Detail => self.details(page, buffer).await,
        }
    }

    async fn summaries(
        &self,
        page: Page<'_>,
        buffer: Vec<u8>,
    ) -> Result<(Vec<u8>, Option<Position>), ApiError> {
        let mut tx = self.db.read().await?;
        let viewer = self.viewer.clone();
        let start = (buffer, Ok(()));
        let ((buffer, written), next) =
            shares::fold_summaries(&mut tx, page, start, move |(buffer, written), id, name| {
                if let Err(error) = viewer.write_summary(buffer, id, name) {
                    *written = Err(error);
                }
                Ok(())
            })
            .await?;
        written.map_err(ApiError::internal)?;
        Ok((buffer, next))
    }

    async fn details(
        &self,
        page: Page<'_>,
        buffer: Vec<u8>,
    ) -> Result<(Vec<u8>, Option<Position>), ApiError> {
        let mut tx = self.db.read().await?;
        let with_exports = self.viewer.shows_exports();
        let start = (ShareWriter::new(self.viewer.clone(), buffer), Ok(()));
        let fold =
            shares::fold_details(&mut tx, page, with_exports, start, |(writer, written), row| {
                if let Err(error) = writer.row(row) {
                    *written = Err(error);
                }
                Ok(())
            });
        let ((writer, written), next) = fold.await?;
        written.map_err(ApiError::internal)?;
        Ok((writer.into_buffer().map_err(ApiError::internal)?, next))
    }
}

//! Lists of shares.

use abaca_store::shares::{self, Page, Scope};
use abaca_store::{Db, Position, share_instances};

use super::load::SEES_DEFERRED;
use super::query::{self, Wanted};
use super::view::{ShareWriter, Viewer};
use crate::api::list::{Frame, Part, Rows, Writer};
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

async fn list(
    call: &Call,
    shape: Shape,
    path: &'static str,
    counts_since: V,
) -> Result<Reply, ApiError> {
    let mut wanted = query::read(call, counts_since)?;
    authorise(call, &wanted).await?;
    if let Some(scope) = every_project(call).await? {
        wanted.filter.scope = scope;
    }
    // Asked first, since there is hardly ever any: the list itself is quicker without.
    wanted.filter.hide_deferred = !call.allows(SEES_DEFERRED, None).await
        && share_instances::any_deferred(&mut call.app.db.read().await?).await?;
    let frame = |count| Frame { name: "shares", links: "shares_links", path, count };
    if wanted.nothing {
        return Ok(frame(wanted.with_count.then_some(0)).empty());
    }
    let (db, page) = (&call.app.db, wanted.page.clone());
    let find = async |id| {
        shares::position(&mut db.read().await?, id, &wanted.filter, wanted.sort.key).await
    };
    let after = page.after("share", find).await?;
    let count = match wanted.with_count {
        true => Some(shares::count(&mut db.read().await?, &wanted.filter).await?),
        false => None,
    };
    let list = List { db: db.clone(), shape, viewer: Viewer::new(call), wanted };
    frame(count).reply(call, &page, after, list).await
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

struct List {
    db: Db,
    shape: Shape,
    viewer: Viewer,
    wanted: Wanted,
}

impl Rows for List {
    /// Straight from the columns of the database.
    async fn append(
        &self,
        buffer: Vec<u8>,
        part: Part,
    ) -> Result<(Vec<u8>, Option<Position>), ApiError> {
        let page = part.of(&self.wanted.filter, self.wanted.sort);
        match self.shape {
            Shape::Summary => self.summaries(page, buffer).await,
            Shape::Detail => self.details(page, buffer).await,
        }
    }
}

impl List {
    async fn summaries(
        &self,
        page: Page<'_>,
        buffer: Vec<u8>,
    ) -> Result<(Vec<u8>, Option<Position>), ApiError> {
        let mut tx = self.db.read().await?;
        let viewer = self.viewer.clone();
        let writer = Writer::new(buffer);
        let fold = shares::fold_summaries(&mut tx, page, writer, move |writer, id, name| {
            writer.row(|buffer| viewer.write_summary(buffer, id, name));
            Ok(())
        });
        let (writer, next) = fold.await?;
        Ok((writer.finish()?, next))
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

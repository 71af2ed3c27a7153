//! Lists of share instances. They have no pages, as in the reference: all are sent, batch by batch.

use abaca_store::share_instances::{self, Filter, OfShare, Page};
use abaca_store::{Db, Position};

use super::load;
use super::view::{InstanceWriter, shows_exports};
use crate::api::list::{self, Part, Rows};
use crate::api::{ApiError, Call, Query, Reply, V, shares as share_api};

/// `GET /share_instances`
pub(crate) async fn index(call: Call) -> Result<Reply, ApiError> {
    let wanted = filter(&call.query, call.version, call.caller.is_admin)?;
    let Some(mut filter) = wanted else {
        return Ok(Reply::ready_json("{\"share_instances\": []}"));
    };
    filter.project_id = only_project(&call).await?;
    list(&call, filter).await
}

/// `GET /shares/{id}/instances`
pub(crate) async fn of_share(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let share = share_api::visible(&call, &mut tx).await?;
    drop(tx);
    call.authorise("share_instance:index", &share_api::target(&share)).await?;
    list(&call, Filter { share_id: Some(share.id.to_string()), ..Filter::default() }).await
}

/// The project whose instances alone the list may show; `None`: those of every project.
///
/// By default only administrators see instances, and they see all. A policy file may open the list
/// to the members of a project: to them it is that project's list. The rule is held against a
/// target that nobody owns; whom it lets see that, it lets see all.
async fn only_project(call: &Call) -> Result<Option<String>, ApiError> {
    let nobodys = OfShare {
        project_id: String::new(),
        user_id: String::new(),
        is_public: false,
        share_type_id: uuid::Uuid::nil().into(),
    };
    if call.allows("share_instance:index", Some(&load::target(&nobodys))).await {
        return Ok(None);
    }
    Ok(Some(call.project()?.to_owned()))
}

/// Reads the query; unknown keys, and those only administrators may filter by, are ignored. `None`:
/// something no instance has was asked for.
fn filter(query: &Query, version: V, is_admin: bool) -> Result<Option<Filter>, ApiError> {
    let text = |key: &str| query.get(key).filter(|value| !value.is_empty()).map(str::to_owned);
    if version < V(2, 35) {
        return Ok(Some(Filter { soft_deleted: Some(false), ..Filter::default() }));
    }
    let soft_deleted = version >= V(2, 69) && query.boolean("is_soft_deleted")?.unwrap_or(false);
    let of_none = ["share_server_id", "encryption_key_ref"];
    if is_admin && of_none.iter().any(|key| text(key).is_some()) {
        return Ok(None);
    }
    Ok(Some(Filter {
        soft_deleted: Some(soft_deleted),
        status: text("status").filter(|_| is_admin),
        host: text("host").filter(|_| is_admin),
        export_location_id: text("export_location_id"),
        export_location_path: text("export_location_path"),
        ..Filter::default()
    }))
}

async fn list(call: &Call, filter: Filter) -> Result<Reply, ApiError> {
    let list = List { db: call.app.db.clone(), version: call.version, filter };
    list::whole("share_instances", list).await
}

struct List {
    db: Db,
    version: V,
    filter: Filter,
}

impl Rows for List {
    /// Straight from the columns of the database.
    async fn append(
        &self,
        buffer: Vec<u8>,
        part: Part,
    ) -> Result<(Vec<u8>, Option<Position>), ApiError> {
        let Part { after, offset, limit } = part;
        let with_exports = shows_exports(self.version);
        let page = Page { filter: &self.filter, with_exports, after, offset, limit };
        let mut tx = self.db.read().await?;
        let start = (InstanceWriter::new(self.version, buffer), Ok(()));
        let fold = share_instances::fold(&mut tx, page, start, |(writer, written), row| {
            if let Err(error) = writer.row(row) {
                *written = Err(error);
            }
            Ok(())
        });
        let ((writer, written), next) = fold.await?;
        written.map_err(ApiError::internal)?;
        Ok((writer.finish().map_err(ApiError::internal)?, next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_come_with_their_versions_and_callers() {
        let read = |text: &str, minor, is_admin| {
            filter(&Query::parse(text).unwrap(), V(2, minor), is_admin).unwrap()
        };
        let none = Filter { soft_deleted: Some(false), ..Filter::default() };
        let all = Some(none.clone());
        let host = Some(Filter { host: Some("h".to_owned()), ..none.clone() });
        let path = Some(Filter { export_location_path: Some("/x".to_owned()), ..none.clone() });
        let binned = Some(Filter { soft_deleted: Some(true), ..none });
        assert_eq!(read("host=h", 34, true), all);
        assert_eq!(read("host=h", 35, true), host);
        assert_eq!(read("host=h", 35, false), all);
        assert_eq!(read("export_location_path=/x", 35, false), path);
        assert_eq!(read("is_soft_deleted=true", 68, true), all);
        assert_eq!(read("is_soft_deleted=true", 69, true), binned);
        assert_eq!(read("share_server_id=x", 35, true), None);
        assert_eq!(read("share_server_id=x", 35, false), all);
        assert_eq!(read("nope=1&limit=x&metadata=x", 99, true), all);
        let bad = Query::parse("is_soft_deleted=x").unwrap();
        assert!(filter(&bad, V(2, 69), true).is_err());
    }
}

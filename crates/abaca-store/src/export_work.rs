//! What operations write of export locations, of share instances and of snapshot instances.

use abaca_model::{ExportLocationId, ShareInstanceId, SnapshotInstanceId, Timestamp};
use sea_query::{Expr, ExprTrait, Query};

use crate::error::Result;
use crate::metadata::{self, Pairs};
use crate::tx::Tx;

/// The pair of metadata that says whether a location is the one to take.
pub const PREFERRED: &str = "preferred";

/// An export location to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewExportLocation {
    /// What a client mounts.
    pub path: String,
    /// Shown to administrators only.
    pub is_admin_only: bool,
    /// The one to take where there are several; not kept for snapshot instances.
    pub preferred: bool,
    /// What the backend tells of it; not kept for snapshot instances.
    pub metadata: Pairs,
}

/// What the locations lead to.
#[derive(Clone, Copy)]
pub(crate) enum Owner {
    ShareInstance(ShareInstanceId),
    SnapshotInstance(SnapshotInstanceId),
}

impl Owner {
    fn table(self) -> &'static str {
        match self {
            Self::ShareInstance(_) => "share_instance_export_locations",
            Self::SnapshotInstance(_) => "snapshot_instance_export_locations",
        }
    }

    fn column(self) -> &'static str {
        match self {
            Self::ShareInstance(_) => "share_instance_id",
            Self::SnapshotInstance(_) => "snapshot_instance_id",
        }
    }

    fn id(self) -> String {
        match self {
            Self::ShareInstance(id) => id.to_string(),
            Self::SnapshotInstance(id) => id.to_string(),
        }
    }

    async fn put_metadata(self, tx: &mut Tx, location: &str, pairs: &Pairs) -> Result<()> {
        let Self::ShareInstance(_) = self else { return Ok(()) };
        metadata::put_text(tx, metadata::OF_EXPORT_LOCATIONS, location, pairs).await
    }
}

impl NewExportLocation {
    /// Its first metadata. Being preferred is among it, since administrators may change that.
    fn first_metadata(&self) -> Pairs {
        let mut metadata = self.metadata.clone();
        if self.preferred {
            metadata.insert(PREFERRED.to_owned(), "True".to_owned());
        }
        metadata
    }
}

/// Makes the export locations of `owner` be `exports`. Those that stay keep their ids and their
/// metadata, in which the backend's own pairs are brought up to date.
pub(crate) async fn replace(
    tx: &mut Tx,
    owner: Owner,
    exports: &[NewExportLocation],
    now: Timestamp,
) -> Result<()> {
    let select = Query::select()
        .columns(["id", "path"])
        .from(owner.table())
        .and_where(Expr::col(owner.column()).eq(owner.id()))
        .to_owned();
    let known = tx.all(&select, |row| Ok((row.string(0)?, row.string(1)?))).await?;
    for (id, path) in &known {
        if !exports.iter().any(|export| export.path == *path) {
            let delete = Query::delete()
                .from_table(owner.table())
                .and_where(Expr::col("id").eq(id.as_str()))
                .to_owned();
            tx.execute(&delete).await?;
        }
    }
    for export in exports {
        match known.iter().find(|(_, path)| *path == export.path) {
            Some((id, _)) => {
                set_admin_only(tx, owner, id, export.is_admin_only).await?;
                owner.put_metadata(tx, id, &export.metadata).await?;
            }
            None => {
                let id = insert(tx, owner, export, now).await?;
                owner.put_metadata(tx, &id, &export.first_metadata()).await?;
            }
        }
    }
    Ok(())
}

/// Whom the location is for, if the backend says something else by now.
async fn set_admin_only(tx: &mut Tx, owner: Owner, id: &str, is_admin_only: bool) -> Result<()> {
    let value = i64::from(is_admin_only);
    let update = Query::update()
        .table(owner.table())
        .value("is_admin_only", value)
        .and_where(Expr::col("id").eq(id))
        .and_where(Expr::col("is_admin_only").ne(value))
        .to_owned();
    tx.execute(&update).await.map(drop)
}

async fn insert(
    tx: &mut Tx,
    owner: Owner,
    export: &NewExportLocation,
    now: Timestamp,
) -> Result<String> {
    let id = ExportLocationId::random().to_string();
    let mut columns = vec!["id", owner.column(), "path", "is_admin_only", "created_at"];
    let mut values: Vec<Expr> = vec![
        id.as_str().into(),
        owner.id().into(),
        export.path.as_str().into(),
        i64::from(export.is_admin_only).into(),
        now.micros().into(),
    ];
    if matches!(owner, Owner::ShareInstance(_)) {
        // Read by processes of the release before only.
        columns.push("preferred");
        values.push(i64::from(export.preferred).into());
    }
    let insert =
        Query::insert().into_table(owner.table()).columns(columns).values_panic(values).to_owned();
    tx.execute(&insert).await?;
    Ok(id)
}

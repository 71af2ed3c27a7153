//! What operations write of export locations, of share instances and of snapshot instances.

use abaca_model::{ExportLocationId, ShareInstanceId, SnapshotInstanceId, Timestamp};
use sea_query::{Expr, ExprTrait, Query};

use crate::error::Result;
use crate::tx::Tx;

/// An export location to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewExportLocation {
    /// What a client mounts.
    pub path: String,
    /// Shown to administrators only.
    pub is_admin_only: bool,
    /// The one to take where there are several; not kept for snapshot instances.
    pub preferred: bool,
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
}

/// Makes the export locations of `owner` be `exports`; those that stay keep their ids.
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
        if !known.iter().any(|(_, path)| *path == export.path) {
            insert(tx, owner, export, now).await?;
        }
    }
    Ok(())
}

async fn insert(
    tx: &mut Tx,
    owner: Owner,
    export: &NewExportLocation,
    now: Timestamp,
) -> Result<()> {
    let mut columns = vec!["id", owner.column(), "path", "is_admin_only", "created_at"];
    let mut values: Vec<Expr> = vec![
        ExportLocationId::random().to_string().into(),
        owner.id().into(),
        export.path.as_str().into(),
        i64::from(export.is_admin_only).into(),
        now.micros().into(),
    ];
    if matches!(owner, Owner::ShareInstance(_)) {
        columns.push("preferred");
        values.push(i64::from(export.preferred).into());
    }
    let insert =
        Query::insert().into_table(owner.table()).columns(columns).values_panic(values).to_owned();
    tx.execute(&insert).await.map(drop)
}

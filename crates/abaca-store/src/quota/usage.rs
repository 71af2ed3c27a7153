//! What a project, a user or a share type uses of quota, summed from the rows.

use abaca_model::ShareStatus;
use abaca_model::quota::{Resource, Usage, Used};
use sea_query::{Cond, Expr, ExprTrait, Func, IntoColumnRef, Query, SelectStatement, SimpleExpr};

use super::Subject;
use crate::error::Result;
use crate::growth::{self, sum};
use crate::tx::Tx;
use crate::{share_instances, share_migrations};

const SHARES: &str = "shares";
const SNAPSHOTS: &str = "snapshots";

/// The statuses of what counts for nothing: its owner has deleted it and it is only waiting to be
/// removed, or it is not yet taken into use, so that nobody knows its size.
const UNCOUNTED: [&str; 4] = [
    ShareStatus::DeferredDeleting.as_str(),
    ShareStatus::ErrorDeferredDeleting.as_str(),
    ShareStatus::ManageStarting.as_str(),
    ShareStatus::ManageError.as_str(),
];

/// Counts what a subject's rows in `table` are.
fn of_subject(table: &'static str, project_id: &str, subject: Subject<'_>) -> SelectStatement {
    let mut select = Query::select();
    select
        .from(table)
        .expr(Func::count(Expr::col((table, "id"))))
        .and_where(Expr::col((table, "project_id")).eq(project_id));
    match (subject, table) {
        (Subject::Project, _) => {}
        (Subject::User(id), _) => {
            select.and_where(Expr::col((table, "user_id")).eq(id));
        }
        (Subject::ShareType(id), SNAPSHOTS) => {
            let mut of_type = Query::select();
            of_type
                .column("id")
                .from(SHARES)
                .and_where(Expr::col("share_type_id").eq(id.to_string()));
            select.and_where(Expr::col((table, "share_id")).in_subquery(of_type));
        }
        (Subject::ShareType(id), _) => {
            select.and_where(Expr::col((SHARES, "share_type_id")).eq(id.to_string()));
        }
    }
    select
}

/// Leaves out what counts for nothing in every place it is in. `place` is the table of the places,
/// `owner` its column that says what they are places of.
fn not_uncounted(table: &'static str, place: &'static str, owner: &'static str) -> Cond {
    let other = "other_place";
    let mut kept = Query::select();
    kept.column((other, owner))
        .from_as(place, other)
        .and_where(Expr::col((other, owner)).equals((place, owner)))
        .and_where(Expr::col((other, "status")).is_not_in(UNCOUNTED));
    // From the status on, of which the fewest places are: not once for each row that is counted.
    let mut uncounted = Query::select();
    uncounted
        .column((place, owner))
        .from(place)
        .and_where(Expr::col((place, "status")).is_in(UNCOUNTED))
        .and_where(Expr::exists(kept).not());
    Cond::all().add(Expr::col((table, "id")).not_in_subquery(uncounted))
}

fn column(table: &'static str, name: &'static str) -> SimpleExpr {
    Expr::col((table, name).into_column_ref())
}

/// Runs a select of a count and sums.
async fn numbers<const N: usize>(tx: &mut Tx, select: &SelectStatement) -> Result<[i64; N]> {
    let rows = tx
        .all(select, |row| {
            let mut numbers = [0; N];
            for (index, number) in numbers.iter_mut().enumerate() {
                *number = row.optional_integer(index)?.unwrap_or(0);
            }
            Ok(numbers)
        })
        .await?;
    Ok(rows.first().copied().unwrap_or([0; N]))
}

/// What shares use: how many there are, and their GiB. What they are growing by is reserved.
/// To be trusted behind [`super::lock_project`] only.
///
/// # Errors
/// What the database says.
pub async fn of_shares(tx: &mut Tx, project_id: &str, subject: Subject<'_>) -> Result<Usage> {
    let mut select = of_subject(SHARES, project_id, subject);
    select
        .expr(sum(tx.dialect(), column(SHARES, "size")))
        .expr(sum(tx.dialect(), growth::of_share()))
        .cond_where(not_uncounted(SHARES, share_instances::TABLE, "share_id"));
    let [shares, gigabytes, growth] = numbers(tx, &select).await?;
    let [changing, changing_gigabytes] = changing_type(tx, project_id, subject).await?;
    let (shares, gigabytes) = (shares + changing, gigabytes + changing_gigabytes);
    Ok(Usage::from([
        (Resource::Shares, Used { in_use: shares, reserved: 0 }),
        (Resource::Gigabytes, Used { in_use: gigabytes, reserved: growth }),
    ]))
}

/// The shares that move to another type, which are of both until they have arrived: how many there
/// are and their GiB, as those of the type they move to.
async fn changing_type(tx: &mut Tx, project_id: &str, subject: Subject<'_>) -> Result<[i64; 2]> {
    let migrations = share_migrations::TABLE;
    let subject_of_share = match subject {
        Subject::ShareType(_) => Subject::Project,
        other => other,
    };
    let mut select = of_subject(SHARES, project_id, subject_of_share);
    select
        .expr(sum(tx.dialect(), column(SHARES, "size")))
        .inner_join(migrations, Expr::col((migrations, "share_id")).equals((SHARES, "id")))
        .and_where(Expr::col((migrations, "share_type_id")).is_not_null());
    if let Subject::ShareType(id) = subject {
        select.and_where(Expr::col((migrations, "share_type_id")).eq(id.to_string()));
    }
    numbers(tx, &select).await
}

/// What snapshots use: how many there are, and their GiB. To be trusted behind
/// [`super::lock_project`] only.
///
/// # Errors
/// What the database says.
pub async fn of_snapshots(tx: &mut Tx, project_id: &str, subject: Subject<'_>) -> Result<Usage> {
    let mut select = of_subject(SNAPSHOTS, project_id, subject);
    select.expr(sum(tx.dialect(), column(SNAPSHOTS, "size"))).cond_where(not_uncounted(
        SNAPSHOTS,
        "snapshot_instances",
        "snapshot_id",
    ));
    let [snapshots, gigabytes] = numbers(tx, &select).await?;
    Ok(Usage::from([
        (Resource::Snapshots, Used { in_use: snapshots, reserved: 0 }),
        (Resource::SnapshotGigabytes, Used { in_use: gigabytes, reserved: 0 }),
    ]))
}

/// What replicas use: each instance of a replicated share, with the share's size. What the share is
/// growing by is reserved for each. To be trusted behind [`super::lock_project`] only.
///
/// # Errors
/// What the database says.
pub async fn of_replicas(tx: &mut Tx, project_id: &str, subject: Subject<'_>) -> Result<Usage> {
    let instances = share_instances::TABLE;
    let mut select = of_subject(SHARES, project_id, subject);
    select
        .expr(sum(tx.dialect(), column(SHARES, "size")))
        .expr(sum(tx.dialect(), growth::of_share()))
        .inner_join(instances, Expr::col((instances, "share_id")).equals((SHARES, "id")))
        .and_where(Expr::col((instances, "replica_state")).is_not_null())
        .and_where(Expr::col((instances, "status")).is_not_in(UNCOUNTED));
    let [replicas, gigabytes, growth] = numbers(tx, &select).await?;
    Ok(Usage::from([
        (Resource::ShareReplicas, Used { in_use: replicas, reserved: 0 }),
        (Resource::ReplicaGigabytes, Used { in_use: gigabytes, reserved: growth }),
    ]))
}

/// What is used of every resource that this service has.
///
/// # Errors
/// What the database says.
pub async fn of_all(tx: &mut Tx, project_id: &str, subject: Subject<'_>) -> Result<Usage> {
    let mut usage = of_shares(tx, project_id, subject).await?;
    usage.extend(of_snapshots(tx, project_id, subject).await?);
    usage.extend(of_replicas(tx, project_id, subject).await?);
    Ok(usage)
}

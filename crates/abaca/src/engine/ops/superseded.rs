//! What an operation may still do to what was taken over from it: the backend shall be as the row
//! says, but what somebody else has by now is his.

use abaca_model::{ShareStatus, SnapshotStatus, Timestamp};
use abaca_store::share_work::ShareWork;
use abaca_store::snapshot_work::{self, Made, SnapshotWork};
use abaca_store::{Tx, operations, share_instances, snapshot_instances};

use super::create_share::id;
use crate::engine::failure::Failure;
use crate::engine::run::{Run, mine};

/// Whose it is, by its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// Nobody's: it is gone or going, or `error` is all that it has been since.
    Nobodys,
    /// Its tenant's, since an administrator said it is `available`.
    Tenants,
    /// Its tenant's as well: it may have been used, whatever became of it then.
    Used,
}

/// What matters of a row here.
pub(super) struct Taken {
    fence: i64,
    is_going: bool,
    is_available: bool,
    is_in_error: bool,
    is_passing: bool,
}

impl From<&ShareWork> for Taken {
    fn from(work: &ShareWork) -> Self {
        Self {
            fence: work.fence,
            is_going: work.status.is_being_deleted(),
            is_available: work.status == ShareStatus::Available,
            is_in_error: work.status == ShareStatus::Error,
            is_passing: work.status.is_passing(),
        }
    }
}

impl From<&SnapshotWork> for Taken {
    fn from(work: &SnapshotWork) -> Self {
        Self {
            fence: work.fence,
            is_going: work.status.is_being_deleted(),
            is_available: work.status == SnapshotStatus::Available,
            is_in_error: work.status == SnapshotStatus::Error,
            is_passing: work.status.is_passing(),
        }
    }
}

/// Whose a share instance or snapshot instance is that this operation was to make; `None`: its row is
/// gone. Waits for a later operation that is at work on it.
pub(super) async fn whose(run: &Run<'_>, taken: Option<Taken>) -> Result<Whose, Failure> {
    let Some(taken) = taken.filter(|taken| !taken.is_going) else { return Ok(Whose::Nobodys) };
    let only_once = taken.fence == run.resource_fence() + 1;
    at_rest(run, &taken).await?;
    Ok(match taken {
        Taken { is_available: true, .. } => Whose::Tenants,
        Taken { is_in_error: true, .. } if only_once => Whose::Nobodys,
        _ => Whose::Used,
    })
}

/// Waits for a later operation that is at work on it. A passing status that an administrator set has
/// none.
pub(super) async fn at_rest(run: &Run<'_>, taken: &Taken) -> Result<(), Failure> {
    let id = run.operation.resource_id;
    if taken.is_passing
        && operations::is_at_work(&mut run.db().read().await?, id, taken.fence).await?
    {
        return Err(Failure::Waiting("a later operation is at work on it"));
    }
    Ok(())
}

/// Begins the transaction in which a clean-up ends that went by this row of a share instance. If it
/// was taken over once more meanwhile, there is to be another look.
pub(super) async fn share_as_found(
    run: &Run<'_>,
    found: Option<&ShareWork>,
) -> Result<Tx, Failure> {
    let mut tx = run.record().await?;
    let now = share_instances::get_locked(&mut tx, id(run)).await?;
    mine(now.map(|now| now.fence) == found.map(|found| found.fence))?;
    Ok(tx)
}

/// As [`share_as_found`], of a snapshot instance.
pub(super) async fn snapshot_as_found(run: &Run<'_>, found: &SnapshotWork) -> Result<Tx, Failure> {
    let mut tx = run.record().await?;
    let now = snapshot_instances::get_locked(&mut tx, found.id).await?;
    mine(now.is_some_and(|now| now.fence == found.fence))?;
    Ok(tx)
}

/// As [`snapshot_as_found`], with what the backend says of the snapshot.
pub(super) async fn made(run: &Run<'_>, found: &SnapshotWork, made: &Made) -> Result<Tx, Failure> {
    let mut tx = run.record().await?;
    let now = Timestamp::now();
    mine(snapshot_work::made(&mut tx, found.id, found.fence, made, None, now).await?)?;
    Ok(tx)
}

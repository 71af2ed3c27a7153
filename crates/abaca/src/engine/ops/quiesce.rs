//! Before a promotion, the clients of the active replica are kept from writing: what they were told
//! is written would not be in the replica that takes its place.

use std::time::Duration;

use abaca_model::{
    MessageAction, MessageDetail, MessageResource, OperationKind, OperationState, ShareId,
    ShareInstance, ShareInstanceId, ShareStatus, Timestamp,
};
use abaca_store::operations::{self, service_of};
use abaca_store::share_work::ShareWork;
use abaca_store::{Tx, replicas as rows, share_instances, shares};

use super::message::{self, Told};
use super::replicas;
use crate::engine::arguments::{self, PromoteReplica, Quiescing};
use crate::engine::failure::Failure;
use crate::engine::run::{Outcome, Run};

/// How long they are waited for, unless the request says how long.
const WAIT: Duration = Duration::from_secs(30);

/// Asks the active replica's backend to let nobody write: clients of one for disasters are let in no
/// more, others may read.
pub(super) async fn begin(
    run: &Run<'_>,
    work: &ShareWork,
    arguments: PromoteReplica,
) -> Result<Outcome, Failure> {
    let mut tx = run.record().await?;
    let now = Timestamp::now();
    shares::get_locked(&mut tx, work.share_id).await?.ok_or(Failure::Superseded)?;
    let instances = share_instances::of_share_locked(&mut tx, work.share_id).await?;
    let own = instances.iter().find(|own| own.id == work.id).ok_or(Failure::Superseded)?;
    run.check(own.fence)?;
    let active = rows::active(&instances).filter(|active| active.id != work.id);
    // An administrator who set the active one to `error` said not to wait for it.
    let Some(active) = active.filter(|active| active.status != ShareStatus::Error) else {
        return go_on(run, tx, work).await;
    };
    rows::set_read_only(&mut tx, active.id, true).await?;
    let host = active.host.as_deref();
    replicas::sync_access(run, &mut tx, active.id.uuid(), host, now).await?;
    let wait = arguments.quiesce_wait_time.map_or(WAIT, Duration::from_secs);
    let quiescing = Some(Quiescing { active: active.id, until: now.after(wait).micros() });
    let arguments = arguments::to_json(&PromoteReplica { quiescing, ..arguments });
    if !operations::set_arguments(&mut tx, run.operation, &arguments).await? {
        return Err(Failure::LeaseLost);
    }
    run.put_back(tx, now, 0, "it waits for the writers of the active replica").await
}

/// Goes on when no client can write any more, or when that took too long: then the backend of the
/// active replica is as good as lost. Also when that backend can't be made to: its tenant is told.
pub(super) async fn wait(
    run: &Run<'_>,
    work: &ShareWork,
    quiescing: Quiescing,
) -> Result<Outcome, Failure> {
    let (kind, active) = (OperationKind::UpdateAccessRules, quiescing.active);
    let applied = operations::last(&mut run.db().read().await?, kind, active.uuid()).await?;
    let state = applied.as_ref().map(|applied| applied.state);
    let is_pending = matches!(state, Some(OperationState::Queued | OperationState::Running));
    if is_pending && Timestamp::now().micros() < quiescing.until {
        return Err(Failure::Waiting("it waits for the writers of the active replica"));
    }
    let has_failed = state == Some(OperationState::Failed);
    if is_pending || has_failed {
        let reason = applied.and_then(|applied| applied.error).unwrap_or_default();
        let share_id = work.share_id;
        tracing::warn!(%share_id, share_instance_id = %active, reason, "clients may still write to it");
    }
    let mut tx = run.record().await?;
    if has_failed {
        tell_of_writers(run, &mut tx, work, active).await?;
    }
    go_on(run, tx, work).await
}

async fn tell_of_writers(
    run: &Run<'_>,
    tx: &mut Tx,
    work: &ShareWork,
    active: ShareInstanceId,
) -> Result<(), Failure> {
    let reason = "Its clients could not be kept from writing to it. What they wrote during the \
                  promotion may not be in the share.";
    let replica = (MessageResource::Replica, active.to_string());
    let (action, detail) = (MessageAction::Promote, MessageDetail::Unknown);
    let told = Told { action, detail, reason };
    Ok(message::leave(run, tx, &work.project_id, replica, told).await?)
}

async fn go_on(run: &Run<'_>, tx: Tx, work: &ShareWork) -> Result<Outcome, Failure> {
    run.advance(tx, service_of(work.host.as_deref().unwrap_or_default())).await
}

/// Lets clients of the active replica of a share that is locked write again, unless another promotion
/// keeps them out.
pub(super) async fn end(run: &Run<'_>, tx: &mut Tx, share: ShareId) -> Result<(), Failure> {
    let instances = share_instances::of_share_locked(tx, share).await?;
    let is_changing = |other: &ShareInstance| other.status == ShareStatus::ReplicationChange;
    let Some(active) = rows::active(&instances) else { return Ok(()) };
    if !instances.iter().any(is_changing) && rows::set_read_only(tx, active.id, false).await? {
        let host = active.host.as_deref();
        replicas::sync_access(run, tx, active.id.uuid(), host, Timestamp::now()).await?;
    }
    Ok(())
}

//! Finding the replica of a request.

use abaca_model::{Share, ShareInstance};
use abaca_store::{Tx, share_instances, shares};

use crate::api::shares::target;
use crate::api::{ApiError, Call};

/// A replica and its share.
pub(in crate::api) struct Found {
    pub(in crate::api) replica: ShareInstance,
    pub(in crate::api) share: Share,
}

/// The replica in the path, if it is of the caller's project, or the caller an administrator or scoped
/// to the whole system, which the rule of the route has taken. Whoever may not see it is told what he
/// is told of one that is not there.
///
/// # Errors
/// 404
pub(in crate::api) async fn find(call: &Call, tx: &mut Tx) -> Result<Found, ApiError> {
    let unknown = || unknown(call);
    let id = call.id().ok_or_else(unknown)?;
    let replica = share_instances::get(tx, id).await?.ok_or_else(unknown)?;
    let share = shares::get(tx, replica.share_id).await?.ok_or_else(unknown)?;
    let is_own = call.caller.project_id.as_ref() == Some(&share.project_id);
    let is_of_all = call.caller.is_admin || call.caller.system_scope.is_some();
    if replica.replica_state.is_none() || !(is_own || is_of_all) {
        return Err(unknown());
    }
    Ok(Found { replica, share })
}

pub(in crate::api) fn unknown(call: &Call) -> ApiError {
    ApiError::not_found(format!("Share replica '{}' not found.", call.path("id")))
}

/// As [`find`], for who may act by `rule` on it.
///
/// # Errors
/// 404, 403
pub(super) async fn allowed(call: &Call, rule: &str) -> Result<Found, ApiError> {
    let mut tx = call.app.db.read().await?;
    let found = find(call, &mut tx).await?;
    drop(tx);
    call.authorise(rule, &target(&found.share)).await?;
    Ok(found)
}

/// The share, its instances and of these the replica in the path, as they are now. Nobody else can
/// change them until this transaction ends.
///
/// # Errors
/// 404 when it is gone.
pub(super) async fn locked(
    call: &Call,
    tx: &mut Tx,
    found: &Found,
) -> Result<(Share, Vec<ShareInstance>, ShareInstance), ApiError> {
    let gone = || unknown(call);
    let share = shares::get_locked(tx, found.share.id).await?.ok_or_else(gone)?;
    let instances = share_instances::of_share_locked(tx, share.id).await?;
    let replica = instances.iter().find(|other| other.id == found.replica.id).cloned();
    Ok((share, instances, replica.ok_or_else(gone)?))
}

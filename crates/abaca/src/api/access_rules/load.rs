//! Finding the rule of a request, if the caller may see its share.

use abaca_model::{AccessRule, AccessRuleId, Share, ShareInstance, ShareStatus};
use abaca_store::access_rules::{self, Of};
use abaca_store::{Tx, share_instances, shares as share_rows};

use crate::api::share_instances::leave_out_left;
use crate::api::shares::{find, target};
use crate::api::{ApiError, Call};

/// The rule in the path and its share; whoever may not see the share is told what he is told of a
/// rule that is not there.
///
/// # Errors
/// 404; 403 for who may not see a share's rules.
pub(super) async fn rule(call: &Call, tx: &mut Tx) -> Result<(AccessRule, Share), ApiError> {
    let found = of_visible_share(call, tx, call.path("id")).await?;
    let (rule, share) = found.ok_or_else(|| not_found(call.path("id")))?;
    call.authorise("share:access_get", &target(&share)).await?;
    Ok((rule, share))
}

pub(super) fn not_found(id: &str) -> ApiError {
    ApiError::not_found(format!("Share access rule {id} not found."))
}

/// The rule with this id and its share; `None` also when the caller may not see the share.
///
/// # Errors
/// What the database says.
pub(in crate::api) async fn of_visible_share(
    call: &Call,
    tx: &mut Tx,
    id: &str,
) -> Result<Option<(AccessRule, Share)>, ApiError> {
    let Ok(id) = id.parse::<AccessRuleId>() else { return Ok(None) };
    let Some(rule) = access_rules::get(tx, Of::Shares, id).await? else { return Ok(None) };
    let share = find(call, tx, &rule.resource_id.to_string()).await?;
    Ok(share.map(|share| (rule, share)))
}

/// The share as it is now, and its instances, but for what a migration left behind. Nobody else can
/// change them or its rules until this transaction ends.
///
/// # Errors
/// 404 when it is gone.
pub(super) async fn locked(
    tx: &mut Tx,
    share: &Share,
) -> Result<(Share, Vec<ShareInstance>), ApiError> {
    let share = share_rows::get_locked(tx, share.id).await?.ok_or_else(ApiError::no_route)?;
    let mut instances = share_instances::of_share_locked(tx, share.id).await?;
    leave_out_left(&mut instances);
    Ok((share, instances))
}

/// Whether rules can be changed in every place. `error_too`: also where the share is in error.
pub(super) fn can_change(instances: &[ShareInstance], error_too: bool) -> bool {
    let is_settled = |instance: &ShareInstance| {
        let passes = matches!(
            instance.status,
            ShareStatus::Creating
                | ShareStatus::CreatingFromSnapshot
                | ShareStatus::ManageStarting
                | ShareStatus::UnmanageStarting
                | ShareStatus::Extending
                | ShareStatus::Shrinking
                | ShareStatus::Migrating
                | ShareStatus::MigratingTo
                | ShareStatus::Reverting
                | ShareStatus::Ensuring
                | ShareStatus::ServerMigrating
                | ShareStatus::ServerMigratingTo
        );
        !passes && !instance.status.is_being_deleted()
    };
    instances.iter().all(|instance| {
        let in_error = instance.status == ShareStatus::Error && !error_too;
        instance.host.is_some() && is_settled(instance) && !in_error
    })
}

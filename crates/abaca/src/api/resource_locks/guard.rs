//! What locks forbid. Each of these is asked with the share held, in the transaction that would do
//! what is forbidden: a lock placed at the same time comes before it or after.

use std::collections::BTreeSet;

use abaca_model::{
    AccessRule, AccessRuleId, LockAction, LockedResource, ResourceLock, ResourceLockId, Share,
    ShareId, ShareInstance,
};
use abaca_store::{Tx, resource_locks};
use uuid::Uuid;

use super::{body, create, load};
use crate::api::{ApiError, Call, Fields};

/// How many locks a refusal names at most; a resource may have any number.
const NAMED: u64 = 10;

/// Why a share must not be deleted: it is locked. `None`: it is not.
///
/// # Errors
/// What the database says.
pub(in crate::api) async fn locked_against_deletion(
    tx: &mut Tx,
    id: ShareId,
) -> Result<Option<String>, ApiError> {
    let share = LockedResource::Share(id);
    let mut locks =
        resource_locks::oldest_of_resource(tx, share, LockAction::Delete, NAMED + 1).await?;
    if locks.is_empty() {
        return Ok(None);
    }
    let named = usize::try_from(NAMED).unwrap_or(usize::MAX);
    let more = if locks.len() > named { ", and more" } else { "" };
    locks.truncate(named);
    let ids: Vec<String> = locks.iter().map(|lock| lock.id.to_string()).collect();
    let ids = ids.join(", ");
    Ok(Some(format!("Invalid share: Resource lock/s [{ids}{more}] prevent delete action.")))
}

/// The locks on deleting a rule that the caller may remove. Asked before the transaction and with no
/// connection held, since a policy may ask another service.
///
/// # Errors
/// What the database says.
pub(in crate::api) async fn removable_locks(
    call: &Call,
    rule: AccessRuleId,
) -> Result<BTreeSet<ResourceLockId>, ApiError> {
    let locked = LockedResource::AccessRule(rule);
    let mut tx = call.app.db.read().await?;
    let locks = resource_locks::of_resource(&mut tx, locked, LockAction::Delete).await?;
    drop(tx);
    let mut removable = BTreeSet::new();
    for lock in locks {
        let seen = call.allows("resource_lock:get", Some(&load::target(&lock))).await;
        if seen && load::authorise(call, "resource_lock:delete", &lock).await.is_ok() {
            removable.insert(lock.id);
        }
    }
    Ok(removable)
}

/// Refuses to deny a locked rule, unless all its locks are in `removable`, if that was asked for.
/// They go with the rule.
///
/// # Errors
/// 403.
pub(in crate::api) async fn refuse_locked_rule(
    tx: &mut Tx,
    rule: &AccessRule,
    removable: Option<&BTreeSet<ResourceLockId>>,
) -> Result<(), ApiError> {
    let locked = LockedResource::AccessRule(rule.id);
    let locks = resource_locks::of_resource(tx, locked, LockAction::Delete).await?;
    match removable {
        None if !locks.is_empty() => Err(ApiError::Forbidden(format!(
            "Cannot deny access for share '{}' since it has been locked. Please remove the locks \
             and retry the operation.",
            rule.resource_id
        ))),
        Some(removable) if !locks.iter().all(|lock| removable.contains(&lock.id)) => {
            Err(ApiError::Forbidden(
                "Unable to drop access rule restrictions that are not placed by you.".to_owned(),
            ))
        }
        None | Some(_) => Ok(()),
    }
}

/// The rules of a share whose client the caller may not read. Asked with no connection held, as
/// [`removable_locks`].
///
/// # Errors
/// What the database says.
pub(in crate::api) async fn restricted_rules(
    call: &Call,
    share_id: Uuid,
) -> Result<BTreeSet<AccessRuleId>, ApiError> {
    let mut tx = call.app.db.read().await?;
    let locks = resource_locks::on_reading_rules_of(&mut tx, share_id).await?;
    drop(tx);
    let mut restricted = BTreeSet::new();
    for lock in locks {
        let rule = "resource_lock:bypass_locked_show_action";
        if load::authorise(call, rule, &lock).await.is_err() {
            restricted.insert(AccessRuleId::from(lock.resource.uuid()));
        }
    }
    Ok(restricted)
}

/// What a request for a rule wants locked.
#[derive(Default)]
pub(in crate::api) struct NewLocks<'a> {
    visibility: bool,
    deletion: bool,
    reason: Option<&'a str>,
}

impl NewLocks<'_> {
    /// Whether any lock is asked for.
    pub(in crate::api) fn any(&self) -> bool {
        self.visibility || self.deletion
    }
}

/// Reads `lock_visibility`, `lock_deletion` and `lock_reason`.
///
/// # Errors
/// 400 that names the key; for a reason without a lock.
pub(in crate::api) fn ask_to_lock<'a>(fields: &Fields<'a>) -> Result<NewLocks<'a>, ApiError> {
    let locks = NewLocks {
        visibility: fields.boolean("lock_visibility")?.unwrap_or(false),
        deletion: fields.boolean("lock_deletion")?.unwrap_or(false),
        reason: body::reason(*fields)?.filter(|text| !text.is_empty()),
    };
    if locks.reason.is_some() && !locks.any() {
        return Err(ApiError::bad_request(
            "Lock reason can only be specified when locking the visibility or the deletion of an \
             access rule.",
        ));
    }
    Ok(locks)
}

/// Locks a new rule of `share`, which is held. With its deletion that of the share is locked too,
/// until the rule or its lock is gone.
///
/// # Errors
/// What the database says; 400 for a share that can't be locked; 403 for a token without a project.
pub(in crate::api) async fn lock_rule(
    call: &Call,
    tx: &mut Tx,
    (share, instances): (&Share, &[ShareInstance]),
    rule: &AccessRule,
    locks: &NewLocks<'_>,
) -> Result<(), ApiError> {
    if locks.deletion {
        create::check_share(share, instances).map_err(create::as_bad_request)?;
    }
    let project_id = call.project()?;
    let on_rule = |action| ResourceLock {
        id: ResourceLockId::random(),
        project_id: project_id.to_owned(),
        user_id: call.caller.user_id.clone(),
        context: load::context(call),
        resource: LockedResource::AccessRule(rule.id),
        action,
        reason: locks.reason.map(str::to_owned),
        cause: None,
        created_at: rule.created_at,
        updated_at: None,
    };
    if locks.deletion {
        let lock = on_rule(LockAction::Delete);
        resource_locks::insert(tx, &lock).await?;
        let on_share = ResourceLock {
            id: ResourceLockId::random(),
            resource: LockedResource::Share(rule.resource_id.into()),
            reason: Some(format!("Locked by access lock: {}", lock.id)),
            cause: Some(lock.id),
            ..lock
        };
        resource_locks::insert(tx, &on_share).await?;
    }
    if locks.visibility {
        resource_locks::insert(tx, &on_rule(LockAction::Show)).await?;
    }
    Ok(())
}

//! Access rules: what was asked for last is in force, all of it, until its object goes.

use std::sync::Arc;

use tokio::task::JoinSet;
use uuid::Uuid;

use super::{Bench, Outcome, Problem, ensure, ensure_error, snapshot_of};
use crate::{
    AccessLevel, AccessList, AccessRule, AccessTarget, AccessType, Driver, DriverError, NewShare,
    RevertShare, RuleOutcome, SnapshotRef,
};

const AT_ONCE: i64 = 8;

fn rule(access_type: AccessType, access_to: &str, access_level: AccessLevel) -> AccessRule {
    AccessRule { id: Uuid::new_v4(), access_type, access_to: access_to.to_owned(), access_level }
}

/// Ordered by id, as drivers tell them.
fn list(generation: i64, mut rules: Vec<AccessRule>) -> AccessList {
    rules.sort_by_key(|rule| rule.id);
    AccessList { generation, rules }
}

fn some_rules() -> Vec<AccessRule> {
    vec![
        rule(AccessType::Ip, "10.0.0.1", AccessLevel::ReadWrite),
        rule(AccessType::Ip, "10.1.0.0/16", AccessLevel::ReadOnly),
        rule(AccessType::Ip, "fd00::/64", AccessLevel::ReadWrite),
    ]
}

/// A share, a snapshot of it, and each as a target.
async fn targets(
    bench: &Bench<'_>,
    driver: &dyn Driver,
) -> Result<(NewShare, SnapshotRef, [AccessTarget; 2]), Problem> {
    let (share, _) = bench.share(driver).await?;
    let snapshot = SnapshotRef::from(&driver.create_snapshot(&snapshot_of(&share)).await?);
    let targets = [AccessTarget::Share(share.id), AccessTarget::from(&snapshot)];
    Ok((share, snapshot, targets))
}

async fn delete(driver: &dyn Driver, share: &NewShare, snapshot: &SnapshotRef) -> Outcome {
    driver.delete_snapshot(snapshot).await?;
    Ok(driver.delete_share(share.id).await?)
}

async fn ensure_applied(driver: &dyn Driver, target: AccessTarget, access: &AccessList) -> Outcome {
    let outcomes = driver.apply_access(target, access).await?;
    let ids: Vec<_> = outcomes.keys().copied().collect();
    let rules: Vec<_> = access.rules.iter().map(|rule| rule.id).collect();
    ensure!(ids == rules, "outcomes of {ids:?}, given {rules:?}");
    let refused = outcomes.values().any(|outcome| matches!(outcome, RuleOutcome::Refused { .. }));
    ensure!(!refused, "refused: {outcomes:?}");
    let again = driver.apply_access(target, access).await?;
    ensure!(outcomes == again, "the second call gave {again:?}, the first {outcomes:?}");
    let found = driver.get_access(target).await?;
    ensure!(found.as_ref() == Some(access), "applied {access:?}, found {found:?}");
    Ok(())
}

pub(super) async fn the_last_list_is_in_force(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let (share, snapshot, targets) = targets(bench, &*driver).await?;
    for target in targets {
        let found = driver.get_access(target).await?;
        ensure!(found == Some(AccessList::default()), "nobody gave it a list, found {found:?}");
        let mut rules = some_rules();
        ensure_applied(&*driver, target, &list(1, rules.clone())).await?;
        for rule in &mut rules {
            rule.access_level = match rule.access_level {
                AccessLevel::ReadWrite => AccessLevel::ReadOnly,
                AccessLevel::ReadOnly => AccessLevel::ReadWrite,
            };
        }
        ensure_applied(&*driver, target, &list(2, rules.clone())).await?;
        rules.remove(1);
        ensure_applied(&*driver, target, &list(5, rules.clone())).await?;
        let restarted = bench.open().await?.get_access(target).await?;
        ensure!(restarted == Some(list(5, rules)), "after a restart: {restarted:?}");
        ensure_applied(&*driver, target, &list(6, Vec::new())).await?;
    }
    delete(&*driver, &share, &snapshot).await
}

pub(super) async fn one_refused_rule_does_not_stop_the_others(bench: &Bench<'_>) -> Outcome {
    let Some((access_type, client)) = bench.subject.refused_client() else { return Ok(()) };
    let driver = bench.open().await?;
    let (share, snapshot, targets) = targets(bench, &*driver).await?;
    for target in targets {
        let good = some_rules();
        let bad = rule(access_type, client, AccessLevel::ReadWrite);
        let mut all = good.clone();
        all.insert(1, bad.clone());
        let outcomes = driver.apply_access(target, &list(1, all.clone())).await?;
        for one in &all {
            let refused = matches!(outcomes.get(&one.id), Some(RuleOutcome::Refused { .. }));
            ensure!(refused == (one.id == bad.id), "{one:?}: {:?}", outcomes.get(&one.id));
        }
        let found = driver.get_access(target).await?;
        ensure!(found == Some(list(1, good)), "in force: {found:?}");
    }
    delete(&*driver, &share, &snapshot).await
}

pub(super) async fn a_list_that_was_overtaken_changes_nothing(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let (share, snapshot, targets) = targets(bench, &*driver).await?;
    for target in targets {
        let later = list(8, some_rules());
        ensure_applied(&*driver, target, &later).await?;
        let late = driver.apply_access(target, &list(7, Vec::new())).await;
        ensure_error!(late, DriverError::InvalidInput { .. });
        let found = driver.get_access(target).await?;
        ensure!(found == Some(later), "after a late call: {found:?}");
    }
    delete(&*driver, &share, &snapshot).await
}

pub(super) async fn of_lists_at_once_the_latest_stays(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let (share, _) = bench.share(&*driver).await?;
    let target = AccessTarget::Share(share.id);
    let mut calls = JoinSet::new();
    for generation in 1..=AT_ONCE {
        let driver = Arc::clone(&driver);
        let client = format!("10.0.0.{generation}");
        let rules = vec![rule(AccessType::Ip, &client, AccessLevel::ReadWrite)];
        let access = list(generation, rules);
        calls.spawn(async move { (generation, driver.apply_access(target, &access).await) });
    }
    while let Some(call) = calls.join_next().await {
        match call? {
            (_, Ok(_)) => {}
            (generation, Err(DriverError::InvalidInput { .. })) if generation < AT_ONCE => {}
            (generation, Err(error)) => {
                return Err(Problem(format!("generation {generation}: {error}")));
            }
        }
    }
    let found = driver.get_access(target).await?;
    let is_latest = found.as_ref().is_some_and(|access| {
        access.generation == AT_ONCE
            && access.rules.iter().all(|rule| rule.access_to == format!("10.0.0.{AT_ONCE}"))
    });
    ensure!(is_latest, "found {found:?}");
    Ok(driver.delete_share(share.id).await?)
}

pub(super) async fn a_list_goes_with_its_object_and_nowhere_else(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let (share, snapshot, targets) = targets(bench, &*driver).await?;
    let access = list(3, some_rules());
    for target in targets {
        ensure_applied(&*driver, target, &access).await?;
    }
    driver.extend_share(share.id, 2).await?;
    let found = driver.get_access(AccessTarget::Share(share.id)).await?;
    ensure!(found.as_ref() == Some(&access), "after an extend: {found:?}");
    let revert = RevertShare { snapshot: snapshot.clone(), size_gb: 2, generation: 1 };
    match driver.revert_to_snapshot(&revert).await {
        Err(DriverError::Unsupported { .. }) => {}
        result => result?,
    }
    let found = driver.get_access(AccessTarget::Share(share.id)).await?;
    ensure!(found == Some(access), "after a revert: {found:?}");

    let copy = NewShare { id: Uuid::new_v4(), size_gb: 2, ..share.clone() };
    driver.create_share_from_snapshot(&copy, &snapshot).await?;
    let later = SnapshotRef::from(&driver.create_snapshot(&snapshot_of(&share)).await?);
    for target in [AccessTarget::Share(copy.id), AccessTarget::from(&later)] {
        let found = driver.get_access(target).await?;
        ensure!(found == Some(AccessList::default()), "{target:?} was opened to {found:?}");
    }
    driver.delete_snapshot(&later).await?;
    driver.delete_share(copy.id).await?;

    delete(&*driver, &share, &snapshot).await?;
    for target in targets {
        let found = driver.get_access(target).await?;
        ensure!(found.is_none(), "found after its object was deleted: {found:?}");
    }
    driver.create_share(&share).await?;
    let found = driver.get_access(AccessTarget::Share(share.id)).await?;
    ensure!(found == Some(AccessList::default()), "of an earlier share: {found:?}");
    Ok(driver.delete_share(share.id).await?)
}

pub(super) async fn what_is_not_there_has_no_rules(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let (share, snapshot, _) = targets(bench, &*driver).await?;
    for target in [
        AccessTarget::Share(Uuid::new_v4()),
        AccessTarget::Share(snapshot.id),
        AccessTarget::Snapshot { id: Uuid::new_v4(), share_instance_id: share.id },
        AccessTarget::Snapshot { id: snapshot.id, share_instance_id: Uuid::new_v4() },
        AccessTarget::Snapshot { id: share.id, share_instance_id: share.id },
    ] {
        let refused = driver.apply_access(target, &list(1, some_rules())).await;
        ensure_error!(refused, DriverError::NotFound { .. });
        let found = driver.get_access(target).await?;
        ensure!(found.is_none(), "{target:?} has {found:?}");
    }
    delete(&*driver, &share, &snapshot).await
}

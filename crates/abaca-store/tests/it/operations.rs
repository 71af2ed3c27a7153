//! The queue: who gets an operation, who may write, what a reset or a dead worker does to it.

use std::time::Duration;

use abaca_model::{Operation, OperationKind, OperationState, Timestamp};
use abaca_store::operations::{self, NewOperation, Next};
use abaca_store::testing::TestDatabase;
use uuid::Uuid;

crate::on_each_database!(
    is_claimed_once_by_concurrent_runners,
    goes_to_the_worker_it_is_for,
    waits_until_it_is_due,
    is_taken_over_when_its_lease_ends,
    is_taken_over_though_others_are_due,
    is_found_behind_a_backlog_of_others,
    belongs_to_the_last_claim_only,
    is_released_when_its_worker_starts_again,
    is_forgotten_when_it_succeeded_long_ago,
    owns_a_resource_until_it_ends,
);

const LEASE: Duration = Duration::from_secs(15);
const START: Timestamp = Timestamp::from_micros(1_000_000_000);

fn new(resource_id: Uuid, service: Option<&str>, now: Timestamp) -> NewOperation<'_> {
    NewOperation {
        kind: OperationKind::CreateSnapshot,
        resource_id,
        resource_fence: 1,
        service,
        arguments: "{}".to_owned(),
        project_id: "p",
        user_id: "u",
        request_id: "req-1",
        now,
    }
}

async fn enqueue(database: &TestDatabase, service: Option<&str>, now: Timestamp) {
    let mut tx = database.db.write().await.unwrap();
    operations::enqueue(&mut tx, &new(Uuid::from_u128(7), service, now)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn claim(
    database: &TestDatabase,
    owner: &str,
    services: &[&str],
    now: Timestamp,
) -> Option<Operation> {
    let mut services: Vec<_> = services.iter().copied().map(Some).collect();
    services.push(None);
    let mut tx = database.db.write().await.unwrap();
    let claimed = operations::claim(&mut tx, owner, &services, now, LEASE).await.unwrap();
    tx.commit().await.unwrap();
    claimed
}

async fn is_claimed_once_by_concurrent_runners(database: &TestDatabase) {
    for _ in 0..10 {
        enqueue(database, None, START).await;
    }
    let runners = (0..8).map(|number| {
        let db = database.db.clone();
        tokio::spawn(async move {
            let mut claimed = Vec::new();
            let owner = format!("w/{number}");
            loop {
                let mut tx = db.write().await.unwrap();
                let operation =
                    operations::claim(&mut tx, &owner, &[None], START, LEASE).await.unwrap();
                tx.commit().await.unwrap();
                match operation {
                    Some(operation) => claimed.push(operation.id),
                    None => break claimed,
                }
            }
        })
    });
    let mut all = Vec::new();
    for runner in runners.collect::<Vec<_>>() {
        all.extend(runner.await.unwrap());
    }
    // A runner whose candidate was taken by another stops early; nobody gets one twice.
    while let Some(operation) = claim(database, "w/last", &[], START).await {
        all.push(operation.id);
    }
    all.sort_unstable();
    let claims = all.len();
    all.dedup();
    assert_eq!((claims, all.len()), (10, 10));
}

async fn goes_to_the_worker_it_is_for(database: &TestDatabase) {
    enqueue(database, Some("h@b"), START).await;
    assert_eq!(claim(database, "w/1", &[], START).await, None);
    assert_eq!(claim(database, "w/1", &["h@other"], START).await, None);
    let mut tx = database.db.write().await.unwrap();
    for services in [&[][..], &[None], &[Some("h@other")]] {
        assert_eq!(operations::claim(&mut tx, "w/1", services, START, LEASE).await.unwrap(), None);
        assert!(!operations::any_claimable(&mut tx, services, START).await.unwrap());
    }
    tx.commit().await.unwrap();
    assert!(claim(database, "w/1", &["h@other", "h@b"], START).await.is_some());
    // Whoever has no room for what any worker may do leaves it to others.
    enqueue(database, None, START).await;
    let mut tx = database.db.write().await.unwrap();
    let named = operations::claim(&mut tx, "w/1", &[Some("h@b")], START, LEASE).await.unwrap();
    assert_eq!(named, None);
    tx.commit().await.unwrap();
    assert!(claim(database, "w/1", &[], START).await.is_some());
}

async fn waits_until_it_is_due(database: &TestDatabase) {
    enqueue(database, None, START.after(Duration::from_secs(1))).await;
    assert_eq!(claim(database, "w/1", &[], START).await, None);
    let claimed = claim(database, "w/1", &[], START.after(Duration::from_secs(1))).await.unwrap();
    let later = START.after(Duration::from_secs(60));
    let mut tx = database.db.write().await.unwrap();
    assert!(operations::put_back(&mut tx, &claimed, later, 1, Some("busy")).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(claim(database, "w/1", &[], START.after(Duration::from_secs(59))).await, None);
    let again = claim(database, "w/1", &[], later).await.unwrap();
    assert_eq!((again.attempts, again.error.as_deref(), again.fence), (1, Some("busy"), 2));
}

async fn is_taken_over_when_its_lease_ends(database: &TestDatabase) {
    enqueue(database, None, START).await;
    let first = claim(database, "w/1", &[], START).await.unwrap();
    assert_eq!(claim(database, "w/2", &[], START.after(LEASE)).await, None);
    let mut tx = database.db.write().await.unwrap();
    let renewed = START.after(Duration::from_secs(10));
    assert!(operations::renew(&mut tx, &first, renewed, LEASE).await.unwrap());
    tx.commit().await.unwrap();
    let late = START.after(LEASE + Duration::from_secs(1));
    assert_eq!(claim(database, "w/2", &[], late).await, None, "it was renewed");
    let late = renewed.after(LEASE + Duration::from_secs(1));
    let second = claim(database, "w/2", &[], late).await.unwrap();
    assert_eq!((second.id, second.fence), (first.id, first.fence + 1));
    assert_eq!(second.state, OperationState::Running, "a takeover shows by the state before");
}

async fn is_taken_over_though_others_are_due(database: &TestDatabase) {
    enqueue(database, None, START.after(Duration::from_secs(1))).await;
    let first = claim(database, "w/1", &[], START.after(Duration::from_secs(1))).await.unwrap();
    // Asked for before, and due ever since.
    enqueue(database, None, START).await;
    let late = START.after(LEASE + Duration::from_secs(2));
    let second = claim(database, "w/2", &[], late).await.unwrap();
    assert_eq!((second.id, second.fence), (first.id, first.fence + 1));
}

/// The oldest of several services comes first, and what waits for others is not looked at.
async fn is_found_behind_a_backlog_of_others(database: &TestDatabase) {
    let at = |seconds| START.after(Duration::from_secs(seconds));
    let mut tx = database.db.write().await.unwrap();
    let backlog = vec![new(Uuid::from_u128(8), Some("h@full"), START); 100];
    operations::enqueue_all(&mut tx, &backlog).await.unwrap();
    tx.commit().await.unwrap();
    enqueue(database, Some("h@b"), at(1)).await;
    enqueue(database, Some("h@a"), at(2)).await;
    assert_eq!(claim(database, "w/1", &["h@a", "h@b"], START).await, None);
    for expected in ["h@b", "h@a"] {
        let claimed = claim(database, "w/1", &["h@a", "h@b"], at(3)).await.unwrap();
        assert_eq!(claimed.service.as_deref(), Some(expected));
    }
    assert_eq!(claim(database, "w/1", &["h@a", "h@b"], at(3)).await, None);
}

async fn belongs_to_the_last_claim_only(database: &TestDatabase) {
    enqueue(database, None, START).await;
    let first = claim(database, "w/1", &[], START).await.unwrap();
    let late = START.after(LEASE + Duration::from_secs(1));
    let second = claim(database, "w/2", &[], late).await.unwrap();
    let mut tx = database.db.write().await.unwrap();
    assert!(!operations::renew(&mut tx, &first, late, LEASE).await.unwrap());
    assert!(!operations::advance(&mut tx, &first, Next::Keep(None)).await.unwrap());
    assert!(!operations::put_back(&mut tx, &first, late, 1, None).await.unwrap());
    let state = OperationState::Failed;
    assert!(!operations::end(&mut tx, &first, state, None, late).await.unwrap());
    assert!(operations::advance(&mut tx, &second, Next::Keep(Some("h@b"))).await.unwrap());
    let state = OperationState::Succeeded;
    assert!(operations::end(&mut tx, &second, state, None, late).await.unwrap());
    assert!(!operations::end(&mut tx, &second, state, None, late).await.unwrap(), "it has ended");
    tx.commit().await.unwrap();
    let mut tx = database.db.read().await.unwrap();
    let ended = operations::get(&mut tx, first.id).await.unwrap().unwrap();
    assert_eq!((ended.state, ended.step), (OperationState::Succeeded, 1));
    assert_eq!((ended.service.as_deref(), ended.finished_at), (Some("h@b"), Some(late)));
}

async fn is_released_when_its_worker_starts_again(database: &TestDatabase) {
    enqueue(database, None, START).await;
    claim(database, "w_1/first", &[], START).await.unwrap();
    for (worker, released) in [("w", 0), ("wx1", 0), ("%", 0), ("w_1", 1)] {
        let mut tx = database.db.write().await.unwrap();
        let count = operations::release_leases_of(&mut tx, worker).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(count, released, "{worker}");
    }
    assert!(claim(database, "w_1/second", &[], START).await.is_some());
}

async fn is_forgotten_when_it_succeeded_long_ago(database: &TestDatabase) {
    use OperationState::{Failed, Succeeded};
    let end = async |resource: u128, state, at| {
        let resource_id = Uuid::from_u128(resource);
        let mut tx = database.db.write().await.unwrap();
        operations::enqueue(&mut tx, &new(resource_id, None, START)).await.unwrap();
        let claimed = operations::claim(&mut tx, "w/1", &[None], START, LEASE).await.unwrap();
        assert!(operations::end(&mut tx, &claimed.unwrap(), state, None, at).await.unwrap());
        tx.commit().await.unwrap();
    };
    let late = START.after(Duration::from_secs(60));
    end(7, Succeeded, START).await;
    end(7, Failed, START).await;
    end(7, Succeeded, late).await;
    end(8, Succeeded, START).await;
    let resource_id = Uuid::from_u128(7);
    let mut tx = database.db.write().await.unwrap();
    let other = OperationKind::DeleteSnapshot;
    operations::delete_succeeded(&mut tx, other, resource_id, late).await.unwrap();
    assert_eq!(operations::of_resource(&mut tx, resource_id).await.unwrap().len(), 3);
    let kind = OperationKind::CreateSnapshot;
    operations::delete_succeeded(&mut tx, kind, resource_id, late).await.unwrap();
    let left = operations::of_resource(&mut tx, resource_id).await.unwrap();
    let mut left: Vec<_> = left.iter().map(|one| (one.state.as_str(), one.finished_at)).collect();
    left.sort_unstable();
    assert_eq!(left, [("failed", Some(START)), ("succeeded", Some(late))]);
    let others = operations::of_resource(&mut tx, Uuid::from_u128(8)).await.unwrap();
    assert_eq!(others.len(), 1);
}

async fn owns_a_resource_until_it_ends(database: &TestDatabase) {
    enqueue(database, None, START).await;
    let at_work = async |fence| {
        let mut tx = database.db.read().await.unwrap();
        operations::is_at_work(&mut tx, Uuid::from_u128(7), fence).await.unwrap()
    };
    assert!(at_work(1).await);
    assert!(!at_work(2).await, "it was made for an earlier fence");
    let claimed = claim(database, "w/1", &[], START).await.unwrap();
    assert!(at_work(1).await);
    let mut tx = database.db.write().await.unwrap();
    let state = OperationState::Superseded;
    assert!(operations::end(&mut tx, &claimed, state, None, START).await.unwrap());
    tx.commit().await.unwrap();
    assert!(!at_work(1).await);
}

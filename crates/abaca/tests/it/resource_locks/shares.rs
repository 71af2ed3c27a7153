//! What locks forbid to do with shares.

use abaca_model::{Share, ShareId, ShareInstanceId, ShareStatus, Timestamp};
use abaca_store::{share_instances, shares};
use sea_query::{Expr, ExprTrait, Query};
use serde_json::{Value, json};

use super::{ALICE, ROOT, act, delete_share, locked, one_share, path, post, remove};
use crate::support::{TestServer, seed};

#[tokio::test]
async fn a_locked_share_is_not_deleted_by_anyone_in_any_way() {
    let (server, share, place) = one_share().await;
    let first = locked(&server, ALICE, &share, "one").await;
    let second = locked(&server, ALICE, &share, "two").await;
    let of_share = format!("shares/{}", share.id);
    let of_place = format!("share_instances/{}", place.id);
    let prevented = async |named: &[&Value]| {
        for (token, path, action, status) in [
            (ALICE, &of_share, json!({"soft_delete": null}), 403),
            (ROOT, &of_share, json!({"force_delete": null}), 400),
            (ROOT, &of_place, json!({"force_delete": null}), 403),
        ] {
            let answer = act(&server, token, path, action.clone()).await;
            assert_eq!(answer.status, status, "{action}: {}", answer.text);
            assert!(answer.text.contains("prevent delete action"), "{}", answer.text);
        }
        for token in [ALICE, ROOT] {
            let message = delete_share(&server, token, &share).await.fault(403, "forbidden");
            let names = |lock: &&&Value| message.contains(lock["id"].as_str().unwrap());
            assert_eq!(named.iter().filter(names).count(), named.len(), "{message}");
        }
    };
    prevented(&[&first, &second]).await;
    assert_eq!(remove(&server, ALICE, &first).await.status, 204);
    prevented(&[&second]).await;
    let shown = server.get(&format!("/v2/shares/{}", share.id)).await.expect(200);
    assert_eq!(shown["share"]["status"], "available");
    assert_eq!(remove(&server, ALICE, &second).await.status, 204);
    assert_eq!(delete_share(&server, ALICE, &share).await.status, 202);
}

/// A refusal does not grow with what a tenant places.
#[tokio::test]
async fn of_many_locks_the_oldest_are_named() {
    let (server, share, _) = one_share().await;
    let mut locks = Vec::new();
    for number in 0..12 {
        locks.push(locked(&server, ALICE, &share, &number.to_string()).await);
    }
    for (named, end) in
        [(10, ", and more] prevent"), (10, ", and more] prevent"), (10, "] prevent")]
    {
        let message = delete_share(&server, ALICE, &share).await.fault(403, "forbidden");
        let names = |lock: &&Value| message.contains(lock["id"].as_str().unwrap());
        assert_eq!(locks.iter().filter(names).count(), named, "{message}");
        assert!(locks[..named].iter().all(|lock| names(&lock)), "{message}");
        let more = message.contains("and more");
        assert!(message.contains(end) && more == end.contains("more"), "{message}");
        assert_eq!(remove(&server, ALICE, &locks.remove(0)).await.status, 204);
    }
}

#[tokio::test]
async fn what_is_going_is_not_locked() {
    let (server, share, place) = one_share().await;
    for status in [ShareStatus::Deleting, ShareStatus::ErrorDeleting, ShareStatus::Unmanaged] {
        let mut tx = server.app.db.write().await.unwrap();
        let place = share_instances::get_locked(&mut tx, place.id).await.unwrap().unwrap();
        share_instances::take_over(&mut tx, &place, status, seed::THEN).await.unwrap();
        tx.commit().await.unwrap();
        let answer = post(&server, ALICE, json!({ "resource_id": share.id })).await;
        answer.fault(409, "conflictingRequest");
    }
    let (binned, place) = seed::share(2, "project");
    seed::add_share(&server.app.db, &binned, std::slice::from_ref(&place)).await;
    let mut tx = server.app.db.write().await.unwrap();
    let end = Some(Timestamp::now());
    shares::set_deletion(&mut tx, binned.id, end, seed::THEN).await.unwrap();
    tx.commit().await.unwrap();
    let message = post(&server, ALICE, json!({ "resource_id": binned.id })).await;
    assert!(message.fault(409, "conflictingRequest").contains("soft deleted"));
}

#[tokio::test]
async fn a_lock_goes_with_its_share() {
    let (server, share, place) = one_share().await;
    let lock = locked(&server, ALICE, &share, "").await;
    let mut tx = server.app.db.write().await.unwrap();
    for (table, id) in [("share_instances", place.id.uuid()), ("shares", share.id.uuid())] {
        let mut delete = Query::delete();
        delete.from_table(table).and_where(Expr::col("id").eq(id.to_string()));
        assert_eq!(tx.execute(&delete).await.unwrap(), 1);
    }
    tx.commit().await.unwrap();
    server.get(&path(&lock)).await.fault(404, "itemNotFound");
}

/// Of a lock and a deletion at the same time, one comes first, and the other is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn either_the_lock_or_the_deletion() {
    let server = TestServer::start().await;
    let (mut locks, mut deletions) = (0, 0);
    for number in 1..=12 {
        let (share, place) = seed::share(number, "project");
        let share = Share { id: ShareId::random(), ..share };
        let id = ShareInstanceId::random();
        let place = abaca_model::ShareInstance { id, share_id: share.id, ..place };
        seed::add_share(&server.app.db, &share, std::slice::from_ref(&place)).await;
        let lock = post(&server, ALICE, json!({ "resource_id": share.id }));
        let (lock, deletion) = match number % 2 {
            0 => tokio::join!(lock, delete_share(&server, ALICE, &share)),
            _ => {
                let (deletion, lock) = tokio::join!(delete_share(&server, ALICE, &share), lock);
                (lock, deletion)
            }
        };
        match (lock.status, deletion.status) {
            (200, 403) => locks += 1,
            (409, 202) => deletions += 1,
            _ => panic!("{} {} / {} {}", lock.status, lock.text, deletion.status, deletion.text),
        }
    }
    assert_eq!(locks + deletions, 12);
}

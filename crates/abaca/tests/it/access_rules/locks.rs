//! Rules that are locked against being denied, and whose clients are hidden.

use abaca_model::{ShareId, ShareStatus};
use abaca_store::share_instances;

use super::*;
use crate::support::assert_like_sample;

/// Another member of Alice's project.
const CARL: &str = "carl:project:member";
const ROOT: &str = "root:admin:admin";
const ADDRESS: &str = "10.0.0.7";

/// A rule of Alice's with these locks.
async fn locked(server: &TestServer, share: &Share, locks: Value) -> Value {
    let mut rule = json!({ "access_type": "ip", "access_to": ADDRESS });
    for (key, value) in locks.as_object().unwrap() {
        rule[key] = value.clone();
    }
    let rule = allow(server, share, rule).await.expect(200);
    assert_like_sample(&rule, "share-access-rules-show-response", &["metadata"]);
    rule["access"].clone()
}

async fn unrestrict(server: &TestServer, token: &str, share: &Share, rule: &Value) -> Answer {
    let body = json!({ "deny_access": { "access_id": rule["id"], "unrestrict": true } });
    act(server, token, V::MAX, &format!("shares/{}", share.id), body).await
}

async fn locks(server: &TestServer) -> Vec<Value> {
    let all = "/v2/resource-locks?all_projects=1&sort_dir=asc";
    let listed = server.get_as(ROOT, V::MAX, all).await.expect(200);
    listed["resource_locks"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_rule_locked_against_deletion_keeps_itself_and_its_share() {
    let (server, share, place) = one_share().await;
    let request = json!({ "lock_deletion": true, "lock_reason": "audit" });
    let rule = locked(&server, &share, request).await;
    let placed = locks(&server).await;
    let [on_rule, on_share] = placed.as_slice() else { panic!("{placed:?}") };
    let (on_rule, on_share) = match on_rule["resource_type"] == "share" {
        true => (on_share, on_rule),
        false => (on_rule, on_share),
    };
    assert_eq!(
        (&on_rule["resource_id"], &on_rule["lock_reason"], &on_rule["user_id"]),
        (&rule["id"], &json!("audit"), &json!("alice"))
    );
    let reason = format!("Locked by access lock: {}", on_rule["id"].as_str().unwrap());
    assert_eq!(
        (&on_share["resource_id"], &on_share["lock_reason"]),
        (&json!(share.id), &json!(reason))
    );
    for token in [ALICE, CARL, ROOT] {
        for version in [V(2, 81), V::MAX] {
            let body = json!({ "deny_access": { "access_id": rule["id"] } });
            let path = format!("shares/{}", share.id);
            let answer = act(&server, token, version, &path, body).await;
            assert!(answer.fault(403, "forbidden").contains("remove the locks"), "{token}");
        }
    }
    let message = unrestrict(&server, CARL, &share, &rule).await.fault(403, "forbidden");
    assert!(message.contains("not placed by you"), "{message}");
    let path = format!("/v2/shares/{}", share.id);
    assert_eq!(server.delete(&path).await.status, 403);
    assert_eq!(listed(&server, &share).await.len(), 1);

    assert_eq!(unrestrict(&server, ALICE, &share, &rule).await.status, 202);
    // The locks stay until the backend has done it.
    assert_eq!(locks(&server).await.len(), 2);
    assert_eq!(server.delete(&path).await.status, 403);
    assert!(settle(&server, Of::Shares, place.id.uuid(), &[]).await);
    assert_eq!((locks(&server).await, listed(&server, &share).await), (vec![], vec![]));
    assert_eq!(server.delete(&path).await.status, 202);
}

#[tokio::test]
async fn the_lock_of_a_share_goes_with_the_lock_it_came_with() {
    let (server, share, _) = one_share().await;
    let rule = locked(&server, &share, json!({ "lock_deletion": true })).await;
    let placed = locks(&server).await;
    let on_rule = placed.iter().find(|lock| lock["resource_type"] == "access_rule").unwrap();
    let path = format!("/v2/resource-locks/{}", on_rule["id"].as_str().unwrap());
    // A lock on reading no longer keeps the share.
    let show = json!({ "resource_lock": { "resource_action": "show" } });
    assert_eq!(server.put(&path, show).await.status, 200);
    assert_eq!(locks(&server).await.len(), 1);
    assert_eq!(server.delete(&path).await.status, 204);
    assert_eq!(deny(&server, &share, &rule).await.status, 202);

    let (server, share, _) = one_share().await;
    locked(&server, &share, json!({ "lock_deletion": true, "lock_visibility": true })).await;
    let placed = locks(&server).await;
    assert_eq!(placed.len(), 3);
    let is_cause = |lock: &&Value| {
        lock["resource_type"] == "access_rule" && lock["resource_action"] == "delete"
    };
    let on_rule = placed.iter().find(is_cause).unwrap();
    let path = format!("/v2/resource-locks/{}", on_rule["id"].as_str().unwrap());
    assert_eq!(server.delete(&path).await.status, 204);
    let left = locks(&server).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["resource_action"], "show");
}

#[tokio::test]
async fn a_hidden_rule_tells_only_its_user_and_administrators_whom_it_lets_in() {
    let (server, share, place) = one_share().await;
    let rule = locked(&server, &share, json!({ "lock_visibility": true })).await;
    assert_eq!(rule["access_to"], ADDRESS);
    assert!(settle(&server, Of::Shares, place.id.uuid(), &[]).await);
    allowed(&server, &share, "10.0.0.8").await;
    let list = format!("/v2/share-access-rules?share_id={}", share.id);
    let show = format!("/v2/share-access-rules/{}", rule["id"].as_str().unwrap());
    for (token, hidden) in [(ALICE, false), (ROOT, false), (CARL, true), (RITA, true)] {
        let (to, key) =
            if hidden { (json!("******"), json!("******")) } else { (json!(ADDRESS), json!(null)) };
        for version in [V(2, 45), V(2, 81), V::MAX] {
            let shown = server.get_as(token, version, &show).await.expect(200);
            assert_eq!(shown["access"]["access_to"], to, "{token} {version}");
            assert_eq!(shown["access"]["access_key"], key, "{token} {version}");
            let listed = server.get_as(token, version, &list).await.expect(200);
            assert_eq!(listed["access_list"][0]["access_to"], to, "{token} {version}");
            assert_eq!(listed["access_list"][1]["access_to"], "10.0.0.8", "{token} {version}");
        }
        let body = json!({ "access_list": null });
        let old = act(&server, token, V(2, 44), &format!("shares/{}", share.id), body).await;
        assert_eq!(old.expect(200)["access_list"][0]["access_to"], to, "{token}");
        // Nor can it be guessed.
        let guess = format!("{list}&access_type=ip&access_to={ADDRESS}");
        let found = server.get_as(token, V::MAX, &guess).await.expect(200);
        assert_eq!(found["access_list"].as_array().unwrap().len(), usize::from(!hidden), "{token}");
    }
    for level in ["rw", "ro"] {
        let body = json!({ "update_access": { "access_level": level } });
        let update = server.request(Method::PUT, &show).token(CARL).json(&body).send().await;
        assert_eq!(update.expect(200)["access"]["access_to"], "******", "{level}");
    }
    // A lock on reading keeps nobody from denying the rule.
    let body = json!({ "deny_access": { "access_id": rule["id"] } });
    let path = format!("shares/{}", share.id);
    assert_eq!(act(&server, CARL, V::MAX, &path, body).await.status, 202);
}

#[tokio::test]
async fn a_rule_is_hidden_once_and_locked_while_it_lasts() {
    let (server, share, place) = one_share().await;
    let rule = locked(&server, &share, json!({ "lock_visibility": true })).await;
    let post = async |token: &str, action: &str| {
        let lock = json!({
            "resource_id": rule["id"], "resource_type": "access_rule", "resource_action": action,
        });
        let body = json!({ "resource_lock": lock });
        server.request(Method::POST, "/v2/resource-locks").token(token).json(&body).send().await
    };
    for token in [ALICE, CARL, ROOT] {
        post(token, "show").await.fault(409, "conflictingRequest");
    }
    let second = post(CARL, "delete").await.expect(200)["resource_lock"].clone();
    let path = format!("/v2/resource-locks/{}", second["id"].as_str().unwrap());
    let show = json!({ "resource_lock": { "resource_action": "show" } });
    server.put(&path, show).await.fault(400, "badRequest");
    // Not his, but a lock on a rule that another placed.
    assert_eq!(unrestrict(&server, ALICE, &share, &rule).await.status, 403);
    assert_eq!(server.delete(&path).await.status, 204);
    assert_eq!(deny(&server, &share, &rule).await.status, 202);
    post(ALICE, "delete").await.fault(409, "conflictingRequest");
    assert!(settle(&server, Of::Shares, place.id.uuid(), &[]).await);
    post(ALICE, "delete").await.fault(400, "badRequest");
    assert_eq!(locks(&server).await, Vec::<Value>::new());
}

#[tokio::test]
async fn what_is_asked_of_locks_is_checked_and_comes_with_2_82() {
    let (server, share, _) = one_share().await;
    let path = format!("shares/{}", share.id);
    for bad in [
        json!({ "lock_visibility": "maybe" }),
        json!({ "lock_deletion": [] }),
        json!({ "lock_reason": "without a lock" }),
        json!({ "lock_deletion": true, "lock_reason": "x".repeat(1024) }),
        json!({ "lock_deletion": true, "lock_reason": 5 }),
    ] {
        let mut rule = json!({ "access_type": "ip", "access_to": ADDRESS });
        for (key, value) in bad.as_object().unwrap() {
            rule[key] = value.clone();
        }
        allow(&server, &share, rule.clone()).await.fault(400, "badRequest");
    }
    assert_eq!(listed(&server, &share).await.len(), 0);
    let rule = json!({ "access_type": "ip", "access_to": ADDRESS, "lock_deletion": true });
    act(&server, ALICE, V(2, 81), &path, json!({ "allow_access": rule })).await.expect(200);
    assert_eq!(locks(&server).await, Vec::<Value>::new());
}

/// What can't be locked by itself isn't by way of a rule either; nothing is left of the request.
#[tokio::test]
async fn a_rule_does_not_lock_a_share_that_is_going() {
    let (server, share, place) = one_share().await;
    let mut tx = server.app.db.write().await.unwrap();
    let place = share_instances::get_locked(&mut tx, place.id).await.unwrap().unwrap();
    let status = ShareStatus::ErrorDeleting;
    share_instances::take_over(&mut tx, &place, status, seed::THEN).await.unwrap();
    tx.commit().await.unwrap();
    let mut rule = json!({ "access_type": "ip", "access_to": ADDRESS, "lock_deletion": true });
    let message = allow(&server, &share, rule.clone()).await.fault(400, "badRequest");
    assert!(message.contains("not suitable for locking"), "{message}");
    assert_eq!((locks(&server).await, listed(&server, &share).await), (vec![], vec![]));
    rule["lock_deletion"] = json!(false);
    allow(&server, &share, rule).await.expect(200);
}

/// Of two changes of one lock at the same time, none is undone by the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_changes_of_a_lock_both_last() {
    let (server, share, _) = one_share().await;
    let rule = locked(&server, &share, json!({ "lock_visibility": true })).await;
    assert_eq!(rule["access_to"], ADDRESS);
    let path = format!("/v2/resource-locks/{}", locks(&server).await[0]["id"].as_str().unwrap());
    for (number, action) in ["delete", "show"].iter().cycle().take(24).enumerate() {
        let reason = number.to_string();
        let change = |change: Value| server.put(&path, json!({ "resource_lock": change }));
        let (one, other) = tokio::join!(
            change(json!({ "lock_reason": reason })),
            change(json!({ "resource_action": action })),
        );
        assert_eq!((one.status, other.status), (200, 200), "{} {}", one.text, other.text);
        let shown = server.get(&path).await.expect(200)["resource_lock"].clone();
        assert_eq!(
            (&shown["lock_reason"], &shown["resource_action"]),
            (&json!(reason), &json!(action))
        );
    }
}

/// Of a lock and a denial at the same time, one comes first, and the other is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn either_the_lock_or_the_denial() {
    let server = TestServer::start().await;
    for number in 1..=8 {
        let (share, place) = seed::share(number, "project");
        let share = Share { id: ShareId::random(), ..share };
        let id = abaca_model::ShareInstanceId::random();
        let place = ShareInstance { id, share_id: share.id, ..place };
        seed::add_share(&server.app.db, &share, std::slice::from_ref(&place)).await;
        let rule = allowed(&server, &share, ADDRESS).await;
        let lock = json!({ "resource_lock": {
            "resource_id": rule["id"], "resource_type": "access_rule",
        }});
        let lock =
            server.request(Method::POST, "/v2/resource-locks").token(ALICE).json(&lock).send();
        let (lock, denial) = tokio::join!(lock, deny(&server, &share, &rule));
        let both = (lock.status, denial.status);
        assert!(matches!(both, (200, 403) | (409, 202)), "{} / {}", lock.text, denial.text);
    }
}

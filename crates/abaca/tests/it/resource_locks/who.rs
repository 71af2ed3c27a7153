//! Who may place, see, change and remove which locks.

use abaca::api::V;
use abaca::policy::Policy;
use serde_json::json;

use super::{ALICE, BOB, CARL, ROOT, SERVICE, change, locked, one_share, path, post, remove};
use crate::support::{TestServer, seed};

const READER: &str = "rita:project:reader";

#[tokio::test]
async fn a_lock_is_its_users_and_administrators_own() {
    let (server, share, _) = one_share().await;
    let reason = json!({ "lock_reason": "changed" });
    let lock = locked(&server, ALICE, &share, "mine").await;
    assert_eq!(lock["lock_context"], "user");
    for (token, seen, changed) in
        [(CARL, 200, 403), (READER, 200, 403), (BOB, 404, 404), (SERVICE, 200, 200)]
    {
        let shown = server.get_as(token, V::MAX, &path(&lock)).await;
        assert_eq!(shown.status, seen, "{token}: {}", shown.text);
        let answer = change(&server, token, &lock, reason.clone()).await;
        assert_eq!(answer.status, changed, "{token}: {}", answer.text);
        if changed != 200 {
            assert_eq!(remove(&server, token, &lock).await.status, changed, "{token}");
        }
    }
    for token in [ALICE, ROOT] {
        change(&server, token, &lock, reason.clone()).await.expect(200);
    }
    assert_eq!(remove(&server, ROOT, &lock).await.status, 204);
    // To lock a share is to use it.
    assert_eq!(post(&server, READER, json!({ "resource_id": share.id })).await.status, 403);
    let message = post(&server, BOB, json!({ "resource_id": share.id })).await;
    assert_eq!(message.fault(400, "badRequest"), "No such resource found.");
    let (public, place) = seed::share(2, "project");
    let public = abaca_model::Share { is_public: true, ..public };
    seed::add_share(&server.app.db, &public, std::slice::from_ref(&place)).await;
    assert_eq!(post(&server, BOB, json!({ "resource_id": public.id })).await.status, 403);
}

/// Even where a policy lets a member change every lock of his project, those that an administrator
/// placed are above him.
#[tokio::test]
async fn nobody_moves_a_lock_placed_from_above() {
    let rules = json!({
        "resource_lock:get": "@",
        "resource_lock:update": "@",
        "resource_lock:delete": "@",
        // An administrator of the project itself.
        "context_is_admin": "role:admin",
    });
    let server = TestServer::with_policy(Policy::from_rules(&rules).unwrap()).await;
    let (share, place) = seed::share(1, "project");
    seed::add_share(&server.app.db, &share, std::slice::from_ref(&place)).await;
    let lock = locked(&server, "root:project:admin", &share, "from above").await;
    assert_eq!((&lock["lock_context"], &lock["project_id"]), (&json!("admin"), &json!("project")));
    for answer in [
        change(&server, ALICE, &lock, json!({ "lock_reason": "x" })).await,
        remove(&server, ALICE, &lock).await,
    ] {
        assert!(answer.fault(403, "forbidden").contains("contact the administrator"));
    }
    let mine = locked(&server, ALICE, &share, "mine").await;
    assert_eq!(remove(&server, CARL, &mine).await.status, 204);
    assert_eq!(remove(&server, ROOT, &lock).await.status, 204);
}

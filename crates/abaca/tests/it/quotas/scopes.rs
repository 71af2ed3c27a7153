//! Which limit is in force, and what counts against it.

use abaca::api::V;
use abaca_model::ShareStatus;
use abaca_model::quota::{Limit, Resource};
use axum::http::Method;
use serde_json::{Value, json};

use super::{ALICE, AMY, ask, detail, set, shown};
use crate::shares::{DEFAULT_SPECS, act, add_type, create, created, prepared, set_status, settle};
use crate::support::{Answer, TestServer};

async fn server() -> TestServer {
    let server = prepared(TestServer::start().await).await;
    add_type(&server, 1, "gold", &DEFAULT_SPECS).await;
    server
}

fn share(size: i64, share_type: &str) -> Value {
    json!({ "size": size, "share_proto": "NFS", "share_type": share_type })
}

async fn snapshot(server: &TestServer, token: &str, share: impl ToString) -> Answer {
    let body = json!({ "snapshot": { "share_id": share.to_string() } });
    server.request(Method::POST, "/v2/snapshots").token(token).json(&body).send().await
}

async fn delete(server: &TestServer, whose: &str) {
    let path = format!("/v2/quota-sets/{whose}");
    let answer = ask(server, Method::DELETE, V::MAX, "root:admin:admin", &path).await;
    assert_eq!((answer.status, answer.text.as_str()), (202, ""));
}

#[tokio::test]
async fn a_project_has_its_limits() {
    let server = server().await;
    set(&server, "project", json!({ "shares": 2, "gigabytes": 10 })).await;
    create(&server, ALICE, share(8, "default")).await.expect(200);
    let answer = create(&server, ALICE, share(3, "default")).await;
    assert_eq!(answer.header("retry-after"), Some("0"));
    let message = answer.fault(413, "overLimit");
    assert_eq!(
        message,
        "ShareSizeExceedsAvailableQuota: Requested share exceeds allowed project/user or share \
         type gigabytes quota."
    );
    create(&server, ALICE, share(2, "default")).await.expect(200);
    let over_both = create(&server, ALICE, share(1, "default")).await.fault(413, "overLimit");
    assert!(over_both.starts_with("ShareSizeExceedsAvailableQuota"), "sizes first: {over_both}");
    create(&server, "bob:other:member", share(11, "default")).await.expect(200);
}

#[tokio::test]
async fn a_project_has_so_many_shares_and_no_more() {
    let limits = [(Resource::Shares, Limit::AtMost(1))];
    let server = prepared(TestServer::with_quota(&limits).await).await;
    let first = created(&server, ALICE).await;
    let message = create(&server, ALICE, share(1, "default")).await.fault(413, "overLimit");
    assert_eq!(
        message,
        "ShareLimitExceeded: Maximum number of shares allowed (1) either per project/user or \
         share type quota is exceeded."
    );
    // A failed share counts until it is deleted, as long as its row is there.
    set_status(&server, first, ShareStatus::Error).await;
    create(&server, ALICE, share(1, "default")).await.fault(413, "overLimit");
}

#[tokio::test]
async fn the_nearest_limit_is_in_force() {
    let server = server().await;
    let shares = async |whose: &str| shown(&server, whose).await["shares"].as_i64().unwrap();
    let [project, user, gold] = ["project", "project?user_id=alice", "project?share_type=gold"];
    let all = async || [shares(project).await, shares(user).await, shares(gold).await];
    assert_eq!(all().await, [50, 50, 50]);
    let class = json!({ "quota_class_set": { "shares": 40 } });
    server.put("/v2/quota-class-sets/default", class).await.expect(200);
    assert_eq!(all().await, [40, 40, 40]);
    assert_eq!(shares("project/defaults").await, 40);
    set(&server, project, json!({ "shares": 30 })).await;
    assert_eq!(all().await, [30, 30, 30]);
    assert_eq!(shares("project/defaults").await, 40);
    assert_eq!(shares("another").await, 40);
    set(&server, user, json!({ "shares": 20 })).await;
    set(&server, gold, json!({ "shares": 10 })).await;
    assert_eq!(all().await, [30, 20, 10]);
    assert_eq!(shares("project?user_id=amy").await, 30);
    // The type by its id, as well as by its name.
    let id = crate::support::seed::uuid(1);
    assert_eq!(shares(&format!("project?share_type={id}")).await, 10);
    delete(&server, gold).await;
    assert_eq!(all().await, [30, 20, 30]);
    set(&server, gold, json!({ "shares": 10 })).await;
    delete(&server, project).await;
    assert_eq!(all().await, [40, 40, 10], "a project's limits go with its users'");
}

#[tokio::test]
async fn each_scope_bounds_shares_and_their_size() {
    let server = server().await;
    set(&server, "project", json!({ "shares": 4, "gigabytes": 100 })).await;
    set(&server, "project?user_id=alice", json!({ "shares": 2 })).await;
    set(&server, "project?share_type=gold", json!({ "gigabytes": 10 })).await;
    create(&server, ALICE, share(1, "default")).await.expect(200);
    create(&server, ALICE, share(8, "gold")).await.expect(200);
    let of_user = create(&server, ALICE, share(1, "default")).await.fault(413, "overLimit");
    assert!(of_user.contains("number of shares allowed (2)"), "{of_user}");
    let of_type = create(&server, AMY, share(3, "gold")).await.fault(413, "overLimit");
    assert!(of_type.starts_with("ShareSizeExceedsAvailableQuota: "), "{of_type}");
    create(&server, AMY, share(2, "gold")).await.expect(200);
    create(&server, AMY, share(1, "default")).await.expect(200);
    let of_project = create(&server, AMY, share(1, "default")).await.fault(413, "overLimit");
    assert!(of_project.contains("number of shares allowed (4)"), "{of_project}");
    create(&server, "bob:other:member", share(50, "gold")).await.expect(200);
    for (whose, expected) in [
        ("project", [100, 12, 0]),
        ("project?user_id=alice", [100, 9, 0]),
        ("project?user_id=amy", [100, 3, 0]),
        ("project?share_type=gold", [10, 10, 0]),
    ] {
        assert_eq!(detail(&server, whose, "gigabytes").await, expected, "{whose}");
    }
    let limits = server.get_as(AMY, V::MAX, "/v2/limits").await.expect(200);
    let absolute = &limits["limits"]["absolute"];
    assert_eq!(absolute["totalShareGigabytesUsed"], 12, "of the whole project");
    assert_eq!((&absolute["maxTotalShares"], &absolute["totalSharesUsed"]), (&json!(4), &json!(4)));
}

#[tokio::test]
async fn a_user_without_limit_has_the_projects() {
    let server = server().await;
    set(&server, "project?user_id=alice", json!({ "shares": -1, "force": true })).await;
    set(&server, "project", json!({ "shares": 1 })).await;
    created(&server, ALICE).await;
    create(&server, ALICE, share(1, "default")).await.fault(413, "overLimit");
    // The reference sums the user's alone against the project's limit.
    create(&server, AMY, share(1, "default")).await.fault(413, "overLimit");
}

#[tokio::test]
async fn a_snapshot_counts_for_who_takes_it_and_its_shares_type() {
    let server = server().await;
    let made = create(&server, ALICE, share(4, "gold")).await.expect(200);
    let id = made["share"]["id"].as_str().unwrap().parse().unwrap();
    settle(&server, id).await;
    set(&server, "project?user_id=amy", json!({ "snapshots": 1 })).await;
    set(&server, "project?share_type=gold", json!({ "snapshot_gigabytes": 8 })).await;
    snapshot(&server, AMY, id).await.expect(202);
    let message = snapshot(&server, AMY, id).await.fault(413, "overLimit");
    assert_eq!(
        message,
        "SnapshotLimitExceeded: Maximum number of snapshots allowed (1) either per project/user or \
         share type quota is exceeded."
    );
    snapshot(&server, ALICE, id).await.expect(202);
    let answer = snapshot(&server, ALICE, id).await;
    assert_eq!(answer.header("retry-after"), Some("0"));
    assert!(answer.fault(413, "overLimit").starts_with("SnapshotSizeExceedsAvailableQuota: "));
    assert_eq!(detail(&server, "project?user_id=amy", "snapshots").await, [1, 1, 0]);
    let of_type = detail(&server, "project?share_type=gold", "snapshot_gigabytes").await;
    assert_eq!(of_type, [8, 8, 0]);
}

#[tokio::test]
async fn what_an_extend_asks_for_is_reserved() {
    let server = server().await;
    let id = created(&server, ALICE).await;
    settle(&server, id).await;
    set(&server, "project?user_id=alice", json!({ "gigabytes": 10 })).await;
    let grow = |size| json!({ "extend": { "new_size": size } });
    // Whoever asks: the owner of the share pays.
    let root = "root:admin:admin";
    assert_eq!(
        act(&server, root, id, grow(11)).await.fault(403, "forbidden"),
        "Requested share exceeds allowed project/user or share type gigabytes quota."
    );
    act(&server, root, id, grow(9)).await.expect(202);
    for whose in ["project?user_id=alice", "project?share_type=default"] {
        assert_eq!(detail(&server, whose, "gigabytes").await[1..], [1, 8], "{whose}");
    }
    let limits = server.get_as(ALICE, V::MAX, "/v2/limits").await.expect(200);
    assert_eq!(limits["limits"]["absolute"]["totalShareGigabytesUsed"], 1);
    create(&server, ALICE, share(2, "gold")).await.fault(413, "overLimit");
    let too_low = super::put(&server, "project?user_id=alice", json!({ "gigabytes": 8 })).await;
    assert_eq!(
        too_low.fault(400, "badRequest"),
        "Quota value 8 for gigabytes is smaller than already used and reserved 9."
    );
    set_status(&server, id, ShareStatus::ExtendingError).await;
    assert_eq!(detail(&server, "project", "gigabytes").await, [1000, 1, 0]);
}

#[tokio::test]
async fn one_share_is_bounded_by_every_scope() {
    let server = server().await;
    let gigabytes = |size: i64| json!({ "per_share_gigabytes": size });
    set(&server, "project", gigabytes(5)).await;
    set(&server, "project?user_id=alice", gigabytes(4)).await;
    set(&server, "project?share_type=gold", gigabytes(3)).await;
    for (token, share_type, allowed) in [
        (AMY, "default", 5),
        (ALICE, "default", 4),
        (AMY, "gold", 3),
        (ALICE, "gold", 3),
        ("bob:other:member", "gold", 50),
    ] {
        if allowed < 50 {
            let refused = create(&server, token, share(allowed + 1, share_type)).await;
            assert_eq!(
                refused.fault(413, "overLimit"),
                format!(
                    "ShareSizeExceedsLimit: Requested share size {} is larger than maximum \
                     allowed limit {allowed}.",
                    allowed + 1
                )
            );
        }
        create(&server, token, share(allowed, share_type)).await.expect(200);
    }
    let made = create(&server, ALICE, share(1, "gold")).await.expect(200);
    let id = made["share"]["id"].as_str().unwrap().parse().unwrap();
    settle(&server, id).await;
    let grow = |size| json!({ "extend": { "new_size": size } });
    act(&server, ALICE, id, grow(4)).await.fault(413, "overLimit");
    act(&server, ALICE, id, grow(3)).await.expect(202);
    assert_eq!(detail(&server, "project", "per_share_gigabytes").await, [5, 0, 0]);
}

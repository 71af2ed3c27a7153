//! In which statuses of the share its rules can be changed.

use abaca::api::V;
use abaca_model::{ShareStatus, Timestamp};
use abaca_store::access_rules::Of;
use abaca_store::share_work;
use serde_json::{Value, json};

use super::{ALICE, act, allow, allowed, one_share, settle, share_status};
use crate::support::TestServer;

/// Rules can't be changed while something happens to the share.
fn passes(status: ShareStatus) -> bool {
    use ShareStatus::{
        Available, AwaitingTransfer, Error, ErrorDeleting, ExtendingError, Inactive, ManageError,
        ReplicationChange, RevertingError, ShrinkingError, ShrinkingPossibleDataLossError,
        UnmanageError, Unmanaged,
    };
    !matches!(
        status,
        Available
            | AwaitingTransfer
            | Error
            | ErrorDeleting
            | ExtendingError
            | Inactive
            | ManageError
            | ReplicationChange
            | RevertingError
            | ShrinkingError
            | ShrinkingPossibleDataLossError
            | UnmanageError
            | Unmanaged
    )
}

#[tokio::test]
async fn the_share_must_be_at_rest() {
    let (server, share, place) = one_share().await;
    let set = async |status| {
        let mut tx = server.app.db.write().await.unwrap();
        let now = Timestamp::now();
        share_work::set_status(&mut tx, place.id, place.fence, status, now).await.unwrap();
        tx.commit().await.unwrap();
    };
    let path = format!("shares/{}", share.id);
    // A tenant does not see a share whose deletion was put off.
    let statuses = ShareStatus::ALL.iter().copied();
    let statuses = statuses.filter(|status| !status.as_str().contains("deferred"));
    for (number, status) in statuses.enumerate() {
        set(ShareStatus::Available).await;
        let rule = allowed(&server, &share, &format!("10.0.0.{number}")).await;
        set(status).await;
        let address = format!("10.1.0.{number}");
        let new = json!({ "access_type": "ip", "access_to": address });
        let bodies = [
            ("allow", json!({ "allow_access": new })),
            ("deny", json!({ "deny_access": { "access_id": rule["id"] } })),
        ];
        for version in [V(2, 73), V(2, 74)] {
            for (name, body) in &bodies {
                let answer = act(&server, ALICE, version, &path, body.clone()).await;
                let in_error = status == ShareStatus::Error && version < V(2, 74);
                // What 2.73 did is there at 2.74.
                let repeated =
                    *name == "allow" && version == V(2, 74) && status != ShareStatus::Error;
                if passes(status) || in_error {
                    let message = answer.fault(400, "badRequest");
                    assert!(message.contains("invalid state"), "{name} {status}: {message}");
                } else if repeated {
                    answer.fault(400, "badRequest");
                } else {
                    assert!(answer.status < 300, "{name} {status} {version}: {}", answer.text);
                }
            }
        }
    }
}

#[tokio::test]
async fn a_share_without_a_place_has_no_door() {
    let server = TestServer::start().await;
    let (share, mut place) = crate::support::seed::share(1, "project");
    place.host = None;
    crate::support::seed::add_share(&server.app.db, &share, &[place]).await;
    let rule = json!({ "access_type": "ip", "access_to": "10.0.0.1" });
    let message = allow(&server, &share, rule).await.fault(400, "badRequest");
    assert!(message.contains("lacks a valid host"), "{message}");
}

#[tokio::test]
async fn before_2_28_a_rule_in_error_stops_new_ones() {
    let (server, share, place) = one_share().await;
    let path = format!("shares/{}", share.id);
    let bad = allowed(&server, &share, "10.0.0.1").await;
    assert_eq!(share_status(&server, &share).await, "syncing");
    settle(&server, Of::Shares, place.id.uuid(), &["10.0.0.1"]).await;
    assert_eq!(share_status(&server, &share).await, "error");
    let body = json!({ "allow_access": { "access_type": "ip", "access_to": "10.0.0.2" } });
    let message = act(&server, ALICE, V(2, 27), &path, body.clone()).await.fault(400, "badRequest");
    assert!(message.contains("Deny any rules in error state"), "{message}");
    let list = json!({ "access_list": null });
    let shown = act(&server, ALICE, V(2, 27), &path, list).await.expect(200);
    assert_eq!(shown["access_list"][0]["state"], "error");

    act(&server, ALICE, V(2, 28), &path, body).await.expect(200);
    settle(&server, Of::Shares, place.id.uuid(), &[]).await;
    let states = async || -> Vec<Value> {
        let rules = super::listed(&server, &share).await;
        rules.iter().map(|rule| rule["state"].clone()).collect()
    };
    assert_eq!(states().await, [json!("error"), json!("active")], "it is left until it is denied");
    assert_eq!(share_status(&server, &share).await, "error");

    super::deny(&server, &share, &bad).await.expect(202);
    assert_eq!(states().await, [json!("queued_to_deny"), json!("active")]);
    settle(&server, Of::Shares, place.id.uuid(), &[]).await;
    assert_eq!(states().await, [json!("active")]);
    assert_eq!(share_status(&server, &share).await, "active");
}

#[tokio::test]
async fn a_share_in_the_recycle_bin_keeps_its_rules() {
    let (server, share, _) = one_share().await;
    let rule = allowed(&server, &share, "10.0.0.1").await;
    let action = format!("/v2/shares/{}/action", share.id);
    server.post(&action, json!({ "soft_delete": null })).await.expect(202);
    let new = json!({ "access_type": "ip", "access_to": "10.0.0.2" });
    let path = format!("/v2/share-access-rules/{}", rule["id"].as_str().unwrap());
    let level = json!({ "update_access": { "access_level": "ro" } });
    for (answer, what) in [
        (allow(&server, &share, new).await, "allow"),
        (super::deny(&server, &share, &rule).await, "deny"),
        (server.put(&path, level).await, "update"),
    ] {
        let message = answer.fault(403, "forbidden");
        let id = share.id;
        assert_eq!(
            message,
            format!("Cannot {what} access for share '{id}' since it has been soft deleted.")
        );
    }
    assert_eq!(super::listed(&server, &share).await.len(), 1);
}

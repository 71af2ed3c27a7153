//! An administrator's reset: stands, is on record, shuts out what was at work.

use abaca_model::SnapshotStatus;
use abaca_store::{audit, snapshot_instances};
use axum::http::Method;
use serde_json::json;

use super::one_snapshot;

#[tokio::test]
async fn every_status_can_be_set_and_every_reset_is_on_record() {
    let (server, snapshot, instance) = one_snapshot().await;
    let path = format!("/v2/snapshot-instances/{}", instance.id);
    let statuses = [
        "error",
        "creating",
        "deleting",
        "error_deleting",
        "migrating",
        "migrating_to",
        "server_migrating",
        "available",
        "available",
    ];
    let mut before = "available".to_owned();
    for (number, status) in statuses.iter().enumerate() {
        let answer = server
            .request(Method::POST, &format!("{path}/action"))
            .header(
                "x-openstack-request-id",
                &format!("req-{}", crate::support::seed::uuid(number as u128)),
            )
            .json(&json!({ "reset_status": { "status": status } }))
            .send()
            .await;
        assert_eq!((answer.status, answer.text.as_str()), (202, ""));
        let show = server.get(&path).await.expect(200);
        assert_eq!(show["snapshot_instance"]["status"], *status);
        let mut tx = server.app.db.read().await.unwrap();
        let records = audit::of_resource(&mut tx, &instance.id.to_string()).await.unwrap();
        let record = records.last().unwrap();
        assert_eq!(records.len(), number + 1);
        assert_eq!(
            (record.status_from.as_str(), record.status_to.as_str()),
            (before.as_str(), *status)
        );
        assert_eq!((record.user_id.as_str(), record.project_id.as_str()), ("admin", "admin"));
        assert_eq!(record.action, "reset_status");
        assert_eq!(record.resource_type, "snapshot_instance");
        assert_eq!(Some(record.request_id.as_str()), answer.header("x-openstack-request-id"));
        before = (*status).to_owned();
    }
    let path = format!("/v2/snapshots/{}", snapshot.id);
    assert_eq!(server.get(&path).await.expect(200)["snapshot"]["status"], "available");
}

#[tokio::test]
async fn a_reset_raises_the_fence_and_leaves_the_rest() {
    let (server, _, instance) = one_snapshot().await;
    let body = json!({ "reset_status": { "status": "error", "more": 1 } });
    server.post(&format!("/v2/snapshot-instances/{}/action", instance.id), body).await.expect(202);
    let mut tx = server.app.db.read().await.unwrap();
    let reset = snapshot_instances::get(&mut tx, instance.id).await.unwrap().unwrap();
    assert!(reset.updated_at > instance.updated_at);
    let expected = abaca_model::SnapshotInstance {
        status: SnapshotStatus::Error,
        fence: instance.fence + 1,
        updated_at: reset.updated_at,
        ..instance
    };
    assert_eq!(reset, expected);
}

#[tokio::test]
async fn resets_at_the_same_time_are_all_on_record() {
    let (server, _, instance) = one_snapshot().await;
    let path = format!("/v2/snapshot-instances/{}/action", instance.id);
    let resets = (0..16).map(|number| {
        let status = ["error", "available"][number % 2];
        server.post(&path, json!({ "reset_status": { "status": status } }))
    });
    for answer in futures_util::future::join_all(resets).await {
        answer.expect(202);
    }
    let mut tx = server.app.db.read().await.unwrap();
    let last = snapshot_instances::get(&mut tx, instance.id).await.unwrap().unwrap();
    assert_eq!(last.fence, instance.fence + 16);
    let records = audit::of_resource(&mut tx, &instance.id.to_string()).await.unwrap();
    assert_eq!(records.len(), 16);
    let began_as_the_one_before_ended =
        records.windows(2).filter(|pair| pair[0].status_to == pair[1].status_from).count();
    // Records of the same microsecond have no order among them.
    assert!(began_as_the_one_before_ended > 0);
}

//! Reverting a share to its latest snapshot.

use abaca::api::V;
use abaca_model::quota::{Limit, Resource};
use abaca_model::{
    AccessRulesStatus, OperationKind, Share, ShareCapabilities, ShareId, ShareInstance,
    ShareStatus, Snapshot, SnapshotId, SnapshotInstance, SnapshotStatus, TaskState, Timestamp,
};
use abaca_store::operations::{self, NewOperation};
use abaca_store::{snapshot_instances, snapshot_work};
use serde_json::{Value, json};

use super::{
    ALICE, BOB, RITA, act, act_at, add, add_type, instance_of, operations_of, server, set_status,
};
use crate::support::{TestServer, sample, seed};

/// A share of 3 GiB whose latest snapshot is of 5 GiB, and an earlier snapshot.
struct Scene {
    share: ShareId,
    latest: SnapshotInstance,
    earlier: SnapshotId,
}

async fn scene(server: &TestServer, number: u128, change: impl FnOnce(&mut Share)) -> Scene {
    let (mut share, instance) = seed::share(number, "project");
    share.size = 3;
    change(&mut share);
    add(server, &[(share.clone(), instance.clone())]).await;
    let (earlier, _) = add_snapshot(server, number + 1, &instance, 0).await;
    let (_, latest) = add_snapshot(server, number + 2, &instance, 1).await;
    Scene { share: share.id, latest, earlier: earlier.id }
}

async fn add_snapshot(
    server: &TestServer,
    number: u128,
    place: &ShareInstance,
    seconds: i64,
) -> (Snapshot, SnapshotInstance) {
    let (snapshot, instance) = seed::snapshot(number, place);
    let created_at = Timestamp::from_micros(seed::THEN.micros() + seconds * 1_000_000);
    let snapshot = Snapshot { size: 5, share_size: 5, created_at, ..snapshot };
    seed::add_snapshot(&server.app.db, &snapshot, std::slice::from_ref(&instance)).await;
    (snapshot, instance)
}

fn to(snapshot: SnapshotId) -> Value {
    json!({ "revert": { "snapshot_id": snapshot } })
}

async fn set_snapshot(server: &TestServer, instance: &SnapshotInstance, status: SnapshotStatus) {
    let mut tx = server.app.db.write().await.unwrap();
    let (id, fence) = (instance.id, instance.fence);
    let set = snapshot_work::set_status(&mut tx, id, fence, status, Timestamp::now()).await;
    assert!(set.unwrap());
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn share_and_snapshot_are_taken_over_and_the_size_asked_for_counts() {
    let server = server().await;
    let scene = scene(&server, 1, |_| ()).await;
    let mut request = sample("share-actions-revert-to-snapshot-request");
    request["revert"]["snapshot_id"] = json!(scene.latest.snapshot_id);
    let answer = act(&server, ALICE, scene.share, request).await;
    assert_eq!((answer.status, answer.text.as_str()), (202, ""));

    let instance = instance_of(&server, scene.share).await;
    assert_eq!((instance.status, instance.fence), (ShareStatus::Reverting, 2));
    let mut tx = server.app.db.read().await.unwrap();
    let copy = snapshot_instances::get(&mut tx, scene.latest.id).await.unwrap().unwrap();
    drop(tx);
    let counted = server.get("/v2/quota-sets/project/detail").await.expect(200);
    assert_eq!((copy.status, copy.fence), (SnapshotStatus::Restoring, 2));
    let gigabytes = &counted["quota_set"]["gigabytes"];
    assert_eq!((&gigabytes["in_use"], &gigabytes["reserved"]), (&json!(3), &json!(2)));
    let operations = operations_of(&server, scene.share).await;
    let [operation] = &operations[..] else { panic!("{operations:?}") };
    assert_eq!((operation.kind, operation.resource_fence), (OperationKind::RevertShare, 2));
    let mut arguments: Value = serde_json::from_str(&operation.arguments).unwrap();
    arguments.as_object_mut().unwrap().remove("generation");
    let expected = json!({ "snapshot_instance": scene.latest.id, "snapshot_fence": 2, "size": 5 });
    assert_eq!(arguments, expected);
    // While it is at work there is no second one.
    let again = act(&server, ALICE, scene.share, to(scene.latest.snapshot_id)).await;
    assert!(again.fault(409, "conflictingRequest").contains("'reverting'"));
}

/// A backend takes a revert with the generation of an earlier one for its repetition.
#[tokio::test]
async fn each_revert_has_a_higher_generation_whatever_the_database_remembers() {
    let server = server().await;
    let before = Timestamp::now().micros();
    let scene = scene(&server, 1, |_| ()).await;
    let instance = instance_of(&server, scene.share).await;
    // An earlier one that came by a host whose clock is an hour ahead.
    let ahead = before + 3_600_000_000;
    for (earlier, at_least) in [(None, before), (Some(ahead), ahead + 1), (None, ahead + 2)] {
        if let Some(generation) = earlier {
            let arguments = json!({ "snapshot_instance": scene.latest.id, "snapshot_fence": 1,
                "size": 5, "generation": generation });
            let mut tx = server.app.db.write().await.unwrap();
            let new = NewOperation {
                kind: OperationKind::RevertShare,
                resource_id: instance.id.uuid(),
                resource_fence: 1,
                service: Some("nobody@nowhere"),
                arguments: arguments.to_string(),
                project_id: "project",
                user_id: "alice",
                request_id: "req-1",
                now: Timestamp::now(),
            };
            operations::enqueue(&mut tx, &new).await.unwrap();
            tx.commit().await.unwrap();
        }
        set_status(&server, scene.share, ShareStatus::Available).await;
        make_available(&server, &scene.latest).await;
        let answer = act(&server, ALICE, scene.share, to(scene.latest.snapshot_id)).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        let newest = operations_of(&server, scene.share).await.into_iter().map(|operation| {
            let arguments: Value = serde_json::from_str(&operation.arguments).unwrap();
            arguments["generation"].as_i64().unwrap()
        });
        let newest = newest.max().unwrap();
        assert!(newest >= at_least, "{newest} is below {at_least}");
        assert!(earlier.is_none() || newest == at_least, "{newest} is not the next");
    }
}

/// As the end of an operation makes it, whatever its fence is by now.
async fn make_available(server: &TestServer, instance: &SnapshotInstance) {
    let mut tx = server.app.db.read().await.unwrap();
    let now = snapshot_instances::get(&mut tx, instance.id).await.unwrap().unwrap();
    drop(tx);
    set_snapshot(server, &now, SnapshotStatus::Available).await;
}

#[tokio::test]
async fn not_of_a_share_in_the_recycle_bin_nor_of_one_that_is_being_migrated() {
    let server = server().await;
    let binned = scene(&server, 1, |share| share.scheduled_to_be_deleted_at = Some(seed::THEN));
    let binned = binned.await;
    let answer = act(&server, ALICE, binned.share, to(binned.latest.snapshot_id)).await;
    assert!(answer.fault(403, "forbidden").contains("soft deleted"));
    let busy = scene(&server, 11, |share| share.task_state = Some(TaskState::MigrationInProgress));
    let busy = busy.await;
    let answer = act(&server, ALICE, busy.share, to(busy.latest.snapshot_id)).await;
    assert!(answer.fault(409, "conflictingRequest").contains("migration_in_progress"));
    for share in [binned.share, busy.share] {
        assert!(operations_of(&server, share).await.is_empty(), "nothing was begun");
    }
}

#[tokio::test]
async fn only_the_latest_snapshot_of_the_share_itself() {
    let server = server().await;
    let first = scene(&server, 1, |_| ()).await;
    let second = scene(&server, 11, |_| ()).await;
    let at = |snapshot| act(&server, ALICE, first.share, to(snapshot));
    let message = at(first.earlier).await.fault(409, "conflictingRequest");
    assert!(message.contains(&first.latest.snapshot_id.to_string()), "it names the latest");
    let message = at(second.latest.snapshot_id).await.fault(400, "badRequest");
    assert!(message.contains("is not a snapshot of share"), "{message}");
    let message = at(SnapshotId::random()).await.fault(400, "badRequest");
    assert!(message.contains("could not be found"), "{message}");
    for body in [json!({}), json!({"snapshot_id": null}), json!({"snapshot_id": 5}), json!(null)] {
        act(&server, ALICE, first.share, json!({ "revert": body })).await.fault(400, "badRequest");
    }
    assert!(operations_of(&server, first.share).await.is_empty(), "nothing was begun");
}

#[tokio::test]
async fn a_share_must_offer_it_and_be_at_rest() {
    let server = server().await;
    let latest = |scene: &Scene| to(scene.latest.snapshot_id);
    let without = scene(&server, 1, |share| {
        share.capabilities =
            ShareCapabilities { snapshot_support: true, ..ShareCapabilities::default() };
    })
    .await;
    let message = act(&server, ALICE, without.share, latest(&without)).await;
    assert!(message.fault(400, "badRequest").contains("does not offer it"));

    let scene = scene(&server, 11, |_| ()).await;
    for status in [ShareStatus::Error, ShareStatus::Extending, ShareStatus::RevertingError] {
        set_status(&server, scene.share, status).await;
        let answer = act(&server, ALICE, scene.share, latest(&scene)).await;
        assert!(answer.fault(409, "conflictingRequest").contains(status.as_str()));
    }
    set_status(&server, scene.share, ShareStatus::Available).await;
    for status in [SnapshotStatus::Error, SnapshotStatus::Creating] {
        set_snapshot(&server, &scene.latest, status).await;
        let answer = act(&server, ALICE, scene.share, latest(&scene)).await;
        assert!(answer.fault(409, "conflictingRequest").contains(status.as_str()));
    }
    set_snapshot(&server, &scene.latest, SnapshotStatus::Available).await;
    assert_eq!(act(&server, ALICE, scene.share, latest(&scene)).await.status, 202);
}

#[tokio::test]
async fn not_while_access_rules_change() {
    let server = server().await;
    let (share, instance) = seed::share(1, "project");
    let access_rules_status = AccessRulesStatus::Syncing;
    add(&server, &[(share.clone(), ShareInstance { access_rules_status, ..instance.clone() })])
        .await;
    let (snapshot, _) = add_snapshot(&server, 2, &instance, 0).await;
    let answer = act(&server, ALICE, share.id, to(snapshot.id)).await;
    assert!(answer.fault(409, "conflictingRequest").contains("access rules"));
}

#[tokio::test]
async fn a_larger_snapshot_needs_quota_for_the_difference() {
    let server = TestServer::with_quota(&[(Resource::Gigabytes, Limit::AtMost(4))]).await;
    add_type(&server, 0, "default", &super::DEFAULT_SPECS).await;
    let scene = scene(&server, 1, |_| ()).await;
    act(&server, ALICE, scene.share, to(scene.latest.snapshot_id)).await.fault(403, "forbidden");
    assert_eq!(instance_of(&server, scene.share).await.status, ShareStatus::Available);
}

#[tokio::test]
async fn what_an_earlier_extend_asked_for_does_not_count() {
    let server = server().await;
    let scene = scene(&server, 1, |share| share.size = 5).await;
    let mut tx = server.app.db.write().await.unwrap();
    abaca_store::shares::request_size(&mut tx, scene.share, 100).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(act(&server, ALICE, scene.share, to(scene.latest.snapshot_id)).await.status, 202);
    let path = "/v2/quota-sets/project/detail";
    let gigabytes = &server.get(path).await.expect(200)["quota_set"]["gigabytes"];
    assert_eq!((&gigabytes["in_use"], &gigabytes["reserved"]), (&json!(5), &json!(0)));
}

#[tokio::test]
async fn it_is_the_projects_members_to_do() {
    let server = server().await;
    let scene = scene(&server, 1, |_| ()).await;
    let body = to(scene.latest.snapshot_id);
    act(&server, BOB, scene.share, body.clone()).await.fault(404, "itemNotFound");
    act(&server, RITA, scene.share, body.clone()).await.fault(403, "forbidden");
    let early = act_at(&server, V(2, 26), ALICE, scene.share, body.clone()).await;
    early.fault(404, "itemNotFound");
    assert_eq!(act_at(&server, V(2, 27), ALICE, scene.share, body).await.status, 202);
}

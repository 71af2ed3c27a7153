//! Taking a snapshot: one transaction for rows, quota and operations.

use abaca::api::V;
use abaca_model::quota::Resource;
use abaca_model::{OperationKind, OperationState, ShareInstance, ShareInstanceId, ShareStatus};
use abaca_store::quota::{self, Subject};
use abaca_store::{operations, share_instances, shares, snapshot_instances};
use axum::http::Method;
use serde_json::{Value, json};

use super::{ALICE, one_share};
use crate::support::{Answer, TestServer, assert_like_sample, seed};

async fn create(server: &TestServer, body: Value) -> Answer {
    server.request(Method::POST, "/v2/snapshots").token(ALICE).json(&body).send().await
}

/// How many snapshots count against the project's quota.
async fn counted(server: &TestServer) -> i64 {
    let mut tx = server.app.db.read().await.unwrap();
    let usage = quota::of_snapshots(&mut tx, "project", Subject::Project).await.unwrap();
    usage[&Resource::Snapshots].in_use
}

#[tokio::test]
async fn a_snapshot_its_instances_and_their_operations_are_made_together() {
    let (server, share, place) = one_share().await;
    let second = ShareInstance {
        id: ShareInstanceId::from(seed::uuid(7)),
        host: Some("seed@other#pool".to_owned()),
        ..place.clone()
    };
    let mut tx = server.app.db.write().await.unwrap();
    share_instances::insert(&mut tx, &second).await.unwrap();
    tx.commit().await.unwrap();
    let body = json!({ "snapshot": {
        "share_id": share.id, "name": "n1", "description": "d1", "force": "False",
        "metadata": { "key": "value" },
    }});
    let created = create(&server, body).await.expect(202);
    let mut like_sample = created.clone();
    like_sample["snapshot"].as_object_mut().unwrap().remove("metadata");
    assert_like_sample(&like_sample, "snapshot-create-response", &[]);
    let shown = &created["snapshot"];
    assert_eq!(shown["status"], "creating");
    assert_eq!((&shown["name"], &shown["description"]), (&json!("n1"), &json!("d1")));
    assert_eq!((&shown["size"], &shown["share_size"]), (&json!(1), &json!(1)));
    assert_eq!((&shown["project_id"], &shown["user_id"]), (&json!("project"), &json!("alice")));
    assert_eq!(shown["metadata"], json!({ "key": "value" }));
    let path = format!("/v2/snapshots/{}", shown["id"].as_str().unwrap());
    let again = server.request(Method::GET, &path).token(ALICE).send().await.expect(200);
    assert_eq!(again, created);

    let mut tx = server.app.db.write().await.unwrap();
    let id = shown["id"].as_str().unwrap().parse().unwrap();
    let instances = snapshot_instances::of_snapshot_locked(&mut tx, id).await.unwrap();
    let mut services = Vec::new();
    for instance in &instances {
        assert_eq!(instance.status.as_str(), "creating");
        assert_eq!(instance.progress.as_deref(), Some("0%"));
        let operations = operations::of_resource(&mut tx, instance.id.uuid()).await.unwrap();
        assert_eq!(operations.len(), 1);
        assert_eq!(operations[0].kind, OperationKind::CreateSnapshot);
        assert_eq!(operations[0].state, OperationState::Queued);
        assert_eq!(operations[0].resource_fence, instance.fence);
        services.push((instance.share_instance_id, operations[0].service.clone().unwrap()));
    }
    services.sort();
    let mut expected =
        vec![(place.id, "seed@seed".to_owned()), (second.id, "seed@other".to_owned())];
    expected.sort();
    assert_eq!(services, expected);
}

#[tokio::test]
async fn older_names_are_taken_and_metadata_only_since_2_73() {
    let (server, share, _) = one_share().await;
    let body = json!({ "snapshot": {
        "share_id": share.id, "display_name": "dn", "display_description": "dd",
        "metadata": { "key": "value" },
    }});
    for (version, metadata) in [(V(2, 0), json!({})), (V(2, 73), json!({ "key": "value" }))] {
        let request = server.request(Method::POST, "/v2/snapshots").token(ALICE).at(version);
        let created = request.json(&body).send().await.expect(202);
        let id = created["snapshot"]["id"].as_str().unwrap().to_owned();
        let show = server.get(&format!("/v2/snapshots/{id}")).await.expect(200);
        assert_eq!(show["snapshot"]["metadata"], metadata);
        assert_eq!(show["snapshot"]["name"], "dn");
        assert_eq!(show["snapshot"]["description"], "dd");
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_and_nothing_is_made() {
    let (server, share, _) = one_share().await;
    let long = "x".repeat(256);
    let with = |key: &str, value: Value| {
        let mut body = json!({ "snapshot": { "share_id": share.id } });
        body["snapshot"][key] = value;
        body
    };
    let unprocessable = "Unable to process the contained instructions";
    let no_share = "NotFound: Resource could not be found.";
    let table: Vec<(Value, u16, &str, String)> = vec![
        (json!({}), 422, "computeFault", unprocessable.into()),
        (json!([]), 422, "computeFault", unprocessable.into()),
        (json!({ "snapshot": null }), 422, "computeFault", unprocessable.into()),
        (json!({ "snapshot": [] }), 422, "computeFault", unprocessable.into()),
        (
            json!({ "snapshot": {} }),
            400,
            "badRequest",
            "Required parameter share_id not found.".into(),
        ),
        (
            with("share_id", json!(null)),
            400,
            "badRequest",
            "Required parameter share_id not found.".into(),
        ),
        (
            with("share_id", json!({})),
            400,
            "badRequest",
            "Invalid value for share_id. Expecting a string.".into(),
        ),
        (with("share_id", json!("nope")), 404, "itemNotFound", no_share.into()),
        (with("share_id", json!(seed::uuid(99))), 404, "itemNotFound", no_share.into()),
        (
            with("name", json!(long)),
            400,
            "badRequest",
            "Invalid input received: name can only be 255 characters long.".into(),
        ),
        (
            with("description", json!(long)),
            400,
            "badRequest",
            "Invalid input received: description can only be 255 characters long.".into(),
        ),
        (
            with("display_name", json!(long)),
            400,
            "badRequest",
            "Invalid input received: display_name can only be 255 characters long.".into(),
        ),
        (
            with("name", json!(5)),
            400,
            "badRequest",
            "Invalid value for name. Expecting a string.".into(),
        ),
        (
            with("description", json!([])),
            400,
            "badRequest",
            "Invalid value for description. Expecting a string.".into(),
        ),
        (
            with("force", json!("maybe")),
            400,
            "badRequest",
            "Invalid value for force. Expecting a boolean.".into(),
        ),
        (
            with("metadata", json!("x")),
            400,
            "badRequest",
            "Invalid value for metadata. Expecting an object.".into(),
        ),
        (
            with("metadata", json!({ "": "b" })),
            400,
            "badRequest",
            "Metadata property key is blank.".into(),
        ),
        (
            with("metadata", json!({ "a": "" })),
            400,
            "badRequest",
            "Metadata property value is blank.".into(),
        ),
        (
            with("metadata", json!({ "a": 1 })),
            400,
            "badRequest",
            "Metadata property value is no string.".into(),
        ),
    ];
    for (body, status, fault, expected) in table {
        assert_eq!(create(&server, body.clone()).await.fault(status, fault), expected, "{body}");
    }
    assert_eq!(counted(&server).await, 0);
}

#[tokio::test]
async fn the_share_must_be_there_visible_able_and_available() {
    let (server, share, place) = one_share().await;
    let body = json!({ "snapshot": { "share_id": share.id } });
    let stranger = server.request(Method::POST, "/v2/snapshots").token("bob:other:member");
    stranger.json(&body).send().await.fault(404, "itemNotFound");
    let (mut unable, unable_place) = seed::share(3, "project");
    unable.capabilities.snapshot_support = false;
    seed::add_share(&server.app.db, &unable, &[unable_place]).await;
    let message = create(&server, json!({ "snapshot": { "share_id": unable.id } })).await;
    assert_eq!(
        message.fault(422, "computeFault"),
        format!(
            "Snapshots cannot be created for share '{}' since it does not have that capability.",
            unable.id
        )
    );
    for (status, forced) in [
        (ShareStatus::Error, 202),
        (ShareStatus::Extending, 202),
        (ShareStatus::Creating, 400),
        (ShareStatus::Deleting, 400),
    ] {
        let mut tx = server.app.db.write().await.unwrap();
        let locked = share_instances::get_locked(&mut tx, place.id).await.unwrap().unwrap();
        share_instances::take_over(&mut tx, &locked, status, seed::THEN).await.unwrap();
        tx.commit().await.unwrap();
        let message = create(&server, body.clone()).await.fault(400, "badRequest");
        assert_eq!(message, "Invalid share: Source share status must be available.", "{status}");
        let body = json!({ "snapshot": { "share_id": share.id, "force": true } });
        create(&server, body).await.expect(forced);
    }
}

#[tokio::test]
async fn a_snapshot_of_anothers_public_share_is_ones_own() {
    let (server, _, _) = one_share().await;
    let (mut public, place) = seed::share(3, "other");
    public.is_public = true;
    seed::add_share(&server.app.db, &public, &[place]).await;
    // Whoever may not take snapshots of it is told so, since the share is no secret.
    let body = json!({ "snapshot": { "share_id": public.id } });
    let message = create(&server, body.clone()).await.fault(403, "forbidden");
    assert_eq!(message, "Policy doesn't allow share:create_snapshot to be performed.");
    let admin = server.request(Method::POST, "/v2/snapshots").token("root:project:admin");
    let created = admin.json(&body).send().await.expect(202);
    assert_eq!(created["snapshot"]["project_id"], "project");
}

#[tokio::test]
async fn quota_is_counted_in_the_same_transaction() {
    let (server, share, _) = one_share().await;
    let limit = usize::try_from(i64::from(server.app.quota[&Resource::Snapshots])).unwrap();
    let body = json!({ "snapshot": { "share_id": share.id } });
    let requests = (0..limit + 5).map(|_| create(&server, body.clone()));
    let answers = futures_util::future::join_all(requests).await;
    let taken = answers.iter().filter(|answer| answer.status == 202).count();
    assert_eq!((taken, counted(&server).await), (limit, limit as i64));
    let refused = answers.iter().find(|answer| answer.status != 202).unwrap();
    assert_eq!(
        refused.fault(413, "overLimit"),
        format!(
            "SnapshotLimitExceeded: Maximum number of snapshots allowed ({limit}) either per \
             project/user or share type quota is exceeded."
        )
    );
    assert_eq!(refused.header("retry-after"), Some("0"));
    assert_eq!(refused.json()["overLimit"]["retryAfter"], "0");
}

#[tokio::test]
async fn sizes_are_complained_of_first() {
    let (server, _, _) = one_share().await;
    let (mut large, place) = seed::share(3, "project");
    large.size = i64::from(server.app.quota[&Resource::SnapshotGigabytes]) + 1;
    seed::add_share(&server.app.db, &large, &[place]).await;
    let message = create(&server, json!({ "snapshot": { "share_id": large.id } })).await;
    assert_eq!(
        message.fault(413, "overLimit"),
        "SnapshotSizeExceedsAvailableQuota: Requested snapshot exceeds allowed project/user or \
         share type gigabytes quota."
    );
    let mut tx = server.app.db.read().await.unwrap();
    assert_eq!(shares::get(&mut tx, large.id).await.unwrap().unwrap().size, large.size);
}

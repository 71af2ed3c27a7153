//! What is at a service that is gone for good can be removed by force, by any worker.

use abaca_model::{OperationKind, ShareInstance, ShareInstanceId, Timestamp};
use abaca_store::{operations, services, share_instances};
use serde_json::json;

use super::{Service, simulated};
use crate::shares::{add, server};
use crate::support::{Answer, seed};

/// The service of the seeds' hosts was last heard of then.
async fn beat(db: &abaca_store::Db, now: Timestamp) {
    let mut tx = db.write().await.unwrap();
    services::heartbeat(&mut tx, "seed@seed", "manila-share", "nova", now).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_service_held_goes() {
    let service = Service::start("", &simulated("a"), |_| {}).await;
    // Two that register at the same time are in each other's way.
    let registered = |answer: &Answer| {
        (answer.expect(200)["services"].as_array().unwrap().len() == 2).then_some(())
    };
    service.api.wait("/v2/services", registered).await;
    let db = &service.api.app.db;
    beat(db, seed::THEN).await;
    let forced = json!({ "force_delete": null });
    for (number, path) in [(1, "shares"), (2, "share_instances")] {
        let (share, instance) = seed::share(number, "project");
        seed::add_share(db, &share, std::slice::from_ref(&instance)).await;
        let (snapshot, copy) = seed::snapshot(number + 10, &instance);
        seed::add_snapshot(db, &snapshot, &[copy]).await;
        let snapshot = format!("snapshots/{}", snapshot.id);
        service.act(&snapshot, forced.clone()).await.expect(202);
        service.gone(&format!("/v2/{snapshot}")).await;
        let id = if path == "shares" { share.id.uuid() } else { instance.id.uuid() };
        service.act(&format!("{path}/{id}"), forced.clone()).await.expect(202);
        service.gone(&format!("/v2/shares/{}", share.id)).await;
    }

    // A replica, which kept the share from being deleted.
    let (mut share, mut active) = seed::share(3, "project");
    share.capabilities.replication_type = Some("readable".to_owned());
    active.host = Some("w@a#p".to_owned());
    active.replica_state = Some("active".to_owned());
    let replica = ShareInstance {
        id: ShareInstanceId::from(seed::uuid(33)),
        host: Some("seed@seed#pool".to_owned()),
        replica_state: Some("out_of_sync".to_owned()),
        ..active.clone()
    };
    seed::add_share(db, &share, &[active, replica.clone()]).await;
    let path = format!("share-replicas/{}", replica.id);
    service.act(&path, forced).await.expect(202);
    service.gone(&format!("/v2/{path}")).await;
    service.api.delete(&format!("/v2/shares/{}", share.id)).await.expect(202);
    service.gone(&format!("/v2/shares/{}", share.id)).await;
    service.stop().await;
}

#[tokio::test]
async fn a_service_that_lives_does_it_itself() {
    let server = server().await;
    beat(&server.app.db, Timestamp::now()).await;
    let (share, instance) = seed::share(1, "project");
    let id = instance.id;
    add(&server, &[(share, instance)]).await;
    let path = format!("/v2/share_instances/{id}/action");
    server.post(&path, json!({ "force_delete": null })).await.expect(202);
    let mut tx = server.app.db.read().await.unwrap();
    let made = operations::of_resource(&mut tx, id.uuid()).await.unwrap();
    assert_eq!(made[0].kind, OperationKind::DeleteShare);
    assert_eq!(made[0].service.as_deref(), Some("seed@seed"));
    assert!(share_instances::get(&mut tx, id).await.unwrap().is_some());
}

//! Export locations of shares and of share instances.

use std::collections::BTreeMap;

use abaca::api::V;
use abaca_model::{ShareId, ShareInstance, ShareInstanceId, ShareStatus, Timestamp};
use abaca_store::export_work::NewExportLocation;
use abaca_store::share_instances;
use abaca_store::share_work;
use serde_json::{Value, json};

use crate::shares::{ALICE, BOB, add, server};
use crate::support::{TestServer, assert_like_sample, seed};

const ROOT: &str = "root:admin:admin";

/// A share with a preferred export location and one for administrators.
async fn scene() -> (TestServer, ShareId, ShareInstance) {
    let server = server().await;
    let (share, instance) = seed::share(1, "project");
    add(&server, &[(share.clone(), instance.clone())]).await;
    export(&server, instance.id, "/tenant", false).await;
    (server, share.id, instance)
}

async fn export(server: &TestServer, instance: ShareInstanceId, path: &str, with_admin: bool) {
    let location = |path: String, is_admin_only| NewExportLocation {
        path,
        is_admin_only,
        preferred: !is_admin_only,
        metadata: BTreeMap::new(),
    };
    let mut exports = vec![location(path.to_owned(), false)];
    if with_admin {
        exports.push(location(format!("{path}-admin"), true));
    }
    let mut tx = server.app.db.write().await.unwrap();
    share_work::record_exports(&mut tx, instance, &exports, seed::THEN).await.unwrap();
    tx.commit().await.unwrap();
}

fn paths(list: &Value) -> Vec<&str> {
    let all = list["export_locations"].as_array().unwrap();
    let mut paths: Vec<_> = all.iter().map(|location| location["path"].as_str().unwrap()).collect();
    paths.sort_unstable();
    paths
}

#[tokio::test]
async fn they_look_as_each_version_has_them() {
    let (server, share, instance) = scene().await;
    for base in [format!("shares/{share}"), format!("share_instances/{}", instance.id)] {
        let path = format!("/v2/{base}/export_locations");
        server.get_as(ROOT, V(2, 8), &path).await.fault(404, "itemNotFound");
        let list = server.get_as(ROOT, V(2, 14), &path).await.expect(200);
        assert_like_sample(&list, "export-location-list-response", &[]);
        let id = list["export_locations"][0]["id"].as_str().unwrap();
        let path = format!("{path}/{id}");
        let show = server.get_as(ROOT, V(2, 86), &path).await.expect(200);
        assert_like_sample(&show, "export-location-show-response", &[]);
        let time = "2017-08-04T00:44:52.000000";
        for (minor, keys) in [
            (9, json!({})),
            (14, json!({ "preferred": true })),
            (87, json!({ "preferred": true, "metadata": {} })),
        ] {
            let mut expected = json!({
                "id": id, "path": "/tenant", "share_instance_id": instance.id,
                "is_admin_only": false, "created_at": time, "updated_at": time,
            });
            expected.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
            let shown = server.get_as(ROOT, V(2, minor), &path).await.expect(200);
            assert_eq!(shown, json!({ "export_location": expected }), "2.{minor}");
        }
    }
}

#[tokio::test]
async fn tenants_see_what_is_for_them() {
    let (server, share, instance) = scene().await;
    export(&server, instance.id, "/tenant", true).await;
    let path = format!("/v2/shares/{share}/export_locations");
    let all = server.get_as(ROOT, V::MAX, &path).await.expect(200);
    assert_eq!(paths(&all), ["/tenant", "/tenant-admin"]);
    let mine = server.get_as(ALICE, V::MAX, &path).await.expect(200);
    assert_eq!(paths(&mine), ["/tenant"]);
    let keys: Vec<_> = mine["export_locations"][0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["id", "metadata", "path", "preferred"]);
    for location in all["export_locations"].as_array().unwrap() {
        let one = format!("{path}/{}", location["id"].as_str().unwrap());
        let expected = if location["is_admin_only"] == true { 403 } else { 200 };
        assert_eq!(server.get_as(ALICE, V::MAX, &one).await.status, expected);
        server.get_as(BOB, V::MAX, &one).await.fault(404, "itemNotFound");
    }
    let old = server.get_as(ALICE, V(2, 8), &format!("/v2/shares/{share}")).await.expect(200);
    assert_eq!(old["share"]["export_locations"], json!(["/tenant"]));
}

#[tokio::test]
async fn unknown_ones_are_not_found() {
    let (server, share, instance) = scene().await;
    let (other, place) = seed::share(2, "project");
    add(&server, &[(other.clone(), place.clone())]).await;
    export(&server, place.id, "/other", false).await;
    let others = format!("/v2/shares/{}/export_locations", other.id);
    let foreign = server.get(&others).await.expect(200)["export_locations"][0]["id"].take();
    for id in [foreign.as_str().unwrap(), &seed::uuid(404).to_string(), "nope"] {
        let message = server.get(&format!("/v2/shares/{share}/export_locations/{id}")).await;
        assert_eq!(
            message.fault(404, "itemNotFound"),
            format!("Export location '{id}' not found.")
        );
        let path = format!("/v2/share_instances/{}/export_locations/{id}", instance.id);
        let message = server.get(&path).await.fault(404, "itemNotFound");
        assert_eq!(message, format!("Export location {id} could not be found."));
    }
    for id in [seed::uuid(404).to_string(), "nope".to_owned()] {
        for tail in ["", "/nope"] {
            let message = server.get(&format!("/v2/shares/{id}/export_locations{tail}")).await;
            assert_eq!(message.fault(404, "itemNotFound"), format!("Share '{id}' not found."));
            let path = format!("/v2/share_instances/{id}/export_locations{tail}");
            let message = server.get(&path).await.fault(404, "itemNotFound");
            assert_eq!(message, format!("Share instance '{id}' not found."));
        }
    }
}

#[tokio::test]
async fn secondary_replicas_and_migration_targets_keep_theirs() {
    let (server, share, first) = scene().await;
    let mut tx = server.app.db.write().await.unwrap();
    let other = |number, status, state: Option<&str>| ShareInstance {
        id: ShareInstanceId::from(seed::uuid(number)),
        status,
        replica_state: state.map(str::to_owned),
        created_at: Timestamp::from_micros(seed::THEN.micros() + 1),
        ..first.clone()
    };
    let replica = other(50, ShareStatus::Available, Some("in_sync"));
    let target = other(51, ShareStatus::MigratingTo, None);
    for instance in [&replica, &target] {
        share_instances::insert(&mut tx, instance).await.unwrap();
    }
    tx.commit().await.unwrap();
    export(&server, replica.id, "/replica", false).await;
    export(&server, target.id, "/target", false).await;
    let path = format!("/v2/shares/{share}/export_locations");
    let old = server.get_as(ALICE, V(2, 46), &path).await.expect(200);
    assert_eq!(paths(&old), ["/replica", "/tenant"]);
    let new = server.get_as(ALICE, V(2, 47), &path).await.expect(200);
    assert_eq!(paths(&new), ["/tenant"]);
}

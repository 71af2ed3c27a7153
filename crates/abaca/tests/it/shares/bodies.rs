//! Bodies, at the versions that change them, held against the samples.

use std::collections::BTreeMap;

use abaca::api::V;
use abaca_model::{
    AccessRulesStatus, ShareId, ShareInstance, ShareStatus, SnapshotId, TaskState, Timestamp,
};
use abaca_store::{export_work, share_instances, share_work};
use axum::http::Method;
use serde_json::{Map, Value, json};

use super::{ALICE, RITA, add, create, server};
use crate::support::{TestServer, sample, seed};

/// A share with all that can be shown of one.
async fn one_share() -> (TestServer, ShareId) {
    let server = server().await;
    let (mut share, instance) = seed::share(1, "project");
    share.description = Some("My custom share London".to_owned());
    share.task_state = Some(TaskState::MigrationSuccess);
    share.source_snapshot_id = Some(SnapshotId::from(seed::uuid(9)));
    share.metadata = BTreeMap::from([
        ("aim".to_owned(), "doc \"quoted\"".to_owned()),
        ("project".to_owned(), "my_app".to_owned()),
    ]);
    add(&server, &[(share.clone(), instance.clone())]).await;
    let mut tx = server.app.db.write().await.unwrap();
    for (path, is_admin_only, preferred) in
        [("/exports/1", false, true), ("/exports/2", false, false), ("/exports/0", true, false)]
    {
        let metadata = BTreeMap::new();
        let path = path.to_owned();
        let export = export_work::NewExportLocation { path, is_admin_only, preferred, metadata };
        let mut exports = vec![export];
        // One after the other, so that their order is that of their age.
        let known = abaca_store::export_locations::of_instance(&mut tx, instance.id).await.unwrap();
        exports.extend(known.into_iter().map(|known| export_work::NewExportLocation {
            path: known.path,
            is_admin_only: known.is_admin_only,
            preferred: false,
            metadata: BTreeMap::new(),
        }));
        let now = Timestamp::now();
        share_work::record_exports(&mut tx, instance.id, &exports, now).await.unwrap();
    }
    tx.commit().await.unwrap();
    (server, share.id)
}

/// What each version shows otherwise than the one before it.
async fn changes(server: &TestServer, path: &str, token: &str, key: &str) -> Value {
    let mut changes = Map::new();
    let mut before = Map::new();
    for minor in 0..=V::MAX.1 {
        let answer = server.get_as(token, V(2, minor), path).await;
        if answer.status == 404 {
            continue;
        }
        let Value::Object(now) = answer.expect(200)[key].take() else { panic!("{path}") };
        let mut change = Map::new();
        for (name, value) in &now {
            if before.get(name) != Some(value) {
                change.insert(name.clone(), value.clone());
            }
        }
        for name in before.keys().filter(|name| !now.contains_key(*name)) {
            change.insert(format!("{name} is gone"), Value::Null);
        }
        if !change.is_empty() {
            changes.insert(format!("2.{minor:02}"), Value::Object(change));
        }
        before = now;
    }
    Value::Object(changes)
}

#[tokio::test]
async fn a_share_is_shown_as_each_version_has_it() {
    let (server, id) = one_share().await;
    let path = format!("/v2/shares/{id}");
    insta::assert_json_snapshot!(
        "show_admin",
        changes(&server, &path, "root:admin:admin", "share").await
    );
    let tenant = changes(&server, &path, RITA, "share").await;
    assert_eq!(tenant["2.00"]["export_locations"], json!(["/exports/1", "/exports/2"]));
    let last = server.get_as(RITA, V::MAX, &path).await.expect(200);
    for key in ["host", "share_server_id"] {
        assert!(last["share"].get(key).is_none(), "{key} is for administrators");
    }
}

#[tokio::test]
async fn a_detailed_list_shows_what_show_shows() {
    let (server, id) = one_share().await;
    for minor in [0, 8, 9, 53, 99] {
        let show = server.get_as(ALICE, V(2, minor), &format!("/v2/shares/{id}")).await.expect(200);
        let list = server.get_as(ALICE, V(2, minor), "/v2/shares/detail").await.expect(200);
        assert_eq!(list, json!({ "shares": [show["share"]] }));
        let list = server.get_as(ALICE, V(2, minor), "/v2/shares").await.expect(200);
        let share = &show["share"];
        let summary = json!({ "id": share["id"], "name": share["name"], "links": share["links"] });
        assert_eq!(list, json!({ "shares": [summary] }));
    }
}

/// `actual` has every key of the sample, with a value of its type. The samples are of no one
/// version: they have the export locations of the oldest and the fields of later ones.
fn assert_covers(actual: &Value, sample: &Value, name: &str) {
    for (key, example) in sample.as_object().unwrap() {
        if ["export_location", "export_locations", "links"].contains(&key.as_str()) {
            continue;
        }
        let value = actual.get(key).unwrap_or_else(|| panic!("{name}: {key} is missing"));
        let same = matches!(
            (value, example),
            (Value::Null, _)
                | (_, Value::Null)
                | (Value::Bool(_), Value::Bool(_))
                | (Value::Number(_), Value::Number(_))
                | (Value::String(_), Value::String(_))
                | (Value::Object(_), Value::Object(_))
        );
        assert!(same, "{name}: {key} is {value}, in the sample {example}");
    }
}

#[tokio::test]
async fn bodies_have_the_keys_and_types_of_the_samples() {
    let (server, id) = one_share().await;
    let share = server.get(&format!("/v2/shares/{id}")).await.expect(200)["share"].take();
    for name in ["share-show-response", "share-create-response", "share-update-response"] {
        assert_covers(&share, &sample(name)["share"], name);
    }
    let name = "shares-list-detailed-response";
    let list = server.get("/v2/shares/detail?all_tenants=1&with_count=1").await.expect(200);
    assert_covers(&list["shares"][0], &sample(name)["shares"][0], name);
    assert_eq!(list["count"], 1);
    let list = server.get("/v2/shares?all_tenants=1&with_count=1").await.expect(200);
    crate::support::assert_like_sample(&list, "shares-list-response", &[]);
}

#[tokio::test]
async fn the_requests_of_the_samples_are_taken() {
    let (server, id) = one_share().await;
    let path = format!("/v2/shares/{id}");
    let updated = server.put(&path, sample("share-update-request")).await.expect(200);
    assert_eq!(updated["share"]["is_public"], true);
    assert_eq!(updated["share"]["description"], "Changing the share description.");
    for name in ["extend", "reset-state", "force-delete"] {
        let body = sample(&format!("share-actions-{name}-request"));
        server.post(&format!("{path}/action"), body).await.expect(202);
    }
    let mut shrink = sample("share-actions-shrink-request");
    assert!(shrink["shrink"]["new_size"].is_number(), "{shrink}");
    shrink["shrink"]["new_size"] = json!("1");
    let message = server.post(&format!("{path}/action"), shrink).await.fault(400, "badRequest");
    assert!(message.contains("current status is: deleting"), "{message}");
}

#[tokio::test]
async fn a_new_share_is_shown_as_it_is() {
    let server = server().await;
    let asked = json!({
        "size": 2, "share_proto": "nfs", "name": "share_London", "description": "d",
        "metadata": { "aim": "doc" }, "availability_zone": "nova",
    });
    let made = create(&server, ALICE, asked).await.expect(200);
    insta::assert_json_snapshot!("create", made, {
        ".share.id" => "[id]",
        ".share.created_at" => "[time]",
        ".share.links[].href" => "[href]",
    });
    let id = made["share"]["id"].as_str().unwrap();
    let links = &made["share"]["links"];
    assert_eq!(links[0]["href"], format!("http://127.0.0.1:8786/v2/shares/{id}"));
    assert_eq!(links[1]["href"], format!("http://127.0.0.1:8786/shares/{id}"));
    let shown = server.get_as(ALICE, V::MAX, &format!("/v2/project/shares/{id}")).await.expect(200);
    let href = format!("http://127.0.0.1:8786/v2/project/shares/{id}");
    assert_eq!(shown["share"]["links"][0]["href"], href);
}

#[tokio::test]
async fn statuses_are_told_in_the_words_of_the_version() {
    let (server, id) = one_share().await;
    let shown = async |minor: u32| {
        let share = server.get_as(ALICE, V(2, minor), &format!("/v2/shares/{id}")).await;
        let share = share.expect(200);
        (share["share"]["status"].clone(), share["share"]["access_rules_status"].clone())
    };
    let mut tx = server.app.db.write().await.unwrap();
    let mut update = sea_query::Query::update();
    update.table("share_instances").value("access_rules_status", "syncing");
    tx.execute(&update).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(shown(27).await, (json!("available"), json!("out_of_sync")));
    assert_eq!(shown(28).await, (json!("available"), json!("syncing")));
    super::set_status(&server, id, ShareStatus::CreatingFromSnapshot).await;
    assert_eq!(shown(53).await, (json!("creating"), json!("active")));
    assert_eq!(shown(54).await, (json!("creating_from_snapshot"), json!("active")));
}

#[tokio::test]
async fn several_instances_show_as_one_share() {
    let (server, id) = one_share().await;
    let first = super::instance_of(&server, id).await;
    let second = ShareInstance {
        id: seed::uuid(2_000).into(),
        host: Some("other@backend#pool".to_owned()),
        availability_zone: Some("far".to_owned()),
        status: ShareStatus::MigratingTo,
        access_rules_status: AccessRulesStatus::Error,
        created_at: Timestamp::from_micros(seed::THEN.micros() - 1),
        ..first.clone()
    };
    let mut tx = server.app.db.write().await.unwrap();
    share_instances::insert(&mut tx, &second).await.unwrap();
    tx.commit().await.unwrap();
    let show = server.get(&format!("/v2/shares/{id}")).await.expect(200);
    let share = &show["share"];
    assert_eq!((&share["status"], &share["host"]), (&json!("available"), &json!("seed@seed#pool")));
    assert_eq!(share["availability_zone"], "nova");
    assert_eq!(share["access_rules_status"], "active", "only available instances count");
    assert_eq!(share["has_replicas"], false);
    assert_eq!(share["metadata"], json!({ "aim": "doc \"quoted\"", "project": "my_app" }));
    for path in ["/v2/shares?all_tenants=1", "/v2/shares/detail?all_tenants=1&sort_key=host"] {
        let list = server.get(path).await.expect(200);
        assert_eq!(list["shares"].as_array().unwrap().len(), 1, "{path}");
    }
    let list = server.get("/v2/shares/detail?all_tenants=1&status=migrating_to").await.expect(200);
    assert_eq!(list["shares"], json!([share]));
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let (server, id) = one_share().await;
    let answer = server.request(Method::HEAD, &format!("/v2/shares/{id}")).send().await;
    assert_eq!(answer.status, 200);
}

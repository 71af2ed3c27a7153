//! `/types/{id}/extra_specs`

use abaca::api::V;
use axum::http::Method;
use serde_json::{Value, json};

use super::{create, path};
use crate::support::TestServer;

#[tokio::test]
async fn specs_are_set_shown_and_deleted() {
    let server = TestServer::start().await;
    let specs = path(&create(&server, "gold", json!({})).await) + "/extra_specs";
    let several = json!({"extra_specs": {
        "text": "v", "flag": true, "availability_zones": " a , b", "provisioning:max_share_size": "5",
    }});
    let answer = server.post(&specs, several).await.expect(200);
    assert_eq!(answer["extra_specs"]["flag"], true);
    assert_eq!(answer["extra_specs"]["availability_zones"], "a,b");

    let one = server.put(&format!("{specs}/text"), json!({"text": "w"})).await.expect(200);
    assert_eq!(one, json!({"text": "w"}));
    server.put(&format!("{specs}/new%20one"), json!({"new one": "x"})).await.expect(200);
    let shown = server.get(&format!("{specs}/provisioning:max_share_size")).await.expect(200);
    assert_eq!(shown, json!({"provisioning:max_share_size": "5"}));
    insta::assert_json_snapshot!(server.get(&specs).await.expect(200));

    assert_eq!(server.delete(&format!("{specs}/text")).await.status, 202);
    server.get(&format!("{specs}/text")).await.fault(404, "itemNotFound");
    let gone = server.delete(&format!("{specs}/text")).await;
    assert!(gone.fault(404, "itemNotFound").ends_with("has no extra specs with key text."));
}

#[tokio::test]
async fn as_many_are_set_as_a_body_holds() {
    let server = TestServer::start().await;
    let specs = path(&create(&server, "gold", json!({})).await) + "/extra_specs";
    // The shortest keys, so that there is room for the most.
    let digit = |number: u32| char::from_digit(number % 36, 36).unwrap();
    let key = |number| [digit(number / 1_296), digit(number / 36), digit(number)];
    let many = |value: &str| {
        let pairs = (0..11_000).map(|number| (String::from_iter(key(number)), json!(value)));
        json!({ "extra_specs": serde_json::Map::from_iter(pairs) })
    };
    for value in ["a", "b"] {
        server.post(&specs, many(value)).await.expect(200);
    }
    let shown = server.get(&specs).await.expect(200)["extra_specs"].clone();
    assert_eq!(shown.as_object().unwrap().len(), 11_001);
    assert_eq!(shown[String::from_iter(key(10_999))], "b");
}

#[tokio::test]
async fn the_required_spec_stays() {
    let server = TestServer::start().await;
    let specs =
        path(&create(&server, "gold", json!({"snapshot_support": true})).await) + "/extra_specs";
    let delete = |key: &str, version: V| {
        server.request(Method::DELETE, &format!("{specs}/{key}")).at(version).send()
    };
    delete("driver_handles_share_servers", V::MAX).await.fault(403, "forbidden");
    delete("snapshot_support", V(2, 23)).await.fault(403, "forbidden");
    assert_eq!(delete("snapshot_support", V(2, 24)).await.status, 202);
}

#[tokio::test]
async fn bad_specs_change_nothing() {
    let server = TestServer::start().await;
    let specs = path(&create(&server, "gold", json!({})).await) + "/extra_specs";
    let long = "x".repeat(256);
    for given in [
        json!([]),
        json!({"bad key": "v"}),
        json!({"": "v"}),
        json!({"k": ""}),
        json!({"k": long}),
        json!({"k": 5}),
        json!({"k": null}),
        json!({"k": {"z": "1"}}),
        json!({"fine": "v", "snapshot_support": "maybe"}),
        json!({"driver_handles_share_servers": "maybe"}),
        json!({"provisioning:max_share_size": "x"}),
    ] {
        let answer = server.post(&specs, json!({ "extra_specs": given })).await;
        assert_eq!(answer.status, 400, "{given}");
    }
    server.post(&specs, json!({})).await.fault(400, "badRequest");
    let put =
        async |body: Value| server.put(&format!("{specs}/k"), body).await.fault(400, "badRequest");
    assert_eq!(put(json!({})).await, "Request body empty");
    assert_eq!(put(json!({"other": "v"})).await, "Request body and URI mismatch");
    assert_eq!(put(json!({"k": "a", "l": "b"})).await, "Request body contains too many items");
    put(json!({"k": 5})).await;
    put(json!(["k"])).await;
    let kept = server.get(&specs).await.expect(200);
    assert_eq!(kept["extra_specs"], json!({"driver_handles_share_servers": "False"}));
}

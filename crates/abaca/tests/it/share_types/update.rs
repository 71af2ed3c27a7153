//! `PUT /types/{id}`

use serde_json::{Value, json};

use super::{create, path};
use crate::support::TestServer;

#[tokio::test]
async fn what_is_given_changes_and_the_rest_stays() {
    let server = TestServer::start().await;
    let made = create(&server, "gold", json!({})).await;
    let put = async |change: Value| {
        let answer = server.put(&path(&made), json!({ "share_type": change })).await;
        let shown = answer.expect(200)["share_type"].clone();
        assert_eq!(server.get(&path(&made)).await.expect(200)["share_type"], shown);
        (
            shown["name"].clone(),
            shown["description"].clone(),
            shown["share_type_access:is_public"].clone(),
        )
    };
    assert_eq!(put(json!({"description": "d"})).await, (json!("gold"), json!("d"), json!(true)));
    assert_eq!(put(json!({"name": "new"})).await, (json!("new"), json!("d"), json!(true)));
    let private = put(json!({"share_type_access:is_public": "false"})).await;
    assert_eq!(private, (json!("new"), json!("d"), json!(false)));
    assert_eq!(put(json!({"description": ""})).await, (json!("new"), json!(null), json!(false)));
    assert_eq!(put(json!({"name": "new"})).await.0, "new");
}

#[tokio::test]
async fn bad_changes() {
    let server = TestServer::start().await;
    let made = create(&server, "gold", json!({})).await;
    create(&server, "taken", json!({})).await;
    let long = "x".repeat(256);
    for (change, said) in [
        (json!({}), "Specify share type name"),
        (json!({"bogus": 1}), "Specify share type name"),
        (json!({"name": ""}), "Share type name cannot be empty."),
        (json!({"name": "  "}), "Share type name cannot be empty."),
        (json!({"name": 1}), "name"),
        (json!({"name": long}), "Share type name cannot be greater than 255"),
        (json!({"description": long}), "Share type description cannot be greater than 255"),
        (json!({"description": 5}), "description"),
        (json!({"share_type_access:is_public": "nope"}), "share_type_access:is_public"),
    ] {
        let answer = server.put(&path(&made), json!({ "share_type": change })).await;
        let message = answer.fault(400, "badRequest");
        assert!(message.contains(said), "{change}: {message}");
    }
    let taken = server.put(&path(&made), json!({ "share_type": { "name": "taken" } })).await;
    assert_eq!(taken.fault(409, "conflictingRequest"), "Share Type taken already exists.");
    assert_eq!(server.get(&path(&made)).await.expect(200)["share_type"]["name"], "gold");
}

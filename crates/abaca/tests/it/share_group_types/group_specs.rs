//! `/share-group-types/{id}/group-specs[/{key}]`

use serde_json::json;

use super::{create, path};
use crate::support::TestServer;

#[tokio::test]
async fn specs_are_set_shown_and_removed_one_by_one() {
    let server = TestServer::start().await;
    let made = create(&server, "gold", true, json!({"a": "1", "empty": ""})).await;
    let specs = path(&made) + "/group-specs";
    let given = json!({"group_specs": {"b": "2", "yes": true}});
    assert_eq!(server.post(&specs, given.clone()).await.expect(200), given);
    assert_eq!(
        server.put(&format!("{specs}/a"), json!({"a": "3"})).await.expect(200),
        json!({"a": "3"})
    );
    assert_eq!(server.get(&format!("{specs}/a")).await.expect(200), json!({"a": "3"}));
    let all = json!({"a": "3", "b": "2", "empty": "", "yes": "True"});
    assert_eq!(server.get(&specs).await.expect(200), json!({ "group_specs": all }));
    let shown = server.get(&path(&made)).await.expect(200);
    assert_eq!(shown["share_group_type"]["group_specs"], all);
    assert_eq!(server.delete(&format!("{specs}/a")).await.status, 204);
    server.delete(&format!("{specs}/a")).await.fault(404, "itemNotFound");
    server.get(&format!("{specs}/a")).await.fault(404, "itemNotFound");
}

#[tokio::test]
async fn bad_specs() {
    let server = TestServer::start().await;
    let made = create(&server, "gold", true, json!({"a": "1"})).await;
    let specs = path(&made) + "/group-specs";
    let long = "x".repeat(256);
    for given in [
        json!({"k": 5}),
        json!({"k": null}),
        json!({"k": ["a"]}),
        json!({"k": {"a": "b"}}),
        json!({"k": ""}),
        json!({"k": long}),
        json!({long.as_str(): "x"}),
        json!({"": "x"}),
        json!({"k/x": "x"}),
    ] {
        let answer = server.post(&specs, json!({ "group_specs": given })).await;
        answer.fault(400, "badRequest");
    }
    for given in [json!({}), json!({"b": "x"}), json!({"a": "x", "b": "y"}), json!({"a": 5})] {
        server.put(&format!("{specs}/a"), given).await.fault(400, "badRequest");
    }
    let shown = server.get(&specs).await.expect(200);
    assert_eq!(shown, json!({ "group_specs": {"a": "1"} }));
}

//! Metadata of rules.

use abaca::api::V;
use axum::http::Method;
use serde_json::json;

use super::{ALICE, RITA, allow, listed, one_share};

#[tokio::test]
async fn what_is_not_given_stays() {
    let (server, share, _) = one_share().await;
    let rule = json!({
        "access_type": "ip", "access_to": "10.0.0.1", "metadata": { "a": "1", "b": "2" },
    });
    let rule = allow(&server, &share, rule).await.expect(200)["access"].clone();
    let path = format!("/v2/share-access-rules/{}/metadata", rule["id"].as_str().unwrap());
    let put = async |token: &str, body: serde_json::Value| {
        server.request(Method::PUT, &path).token(token).json(&body).send().await
    };
    let given = json!({ "metadata": { "b": "3", "ü": "é" } });
    assert_eq!(put(ALICE, given.clone()).await.expect(200), given);
    let shown = listed(&server, &share).await[0].clone();
    assert_eq!(shown["metadata"], json!({ "a": "1", "b": "3", "ü": "é" }));
    assert_eq!(shown["updated_at"], json!(null), "the rule itself did not change");
    assert_eq!(put(ALICE, json!({ "metadata": {} })).await.expect(200), json!({ "metadata": {} }));

    let remove = async |token: &str, key: &str| {
        server.request(Method::DELETE, &format!("{path}/{key}")).token(token).send().await
    };
    remove(RITA, "a").await.fault(403, "forbidden");
    put(RITA, json!({ "metadata": { "b": "4" } })).await.fault(403, "forbidden");
    let removed = remove(ALICE, "a").await;
    assert_eq!((removed.status, removed.text.as_str()), (200, ""));
    let message = remove(ALICE, "a").await.fault(404, "itemNotFound");
    assert_eq!(message, "Share access rule metadata does not exist.");
    let shown = listed(&server, &share).await[0].clone();
    assert_eq!(shown["metadata"], json!({ "b": "3", "ü": "é" }));

    for body in [
        json!({}),
        json!({ "metadata": null }),
        json!({ "metadata": [] }),
        json!({ "metadata": { "": "x" } }),
        json!({ "metadata": { "x": "" } }),
        json!({ "metadata": { "x": 1 } }),
        json!({ "metadata": { "x".repeat(256): "x" } }),
    ] {
        put(ALICE, body).await.fault(400, "badRequest");
    }
    let old = server.request(Method::PUT, &path).at(V(2, 44)).json(&given).send().await;
    old.fault(404, "itemNotFound");
}

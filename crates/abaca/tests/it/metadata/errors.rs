//! What is refused, for every kind of resource alike.

use axum::http::Method;
use serde_json::{Value, json};

use super::{ALICE, Kind, Scene, V, seed};

#[tokio::test]
async fn what_is_wrong_is_named() {
    let scene = Scene::new().await;
    let long = |length| "x".repeat(length);
    let malformed = "Malformed request body";
    let table: [(Value, &str); 14] = [
        (json!({}), malformed),
        (json!({ "metadata": 5 }), "for metadata"),
        (json!({ "metadata": "x" }), "for metadata"),
        (json!({ "metadata": ["x"] }), "for metadata"),
        (json!([]), malformed),
        (json!("metadata"), malformed),
        (json!({ "metadata": { "": "x" } }), "key is blank"),
        (json!({ "metadata": { "x": "" } }), "value is blank"),
        (json!({ "metadata": { "x": null } }), "value is no string"),
        (json!({ "metadata": { "x": 1 } }), "value is no string"),
        (json!({ "metadata": { "x": {} } }), "value is no string"),
        (json!({ "metadata": { long(256): "x" } }), "key is greater than 255"),
        (json!({ "metadata": { "x": long(1024) } }), "value is greater than 1023"),
        (json!({ "metadata": { "x\0": "x" } }), malformed),
    ];
    for Kind { path, .. } in scene.kinds() {
        for (body, problem) in &table {
            for method in [Method::POST, Method::PUT] {
                let refused = scene.ask(ALICE, method, &path, body.clone()).await;
                let message = refused.fault(400, "badRequest");
                assert!(message.contains(problem), "{path} {body}: {message}");
            }
        }
        let empty = scene.server.request(Method::POST, &path).send().await;
        assert_eq!(empty.fault(400, "badRequest"), malformed);
        for (body, problem) in [
            (json!({ "metadata": { "y": "x" } }), "Request body and URI mismatch"),
            (json!({ "metadata": { "x": "x", "y": "y" } }), "Request body contains too many items"),
            (json!({ "metadata": {} }), "Request body and URI mismatch"),
            (json!({ "metadata": null }), malformed),
            (json!({}), malformed),
        ] {
            let refused = scene.ask(ALICE, Method::POST, &format!("{path}/x"), body).await;
            assert_eq!(refused.fault(400, "badRequest"), problem);
        }
        let long_ones = json!({ "metadata": { long(255): long(1023) } });
        let kept = scene.ask(ALICE, Method::POST, &path, long_ones.clone()).await.expect(200);
        assert_eq!(kept, long_ones);
    }
}

/// Keys and values are any text, but for the names of export locations' metadata.
#[tokio::test]
async fn text_is_kept_as_it_is() {
    let scene = Scene::new().await;
    let odd = json!({ "metadata": {
        "käse/🧀 %41": "\"'\\ \u{1F600}\n", "A": "upper", "a": "lower", "-": "-",
    } });
    for Kind { sample, path, .. } in scene.kinds() {
        let answer = scene.ask(ALICE, Method::PUT, &path, odd.clone()).await;
        if sample == "export-location" {
            assert!(answer.fault(400, "badRequest").contains("Invalid metadata key käse"));
            continue;
        }
        assert_eq!(answer.expect(200), odd);
        assert_eq!(scene.get(&path).await, odd);
        let one = format!("{path}/k%C3%A4se%2F%F0%9F%A7%80%20%2541");
        assert_eq!(scene.get(&one).await["meta"]["käse/🧀 %41"], "\"'\\ \u{1F600}\n");
        scene.server.delete(&one).await.expect(200);
        assert_eq!(scene.get(&path).await["metadata"].as_object().unwrap().len(), 3);
    }
}

/// Not so to the databases' usual way of comparing text.
#[tokio::test]
async fn a_blank_at_the_end_makes_another_name() {
    let scene = Scene::new().await;
    let both = json!({ "metadata": { "a": "1", "a ": "2" } });
    for Kind { path, .. } in scene.kinds() {
        for method in [Method::POST, Method::PUT] {
            let answer = scene.ask(ALICE, method, &path, both.clone()).await;
            assert_eq!(answer.expect(200), both, "{path}");
        }
        assert_eq!(scene.get(&format!("{path}/a%20")).await, json!({ "meta": { "a ": "2" } }));
        scene.server.delete(&format!("{path}/a%20")).await.expect(200);
        assert_eq!(scene.get(&path).await, json!({ "metadata": { "a": "1" } }));
        scene.server.delete(&format!("{path}/a%20")).await.fault(404, "itemNotFound");
    }
    let list = scene.get("/v2/shares?metadata={'a':+'1+'}").await;
    assert_eq!(list["shares"], json!([]), "nor is it the same value");
}

#[tokio::test]
async fn unknown_ones_are_not_found() {
    let scene = Scene::new().await;
    let pair = json!({ "metadata": { "nope": "x" } });
    for Kind { path, .. } in scene.kinds() {
        for method in [Method::GET, Method::DELETE] {
            let answer = scene.ask(ALICE, method, &format!("{path}/nope"), json!({})).await;
            assert_eq!(answer.fault(404, "itemNotFound"), "Metadata item is not found.");
        }
        let resource = path.strip_suffix("/metadata").unwrap();
        let (collection, _) = resource.rsplit_once('/').unwrap();
        for id in [seed::uuid(404).to_string(), "nope".to_owned()] {
            let path = format!("{collection}/{id}/metadata");
            for (method, path) in [
                (Method::GET, path.clone()),
                (Method::POST, path.clone()),
                (Method::PUT, path.clone()),
                (Method::GET, format!("{path}/nope")),
                (Method::POST, format!("{path}/nope")),
                (Method::DELETE, format!("{path}/nope")),
            ] {
                let answer = scene.ask(ALICE, method, &path, pair.clone()).await;
                answer.fault(404, "itemNotFound");
            }
        }
    }
    let foreign = scene
        .location
        .replace(scene.share.rsplit('/').next().unwrap(), &seed::uuid(404).to_string());
    let path = format!("{foreign}/metadata");
    scene.server.get_as(ALICE, V::MAX, &path).await.fault(404, "itemNotFound");
}

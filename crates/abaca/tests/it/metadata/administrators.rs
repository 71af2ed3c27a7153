//! Some names are for administrators to set.

use axum::http::Method;
use serde_json::{Value, json};

use super::{ALICE, Scene};
use crate::shares::create;

const ROOT: &str = "root:admin:admin";
const RESERVED: [&str; 3] = ["__affinity_same_host", "__affinity_different_host", "__managed_at"];

async fn refused(scene: &Scene, method: Method, path: &str, pairs: Value) {
    let answer = scene.ask(ALICE, method, path, json!({ "metadata": pairs })).await;
    let message = answer.fault(403, "forbidden");
    assert!(message.contains("update_admin_only_metadata"), "{message}");
}

#[tokio::test]
async fn tenants_neither_set_nor_lose_what_is_theirs() {
    let scene = Scene::new().await;
    let of = |resource: &str| format!("{resource}/metadata");
    for (path, name, other) in [
        (of(&scene.share), RESERVED[0], RESERVED[1]),
        (of(&scene.location), "preferred", "preferred"),
    ] {
        let item = format!("{path}/{name}");
        refused(&scene, Method::POST, &path, json!({ "a": "b", name: "True" })).await;
        refused(&scene, Method::PUT, &path, json!({ name: "True" })).await;
        refused(&scene, Method::POST, &item, json!({ name: "True" })).await;
        assert_eq!(scene.get(&path).await["metadata"], json!({}), "nothing of it was done");

        let both = json!({ "metadata": { name: "True", "mine": "1" } });
        scene.ask(ROOT, Method::POST, &path, both).await.expect(200);
        refused(&scene, Method::DELETE, &item, json!({})).await;
        // Another name, which is anybody's; what is theirs stays as it is.
        let alike = format!("{name} ");
        let pair = json!({ "metadata": { &alike: "False" } });
        let shown = scene.ask(ALICE, Method::POST, &path, pair).await.expect(200);
        assert_eq!(shown["metadata"], json!({ name: "True", alike: "False", "mine": "1" }));
        scene.ask(ALICE, Method::DELETE, &format!("{item}%20"), json!({})).await.expect(200);
        let left = json!({ name: "True", "mine": "1" });
        assert_eq!(scene.get(&path).await["metadata"], left);
        // What tenants replace, and what administrators replace without a word on it, leaves it.
        for token in [ALICE, ROOT] {
            let pair = json!({ "metadata": { "yours": token } });
            let left = scene.ask(token, Method::PUT, &path, pair).await.expect(200);
            assert_eq!(left["metadata"], json!({ name: "True", "yours": token }));
        }
        let left = scene.ask(ALICE, Method::PUT, &path, json!({ "metadata": null })).await;
        assert_eq!(left.expect(200)["metadata"], json!({ name: "True" }));
        let new = json!({ "metadata": { other: "no" } });
        let left = scene.ask(ROOT, Method::PUT, &path, new).await.expect(200);
        assert_eq!(left["metadata"], json!({ other: "no" }), "the others of theirs go");
        let item = format!("{path}/{other}");
        scene.ask(ROOT, Method::DELETE, &item, json!({})).await.expect(200);
    }
}

#[tokio::test]
async fn a_share_is_not_made_with_them() {
    let scene = Scene::new().await;
    for name in RESERVED {
        let share = json!({ "size": 1, "share_proto": "NFS", "metadata": { name: "x" } });
        let message = create(&scene.server, ALICE, share.clone()).await.fault(403, "forbidden");
        assert!(message.contains("share:update_admin_only_metadata"), "{message}");
        let made = create(&scene.server, ROOT, share).await.expect(200);
        assert_eq!(made["share"]["metadata"][name], "x");
    }
}

#[tokio::test]
async fn being_preferred_is_one_of_them() {
    let scene = Scene::new().await;
    let preferred = async || scene.get(&scene.location).await["export_location"].clone();
    assert_eq!(preferred().await["preferred"], false);
    for (value, expected) in [("True", true), ("false", false), ("1", true), ("nonsense", false)] {
        let pairs = json!({ "metadata": { "preferred": value, "rack": "7" } });
        let path = format!("{}/metadata", scene.location);
        scene.ask(ROOT, Method::POST, &path, pairs).await.expect(200);
        let shown = preferred().await;
        assert_eq!(shown["preferred"], expected, "{value}");
        assert_eq!(shown["metadata"], json!({ "rack": "7" }), "it is shown beside the others");
    }
}

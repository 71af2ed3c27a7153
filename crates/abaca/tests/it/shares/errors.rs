//! Bad input is told what is wrong with it, never 5xx.

use abaca::api::V;
use axum::http::Method;
use serde_json::{Value, json};

use super::{ALICE, act, add_type, create, created, server, settle};
use crate::support::seed;

#[tokio::test]
async fn a_body_without_a_share_can_not_be_processed() {
    let server = server().await;
    let id = created(&server, ALICE).await;
    for (method, path) in
        [(Method::POST, "/v2/shares".to_owned()), (Method::PUT, format!("/v2/shares/{id}"))]
    {
        for body in [json!({}), json!([]), json!("share"), json!([1]), json!({ "x": {} })] {
            let answer = server.request(method.clone(), &path).json(&body).send().await;
            let message = answer.fault(422, "computeFault");
            assert_eq!(message, "Unable to process the contained instructions", "{method} {body}");
        }
        for body in ["{", "", "nope", "{\"share\": {}"] {
            let answer = server.request(method.clone(), &path).text(body).send().await;
            answer.fault(400, "badRequest");
        }
    }
    for body in [json!({ "share": null }), json!({ "share": [] }), json!({ "share": "s" })] {
        let answer = server.request(Method::POST, "/v2/shares").json(&body).send().await;
        answer.fault(422, "computeFault");
        let path = format!("/v2/shares/{id}");
        server.request(Method::PUT, &path).json(&body).send().await.fault(400, "badRequest");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_new_share_is_told() {
    let server = server().await;
    add_type(&server, 5, "served", &[("driver_handles_share_servers", "True")]).await;
    add_type(&server, 6, "zoned", &[("availability_zones", "nova,other")]).await;
    add_type(
        &server,
        7,
        "sized",
        &[("provisioning:min_share_size", "2"), ("provisioning:max_share_size", "4")],
    )
    .await;
    let unknown = seed::uuid(404).to_string();
    let crowd: Vec<_> = (0..28).map(|number| seed::uuid(number).to_string()).collect();
    let table = [
        (json!({ "size": 0 }), 400, "Share size '0' must be an integer and greater than 0."),
        (json!({ "size": null }), 400, "Share size 'None' must be an integer"),
        (json!({ "share_proto": "SMB" }), 400, "Invalid share protocol provided: SMB."),
        (json!({ "share_proto": null }), 400, "share_proto"),
        (json!({ "name": "x".repeat(256) }), 400, "name can only be 255 characters long."),
        (json!({ "metadata": { "": "v" } }), 400, "Metadata property key is blank."),
        (json!({ "metadata": { "k": "v".repeat(1024) } }), 400, "greater than 1023 characters."),
        (json!({ "share_type": "nope" }), 404, "Share type not found."),
        (json!({ "share_type": unknown }), 404, "Share type not found."),
        (json!({ "share_type": "default", "volume_type": "default" }), 400, "Cannot specify both"),
        (json!({ "share_type": "served" }), 400, "Share network must be set when"),
        (json!({ "share_network_id": unknown }), 404, "Share network"),
        (json!({ "share_group_id": unknown }), 404, "Share group"),
        (json!({ "snapshot_id": unknown }), 404, "could not be found."),
        (json!({ "snapshot_id": "" }), 404, "could not be found."),
        (
            json!({ "availability_zone": "far", "share_type": "zoned" }),
            400,
            "is not supported within",
        ),
        (json!({ "share_type": "sized" }), 400, "less than the minimum size of '2'"),
        (json!({ "share_type": "sized", "size": 5 }), 400, "greater than the maximum size of '4'"),
        (json!({ "mount_point_name": "m" }), 400, "Setting a mount point name is not supported"),
        (json!({ "encryption_key_ref": unknown }), 400, "encryption_key_ref"),
        (json!({ "scheduler_hints": { "same_host": unknown } }), 404, "could not be found"),
        (json!({ "scheduler_hints": { "same_host": crowd.join(",") } }), 400, "27 others at most"),
        (
            json!({ "scheduler_hints": { "only_host": "x".repeat(256) } }),
            400,
            "only_host can only be 255 characters long.",
        ),
        (json!({ "size": i64::MAX }), 400, "must be 2147483647 or less."),
        (json!({ "size": "2147483648" }), 400, "must be 2147483647 or less."),
        (
            json!({ "size": 2_147_483_647 }),
            413,
            "ShareSizeExceedsAvailableQuota: Requested share exceeds",
        ),
    ];
    for (given, status, problem) in table {
        let mut share = json!({ "size": 1, "share_proto": "NFS" });
        share.as_object_mut().unwrap().extend(given.as_object().unwrap().clone());
        let answer = create(&server, ALICE, share).await;
        let name = match status {
            400 => "badRequest",
            404 => "itemNotFound",
            _ => "overLimit",
        };
        let message = answer.fault(status, name);
        assert!(message.contains(problem), "{given}: {message}");
    }
    let list = server.get("/v2/shares?all_tenants=1").await.expect(200);
    assert_eq!(list, json!({ "shares": [] }), "none of them left anything");
}

#[tokio::test]
async fn unknown_shares_are_not_found() {
    let server = server().await;
    let unknown = seed::uuid(404);
    for id in [unknown.to_string(), "nope".to_owned(), "%20".to_owned()] {
        let path = format!("/v2/shares/{id}");
        for method in [Method::GET, Method::DELETE] {
            let message = server.request(method, &path).send().await.fault(404, "itemNotFound");
            assert_eq!(message, "The resource could not be found.");
        }
        let put = json!({ "share": { "display_name": "n" } });
        server.put(&path, put).await.fault(404, "itemNotFound");
        server.get(&format!("{path}/instances")).await.fault(404, "itemNotFound");
        for action in [
            json!({ "extend": { "new_size": 2 } }),
            json!({ "shrink": { "new_size": 2 } }),
            json!({ "reset_status": { "status": "error" } }),
            json!({ "force_delete": null }),
        ] {
            server.post(&format!("{path}/action"), action).await.fault(404, "itemNotFound");
        }
    }
}

#[tokio::test]
async fn bad_actions_are_refused() {
    let server = server().await;
    let id = created(&server, ALICE).await;
    settle(&server, id).await;
    for body in [json!({}), json!([]), json!("extend"), json!({ "extend": {}, "shrink": {} })] {
        let message = act(&server, ALICE, id, body).await.fault(400, "badRequest");
        assert_eq!(message, "Malformed request body");
    }
    let message = act(&server, ALICE, id, json!({ "nope": {} })).await.fault(400, "badRequest");
    assert_eq!(message, "There is no such action: nope");
    let bad: Vec<Value> = vec![
        json!(null),
        json!("x"),
        json!([]),
        json!({}),
        json!({ "new_size": null }),
        json!({ "new_size": "x" }),
        json!({ "new_size": 1.5 }),
        json!({ "new_size": -1 }),
        json!({ "new_size": true }),
        json!({ "new_size": [] }),
        json!({ "new_size": 2_147_483_648_i64 }),
        json!({ "new_size": 1e30 }),
    ];
    for action in ["extend", "shrink"] {
        for value in &bad {
            act(&server, ALICE, id, json!({ action: value })).await.fault(400, "badRequest");
        }
    }
    let forced = json!({ "extend": { "new_size": 2, "force": "x" } });
    let message = act(&server, ALICE, id, forced).await.fault(400, "badRequest");
    assert_eq!(message, "Invalid value for force. Expecting a boolean.");
}

#[tokio::test]
async fn actions_have_their_names_by_version() {
    let server = server().await;
    let id = created(&server, ALICE).await;
    settle(&server, id).await;
    let root = "root:admin:admin";
    for (plain, old) in [
        ("extend", "os-extend"),
        ("shrink", "os-shrink"),
        ("reset_status", "os-reset_status"),
        ("force_delete", "os-force_delete"),
    ] {
        for (name, version) in [(plain, V(2, 6)), (old, V(2, 7))] {
            let answer = super::act_at(&server, version, root, id, json!({ name: {} })).await;
            let message = answer.fault(404, "itemNotFound");
            assert_eq!(message, "The resource could not be found.", "{name}");
        }
    }
}

#[tokio::test]
async fn renaming_takes_texts_only() {
    let server = server().await;
    let id = created(&server, ALICE).await;
    let put = async |share: Value| {
        let path = format!("/v2/shares/{id}");
        let body = json!({ "share": share });
        server.request(Method::PUT, &path).token(ALICE).json(&body).send().await
    };
    for share in [
        json!({ "display_name": 5 }),
        json!({ "display_name": [] }),
        json!({ "display_name": "x".repeat(256) }),
        json!({ "display_description": {} }),
        json!({ "display_description": "x".repeat(256) }),
        json!({ "is_public": null }),
        json!({ "is_public": "maybe" }),
    ] {
        put(share).await.fault(400, "badRequest");
    }
    put(json!({ "is_public": true })).await.fault(403, "forbidden");
    let ignored = json!({ "name": "n", "description": "d", "size": 5, "status": "error" });
    let unchanged = put(ignored).await.expect(200);
    assert_eq!(unchanged["share"]["name"], Value::Null);
    assert_eq!(
        (&unchanged["share"]["size"], &unchanged["share"]["status"]),
        (&json!(1), &json!("creating"))
    );
    let both = json!({ "display_name": "n", "display_description": "d", "is_public": "off" });
    let renamed = put(both).await.expect(200);
    assert_eq!(
        (&renamed["share"]["name"], &renamed["share"]["description"]),
        (&json!("n"), &json!("d"))
    );
    let emptied = put(json!({ "display_name": null, "display_description": "" })).await.expect(200);
    assert_eq!(
        (&emptied["share"]["name"], &emptied["share"]["description"]),
        (&json!(null), &json!(""))
    );
}

//! `/availability-zones`

use abaca::api::V;
use abaca_model::Timestamp;
use abaca_store::services;

use crate::support::{TestServer, assert_like_sample};

async fn server() -> TestServer {
    let server = TestServer::start().await;
    let mut tx = server.app.db.write().await.unwrap();
    for (host, zone) in [("h@a", "zone-b"), ("h@b", "zone-a"), ("h@c", "zone-c")] {
        services::heartbeat(&mut tx, host, "manila-share", zone, Timestamp::now()).await.unwrap();
    }
    let disabled = services::find(&mut tx, "h@c", "manila-share").await.unwrap().unwrap();
    services::set_disabled(&mut tx, disabled.id, true, None).await.unwrap();
    tx.commit().await.unwrap();
    server
}

#[tokio::test]
async fn zones_with_an_enabled_service_are_listed_to_everybody() {
    let server = server().await;
    let body = server.get_as("u:p:reader", V::MAX, "/v2/availability-zones?any=thing").await;
    let body = body.expect(200);
    assert_like_sample(&body, "availability-zones-list-response", &[]);
    insta::assert_json_snapshot!(body, {
        ".availability_zones[].id" => "[id]",
        ".availability_zones[].created_at" => "[time]",
    });
}

#[tokio::test]
async fn the_path_changed_at_2_7() {
    let server = server().await;
    let old = server.get_as("u:p:reader", V(2, 6), "/v2/os-availability-zone").await.expect(200);
    let new = server.get_as("u:p:reader", V(2, 7), "/v2/availability-zones").await.expect(200);
    assert_eq!(old, new);
    for (version, path) in [(V(2, 7), "os-availability-zone"), (V(2, 6), "availability-zones")] {
        let answer = server.get_as("u:p:reader", version, &format!("/v2/{path}")).await;
        answer.fault(404, "itemNotFound");
    }
}

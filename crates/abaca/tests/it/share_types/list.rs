//! `GET /types` and its filters.

use abaca::api::V;
use serde_json::json;

use super::{create, hide};
use crate::support::TestServer;

const ADMIN: &str = "admin:admin:admin";

async fn names(server: &TestServer, token: &str, query: &str) -> Vec<String> {
    let body = server.get_as(token, V::MAX, &format!("/v2/types?{query}")).await.expect(200);
    let types = body["share_types"].as_array().unwrap();
    types.iter().map(|share_type| share_type["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn administrators_choose_between_public_and_private() {
    let server = TestServer::start().await;
    create(&server, "b", json!({})).await;
    create(&server, "a", json!({})).await;
    hide(&server, &create(&server, "secret", json!({})).await).await;
    for (query, expected) in [
        ("", &["a", "b"][..]),
        ("is_public=true", &["a", "b"]),
        ("is_public=0", &["secret"]),
        ("is_public=ALL", &["a", "b", "secret"]),
        ("limit=1&name=x", &["a", "b"]),
    ] {
        assert_eq!(names(&server, ADMIN, query).await, expected, "{query}");
        assert_eq!(names(&server, "u:p:member", query).await, ["a", "b"], "{query}");
    }
    for bad in ["x", "None", ""] {
        let path = format!("/v2/types?is_public={bad}");
        assert!(server.get(&path).await.fault(400, "badRequest").contains("is_public"));
        assert_eq!(server.get_as("u:p:member", V::MAX, &path).await.status, 200);
    }
}

#[tokio::test]
async fn extra_specs_filter_from_2_43_on() {
    let server = TestServer::start().await;
    create(&server, "plain", json!({})).await;
    let zoned = json!({"snapshot_support": "True", "availability_zones": "x,y"});
    create(&server, "zoned", zoned).await;
    for (filter, expected) in [
        ("{'snapshot_support': 'True'}", &["zoned"][..]),
        ("{'snapshot_support': True, 'driver_handles_share_servers': 'False'}", &["zoned"]),
        ("{'snapshot_support': 'True', 'driver_handles_share_servers': 'True'}", &[]),
        ("{'snapshot_support': 'False'}", &[]),
        ("{'availability_zones': 'y'}", &["plain", "zoned"]),
        ("{'availability_zones': 'y, x'}", &["plain", "zoned"]),
        ("{'availability_zones': 'y,z'}", &["plain"]),
        ("{}", &["plain", "zoned"]),
    ] {
        let query = format!("extra_specs={}", filter.replace(' ', "%20"));
        assert_eq!(names(&server, ADMIN, &query).await, expected, "{filter}");
    }
    server.get("/v2/types?extra_specs=bogus").await.fault(400, "badRequest");
    let old = server.get_as(ADMIN, V(2, 42), "/v2/types?extra_specs=x").await;
    old.fault(400, "badRequest");
}

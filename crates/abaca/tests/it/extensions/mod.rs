//! `/extensions`

use abaca::api::V;
use serde_json::json;

use crate::support::TestServer;

#[tokio::test]
async fn there_are_none() {
    let server = TestServer::start().await;
    for version in [V::MIN, V::MAX] {
        let body = server.get_as("bob:project:reader", version, "/v2/extensions").await;
        assert_eq!(body.expect(200), json!({ "extensions": [] }));
    }
    server.get("/v2/extensions/os-quota-sets").await.fault(404, "itemNotFound");
}

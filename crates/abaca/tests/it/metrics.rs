//! `/metrics`

use abaca::telemetry::metrics::Metrics;

use crate::support::TestServer;

#[tokio::test]
async fn prometheus_is_answered_without_a_token_where_the_operator_wants_it() {
    let without = TestServer::start().await;
    without.get("/metrics").await.fault(404, "itemNotFound");

    // The recorder is the process's: no other test here may install one.
    let server = TestServer::with_metrics(Metrics::install().unwrap()).await;
    server.get("/v2/types/none").await.fault(404, "itemNotFound");
    let answer = server.request(axum::http::Method::GET, "/metrics").token("nobody").send().await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some(Metrics::CONTENT_TYPE)));
    let counted = r#"abaca_http_requests_total{route="/types/{id}",method="GET",code="404"} 1"#;
    assert!(answer.text.contains(counted), "{}", answer.text);
}

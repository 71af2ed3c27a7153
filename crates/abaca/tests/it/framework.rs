//! The way of every request, over routes of the tests' own.

use std::time::Duration;

use abaca::api::route::{action, delete, get, post};
use abaca::api::{ApiError, Call, Reply, Route, V};
use abaca::app::ApiSettings;
use axum::body::Body;
use axum::http::Method;
use serde_json::json;

use crate::support::{TestServer, default_settings};

async fn echo(call: Call) -> Result<Reply, ApiError> {
    Reply::ok(&json!({
        "id": call.path("id"),
        "name": call.query.get("name"),
        "body": call.json(),
        "request_id": call.request_id.as_str(),
        "project": call.caller.project_id,
        "link": call.links.resource("things", "1")[0]["href"],
    }))
}

async fn panics(_: Call) -> Result<Reply, ApiError> {
    panic!("a secret")
}

async fn fails(_: Call) -> Result<Reply, ApiError> {
    Err(ApiError::internal("a secret"))
}

async fn never(_: Call) -> Result<Reply, ApiError> {
    std::future::pending().await
}

async fn accepts(_: Call) -> Result<Reply, ApiError> {
    Ok(Reply::accepted())
}

/// Each with a rule that only administrators meet.
fn routes() -> Vec<Route> {
    vec![
        get("/things", V(2, 0).., "share_type:create", echo),
        post("/things", V(2, 0).., "share_type:create", echo),
        get("/things/detail", V(2, 0).., "share_type:create", accepts),
        get("/things/{id}", V(2, 0).., "share_type:create", echo),
        delete("/things/{id}", V(2, 7).., "share_type:create", accepts),
        get("/os-things", V(2, 0)..=V(2, 6), "share_type:create", echo),
        get("/rare", V(2, 0).., "share_type:create", echo).experimental(),
        action("/things/{id}/action", "os-grow", V(2, 0)..=V(2, 6), "share_type:create", accepts),
        action("/things/{id}/action", "grow", V(2, 7).., "share_type:create", accepts),
        get("/panics", V(2, 0).., "share_type:create", panics),
        get("/fails", V(2, 0).., "share_type:create", fails),
        post("/never", V(2, 0).., "share_type:create", never),
    ]
}

async fn server() -> TestServer {
    let settings = ApiSettings { max_body_bytes: 20_000, ..default_settings() };
    TestServer::with_routes(settings, routes()).await
}

#[tokio::test]
async fn the_version_is_negotiated() {
    let server = server().await;
    let ask = |version: &'static str| {
        let request = server.request(Method::GET, "/v2/things/1");
        request.header("x-openstack-manila-api-version", version).send()
    };
    let answer = ask("2.42").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-openstack-manila-api-version"), Some("2.42"));
    assert_eq!(answer.header("vary"), Some("X-OpenStack-Manila-API-Version"));
    for version in ["2.100", "3.0", "1.0"] {
        let answer = ask(version).await;
        assert_eq!(
            answer.fault(406, "computeFault"),
            format!(
                "Version {version} is not supported by the API. Minimum is 2.0 and maximum is 2.99."
            )
        );
        assert_eq!(answer.header("x-openstack-manila-api-version"), Some(version));
    }
    for version in ["", "latest", "abc", "2", "2.01"] {
        assert_eq!(
            ask(version).await.fault(400, "badRequest"),
            format!(
                "API Version String {version} is of invalid format. Must be of format \
                 MajorNum.MinorNum."
            )
        );
    }
}

#[tokio::test]
async fn the_route_table_is_sound() {
    let server = TestServer::start().await;
    server.post("/v2/nowhere", json!({})).await.fault(404, "itemNotFound");
}

#[tokio::test]
async fn a_route_is_there_only_in_its_versions() {
    let server = server().await;
    let old = server.request(Method::GET, "/v2/os-things").at(V(2, 6)).send().await;
    assert_eq!(old.status, 200);
    server.get("/v2/os-things").await.fault(404, "itemNotFound");
    server.get("/v2/nowhere").await.fault(404, "itemNotFound");
    server.get("/v1/things").await.fault(404, "itemNotFound");
    server.get("/v2x").await.fault(404, "itemNotFound");
    server.get("/v2/things/").await.fault(404, "itemNotFound");
    server.get("/v2/rare").await.fault(404, "itemNotFound");
    let experimental = server
        .request(Method::GET, "/v2/rare")
        .header("x-openstack-manila-api-experimental", "true")
        .send()
        .await;
    assert_eq!(experimental.status, 200);
    assert_eq!(experimental.header("x-openstack-manila-api-experimental"), Some("True"));
    // A literal segment comes before a placeholder.
    assert_eq!(server.get("/v2/things/detail").await.status, 202);
}

#[tokio::test]
async fn other_methods_are_refused_with_those_allowed() {
    let server = server().await;
    let thing = "/v2/things/00000000-0000-4000-8000-000000000001";
    let answer = server.request(Method::PUT, thing).send().await;
    answer.fault(405, "badMethod");
    assert_eq!(answer.header("allow"), Some("DELETE, GET, HEAD"));
    let old = server.request(Method::PUT, thing).at(V(2, 6)).send().await;
    assert_eq!(old.header("allow"), Some("GET, HEAD"));
    // Other versions have it, this one has not.
    let not_yet = server.request(Method::DELETE, thing).at(V(2, 6)).send().await;
    not_yet.fault(405, "badMethod");
    assert_eq!(not_yet.header("allow"), Some("GET, HEAD"));
    let gone = server.request(Method::PUT, "/v2/os-things").send().await;
    gone.fault(404, "itemNotFound");
    assert_eq!(server.request(Method::HEAD, "/v2/things").send().await.status, 200);
    let nothing = server.request(Method::PUT, "/v2/things/no-id").send().await;
    nothing.fault(404, "itemNotFound");
}

#[tokio::test]
async fn the_url_may_name_the_callers_project_and_no_other() {
    let server = server().await;
    let project = "28d388a2e1ed4f7a9139f9b4cd2f1046";
    let ask = |path: String| {
        server.request(Method::GET, &path).token(&format!("u:{project}:admin")).send()
    };
    let body = ask(format!("/v2/{project}/things/7")).await.expect(200);
    assert_eq!(body["id"], "7");
    assert_eq!(body["link"], format!("http://127.0.0.1:8786/v2/{project}/things/1"));
    assert_eq!(
        ask("/v2/things/7".to_owned()).await.expect(200)["link"],
        "http://127.0.0.1:8786/v2/things/1"
    );
    assert_eq!(
        ask("/v2/c263f18542d9481fbf224e0627713395/things/7".to_owned())
            .await
            .fault(400, "badRequest"),
        "Malformed request url"
    );
    ask("/v2/xyz/things/7".to_owned()).await.fault(404, "itemNotFound");
    // The embedded identity has projects that Keystone would not: `admin` is no hexadecimal.
    assert_eq!(server.get("/v2/admin/things/7").await.status, 200);
}

#[tokio::test]
async fn actions_are_chosen_by_the_only_key() {
    let server = server().await;
    let act =
        |body: &'static str| server.request(Method::POST, "/v2/things/1/action").text(body).send();
    assert_eq!(act(r#"{"grow": {}}"#).await.status, 202);
    act(r#"{"os-grow": {}}"#).await.fault(404, "itemNotFound");
    assert_eq!(
        act(r#"{"nope": {}}"#).await.fault(400, "badRequest"),
        "There is no such action: nope"
    );
    for body in ["", "{}", "[]", "null", "1", r#"["grow"]"#, "{", r#"{"grow": 1, "os-grow": 2}"#] {
        assert_eq!(act(body).await.fault(400, "badRequest"), "Malformed request body", "{body}");
    }
    let old = server.request(Method::POST, "/v2/things/1/action").at(V(2, 6));
    assert_eq!(old.text(r#"{"os-grow": {}}"#).send().await.status, 202);
}

#[tokio::test]
async fn bodies_are_bounded_in_size_depth_and_kind() {
    let server = server().await;
    let create = || server.request(Method::POST, "/v2/things");
    let deep = "[".repeat(2_000) + &"]".repeat(2_000);
    assert_eq!(
        create().text(&deep).send().await.fault(400, "badRequest"),
        "Malformed request body"
    );
    let deep = r#"{"a":"#.repeat(2_000) + "1" + &"}".repeat(2_000);
    create().text(&deep).send().await.fault(400, "badRequest");
    create().raw_body(Body::from("{}")).send().await.fault(415, "badMediaType");
    let xml = create().text("<x/>").header("content-type", "application/xml");
    xml.send().await.fault(415, "badMediaType");
    let long = format!("\"{}\"", "a".repeat(20_000));
    let answer = create().text(&long).send().await;
    answer.fault(413, "overLimit");
    assert_eq!(answer.header("retry-after"), Some("0"));
    let announced = create().text("{}").header("content-length", "20001");
    announced.send().await.fault(413, "overLimit");
    assert_eq!(create().text(&format!("\"{}\"", "a".repeat(19_998))).send().await.status, 200);
}

#[tokio::test]
async fn urls_are_decoded_strictly() {
    let server = server().await;
    let body = server.get("/v2/things/a%20b?name=%C3%A9+1&name=%C3%A9+2").await.expect(200);
    assert_eq!((&body["id"], &body["name"]), (&json!("a b"), &json!("é 2")));
    server.get("/v2/things/%ff").await.fault(400, "badRequest");
    server.get("/v2/things/%00").await.fault(400, "badRequest");
    server.get("/v2/things?name=%ff").await.fault(400, "badRequest");
}

#[tokio::test]
async fn every_answer_has_the_request_id() {
    let server = server().await;
    let given = "req-11111111-1111-4111-8111-111111111111";
    for path in
        ["/", "/v2", "/v2/", "/healthcheck", "/nowhere", "/v2/things", "/v2/nowhere", "/v2/fails"]
    {
        let ask = || server.request(Method::GET, path);
        let taken = ask().header("x-openstack-request-id", given).send().await;
        assert_eq!(taken.header("x-openstack-request-id"), Some(given), "{path}");
        assert_eq!(taken.header("x-compute-request-id"), Some(given), "{path}");
        for bad in ["bad", "req-1", "req-11111111111141118111111111111111"] {
            let fresh = ask().header("x-openstack-request-id", bad).send().await;
            let id = fresh.header("x-openstack-request-id").unwrap();
            assert!(id.starts_with("req-") && id.len() == 40 && id != bad, "{id}");
        }
    }
    let body = server
        .request(Method::GET, "/v2/things")
        .header("x-openstack-request-id", given)
        .send()
        .await
        .expect(200);
    assert_eq!(body["request_id"], given);
}

#[tokio::test]
async fn nothing_of_the_inside_is_told() {
    let server = server().await;
    for path in ["/v2/panics", "/v2/fails"] {
        let answer = server.get(path).await;
        answer.fault(500, "computeFault");
        assert!(!answer.text.contains("secret"), "{}", answer.text);
        assert_eq!(answer.header("x-openstack-manila-api-version"), Some("2.99"));
    }
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_given_up() {
    let request_timeout = Duration::from_millis(50);
    let settings = ApiSettings { request_timeout, ..default_settings() };
    let server = TestServer::with_routes(settings, routes()).await;
    let slow = server.request(Method::POST, "/v2/never").send().await;
    slow.fault(503, "serviceUnavailable");
    let stalled =
        Body::from_stream(futures_util::stream::pending::<Result<String, std::io::Error>>());
    let request = server.request(Method::POST, "/v2/things");
    request.raw_body(stalled).send().await.fault(408, "computeFault");
}

#[tokio::test]
async fn who_is_not_known_or_not_allowed_is_refused() {
    let server = server().await;
    for path in ["/v2", "/v2/", "/v2/things", "/v2/nowhere"] {
        let answer = server.request(Method::GET, path).token("nobody").send().await;
        assert_eq!(answer.expect(401)["error"]["title"], "Unauthorized");
        assert_eq!(answer.header("www-authenticate"), Some("NoAuth realm=\"abaca\""));
    }
    let foreign =
        server.request(Method::GET, "/healthcheck").header("host", "evil.example").send().await;
    foreign.fault(403, "forbidden");
    let member = server.request(Method::GET, "/v2/things").token("u:p:member").send().await;
    assert_eq!(member.fault(403, "forbidden"), "Access was denied to this resource.");
}

#[tokio::test]
async fn versions_are_listed() {
    let server = server().await;
    let root = server.request(Method::GET, "/").token("nobody").send().await;
    let body = root.expect(300);
    insta::assert_json_snapshot!(body);
    assert_eq!(server.get("/v2/").await.expect(200), body);
    assert_eq!(server.get("/v2").await.expect(200), body);
}

#[tokio::test]
async fn load_balancers_get_their_answer() {
    let server = server().await;
    let ask = |method, accept: &'static str| {
        server.request(method, "/healthcheck").token("nobody").header("accept", accept).send()
    };
    assert_eq!(ask(Method::GET, "*/*").await.text, "OK");
    assert_eq!(ask(Method::GET, "image/png").await.text, "OK");
    let json = ask(Method::GET, "application/json").await.expect(200);
    assert_eq!(json, json!({"detailed": false, "reasons": ["OK"]}));
    let html = ask(Method::GET, "text/html,application/xhtml+xml").await;
    assert_eq!(html.header("content-type"), Some("text/html; charset=UTF-8"));
    assert_eq!(ask(Method::HEAD, "*/*").await.status, 204);
}

#[tokio::test]
async fn links_begin_with_the_public_url() {
    let public_url = Some("https://cloud.example/share".to_owned());
    let settings = ApiSettings { public_url, ..default_settings() };
    let server = TestServer::with_routes(settings, routes()).await;
    let link = server.get("/v2/things").await.expect(200)["link"].clone();
    assert_eq!(link, "https://cloud.example/share/v2/things/1");
    for (path, status) in [("/", 300), ("/v2/", 200)] {
        let document = server.get(path).await.expect(status);
        let link = &document["versions"][0]["links"][1];
        assert_eq!(link["href"], "https://cloud.example/share/v2/", "{path}");
    }
}

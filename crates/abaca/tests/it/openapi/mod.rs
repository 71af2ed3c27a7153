//! The OpenAPI document. That the API keeps what it promises is checked of every answer of every other
//! test (`support/promise.rs`).

use abaca::api::{Route, V, openapi, router};
use axum::http::Method;
use serde_json::Value;

use crate::support::TestServer;

#[test]
fn the_kept_document_is_that_of_the_code() {
    let kept = include_str!("../../../../../docs/openapi.json");
    // No diff of 10,000 lines in the log.
    let is_kept = kept == openapi::text(None);
    assert!(is_kept, "renew it: cargo run --package abaca -- openapi > docs/openapi.json");
}

/// The row in the document: the operation, and of an action what stands in its body.
fn described<'d>(document: &'d Value, route: &Route) -> Option<(&'d Value, &'d Value)> {
    let method = route.method.as_str().to_lowercase();
    let operation = document["paths"].get(route.path)?.get(&method)?;
    let Some(action) = route.action else { return Some((operation, &operation["x-openstack"])) };
    let body = operation.pointer("/requestBody/content/application~1json/schema/anyOf")?;
    let actions = body.as_array()?.iter();
    let mut named = actions.filter(|body| body["properties"].get(action).is_some());
    Some((operation, &named.next()?["x-openstack"]))
}

#[test]
fn every_row_of_the_route_table_is_described() {
    let document = openapi::document(None);
    for route in router::routes() {
        let name = format!("{} {} {:?}", route.method, route.path, route.action);
        let (operation, extension) = described(&document, &route).unwrap_or_else(|| {
            panic!("{name} has no contract: see ARCHITECTURE.md, recipe of a route")
        });
        let policy = extension["policy"].as_str().unwrap_or_default();
        assert_eq!(policy, route.rule, "{name}");
        let bound = |key: &str| extension[key].as_str().map(|text| text.parse::<V>().unwrap());
        assert!(bound("min-ver").unwrap_or(V::MIN) <= route.versions.first, "{name}");
        assert!(bound("max-ver").unwrap_or(V::MAX) >= route.versions.last, "{name}");
        assert_eq!(extension.get("experimental").is_some(), is_experimental(&route), "{name}");
        let statuses = operation["responses"].as_object().unwrap();
        let succeeds = statuses.keys().any(|status| status.starts_with('2'));
        assert!(succeeds || route.path == "/extensions/{id}", "{name}");
    }
}

/// Whether any version has it as an experiment only.
fn is_experimental(route: &Route) -> bool {
    router::routes().iter().any(|other| {
        let same = |route: &Route| (route.path, route.method.clone(), route.action);
        same(other) == same(route) && other.experimental
    })
}

#[test]
fn the_document_of_a_version_has_what_the_version_has() {
    let at = |minor| openapi::document(Some(V(2, minor)));
    let share = |minor| at(minor)["components"]["schemas"]["Share"].clone();
    let (old, new) = (share(8), share(99));
    let has = |share: &Value, key: &str| {
        let required = share["required"].as_array().unwrap().iter().any(|name| name == key);
        (share["properties"].get(key).is_some(), required)
    };
    assert_eq!(has(&old, "export_location"), (true, true));
    assert_eq!(has(&new, "export_location"), (false, false));
    assert_eq!(has(&old, "progress"), (false, false));
    assert_eq!(has(&new, "progress"), (true, true));
    // Only administrators see it.
    assert_eq!(has(&new, "host"), (true, false));
    assert!(at(6)["paths"].get("/services").is_none() && at(7)["paths"].get("/services").is_some());
    let parameters = |minor: u32| at(minor)["paths"]["/shares"]["get"]["parameters"].to_string();
    assert!(!parameters(34).contains("export_location_id"));
    assert!(parameters(35).contains("export_location_id"));
    // The short lists count later than those with details.
    for (path, first) in [("/shares", 42), ("/snapshots", 79)] {
        for (path, minor) in [(path.to_owned(), first), (format!("{path}/detail"), 0)] {
            let has = |minor: u32| {
                at(minor)["paths"][&path]["get"]["parameters"].to_string().contains("with_count")
            };
            assert!(has(minor) && (minor == 0 || !has(minor - 1)), "{path}");
        }
    }
    for minor in 0..=V::MAX.1 {
        assert!(!at(minor).to_string().contains("-ver\""), "2.{minor}");
    }
}

#[tokio::test]
async fn it_is_served_to_everybody_and_cached() {
    let server = TestServer::start().await;
    let path = "/v2/openapi.json";
    let served = server.request(Method::GET, path).token("nobody").send().await;
    assert_eq!(served.expect(200), openapi::document(None));
    assert_eq!(served.header("cache-control"), Some("public, max-age=3600"));
    let tag = served.header("etag").unwrap();
    for known in [tag, &format!("W/\"x\", W/{tag}"), "*"] {
        let again = server.request(Method::GET, path).header("if-none-match", known).send().await;
        assert_eq!((again.status, again.text.as_str()), (304, ""), "{known}");
    }
    let other = server.request(Method::GET, path).header("if-none-match", "\"x\"").send().await;
    assert_eq!(other.status, 200);
    server.request(Method::PUT, path).send().await.fault(405, "badMethod");
}

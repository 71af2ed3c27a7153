//! Every route of the table, tried by everybody.

mod cases;
mod policy_files;
mod world;

use abaca::api::{Route, router};
use abaca_model::quota::{Limit, Resource};
use axum::http::Method;

use crate::support::{Answer, TestServer};
use cases::CASES;
use world::World;

const NOBODY: &str = "alice:project:nothing";
const STRANGER: &str = "mallory:other:member";
const READER: &str = "bob:project:reader";
const MEMBER: &str = "alice:project:member";
const ADMINISTRATOR: &str = "root:admin:admin";
const CALLERS: [&str; 5] = [NOBODY, STRANGER, READER, MEMBER, ADMINISTRATOR];

/// Those a route lets through. Administrators always are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Whoever is known, whatever his roles. It shows him his own only.
    Everybody,
    /// Nobody: there is nothing.
    NoOne,
    /// Readers of any project. What is another project's is not in their answer.
    Anyone,
    /// Members of any project, for their own project.
    AnyMember,
    /// Readers of the resource's project.
    Readers,
    /// Members of the resource's project.
    Members,
    /// Nobody else.
    Administrators,
}

impl Who {
    fn has(self, caller: &str) -> bool {
        match self {
            Self::Everybody => true,
            Self::NoOne => false,
            Self::Anyone => caller != NOBODY,
            Self::AnyMember => [STRANGER, MEMBER, ADMINISTRATOR].contains(&caller),
            Self::Readers => [READER, MEMBER, ADMINISTRATOR].contains(&caller),
            Self::Members => [MEMBER, ADMINISTRATOR].contains(&caller),
            Self::Administrators => caller == ADMINISTRATOR,
        }
    }
}

/// Every case creates what it may, and none shall fail for a reason of its own.
const UNLIMITED: [(Resource, Limit); 6] = [
    (Resource::Shares, Limit::Unlimited),
    (Resource::Gigabytes, Limit::Unlimited),
    (Resource::Snapshots, Limit::Unlimited),
    (Resource::SnapshotGigabytes, Limit::Unlimited),
    (Resource::ShareReplicas, Limit::Unlimited),
    (Resource::ReplicaGigabytes, Limit::Unlimited),
];

fn name(route: &Route) -> String {
    let action = route.action.map(|action| format!(" {action}")).unwrap_or_default();
    format!("{} {}{action}", route.method, route.path)
}

/// Sends a request to the route, about the world's resources.
async fn ask(server: &TestServer, world: &World, route: &Route, body: &str, token: &str) -> Answer {
    let path = format!("/v2{}", world.path(route));
    let mut request = server.request(route.method.clone(), &path).token(token);
    request = request.at(route.versions.last);
    if route.experimental {
        request = request.header("x-openstack-manila-api-experimental", "true");
    }
    if !body.is_empty() {
        request = request.text(&world.fill(body));
    }
    request.send().await
}

#[test]
fn every_route_has_a_case_and_every_case_a_route() {
    let routes: Vec<String> = router::routes().iter().map(name).collect();
    let cases: Vec<&str> = CASES.iter().map(|(route, ..)| *route).collect();
    let lacking: Vec<_> = routes.iter().filter(|route| !cases.contains(&route.as_str())).collect();
    assert!(lacking.is_empty(), "authorisation/cases.rs lacks {lacking:#?}");
    let stray: Vec<_> =
        cases.iter().filter(|case| !routes.iter().any(|route| route == *case)).collect();
    assert!(stray.is_empty(), "no such routes: {stray:#?}");
}

#[tokio::test]
async fn everybody_gets_what_is_theirs_and_no_more() {
    let server = TestServer::with_quota(&UNLIMITED).await;
    for route in router::routes() {
        let name = name(&route);
        let Some((_, who, body)) = CASES.iter().find(|(case, ..)| *case == name) else { continue };
        let denied = World::create(&server).await;
        let malformed = ask(&server, &denied, &route, body, "nobody").await;
        assert_eq!(malformed.status, 401, "{name}: {}", malformed.text);
        for token in CALLERS {
            if who.has(token) {
                // Of its own, since the one before may have deleted it; reading leaves all as it was.
                let own =
                    if route.method.is_safe() { None } else { Some(World::create(&server).await) };
                let world = own.as_ref().unwrap_or(&denied);
                let answer = ask(&server, world, &route, body, token).await;
                let passed = matches!(answer.status, 200..=299 | 400 | 409);
                assert!(passed, "{name} as {token}: {} {}", answer.status, answer.text);
                let leaks = token == STRANGER && world.is_told_by(&answer.text);
                assert!(!leaks, "{name} as {token}: {}", answer.text);
            } else {
                let answer = ask(&server, &denied, &route, body, token).await;
                let refused = matches!(answer.status, 403 | 404);
                assert!(refused, "{name} as {token}: {} {}", answer.status, answer.text);
            }
        }
        denied.assert_untouched(&server).await;
    }
}

#[tokio::test]
async fn a_project_in_the_url_changes_nothing() {
    let server = TestServer::with_quota(&UNLIMITED).await;
    let world = World::create(&server).await;
    for (token, project, status) in [
        ("alice:project:member", "project", 200),
        ("mallory:other:member", "other", 404),
        ("mallory:other:member", "c263f18542d9481fbf224e0627713395", 400),
    ] {
        let path = format!("/v2/{project}{}", world.fill("/snapshots/{id}"));
        let request = server.request(Method::GET, &path).token(token);
        assert_eq!(request.send().await.status, status, "{token} {path}");
    }
}

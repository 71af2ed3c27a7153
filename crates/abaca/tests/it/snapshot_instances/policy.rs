//! The four rules, each opened to another role by a policy.yaml and by a policy.json, and what a
//! rule about projects shows.

use abaca::config::PolicyConfig;
use abaca::policy::Policy;
use abaca_model::SnapshotInstance;
use axum::http::Method;
use serde_json::{Value, json};

use super::ids;
use crate::support::{Answer, TestServer, seed};

const SUPPORT: &str = "sue:helpdesk:support";
const RULES: [&str; 4] = ["index", "detail", "show", "reset_status"];

/// A server with this policy file, and a snapshot instance of each of two projects.
async fn server(name: &str, text: &str) -> (TestServer, [SnapshotInstance; 2]) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(name);
    std::fs::write(&file, text).unwrap();
    let policy = Policy::load(&PolicyConfig { file: Some(file), dirs: Vec::new() }).unwrap();
    let server = TestServer::with_policy(policy).await;
    let mut instances = Vec::new();
    for (number, project) in [(1, "project"), (2, "other")] {
        let (share, place) = seed::share(number, project);
        seed::add_share(&server.app.db, &share, std::slice::from_ref(&place)).await;
        let (mut snapshot, instance) = seed::snapshot(number + 10, &place);
        snapshot.project_id = project.to_owned();
        seed::add_snapshot(&server.app.db, &snapshot, std::slice::from_ref(&instance)).await;
        instances.push(instance);
    }
    (server, instances.try_into().unwrap())
}

/// What the four requests are answered for this caller, in the order of [`RULES`].
async fn answers(server: &TestServer, token: &str, instance: &SnapshotInstance) -> [Answer; 4] {
    let get = |path: String| {
        let path = format!("/v2/snapshot-instances{path}");
        server.request(Method::GET, &path).token(token).send()
    };
    let path = format!("/v2/snapshot-instances/{}/action", instance.id);
    let body = json!({ "reset_status": { "status": "error" } });
    let reset = server.request(Method::POST, &path).token(token).json(&body).send();
    [
        get(String::new()).await,
        get("/detail".to_owned()).await,
        get(format!("/{}", instance.id)).await,
        reset.await,
    ]
}

async fn statuses(server: &TestServer, token: &str, instance: &SnapshotInstance) -> [u16; 4] {
    answers(server, token, instance).await.map(|answer| answer.status)
}

const ADMINISTRATOR: [u16; 4] = [200, 200, 200, 202];

#[tokio::test]
async fn each_rule_is_opened_alone_by_yaml_and_by_json() {
    for (opened, rule) in RULES.iter().enumerate() {
        let name = format!("share_snapshot_instance:{rule}");
        let yaml = format!("\"{name}\": \"role:support\"\n");
        let json = json!({ &name: "role:support" }).to_string();
        for (file, text) in [("policy.yaml", yaml), ("policy.json", json)] {
            let (server, [instance, other]) = server(file, &text).await;
            let mut expected = [403; 4];
            expected[opened] = ADMINISTRATOR[opened];
            for instance in [&instance, &other] {
                let got = statuses(&server, SUPPORT, instance).await;
                assert_eq!(got, expected, "{rule} by {file}");
            }
            // The rule says whom it lets; administrators are not among them any more.
            let mut expected = ADMINISTRATOR;
            expected[opened] = 403;
            let got = statuses(&server, "root:admin:admin", &instance).await;
            assert_eq!(got, expected, "{rule} by {file}");
        }
    }
}

#[tokio::test]
async fn whom_a_rule_lets_see_everything_sees_everything() {
    let text = "\"share_snapshot_instance:index\": \"role:support\"\n";
    let (server, instances) = server("policy.yaml", text).await;
    let [list, ..] = answers(&server, SUPPORT, &instances[0]).await;
    assert_eq!(ids(&list.expect(200)).len(), 2);
}

#[tokio::test]
async fn a_rule_about_projects_shows_each_its_own() {
    let rule = "role:admin or (role:member and project_id:%(project_id)s)";
    let rules = RULES.map(|name| (format!("share_snapshot_instance:{name}"), json!(rule)));
    let text = Value::Object(rules.into_iter().collect()).to_string();
    let (server, [mine, theirs]) = server("policy.json", &text).await;
    let alice = "alice:project:member";
    let [list, detail, show, reset] = answers(&server, alice, &mine).await;
    for list in [list.expect(200), detail.expect(200)] {
        assert_eq!(ids(&list), [mine.id.to_string()]);
    }
    assert_eq!((show.status, reset.status), (200, 202));
    let path = "/v2/snapshot-instances?with_count=1&limit=1";
    let counted = server.request(Method::GET, path).token(alice).send().await.expect(200);
    assert_eq!((&counted["count"], counted.get("snapshot_instances_links")), (&json!(1), None));
    for (instance, status) in [(&mine, 200), (&theirs, 400)] {
        let path = format!("/v2/snapshot-instances?marker={}", instance.id);
        let answer = server.request(Method::GET, &path).token(alice).send().await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
    let [.., show, reset] = answers(&server, alice, &theirs).await;
    show.fault(403, "forbidden");
    reset.fault(403, "forbidden");
    assert_eq!(statuses(&server, "carol:project:reader", &mine).await, [403; 4]);
    let [list, ..] = answers(&server, "root:admin:admin", &theirs).await;
    assert_eq!(ids(&list.expect(200)).len(), 2);
}

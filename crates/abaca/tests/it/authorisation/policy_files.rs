//! An operator's file opens one rule to one more role, and nothing else.

use abaca::api::{Route, router};
use abaca::config::PolicyConfig;
use abaca::policy::Policy;

use super::cases::CASES;
use super::world::World;
use super::{ask, name};
use crate::support::TestServer;

const OPENED: &str = "rule:context_is_admin or role:auditor";
const AUDITOR: &str = "eve:elsewhere:auditor";

/// The routes an auditor gets through, under a policy file with this name and text.
async fn open_to_auditor(file: &str, text: &str) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(file);
    std::fs::write(&path, text).unwrap();
    let policy = Policy::load(&PolicyConfig { file: Some(path), dirs: Vec::new() }).unwrap();
    let server = TestServer::with_policy(policy).await;
    let world = World::create(&server).await;
    let mut open = Vec::new();
    for route in router::routes().iter().filter(|route| is_of_snapshot_instances(route)) {
        let name = name(route);
        let (.., body) = CASES.iter().find(|(case, ..)| *case == name).unwrap();
        let answer = ask(&server, &world, route, body, AUDITOR).await;
        match answer.status {
            200 | 202 => open.push(name),
            status => assert_eq!(status, 403, "{name}: {}", answer.text),
        }
    }
    open
}

fn is_of_snapshot_instances(route: &Route) -> bool {
    route.rule.starts_with("share_snapshot_instance:")
}

#[tokio::test]
async fn each_snapshot_instance_rule_can_be_opened_alone() {
    assert!(open_to_auditor("policy.yaml", "{}").await.is_empty());
    for (operation, route) in [
        ("index", "GET /snapshot-instances"),
        ("detail", "GET /snapshot-instances/detail"),
        ("show", "GET /snapshot-instances/{id}"),
        ("reset_status", "POST /snapshot-instances/{id}/action reset_status"),
    ] {
        let rule = format!("share_snapshot_instance:{operation}");
        let yaml = format!("# For audits.\n\"{rule}\": \"{OPENED}\"\n");
        assert_eq!(open_to_auditor("policy.yaml", &yaml).await, [route], "{yaml}");
        let json = format!(r#"{{"{rule}": "{OPENED}"}}"#);
        assert_eq!(open_to_auditor("policy.json", &json).await, [route], "{json}");
    }
}

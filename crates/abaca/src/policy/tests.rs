use std::fs;

use serde_json::json;

use super::*;
use crate::api::route::Check;
use crate::app::Policy as _;

fn caller(roles: &[&str]) -> Caller {
    Caller {
        user_id: "alice".to_owned(),
        project_id: Some("p1".to_owned()),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        ..Caller::default()
    }
}

fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn with(rules: Value) -> Policy {
    Policy::from_rules(&rules).unwrap()
}

#[tokio::test]
async fn the_defaults_know_reader_member_and_administrator() {
    let policy = with(json!({}));
    let (own, other) = (map(json!({"project_id": "p1"})), map(json!({"project_id": "p2"})));
    for (rule, target, allowed) in [
        ("share:get", &own, ["reader", "member", "admin"].as_slice()),
        ("share:get", &other, &["admin"]),
        ("share:create", &own, &["member", "admin"]),
        ("share_snapshot_instance:index", &own, &["admin"]),
        ("share_snapshot_instance:reset_status", &other, &["admin"]),
    ] {
        for role in ["reader", "member", "admin", "other"] {
            // Keystone gives a member the reader role too.
            let roles = if role == "member" { vec!["member", "reader"] } else { vec![role] };
            let decision = policy.allows(rule, &caller(&roles), Some(target)).await;
            assert_eq!(decision, allowed.contains(&role), "{rule} {role} {target:?}");
        }
    }
}

#[test]
fn every_routes_rule_is_built_in() {
    let routes = crate::api::router::routes();
    assert!(!routes.is_empty());
    for route in routes.iter().filter(|route| route.check != Check::Nobody) {
        let rule = defaults::all().find(|rule| rule.name == route.rule);
        assert!(rule.is_some(), "{} asks {}", route.path, route.rule);
    }
}

#[tokio::test]
async fn each_snapshot_instance_rule_opens_alone_by_yaml_and_by_json() {
    let rules = ["index", "detail", "show", "reset_status"]
        .map(|operation| format!("share_snapshot_instance:{operation}"));
    for opened in &rules {
        for (name, text) in [
            ("policy.yaml", format!("\"{opened}\": \"role:auditor\"\n")),
            ("policy.json", format!("{{\n\t\"{opened}\": [[\"role:auditor\"]]\n}}")),
        ] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(name), text).unwrap();
            let policy =
                Policy::load(&PolicyConfig { file: Some(folder.path().join(name)), dirs: vec![] })
                    .unwrap();
            for rule in &rules {
                assert_eq!(
                    policy.allows(rule, &caller(&["auditor"]), None).await,
                    rule == opened,
                    "{name} {rule}"
                );
            }
        }
    }
}

#[tokio::test]
async fn later_files_win_and_hidden_ones_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    for name in ["a", "b", "b/folder"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    write("policy.yaml", "share:get: role:file\nshare:update: role:file\n");
    write("a/20.yaml", "share:get: role:a20");
    write("a/10.json", "{\"share:get\": \"role:a10\", \"context_is_admin\": \"role:boss\"}");
    write("b/.swp", "broken: [");
    write("b/late", "share:delete: role:late");
    let config = PolicyConfig {
        file: Some(folder.path().join("policy.yaml")),
        dirs: vec![folder.path().join("a"), folder.path().join("b")],
    };
    let policy = Policy::load(&config).unwrap();
    for (rule, role) in [
        ("share:get", "a20"),
        ("share:update", "file"),
        ("share:delete", "late"),
        ("share_snapshot_instance:index", "boss"),
    ] {
        assert!(policy.allows(rule, &caller(&[role]), None).await, "{rule} {role}");
        assert!(!policy.allows(rule, &caller(&["admin"]), None).await, "{rule}");
    }
    let listed = policy.rules();
    let origin = |name: &str| listed.iter().find(|rule| rule.name == name).unwrap().origin.clone();
    assert_eq!(origin("share:get"), Origin::File(folder.path().join("a/20.yaml")));
    assert_eq!(origin("share:create"), Origin::Default);
    assert!(list(&listed).contains("role:a20  # "));
}

#[test]
fn a_start_with_a_broken_policy_fails_and_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.yaml");
    let load = |config: PolicyConfig| remote::chain(&Policy::load(&config).unwrap_err());
    let file = |path: &std::path::Path| PolicyConfig { file: Some(path.to_owned()), dirs: vec![] };
    assert!(load(file(&path)).contains("policy.yaml can't be read"));
    assert!(load(file(folder.path())).contains("expected a regular file"));
    assert!(load(PolicyConfig { file: None, dirs: vec![path.clone()] }).contains("can't be read"));
    fs::write(&path, "share:get: role:x\nshare:update:\n").unwrap();
    assert!(load(file(&path)).contains("is malformed: rule \"share:update\": expected a check"));
    fs::write(&path, b"share:get: \xff").unwrap();
    assert!(load(file(&path)).contains("can't be read"));
    fs::write(&path, " ".repeat(1_100_000)).unwrap();
    assert!(load(file(&path)).contains("larger than"));
}

#[tokio::test]
async fn system_and_domain_tokens_are_refused_by_project_rules() {
    let policy = with(json!({"share:get": "@", "free": "@"}));
    let system = Caller { system_scope: Some("all".to_owned()), ..caller(&["admin"]) };
    let domain = Caller { domain_id: Some("d".to_owned()), ..caller(&["admin"]) };
    for caller in [&system, &domain] {
        for rule in ["share:get", "share:create", "context_is_admin"] {
            assert!(!policy.allows(rule, caller, None).await, "{rule}");
        }
        let credentials = Credentials::new(caller);
        assert_eq!(policy.decide("free", &credentials, &Map::new()).await, Ok(true));
    }
    let credentials = Credentials::new(&system);
    let explained = policy.explain("share:get", &credentials, &Map::new()).await.to_string();
    let expected = "the token is for a system; the rule takes one for a project";
    assert!(explained.contains(expected), "{explained}");
}

#[tokio::test]
async fn who_is_an_administrator_is_a_rule_too() {
    let policy = with(json!({"context_is_admin": "role:boss", "share:get": "rule:admin_api"}));
    let mut boss = caller(&["boss"]);
    assert!(!policy.allows("share:get", &boss, None).await);
    assert!(!policy.allows("context_is_admin", &caller(&["admin"]), None).await);
    boss.is_admin = policy.allows("context_is_admin", &boss, None).await;
    assert!(policy.allows("share:get", &boss, None).await);
    // A rule that asks for its own result refuses.
    let circular = with(json!({"context_is_admin": "is_admin:True"}));
    assert!(!circular.allows("context_is_admin", &Caller { is_admin: true, ..boss }, None).await);
}

#[tokio::test]
async fn an_unknown_rule_is_decided_by_the_default_rule_but_guards_no_route() {
    let caller = caller(&[]);
    let credentials = Credentials::new(&caller);
    let own = map(json!({"project_id": "p1"}));
    for (rules, expected) in [
        (json!({}), true),
        (json!({"default": "!"}), false),
        (json!({"default": "!", "nowhere": "@"}), true),
    ] {
        let policy = with(rules);
        assert_eq!(policy.decide("nowhere", &credentials, &own).await, Ok(expected));
        assert!(!policy.allows("nowhere", &caller, Some(&own)).await);
    }
    let policy = with(json!({"default": "@", "share:get": "rule:nowhere"}));
    assert!(policy.allows("share:get", &caller, Some(&own)).await);
}

#[tokio::test]
async fn failures_refuse_even_inside_a_not() {
    let deep = format!("not {}role:x{}", "(".repeat(200), ")".repeat(200));
    let caller = caller(&[]);
    for rule in [
        "not rule:share:get",
        "not $x:1",
        "not user_id:%(project_id)q",
        "not user_id.x:1",
        deep.as_str(),
    ] {
        let policy = with(json!({"share:get": rule}));
        let credentials = Credentials::new(&caller);
        assert!(policy.decide("share:get", &credentials, &Map::new()).await.is_err(), "{rule}");
        assert!(!policy.allows("share:get", &caller, None).await, "{rule}");
    }
}

#[tokio::test]
async fn rules_that_multiply_or_chain_are_cut_off() {
    let mut rules: Map<String, Value> = (0..60)
        .map(|n| (format!("r{n}"), json!(format!("rule:r{0} and rule:r{0}", n + 1))))
        .collect();
    rules.insert("r60".to_owned(), json!("@"));
    assert_eq!(
        with(rules.into()).decide("r0", &Credentials::new(&caller(&[])), &Map::new()).await,
        Err(Failure::TooManySteps)
    );
    let chain: Map<String, Value> =
        (0..100_000).map(|n| (format!("r{n}"), json!(format!("not rule:r{}", n + 1)))).collect();
    let policy = with(chain.into());
    assert_eq!(
        policy.decide("r0", &Credentials::new(&caller(&[])), &Map::new()).await,
        Err(Failure::TooDeep)
    );
    assert!(
        policy.explain("r0", &Credentials::new(&caller(&[])), &Map::new()).await.tree.is_some()
    );
}

#[tokio::test]
async fn an_explanation_shows_what_was_asked_and_what_was_not() {
    let policy = with(json!({}));
    let explained = policy
        .explain(
            "share:create",
            &Credentials::new(&caller(&["reader"])),
            &map(json!({"project_id": "p2"})),
        )
        .await;
    insta::assert_snapshot!(explained.to_string(), @r#"
    share:create: refused
      refused    any of
        refused    rule:context_is_admin  (from default)
          refused    role:admin  (the caller's roles: ['reader'])
        refused    rule:project-member  (from default)
          refused    all of
            refused    role:member  (the caller's roles: ['reader'])
            not asked  project_id:%(project_id)s
    "#);
    let explained = policy
        .explain("nowhere", &Credentials::new(&caller(&[])), &map(json!({"project_id": "p2"})))
        .await;
    insta::assert_snapshot!(explained.to_string(), @r#"
    nowhere: refused
      there is no rule of this name, so the rule "default" decides
      refused    rule:admin_or_owner  (from default)
        refused    any of
          refused    is_admin:True  (the caller's is_admin: "False", wanted: "True")
          refused    project_id:%(project_id)s  (the caller's project_id: "p1", wanted: "p2")
    "#);
}

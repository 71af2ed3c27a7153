//! Access rules under faults: a backend that fails or hangs, a process that dies, a share that has
//! work of its own or goes. Whatever was asked for last is what the backend holds in the end.

use std::os::unix::process::ExitStatusExt;

use abaca_model::{OperationKind, OperationState};
use abaca_store::Dialect;
use serde_json::{Value, json};

use crate::service::{Service, Storage, World};
use crate::story::{allow, allowance, let_in};

crate::on_each_database!(
    passing_failures_are_tried_again,
    a_lasting_failure_is_told_and_can_be_undone,
    one_refused_rule_is_told_alone,
    what_is_asked_for_during_a_call_that_hangs_is_done,
    the_share_and_its_rules_work_side_by_side,
    a_share_that_goes_takes_its_rules_along,
    ensuring_a_share_brings_its_rules_back,
    a_denial_is_finished_after_a_kill_at_any_moment,
);

const KEY: &str = "apply_access";

/// A service with an available share of one instance.
async fn one_share(dialect: Dialect, storage: Storage) -> (World, Service, String, String) {
    let world = World::new(dialect, storage).await;
    world.set_faults("");
    let service = world.start("all", None);
    let share = service.create_share();
    service.share_is(&share, "available");
    let instance = service.share_instance(&share);
    (world, service, share, instance)
}

fn rules(service: &Service, share: &str) -> Vec<Value> {
    let list = service.get(&format!("/share-access-rules?share_id={share}"));
    list["access_list"].as_array().unwrap().clone()
}

fn rules_are(service: &Service, share: &str, status: &str) {
    service.wait(&format!("access rules {status}"), |service| {
        let shown = service.get(&format!("/shares/{share}"));
        (shown["share"]["access_rules_status"] == status).then_some(())
    });
}

fn deny(service: &Service, share: &str, rule: &str) {
    let body = json!({"deny_access": {"access_id": rule}});
    service.post(&format!("/shares/{share}/action"), &body);
}

/// Whom the simulated backend lets into its only share.
fn held(world: &World) -> Vec<String> {
    let state: Value =
        serde_json::from_slice(&std::fs::read(world.path("state.json")).unwrap()).unwrap();
    let share = state["shares"].as_object().unwrap().values().next().unwrap();
    let rules = share["access"]["rules"].as_array().unwrap().iter();
    let mut addresses: Vec<_> = rules.map(|rule| rule["to"].as_str().unwrap().to_owned()).collect();
    addresses.sort();
    addresses
}

/// The simulated backend loses the rules of its shares, as one that was set up anew.
fn lose_rules(world: &World) {
    let path = world.path("state.json");
    let mut state: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for share in state["shares"].as_object_mut().unwrap().values_mut() {
        share["access"]["rules"] = json!([]);
    }
    std::fs::write(path, state.to_string()).unwrap();
}

async fn ensuring_a_share_brings_its_rules_back(dialect: Dialect) {
    let (world, service, share, instance) = one_share(dialect, Storage::Simulated).await;
    allow(&service, &format!("/shares/{share}"), "10.0.0.1");
    rules_are(&service, &share, "active");
    lose_rules(&world);
    assert!(held(&world).is_empty());
    service.post("/services/ensure-shares", &json!({"host": "w@b"}));
    world.settled().await;
    world.reaches(&instance, OperationState::Succeeded).await;
    service.share_is(&share, "available");
    assert_eq!(held(&world), ["10.0.0.1"]);
    drop(service);
    world.remove().await;
}

/// How many synchronisations of an instance there were, and that they ended well.
async fn syncs(world: &World, instance: &str) -> usize {
    let all = world.operations(instance).await;
    let syncs = all.iter().filter(|one| one.kind == OperationKind::UpdateAccessRules);
    syncs.inspect(|one| assert_eq!(one.state, OperationState::Succeeded, "{one:?}")).count()
}

async fn passing_failures_are_tried_again(dialect: Dialect) {
    for after_effect in [false, true] {
        let (world, service, share, instance) = one_share(dialect, Storage::Simulated).await;
        world.set_faults(&format!(
            "[[fault]]\nmethod = \"{KEY}\"\nfail = \"transient\"\ntimes = 2\nafter_effect = {after_effect}\n"
        ));
        allow(&service, &format!("/shares/{share}"), "10.0.0.1");
        assert_eq!(service.settled_rules(&share), ["10.0.0.1"]);
        assert_eq!(held(&world), ["10.0.0.1"]);
        world.settled().await;
        assert_eq!(syncs(&world, &instance).await, 1);
        drop(service);
        world.remove().await;
    }
}

async fn a_lasting_failure_is_told_and_can_be_undone(dialect: Dialect) {
    let (world, service, share, instance) = one_share(dialect, Storage::Simulated).await;
    world.set_faults(&format!("[[fault]]\nmethod = \"{KEY}\"\nfail = \"failed\"\n"));
    let rule = allow(&service, &format!("/shares/{share}"), "10.0.0.1");
    rules_are(&service, &share, "error");
    assert_eq!(rules(&service, &share)[0]["state"], "error");
    assert_eq!(service.get(&format!("/shares/{share}"))["share"]["status"], "available");
    world.reaches(&instance, OperationState::Failed).await;
    let messages = service.get("/messages")["messages"].as_array().unwrap().clone();
    let [message] = &messages[..] else { panic!("{messages:?}") };
    let told = (&message["action_id"], &message["resource_type"], &message["resource_id"]);
    assert_eq!(told, (&json!("010"), &json!("SHARE"), &json!(share)));
    let text = message["user_message"].as_str().unwrap();
    assert!(text.contains("The storage backend failed."), "{text}");

    world.set_faults("");
    deny(&service, &share, &rule);
    rules_are(&service, &share, "active");
    assert!(service.settled_rules(&share).is_empty());
    assert!(held(&world).is_empty());
    drop(service);
    world.remove().await;
}

async fn one_refused_rule_is_told_alone(dialect: Dialect) {
    let (world, service, share, _) = one_share(dialect, Storage::Simulated).await;
    let path = format!("/shares/{share}");
    world.set_faults(&format!(
        "[[fault]]\nmethod = \"{KEY}\"\nfail = \"refuse\"\naccess_to = \"10.0.0.2\"\n"
    ));
    for address in ["10.0.0.1", "10.0.0.2", "10.0.0.3"] {
        allow(&service, &path, address);
    }
    let ceph = json!({"allow_access": {"access_type": "cephx", "access_to": "alice"}});
    service.post(&format!("{path}/action"), &ceph);
    world.settled().await;
    let shown = rules(&service, &share);
    let states: Vec<_> = shown.iter().map(|rule| rule["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["active", "error", "active", "active"]);
    assert!(shown[3]["access_key"].as_str().unwrap().starts_with("AQ"), "{shown:?}");
    assert_eq!(held(&world), ["10.0.0.1", "10.0.0.3", "alice"]);
    rules_are(&service, &share, "error");
    let messages = service.get("/messages")["messages"].as_array().unwrap().clone();
    let [message] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(message["detail_id"], "021");
    let text = message["user_message"].as_str().unwrap();
    assert!(text.contains(shown[1]["id"].as_str().unwrap()), "{text}");
    // A lock may hide the client from whoever reads this.
    assert!(!text.contains("10.0.0.2"), "{text}");

    // Refused once, it is left alone until it is denied, and told of no second time.
    allow(&service, &path, "10.0.0.4");
    world.settled().await;
    assert_eq!(service.get("/messages")["messages"].as_array().unwrap().len(), 1);
    deny(&service, &share, shown[1]["id"].as_str().unwrap());
    assert_eq!(service.settled_rules(&share), ["10.0.0.1", "10.0.0.3", "alice", "10.0.0.4"]);
    drop(service);
    world.remove().await;
}

async fn what_is_asked_for_during_a_call_that_hangs_is_done(dialect: Dialect) {
    let (world, service, share, instance) = one_share(dialect, Storage::Simulated).await;
    let path = format!("/shares/{share}");
    let first = allow(&service, &path, "10.0.0.1");
    service.settled_rules(&share);
    for after_effect in [false, true] {
        world.set_faults(&format!(
            "[[fault]]\nmethod = \"{KEY}\"\nfail = \"hang\"\nafter_effect = {after_effect}\n"
        ));
        let passing = allow(&service, &path, "10.0.0.2");
        service.wait("a rule on its way", |service| {
            let shown = rules(service, &share);
            shown.iter().any(|rule| rule["state"] == "applying").then_some(())
        });
        deny(&service, &share, &passing);
        let lasting = allow(&service, &path, "10.0.0.3");
        let level = json!({"update_access": {"access_level": "ro"}});
        service.expect("PUT", &format!("/share-access-rules/{first}"), Some(&level));
        world.set_faults("");
        assert_eq!(service.settled_rules(&share), ["10.0.0.1", "10.0.0.3"]);
        assert_eq!(held(&world), ["10.0.0.1", "10.0.0.3"]);
        assert_eq!(rules(&service, &share)[0]["access_level"], "ro");
        deny(&service, &share, &lasting);
        service.wait("a denial", |service| {
            (service.settled_rules(&share) == ["10.0.0.1"]).then_some(())
        });
        let level = json!({"update_access": {"access_level": "rw"}});
        service.expect("PUT", &format!("/share-access-rules/{first}"), Some(&level));
        service.settled_rules(&share);
        world.settled().await;
    }
    syncs(&world, &instance).await;
    drop(service);
    world.remove().await;
}

async fn the_share_and_its_rules_work_side_by_side(dialect: Dialect) {
    let (world, service, share, instance) = one_share(dialect, Storage::Simulated).await;
    let path = format!("/shares/{share}");
    world.set_faults(&format!("[[fault]]\nmethod = \"{KEY}\"\nfail = \"hang\"\n"));
    allow(&service, &path, "10.0.0.1");
    world.reaches(&instance, OperationState::Running).await;
    service.post(&format!("{path}/action"), &json!({"extend": {"new_size": 2}}));
    service.share_is(&share, "available");
    assert_eq!(service.get(&path)["share"]["size"], 2);
    let reset = json!({"reset_status": {"status": "error"}});
    service.post(&format!("{path}/action"), &reset);
    world.set_faults("");
    world.settled().await;
    assert_eq!(rules(&service, &share)[0]["state"], "active");
    assert_eq!(held(&world), ["10.0.0.1"]);
    assert_eq!(service.get(&path)["share"]["status"], "error", "the administrator's word");
    assert_eq!(syncs(&world, &instance).await, 1);
    drop(service);
    world.remove().await;
}

async fn a_share_that_goes_takes_its_rules_along(dialect: Dialect) {
    for method in [KEY, "delete_share"] {
        let (world, service, share, instance) = one_share(dialect, Storage::Simulated).await;
        let path = format!("/shares/{share}");
        world.set_faults(&format!("[[fault]]\nmethod = \"{method}\"\nfail = \"hang\"\n"));
        let rule = allow(&service, &path, "10.0.0.1");
        service.expect("DELETE", &path, None);
        if method == KEY {
            service.wait("no share", |service| {
                (service.ask("GET", &path, None)?.0 == 404).then_some(())
            });
        }
        world.set_faults("");
        world.settled().await;
        let (status, _) = service.ask("GET", &format!("/share-access-rules/{rule}"), None).unwrap();
        assert_eq!(status, 404);
        for operation in world.operations(&instance).await {
            let ended_well = match operation.kind {
                OperationKind::UpdateAccessRules => true,
                _ => operation.state == OperationState::Succeeded,
            };
            assert!(ended_well && operation.finished_at.is_some(), "{operation:?}");
        }
        let messages = service.get("/messages")["messages"].as_array().unwrap().clone();
        assert!(messages.is_empty(), "nothing failed: {messages:?}");
        drop(service);
        world.remove().await;
    }
}

async fn a_denial_is_finished_after_a_kill_at_any_moment(dialect: Dialect) {
    for moment in ["start", "effect", "commit", "recorded"] {
        let (world, service, share, instance) = one_share(dialect, Storage::Directory).await;
        let path = format!("/shares/{share}");
        let rule = allow(&service, &path, "10.0.0.1");
        allow(&service, &path, "10.0.0.2");
        service.settled_rules(&share);
        world.settled().await;
        drop(service);
        let place = format!("update_access_rules.apply.{moment}");
        let mut doomed = world.start("all", Some(&place));
        let body = json!({"deny_access": {"access_id": rule}});
        doomed.try_post(&format!("{path}/action"), &body);
        assert_eq!(doomed.gone().signal(), Some(9), "{place}\n{}", world.log());
        // More is asked for while nobody is at work.
        let api = world.start("api", None);
        api.post(&format!("{path}/action"), &allowance("10.0.0.3"));
        assert!(api.stop().success());
        let again = world.start("all", None);
        world.settled().await;
        assert_eq!(again.settled_rules(&share), ["10.0.0.2", "10.0.0.3"], "{place}");
        let object = format!("shares/{instance}");
        assert_eq!(let_in(&world, &object), ["10.0.0.2", "10.0.0.3"], "{place}");
        assert!(again.stop().success());
        world.remove().await;
    }
}

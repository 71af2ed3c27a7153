//! The operations, each as a request whose operation a test can interrupt.

use abaca_store::Dialect;
use serde_json::{Value, json};

use crate::service::{Service, World, id, write_bytes};

/// When the process dies: before the step does anything; when it has had its effect in the
/// backend; when its transaction is complete but not committed; when it is committed.
pub(crate) const MOMENTS: [&str; 4] = ["start", "effect", "commit", "recorded"];

/// The moments at which processes die with this database. `start` and `effect` are about the backend,
/// which is the same with each: the servers share them out. `commit` and `recorded` are the database's.
pub(crate) fn moments(dialect: Dialect) -> impl Iterator<Item = &'static str> {
    let left_out = match dialect {
        Dialect::Sqlite => "",
        Dialect::Postgres => "effect",
        Dialect::Mysql => "start",
    };
    MOMENTS.into_iter().filter(move |moment| *moment != left_out)
}

/// One kind of operation with the steps it has.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) steps: &'static [&'static str],
}

/// Every kind there is; `every_kind_is_here` holds it against the program's own list.
pub(crate) const KINDS: &[Kind] = &[
    Kind { name: "create_share", steps: &["schedule", "create"] },
    Kind { name: "delete_share", steps: &["delete"] },
    Kind { name: "extend_share", steps: &["schedule", "resize"] },
    Kind { name: "shrink_share", steps: &["resize"] },
    Kind { name: "create_snapshot", steps: &["create"] },
    Kind { name: "delete_snapshot", steps: &["delete"] },
    Kind { name: "revert_share", steps: &["revert"] },
    Kind { name: "ensure_share", steps: &["ensure"] },
    Kind { name: "create_replica", steps: &["schedule", "locate", "create"] },
    Kind { name: "delete_replica", steps: &["delete"] },
    Kind { name: "promote_replica", steps: &["quiesce", "promote"] },
    Kind { name: "update_replica", steps: &["update"] },
    Kind { name: "manage_share", steps: &["check", "manage"] },
    Kind { name: "unmanage_share", steps: &["unmanage"] },
    Kind { name: "manage_snapshot", steps: &["manage"] },
    Kind { name: "unmanage_snapshot", steps: &["unmanage"] },
    Kind {
        name: "migrate_share",
        steps: &["schedule", "offer", "prepare", "copy", "hold", "switch"],
    },
    Kind { name: "update_access_rules", steps: &["apply"] },
    Kind { name: "update_snapshot_access_rules", steps: &["apply"] },
];

/// The kinds that an instance is alone with, so that a reset takes it away from them. Access rules
/// are told of in `access_rules.rs`, replicas in `replicas.rs`, migrations in `migrations.rs`.
pub(crate) fn fenced_kinds() -> impl Iterator<Item = &'static Kind> {
    let apart = ["access_rules", "replica", "migrate_share"];
    KINDS.iter().filter(move |kind| !apart.iter().any(|end| kind.name.ends_with(end)))
}

#[test]
fn every_kind_is_here() {
    let all: Vec<_> = abaca_model::OperationKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let here: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
    assert_eq!(here, all);
}

/// What was there when the operation was asked for.
pub(crate) struct Scene {
    pub(crate) share: String,
    pub(crate) share_instance: String,
    pub(crate) snapshot: Option<String>,
    /// The instance that the operation works on.
    pub(crate) resource: Option<String>,
    /// Where the backend holds what was given up.
    location: Option<String>,
}

/// Brings the world to where `kind` can be asked for. For `create_share` that is nothing.
pub(crate) fn prepare(world: &World, service: &Service, kind: &str, has_bytes: bool) -> Scene {
    if kind == "create_share" {
        let (share, share_instance) = (String::new(), String::new());
        return Scene { share, share_instance, snapshot: None, resource: None, location: None };
    }
    let share = service.create_share();
    service.share_is(&share, "available");
    let share_instance = service.share_instance(&share);
    if has_bytes {
        write_bytes(world, &share_instance, b"before");
    }
    let mut scene = Scene {
        resource: Some(share_instance.clone()),
        share,
        share_instance,
        snapshot: None,
        location: None,
    };
    if kind == "shrink_share" {
        let body = json!({"extend": {"new_size": 3}});
        service.post(&format!("/shares/{}/action", scene.share), &body);
        service.share_is(&scene.share, "available");
    }
    if kind == "update_access_rules" {
        allow(service, &format!("/shares/{}", scene.share), "10.0.0.1");
        service.settled_rules(&scene.share);
    }
    if kind == "manage_share" {
        let exports = service.get(&format!("/shares/{}/export_locations", scene.share));
        scene.location = exports["export_locations"][0]["path"].as_str().map(str::to_owned);
        service.post(&format!("/shares/{}/action", scene.share), &json!({"unmanage": null}));
        gone(service, "shares");
        scene.resource = None;
    }
    if matches!(kind, "manage_snapshot" | "unmanage_snapshot") {
        let snapshot = service.create_snapshot(&scene.share);
        service.snapshot_is(&snapshot, "available");
        let instance = service.snapshot_instance(&snapshot);
        if kind == "manage_snapshot" {
            scene.location = instance["provider_location"].as_str().map(str::to_owned);
            let path = format!("/snapshots/{snapshot}/action");
            service.post(&path, &json!({"unmanage": null}));
            gone(service, "snapshots");
            scene.resource = None;
        } else {
            scene.resource = Some(id(&instance));
            scene.snapshot = Some(snapshot);
        }
    }
    if matches!(kind, "delete_snapshot" | "revert_share" | "update_snapshot_access_rules") {
        let snapshot = service.create_snapshot(&scene.share);
        service.snapshot_is(&snapshot, "available");
        if kind != "revert_share" {
            scene.resource = Some(id(&service.snapshot_instance(&snapshot)));
        }
        scene.snapshot = Some(snapshot);
    }
    if kind == "revert_share" {
        let body = json!({"extend": {"new_size": 3}});
        service.post(&format!("/shares/{}/action", scene.share), &body);
        service.share_is(&scene.share, "available");
        if has_bytes {
            write_bytes(world, &scene.share_instance, b"after");
        }
    }
    scene
}

/// Waits until none of these is left.
fn gone(service: &Service, list: &str) {
    service.wait(list, |service| {
        service.get(&format!("/{list}"))[list].as_array().unwrap().is_empty().then_some(())
    });
}

/// Whether the service has given an object up that its backend still holds.
pub(crate) fn is_given_up(world: &World, container: &str, id: &str) -> bool {
    let record = world.backend().join(container).join(id).join("record.json");
    let record: Value = serde_json::from_slice(&std::fs::read(record).unwrap()).unwrap();
    record["custody"]["unmanaged"] == true
}

/// Asks for the operation. The process may die before it answers.
pub(crate) fn ask(service: &Service, kind: &str, scene: &Scene) {
    let action = format!("/shares/{}/action", scene.share);
    match kind {
        "create_share" => {
            service.try_post("/shares", &json!({"share": {"share_proto": "NFS", "size": 1}}));
        }
        "delete_share" => drop(service.ask("DELETE", &format!("/shares/{}", scene.share), None)),
        "extend_share" => service.try_post(&action, &json!({"extend": {"new_size": 2}})),
        "shrink_share" => service.try_post(&action, &json!({"shrink": {"new_size": 1}})),
        "create_snapshot" => {
            service.try_post("/snapshots", &json!({"snapshot": {"share_id": scene.share}}));
        }
        "delete_snapshot" => {
            let snapshot = scene.snapshot.as_deref().unwrap();
            drop(service.ask("DELETE", &format!("/snapshots/{snapshot}"), None));
        }
        "revert_share" => {
            let body = json!({"revert": {"snapshot_id": scene.snapshot}});
            service.try_post(&action, &body);
        }
        "ensure_share" => {
            up(service);
            let body = json!({"ensure_shares": {"host": "w@b"}});
            service.try_post("/services/ensure-shares", &body);
        }
        "manage_share" => {
            up(service);
            let pools = service.get("/scheduler-stats/pools");
            let share = json!({
                "export_path": scene.location, "service_host": pools["pools"][0]["name"],
                "protocol": "NFS",
            });
            service.try_post("/shares/manage", &json!({"share": share}));
        }
        "manage_snapshot" => {
            let snapshot = json!({"share_id": scene.share, "provider_location": scene.location});
            service.try_post("/snapshots/manage", &json!({"snapshot": snapshot}));
        }
        "unmanage_share" => service.try_post(&action, &json!({"unmanage": null})),
        "unmanage_snapshot" => {
            let snapshot = scene.snapshot.as_deref().unwrap();
            let path = format!("/snapshots/{snapshot}/action");
            service.try_post(&path, &json!({"unmanage": null}));
        }
        "update_access_rules" => service.try_post(&action, &allowance("10.0.0.2")),
        "update_snapshot_access_rules" => {
            let snapshot = scene.snapshot.as_deref().unwrap();
            service.try_post(&format!("/snapshots/{snapshot}/action"), &allowance("10.0.0.2"));
        }
        other => panic!("{other} is not told here"),
    }
}

fn up(service: &Service) {
    service.wait("service up", |service| {
        let services = service.get("/services?binary=manila-share&state=up");
        (!services["services"].as_array().unwrap().is_empty()).then_some(())
    });
}

/// The action that lets an address in.
pub(crate) fn allowance(address: &str) -> Value {
    json!({"allow_access": {"access_type": "ip", "access_to": address}})
}

/// Lets an address into a share or snapshot; the rule's id.
pub(crate) fn allow(service: &Service, path: &str, address: &str) -> String {
    let answer = service.post(&format!("{path}/action"), &allowance(address));
    let rule = answer.get("access").or_else(|| answer.get("snapshot_access"));
    id(rule.unwrap())
}

/// The addresses that the backend lets into an instance: `shares/ID` or `snapshots/ID`.
pub(crate) fn let_in(world: &World, object: &str) -> Vec<String> {
    let file = world.backend().join(object).join("access.json");
    let Ok(text) = std::fs::read(file) else { return Vec::new() };
    let list: Value = serde_json::from_slice(&text).unwrap();
    let rules = list["rules"].as_array().unwrap().iter();
    let mut addresses: Vec<_> = rules.map(|rule| rule["to"].as_str().unwrap().to_owned()).collect();
    addresses.sort();
    addresses
}

/// Asserts that the operation has had its whole effect, in the rows and in the backend.
pub(crate) fn assert_done(world: &World, service: &Service, kind: &str, scene: &Scene) {
    let shares = service.get("/shares/detail")["shares"].as_array().unwrap().clone();
    let snapshots = service.get("/snapshots/detail")["snapshots"].as_array().unwrap().clone();
    let share = shares.first();
    let snapshot = snapshots.first();
    match kind {
        "delete_share" | "unmanage_share" => assert!(share.is_none(), "{shares:?}"),
        _ => assert_eq!(share.unwrap()["status"], "available"),
    }
    match kind {
        "extend_share" => assert_eq!(share.unwrap()["size"], 2),
        "revert_share" => {
            assert_eq!(share.unwrap()["size"], 1, "the share's size follows the snapshot's");
            assert_eq!(snapshot.unwrap()["status"], "available");
        }
        "ensure_share" => {
            let services = service.get("/services?ensuring=true");
            assert_eq!(services["services"], json!([]));
        }
        "shrink_share" => assert_eq!(share.unwrap()["size"], 1),
        "create_snapshot" => {
            assert_eq!(snapshot.unwrap()["status"], "available");
            let instance = service.snapshot_instance(&id(snapshot.unwrap()));
            assert_eq!(crate::service::read_bytes(&instance["provider_location"]), b"before");
            let path = format!("/snapshot-instances/{}/export-locations", id(&instance));
            let locations = &service.get(&path)["share_snapshot_export_locations"];
            assert_eq!(locations.as_array().unwrap().len(), 1, "recorded once: {locations}");
            let path = format!("/snapshots/{}/export-locations", id(snapshot.unwrap()));
            let of_snapshot = &service.get(&path)["share_snapshot_export_locations"];
            assert_eq!(of_snapshot, locations, "the tenant's view");
            assert_eq!(crate::service::read_bytes(&locations[0]["path"]), b"before");
        }
        "delete_snapshot" => assert!(snapshot.is_none(), "{snapshots:?}"),
        "manage_share" => {
            let instance = service.share_instance(&id(share.unwrap()));
            let path = world.backend().join("shares").join(instance).join("data/file");
            assert_eq!(std::fs::read(path).unwrap(), b"before");
            return assert_same(world, service);
        }
        "unmanage_share" => {
            assert_eq!(
                world.held("shares"),
                std::slice::from_ref(&scene.share_instance),
                "it stays"
            );
            assert!(is_given_up(world, "shares", &scene.share_instance));
            let path = world.backend().join("shares").join(&scene.share_instance);
            assert_eq!(std::fs::read(path.join("data/file")).unwrap(), b"before");
            return;
        }
        "manage_snapshot" => {
            let instance = service.snapshot_instance(&id(snapshot.unwrap()));
            assert_eq!(instance["status"], "available");
            assert_eq!(crate::service::read_bytes(&instance["provider_location"]), b"before");
        }
        "unmanage_snapshot" => {
            assert!(snapshot.is_none(), "{snapshots:?}");
            let instance = scene.resource.as_deref().unwrap();
            assert!(is_given_up(world, "snapshots", instance));
            let path = world.backend().join("snapshots").join(instance).join("data/file");
            assert_eq!(std::fs::read(path).unwrap(), b"before");
            return;
        }
        "update_access_rules" => {
            assert_eq!(service.settled_rules(&scene.share), ["10.0.0.1", "10.0.0.2"]);
            let held = let_in(world, &format!("shares/{}", scene.share_instance));
            assert_eq!(held, ["10.0.0.1", "10.0.0.2"]);
        }
        "update_snapshot_access_rules" => {
            let id = scene.snapshot.as_deref().unwrap();
            let list = &service.get(&format!("/snapshots/{id}/access-list"));
            let rules = list["snapshot_access_list"].as_array().unwrap();
            assert_eq!(rules.len(), 1, "{rules:?}");
            assert_eq!(rules[0]["state"], "active");
            let instance = scene.resource.as_deref().unwrap();
            assert_eq!(let_in(world, &format!("snapshots/{instance}")), ["10.0.0.2"]);
        }
        _ => {}
    }
    if kind != "create_share" && kind != "delete_share" {
        let path = world.backend().join("shares").join(&scene.share_instance).join("data/file");
        assert_eq!(std::fs::read(path).unwrap(), b"before", "no byte is lost");
    }
    assert_same(world, service);
}

/// Asserts that the backend holds just what the rows say, and no leftovers.
pub(crate) fn assert_same(world: &World, service: &Service) {
    let ids = |path: &str, key: &str| {
        let answer = service.get(path);
        let mut ids: Vec<String> = answer[key].as_array().unwrap().iter().map(id).collect();
        ids.sort();
        ids
    };
    assert_eq!(world.held("shares"), ids("/share_instances", "share_instances"));
    assert_eq!(world.held("snapshots"), ids("/snapshot-instances", "snapshot_instances"));
    for leftovers in ["tmp", "trash"] {
        service.wait(leftovers, |_| world.held(leftovers).is_empty().then_some(()));
    }
}

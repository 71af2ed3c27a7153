//! Work that is taken over while its backend is busy with it: what it leaves behind is what the row
//! then says, and nothing that a later operation does is undone.

use std::fs;
use std::time::{Duration, Instant};

use abaca_model::{Operation, OperationKind, OperationState};
use abaca_store::operations;
use serde_json::{Value, json};

use super::{Service, fault, simulated};

/// One backend, `a`, whose objects can be looked at.
async fn start() -> Service {
    let backend = simulated("a") + "state_file = \"DATA/objects.json\"\n";
    let service = Service::start("", &backend, |_| {}).await;
    service.reported(&["a"]).await;
    service
}

/// Does the thing, then hangs.
fn hang_after(method: &str) -> String {
    fault(method, "hang") + "after_effect = true\n"
}

impl Service {
    /// Waits until the backend's objects are as they shall be.
    async fn holds(&self, found: impl Fn(&Value) -> bool) {
        let began = Instant::now();
        loop {
            let text = fs::read(self.data.path().join("objects.json")).unwrap_or_default();
            let objects = serde_json::from_slice(&text).unwrap_or_default();
            if found(&objects) {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{objects}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn reset(&self, path: &str, status: &str) {
        let body = json!({ "reset_status": { "status": status } });
        self.act(path, body).await.expect(202);
    }

    /// Waits until the operation of this kind is as it shall be.
    async fn work(&self, id: &str, kind: OperationKind, found: impl Fn(&Operation) -> bool) {
        let began = Instant::now();
        loop {
            let mut tx = self.api.app.db.read().await.unwrap();
            let all = operations::of_resource(&mut tx, id.parse().unwrap()).await.unwrap();
            drop(tx);
            if all.iter().any(|one| one.kind == kind && found(one)) {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{all:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until it has cleaned up, or waits to do so.
    async fn leaves(&self, id: &str, kind: OperationKind) {
        let waits = |one: &Operation| one.state == OperationState::Queued && one.error.is_some();
        self.work(id, kind, |one| waits(one) || is_superseded(one)).await;
    }

    async fn exports(&self, share: &str) -> Vec<Value> {
        let list = self.api.get(&format!("/v2/shares/{share}/export_locations")).await.expect(200);
        list["export_locations"].as_array().unwrap().clone()
    }
}

fn is_superseded(operation: &Operation) -> bool {
    operation.state == OperationState::Superseded
}

/// The objects of one kind.
fn all<'a>(objects: &'a Value, kind: &str) -> Vec<&'a Value> {
    objects[kind].as_object().map(|all| all.values().collect()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_that_is_set_available_while_it_is_made_can_be_mounted() {
    let service = start().await;
    service.set_faults("a", &fault("create_share", "hang"));
    let share = service.share("w@a#p", "default").await;
    let instance = service.instance(&share).await;
    service.operation(&instance, |one| one.step == 1).await;
    service.reset(&format!("shares/{share}"), "available").await;
    service.set_faults("a", "");
    service.work(&instance, OperationKind::CreateShare, is_superseded).await;
    assert_eq!(service.exports(&share).await.len(), 1);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_that_is_set_to_error_while_it_is_made_leaves_nothing() {
    let service = start().await;
    service.set_faults("a", &hang_after("create_share"));
    let share = service.share("w@a#p", "default").await;
    let instance = service.instance(&share).await;
    service.holds(|objects| all(objects, "shares").len() == 1).await;
    service.reset(&format!("shares/{share}"), "error").await;
    service.set_faults("a", "");
    service.work(&instance, OperationKind::CreateShare, is_superseded).await;
    service.holds(|objects| all(objects, "shares").is_empty()).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_that_is_set_to_error_while_it_is_taken_into_use_is_given_up_again() {
    let service = start().await;
    let share = service.share("w@a#p", "default").await;
    service.share_is(&share, "available").await;
    let path = service.exports(&share).await[0]["path"].clone();
    service.act(&format!("shares/{share}"), json!({ "unmanage": null })).await.expect(202);
    service.gone(&format!("/v2/shares/{share}")).await;
    service.set_faults("a", &hang_after("manage_share"));
    let body = json!({ "export_path": path, "service_host": "w@a#p", "protocol": "NFS",
        "share_type": "default" });
    let answer = service.api.post("/v2/shares/manage", json!({ "share": body })).await.expect(200);
    let share = answer["share"]["id"].as_str().unwrap();
    let instance = service.instance(share).await;
    service.holds(|objects| objects["shares"].get(&instance).is_some()).await;
    service.reset(&format!("shares/{share}"), "error").await;
    service.set_faults("a", "");
    service.work(&instance, OperationKind::ManageShare, is_superseded).await;
    service.holds(|objects| objects["unmanaged"]["shares"].get(&instance).is_some()).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_that_is_used_by_then_stays() {
    let service = start().await;
    service.set_faults("a", &hang_after("create_share"));
    let share = service.share("w@a#p", "default").await;
    let instance = service.instance(&share).await;
    service.holds(|objects| all(objects, "shares").len() == 1).await;
    service.reset(&format!("shares/{share}"), "available").await;
    // Its tenant does not wait.
    service.set_faults("a", &(hang_after("create_share") + &fault("extend_share", "hang")));
    let extend = json!({ "extend": { "new_size": 2 } });
    service.act(&format!("shares/{share}"), extend).await.expect(202);
    service.work(&instance, OperationKind::ExtendShare, |one| one.step == 1).await;
    service.set_faults("a", &fault("extend_share", "hang"));
    service.leaves(&instance, OperationKind::CreateShare).await;
    service.set_faults("a", "");
    service.share_is(&share, "available").await;
    service.work(&instance, OperationKind::CreateShare, is_superseded).await;
    service.holds(|objects| all(objects, "shares").len() == 1).await;
    assert_eq!(service.exports(&share).await.len(), 1);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_is_restored_by_then_stays() {
    let service = start().await;
    let specs = json!({ "driver_handles_share_servers": "False", "snapshot_support": "True",
        "revert_to_snapshot_support": "True" });
    let body = json!({ "share_type": { "name": "reverted", "extra_specs": specs } });
    service.api.post("/v2/types", body).await.expect(200);
    let share = service.share("w@a#p", "reverted").await;
    service.share_is(&share, "available").await;
    service.set_faults("a", &hang_after("create_snapshot"));
    let body = json!({ "snapshot": { "share_id": share } });
    let snapshot = service.api.post("/v2/snapshots", body).await.expect(202);
    let snapshot = snapshot["snapshot"]["id"].as_str().unwrap();
    service.holds(|objects| all(objects, "snapshots").len() == 1).await;
    service.reset(&format!("snapshots/{snapshot}"), "available").await;
    let busy = hang_after("create_snapshot") + &fault("revert_to_snapshot", "hang");
    service.set_faults("a", &busy);
    let revert = json!({ "revert": { "snapshot_id": snapshot } });
    service.act(&format!("shares/{share}"), revert).await.expect(202);
    let list = format!("/v2/snapshot-instances?snapshot_id={snapshot}");
    let copies = service.api.get(&list).await.expect(200);
    let copy = copies["snapshot_instances"][0]["id"].as_str().unwrap().to_owned();
    service.set_faults("a", &fault("revert_to_snapshot", "hang"));
    service.leaves(&copy, OperationKind::CreateSnapshot).await;
    service.set_faults("a", "");
    service.share_is(&share, "available").await;
    service.holds(|objects| all(objects, "snapshots").len() == 1).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_size_that_was_taken_over_does_not_undo_the_next() {
    let service = start().await;
    let share = service.share("w@a#p", "default").await;
    service.share_is(&share, "available").await;
    let (instance, path) = (service.instance(&share).await, format!("shares/{share}"));
    service.act(&path, json!({ "extend": { "new_size": 3 } })).await.expect(202);
    service.share_is(&share, "available").await;

    let has = |size: u64| move |objects: &Value| all(objects, "shares")[0]["size_gb"] == size;
    service.set_faults("a", &hang_after("shrink_share"));
    service.act(&path, json!({ "shrink": { "new_size": 1 } })).await.expect(202);
    service.holds(has(1)).await;
    service.reset(&path, "available").await;
    service.set_faults("a", &(hang_after("shrink_share") + &hang_after("extend_share")));
    service.act(&path, json!({ "extend": { "new_size": 30 } })).await.expect(202);
    service.holds(has(30)).await;
    // The first one finds the share no longer its own, before the second one has told of its size.
    service.set_faults("a", &hang_after("extend_share"));
    service.leaves(&instance, OperationKind::ShrinkShare).await;
    service.set_faults("a", "");
    service.share_is(&share, "available").await;
    service.work(&instance, OperationKind::ShrinkShare, is_superseded).await;
    service.holds(has(30)).await;
    let shown = service.api.get(&format!("/v2/shares/{share}")).await.expect(200);
    assert_eq!(shown["share"]["size"], 30);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_at_a_share_leaves_its_rules_to_those_who_change_them() {
    let service = start().await;
    let share = service.share("w@a#p", "default").await;
    service.share_is(&share, "available").await;
    service.set_faults("a", &fault("apply_access", "hang"));
    let rule = json!({ "allow_access": { "access_type": "ip", "access_to": "10.0.0.1" } });
    service.act(&format!("shares/{share}"), rule).await.expect(200);
    let rule_is = async |state: &str| {
        let path = format!("/v2/share-access-rules?share_id={share}");
        let is = |answer: &crate::support::Answer| {
            (answer.expect(200)["access_list"][0]["state"] == state).then_some(())
        };
        service.api.wait(&path, is).await;
    };
    rule_is("applying").await;
    let body = json!({ "ensure_shares": { "host": "w@a" } });
    service.api.post("/v2/services/ensure-shares", body).await.expect(202);
    let instance = service.instance(&share).await;
    let has_ended = |one: &Operation| one.state == OperationState::Succeeded;
    service.work(&instance, OperationKind::EnsureShare, has_ended).await;
    rule_is("applying").await;
    service.set_faults("a", "");
    rule_is("active").await;
    service.stop().await;
}

//! The process is killed in the middle of calls; whoever comes next finds nothing half made.

mod plan;

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use crate::again::{ensure_passed, this_test, variable};
pub(crate) use plan::Call;
use plan::{Plan, plant};

const SIGKILL: i32 = 9;
const PLAN: &str = "ABACA_TEST_PLAN";
const KILL_AT: &str = "ABACA_DIRECTORY_KILL_AT";

fn run_child(plan: &Plan, kill_at: Option<u64>) -> ExitStatus {
    let mut child = this_test("kill::child");
    child.env(PLAN, serde_json::to_string(plan).unwrap());
    if let Some(number) = kill_at {
        child.env(KILL_AT, number.to_string());
    }
    let output = child.output().unwrap();
    if output.status.signal() != Some(SIGKILL) {
        ensure_passed(&output);
    }
    output.status
}

#[tokio::test]
#[ignore = "started by the tests of this module"]
async fn child() {
    let Some(plan) = variable(PLAN) else { return };
    let plan: Plan = serde_json::from_str(&plan).unwrap();
    let backends = plan.open().await;
    plan.run(&backends).await;
}

/// Kills the child before its first change of the file system, its second, and so on until it
/// gets through. `at_least` is how many changes the call must have, so that the test sees them.
async fn kill_at_every_change(call: Call, at_least: u64) {
    let top = tempfile::tempdir().unwrap();
    kill_driver_at_every_change("directory", top.path(), None, call, at_least).await;
}

/// The same of any driver, in directories of `top`, with copies in those of `elsewhere`.
pub(crate) async fn kill_driver_at_every_change(
    driver_name: &str,
    top: &Path,
    elsewhere: Option<&Path>,
    call: Call,
    at_least: u64,
) {
    let mut kill_at = 1;
    loop {
        let root = top.join(kill_at.to_string());
        let elsewhere = elsewhere.map(|top| top.join(kill_at.to_string()));
        let plan = Plan::new(driver_name, &root, elsewhere, call);
        plan.prepare().await;
        let status = run_child(&plan, Some(kill_at));
        let finished = status.signal() != Some(SIGKILL);
        let backends = plan.open().await;
        plan.check(&backends, finished).await;
        if kill_at % 2 == 0 {
            plan.sweep(&backends).await;
            plan.check(&backends, finished).await;
        }
        plan.run(&backends).await;
        plan.check(&backends, true).await;
        plan.clean_up(&backends).await;
        if finished {
            break;
        }
        kill_at += 1;
    }
    assert!(kill_at > at_least, "only {} changes were seen", kill_at - 1);
}

#[tokio::test]
async fn while_the_root_is_taken_into_use() {
    kill_at_every_change(Call::Open, 8).await;
}

#[tokio::test]
async fn while_a_share_is_created() {
    kill_at_every_change(Call::CreateShare, 8).await;
}

#[tokio::test]
async fn while_a_share_is_extended() {
    kill_at_every_change(Call::ExtendShare, 5).await;
}

#[tokio::test]
async fn while_access_rules_are_applied() {
    kill_at_every_change(Call::ApplyAccess, 5).await;
}

#[tokio::test]
async fn while_a_share_is_deleted() {
    kill_at_every_change(Call::DeleteShare, 8).await;
}

#[tokio::test]
async fn while_a_snapshot_is_created() {
    kill_at_every_change(Call::CreateSnapshot, 40).await;
}

#[tokio::test]
async fn while_a_snapshot_is_deleted() {
    kill_at_every_change(Call::DeleteSnapshot, 8).await;
}

#[tokio::test]
async fn while_a_share_is_created_from_a_snapshot() {
    kill_at_every_change(Call::CreateShareFromSnapshot, 40).await;
}

#[tokio::test]
async fn while_a_share_is_reverted_to_a_snapshot() {
    kill_at_every_change(Call::RevertToSnapshot, 40).await;
}

#[tokio::test]
async fn while_a_replica_is_created() {
    kill_at_every_change(Call::CreateReplica, 40).await;
}

#[tokio::test]
async fn while_a_replica_is_updated() {
    kill_at_every_change(Call::UpdateReplica, 40).await;
}

#[tokio::test]
async fn while_a_replica_is_promoted() {
    kill_at_every_change(Call::PromoteReplica, 40).await;
}

#[tokio::test]
async fn while_a_share_is_taken_over_with_its_snapshot() {
    kill_at_every_change(Call::Migrate, 80).await;
}

#[tokio::test]
async fn while_a_share_is_taken_into_use() {
    kill_at_every_change(Call::ManageShare, 12).await;
}

#[tokio::test]
async fn while_a_directory_is_taken_into_use() {
    kill_at_every_change(Call::ImportShare, 12).await;
}

#[tokio::test]
async fn while_a_share_is_given_up() {
    kill_at_every_change(Call::UnmanageShare, 5).await;
}

#[tokio::test]
async fn while_a_snapshot_is_taken_into_use() {
    kill_at_every_change(Call::ManageSnapshot, 10).await;
}

#[tokio::test]
async fn while_a_snapshot_is_given_up() {
    kill_at_every_change(Call::UnmanageSnapshot, 5).await;
}

#[tokio::test]
async fn while_a_snapshot_is_brought_to_a_replica() {
    kill_at_every_change(Call::BringSnapshot, 40).await;
}

/// Takes and deletes snapshots for ever.
#[tokio::test]
#[ignore = "started by at_any_moment"]
async fn endless_child() {
    let Some(plan) = variable(PLAN) else { return };
    let plan: Plan = serde_json::from_str(&plan).unwrap();
    let backends = plan.open().await;
    loop {
        backends.here.create_snapshot(&plan.snapshot()).await.unwrap();
        backends.here.delete_snapshot(&plan.snapshot().into()).await.unwrap();
    }
}

#[tokio::test]
async fn at_any_moment() {
    let top = tempfile::tempdir().unwrap();
    let plan = Plan::new("directory", &top.path().join("root"), None, Call::CreateSnapshot);
    let backends = plan.open().await;
    backends.here.create_share(&plan.share(plan.share)).await.unwrap();
    plant(&plan.data("shares", plan.share));
    for round in 0..25_u64 {
        let mut child = this_test("kill::endless_child");
        child.env(PLAN, serde_json::to_string(&plan).unwrap());
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Its first lock shows that it is at work; then it gets a little further each round.
        let locks = plan.root.join("locks");
        while fs::read_dir(&locks).unwrap().count() == 0 {
            assert!(child.try_wait().unwrap().is_none(), "the child ended by itself");
            std::thread::yield_now();
        }
        let moment = std::time::Instant::now() + std::time::Duration::from_micros(round * 1_379);
        while std::time::Instant::now() < moment {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();

        plan.check(&backends, false).await;
        plan.run(&backends).await;
        plan.check(&backends, true).await;
        backends.here.delete_snapshot(&plan.snapshot().into()).await.unwrap();
    }
    plan.clean_up(&backends).await;
}

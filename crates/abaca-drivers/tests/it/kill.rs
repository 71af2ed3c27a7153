//! The process is killed in the middle of calls; whoever comes next finds nothing half made.

mod plan;
mod tree;

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use crate::again::{ensure_passed, this_test, variable};
use plan::Plan;
pub(crate) use plan::{Call, Elsewhere};
use tree::{ensure_big, plant, plant_big};

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

/// The same with copies in another backend.
async fn kill_with_copies_elsewhere(call: Call, at_least: u64) {
    let top = tempfile::tempdir().unwrap();
    let (root, elsewhere) = (top.path().join("one"), top.path().join("other"));
    let elsewhere = Some(("directory", elsewhere.as_path()));
    kill_driver_at_every_change("directory", &root, elsewhere, call, at_least).await;
}

/// The same of any driver, in directories of `top`, with copies in those `elsewhere`, by the driver
/// named there.
pub(crate) async fn kill_driver_at_every_change(
    driver_name: &str,
    top: &Path,
    elsewhere: Option<(&str, &Path)>,
    call: Call,
    at_least: u64,
) {
    let mut kill_at = 1;
    loop {
        let root = top.join(kill_at.to_string());
        let elsewhere = elsewhere.map(|(driver, top)| Elsewhere {
            driver: driver.to_owned(),
            root: top.join(kill_at.to_string()),
        });
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
async fn while_a_replica_is_deleted() {
    kill_at_every_change(Call::DeleteReplica, 8).await;
}

#[tokio::test]
async fn while_a_share_is_filled() {
    kill_with_copies_elsewhere(Call::FillShare, 40).await;
}

#[tokio::test]
async fn while_a_replica_is_created_elsewhere() {
    kill_with_copies_elsewhere(Call::CreateReplica, 40).await;
}

#[tokio::test]
async fn while_a_replica_is_updated_elsewhere() {
    kill_with_copies_elsewhere(Call::UpdateReplica, 40).await;
}

#[tokio::test]
async fn while_a_replica_is_promoted_elsewhere() {
    kill_with_copies_elsewhere(Call::PromoteReplica, 40).await;
}

#[tokio::test]
async fn while_a_snapshot_is_brought_elsewhere() {
    kill_with_copies_elsewhere(Call::BringSnapshot, 40).await;
}

#[tokio::test]
async fn while_a_share_is_taken_over_elsewhere() {
    kill_with_copies_elsewhere(Call::Migrate, 80).await;
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

/// Kills the child while a command sends, and the bytes of a second backend are half there: the
/// commands end with it, so that the copy can be given up, or made anew.
pub(crate) async fn kill_in_mid_stream(top: &Path, elsewhere: &Path, call: Call) {
    for is_given_up in [true, false] {
        let name = format!("{call:?} given up {is_given_up}");
        let elsewhere = Elsewhere { driver: "btrfs".to_owned(), root: elsewhere.join(&name) };
        let tmp = elsewhere.root.join("tmp");
        let plan = Plan::new("btrfs", &top.join(name), Some(elsewhere), call);
        plan.prepare().await;
        plant_big(&plan.data("shares", plan.share));
        let mut child = this_test("kill::child");
        child.env(PLAN, serde_json::to_string(&plan).unwrap());
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let object = tmp.join(format!("share-{}", plan.copy));
        let commands = until("it receives", || {
            assert!(child.try_wait().unwrap().is_none(), "it ended before it was seen");
            let mut arrives = fs::read_dir(&object).ok()?.map(|entry| entry.unwrap().file_name());
            arrives.find(|name| name.as_encoded_bytes().starts_with(b"sent-"))?;
            Some(children_of(child.id())).filter(|children| children.len() == 2)
        });
        // They shall not get through before they are looked at.
        for command in &commands {
            let _ = rustix::process::kill_process(*command, rustix::process::Signal::STOP);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        until("the commands end too", || {
            commands
                .iter()
                .all(|command| state_of(*command).is_none_or(|state| state == 'Z'))
                .then_some(())
        });

        let backends = plan.open().await;
        plan.check(&backends, false).await;
        if is_given_up {
            backends.there.delete_share(plan.copy).await.unwrap();
        } else {
            plan.run(&backends).await;
            plan.check(&backends, true).await;
            ensure_big(&plan.data("shares", plan.copy));
        }
        plan.clean_up(&backends).await;
    }
}

/// Asks until there is an answer.
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(std::time::Instant::now() < end, "{what}: not in half a minute");
        std::thread::yield_now();
    }
}

/// The state and the parent of a process, which the kernel tells after its name.
fn status_of(process: &str) -> Option<(char, u32)> {
    let status = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = status.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn state_of(process: rustix::process::Pid) -> Option<char> {
    status_of(&process.as_raw_nonzero().to_string()).map(|(state, _)| state)
}

fn children_of(parent: u32) -> Vec<rustix::process::Pid> {
    let names = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.filter_map(|name| name.into_string().ok());
    let children = names.filter(|name| status_of(name).is_some_and(|(_, found)| found == parent));
    children.filter_map(|name| name.parse().ok().and_then(rustix::process::Pid::from_raw)).collect()
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

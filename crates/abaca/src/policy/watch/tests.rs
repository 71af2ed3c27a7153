use std::{fs, path::Path};

use super::Watcher;
use crate::{app::Policy as _, config::PolicyConfig, identity::Caller, policy::Policy};

fn policy(directory: &Path) -> (Policy, Watcher) {
    let config = PolicyConfig {
        file: Some(directory.join("policy.yaml")),
        dirs: vec![directory.join("policy.d")],
    };
    let policy = Policy::load(&config).unwrap();
    (policy.clone(), Watcher::new(policy))
}

fn folder(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("policy.d")).unwrap();
    fs::write(folder.path().join("policy.yaml"), text).unwrap();
    folder
}

async fn reader_may(policy: &Policy) -> bool {
    let caller = Caller { roles: vec!["reader".to_owned()], ..Caller::default() };
    policy.allows("share_snapshot_instance:index", &caller, None).await
}

const OPEN: &str = "share_snapshot_instance:index: role:reader";
const CLOSED: &str = "share_snapshot_instance:index: role:nobody";

#[tokio::test]
async fn a_change_is_taken_over_once_it_has_settled() {
    let folder = folder(CLOSED);
    let (policy, mut watcher) = policy(folder.path());
    assert!(!watcher.look());
    fs::write(folder.path().join("policy.yaml"), OPEN).unwrap();
    assert!(!watcher.look());
    assert!(!reader_may(&policy).await);
    assert!(watcher.look());
    assert!(reader_may(&policy).await);
    assert!(!watcher.look());
}

#[tokio::test]
async fn a_file_still_being_written_is_not_taken_over() {
    let folder = folder(CLOSED);
    let (policy, mut watcher) = policy(folder.path());
    fs::write(folder.path().join("policy.yaml"), "").unwrap();
    assert!(!watcher.look());
    fs::write(folder.path().join("policy.yaml"), OPEN).unwrap();
    assert!(!watcher.look());
    assert!(watcher.look());
    assert!(reader_may(&policy).await);
}

#[tokio::test]
async fn files_that_come_and_go_in_a_directory_count() {
    let folder = folder(CLOSED);
    let (policy, mut watcher) = policy(folder.path());
    let added = folder.path().join("policy.d/10-open.yaml");
    fs::write(&added, OPEN).unwrap();
    assert!(!watcher.look());
    assert!(watcher.look());
    assert!(reader_may(&policy).await);
    fs::remove_file(&added).unwrap();
    assert!(!watcher.look());
    assert!(watcher.look());
    assert!(!reader_may(&policy).await);
}

#[tokio::test]
async fn nothing_broken_changes_what_is_in_force() {
    for broken in [
        "share_snapshot_instance:index:",
        "share_snapshot_instance:index: [",
        "- @",
        "share_snapshot_instance:index: !",
    ] {
        let folder = folder(CLOSED);
        let (policy, mut watcher) = policy(folder.path());
        fs::write(folder.path().join("policy.yaml"), broken).unwrap();
        for _ in 0..4 {
            assert!(!watcher.look(), "{broken}");
        }
        assert!(policy.reload().is_err(), "{broken}");
        assert!(!reader_may(&policy).await, "{broken}");
        fs::write(folder.path().join("policy.yaml"), OPEN).unwrap();
        assert!(!watcher.look());
        assert!(watcher.look());
        assert!(reader_may(&policy).await);
    }
}

#[tokio::test]
async fn a_file_or_directory_that_vanishes_changes_nothing() {
    let folder = folder(OPEN);
    let (policy, mut watcher) = policy(folder.path());
    fs::remove_dir(folder.path().join("policy.d")).unwrap();
    assert!(!watcher.look() && !watcher.look());
    fs::remove_file(folder.path().join("policy.yaml")).unwrap();
    assert!(!watcher.look() && !watcher.look());
    assert!(policy.reload().is_err());
    assert!(reader_may(&policy).await);
}

#[tokio::test(start_paused = true)]
async fn the_running_watcher_takes_a_change_over() {
    let folder = folder(CLOSED);
    let (policy, watcher) = policy(folder.path());
    let running = tokio::spawn(watcher.run());
    fs::write(folder.path().join("policy.yaml"), OPEN).unwrap();
    // The clock is paused: it jumps ahead whenever everyone waits.
    let started = tokio::time::Instant::now();
    while !reader_may(&policy).await {
        assert!(started.elapsed() < std::time::Duration::from_secs(10), "not taken over");
        tokio::time::sleep(super::INTERVAL).await;
    }
    running.abort();
}

#[test]
fn a_broken_file_is_logged_once() {
    let folder = folder(CLOSED);
    let (_policy, mut watcher) = policy(folder.path());
    let count = Counter::default();
    tracing::subscriber::with_default(count.clone(), || {
        fs::write(folder.path().join("policy.yaml"), "share:get:").unwrap();
        for _ in 0..5 {
            watcher.look();
        }
        assert_eq!(count.errors(), 1);
        fs::remove_file(folder.path().join("policy.yaml")).unwrap();
        for _ in 0..5 {
            watcher.look();
        }
        assert_eq!(count.errors(), 2);
    });
}

/// Counts the errors that are logged.
#[derive(Clone, Default)]
struct Counter(std::sync::Arc<std::sync::atomic::AtomicUsize>);

impl Counter {
    fn errors(&self) -> usize {
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }
}

impl tracing::Subscriber for Counter {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::ERROR
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

//! Looks at a share again and again, beside whatever is done to it and whoever is killed: one replica is
//! active in the rows at every moment, and no two let their clients write.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use abaca_store::{Db, share_instances};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::service::World;

/// Short beside a commit, and long enough to leave the machine to the service.
const BETWEEN_LOOKS: Duration = Duration::from_millis(3);

pub(super) struct Watch {
    stop: Arc<AtomicBool>,
    /// How many looks there were.
    looks: JoinHandle<Result<u64, String>>,
}

impl Watch {
    /// Has a database connection of its own, for reading only.
    pub(super) fn begin(world: &World, share: &str, roots: Vec<PathBuf>) -> Self {
        let db = Db::open(&world.database.url, 1).unwrap();
        let (share, stop) = (share.to_owned(), Arc::new(AtomicBool::new(false)));
        let is_over = Arc::clone(&stop);
        let looks = tokio::spawn(async move {
            let mut looks = 0;
            while !is_over.load(Ordering::Relaxed) {
                look_at_rows(&db, &share).await?;
                look_at_backends(&roots)?;
                looks += 1;
                tokio::time::sleep(BETWEEN_LOOKS).await;
            }
            Ok(looks)
        });
        Self { stop, looks }
    }

    /// Fails if there ever was another number of active replicas than one, or of writable ones than
    /// one at most.
    pub(super) async fn end(self, what: &str) {
        self.stop.store(true, Ordering::Relaxed);
        let looks = self.looks.await.unwrap().unwrap_or_else(|seen| panic!("{what}: {seen}"));
        assert!(looks > 10, "{what}: {looks} looks");
    }
}

async fn look_at_rows(db: &Db, share: &str) -> Result<(), String> {
    // One statement sees one moment.
    let mut tx = db.read().await.unwrap();
    let replicas = share_instances::of_share(&mut tx, share.parse().unwrap()).await.unwrap();
    let is_active = |state: Option<&str>| state == Some(abaca_store::replicas::ACTIVE);
    match replicas.iter().filter(|one| is_active(one.replica_state.as_deref())).count() {
        1 => Ok(()),
        count => Err(format!("{count} active replicas at a moment: {replicas:#?}")),
    }
}

/// Backends are looked at one after the other: only what is so before and after counts.
fn look_at_backends(roots: &[PathBuf]) -> Result<(), String> {
    let before = writable(roots);
    if before.len() < 2 {
        return Ok(());
    }
    let mut both = writable(roots);
    both.retain(|replica| before.contains(replica));
    match both.len() {
        0 | 1 => Ok(()),
        _ => Err(format!("clients may write to each of these at a moment: {both:?}")),
    }
}

/// The replicas whose clients may write, with the generation of the rules that say so.
fn writable(roots: &[PathBuf]) -> Vec<(PathBuf, Value)> {
    let entries = roots.iter().filter_map(|root| std::fs::read_dir(root.join("shares")).ok());
    let objects = entries.flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let with_rules = objects.filter_map(|object| Some((rules(&object)?, object)));
    let lets_write =
        |list: &Value| list["rules"].as_array().unwrap().iter().any(|rule| rule["level"] == "rw");
    let found = with_rules.filter(|(list, _)| lets_write(list));
    found.map(|(list, object)| (object, list["generation"].clone())).collect()
}

/// It is replaced by a rename. An object may go at any time.
fn rules(object: &Path) -> Option<Value> {
    let text = std::fs::read(object.join("access.json")).ok()?;
    Some(serde_json::from_slice(&text).unwrap())
}

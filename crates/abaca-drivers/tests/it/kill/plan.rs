//! The call during which a process is killed: what it works on, and what must be found after it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use abaca_drivers::{
    AccessLevel, AccessList, AccessRule, AccessTarget, AccessType, Driver, ManageShare,
    ManageSnapshot, MigratedSnapshot, Migration, NewReplica, NewShare, NewSnapshot, ReplicaSource,
    RevertShare, SnapshotRef, SyncReplica, build,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::tree::{ensure_planted, ensure_same, make_stale, plant};
use crate::backends::{leftovers, settings};

/// What the child does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Call {
    Open,
    CreateShare,
    ExtendShare,
    DeleteShare,
    CreateSnapshot,
    DeleteSnapshot,
    CreateShareFromSnapshot,
    ApplyAccess,
    RevertToSnapshot,
    CreateReplica,
    UpdateReplica,
    PromoteReplica,
    DeleteReplica,
    BringSnapshot,
    Migrate,
    FillShare,
    ManageShare,
    ImportShare,
    UnmanageShare,
    ManageSnapshot,
    UnmanageSnapshot,
}

/// The backend that copies go to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Elsewhere {
    pub(crate) driver: String,
    pub(crate) root: PathBuf,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Plan {
    driver: String,
    pub(super) root: PathBuf,
    /// Where copies go, if not into the same root, and by which driver.
    pub(super) elsewhere: Option<Elsewhere>,
    call: Call,
    pub(super) share: Uuid,
    snapshot: Uuid,
    pub(super) copy: Uuid,
    brought: Uuid,
}

/// What copies are made of, and where they go: perhaps the same.
pub(super) struct Backends {
    pub(super) here: Arc<dyn Driver>,
    pub(super) there: Arc<dyn Driver>,
}

impl Plan {
    pub(super) fn new(driver: &str, root: &Path, elsewhere: Option<Elsewhere>, call: Call) -> Self {
        let (share, snapshot, copy) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
        let brought = Uuid::new_v4();
        let (driver, root) = (driver.to_owned(), root.to_owned());
        Self { driver, root, elsewhere, call, share, snapshot, copy, brought }
    }

    pub(super) fn share(&self, id: Uuid) -> NewShare {
        NewShare {
            id,
            size_gb: 1,
            protocol: "NFS".into(),
            pool: self.pool_of(id).to_owned(),
            mount_point_name: Some("name".into()),
        }
    }

    /// A pool is called as its driver.
    fn pool_of(&self, id: Uuid) -> &str {
        let elsewhere = self.elsewhere.as_ref().filter(|_| id == self.copy);
        elsewhere.map_or(&self.driver, |elsewhere| &elsewhere.driver)
    }

    pub(super) fn snapshot(&self) -> NewSnapshot {
        NewSnapshot { id: self.snapshot, share_instance_id: self.share }
    }

    pub(super) async fn open(&self) -> Backends {
        let here = open_at(&self.driver, &self.root).await;
        let there = match &self.elsewhere {
            Some(Elsewhere { driver, root }) => open_at(driver, root).await,
            None => Arc::clone(&here),
        };
        Backends { here, there }
    }

    pub(super) fn source(&self) -> ReplicaSource {
        let location = self.data("shares", self.share);
        ReplicaSource { id: self.share, provider_location: location.to_str().unwrap().into() }
    }

    pub(super) fn replica(&self) -> NewReplica {
        let (share, source) = (self.share(self.copy), self.source());
        NewReplica { share, source, generation: 1 }
    }

    pub(super) fn sync(&self, generation: u64) -> SyncReplica {
        SyncReplica { id: self.copy, size_gb: 1, source: self.source(), generation }
    }

    pub(super) fn managed(&self, id: Uuid, generation: u64) -> ManageShare {
        let path = match self.call {
            Call::ImportShare => self.root.join("import/some directory"),
            _ => self.root.join("shares").join(self.share.to_string()).join("mount/name"),
        };
        ManageShare {
            id,
            export_path: path.to_str().unwrap().to_owned(),
            protocol: "NFS".into(),
            pool: self.driver.clone(),
            mount_point_name: Some("other_name".into()),
            size_gb: None,
            allowed_gb: 1..=5,
            generation,
        }
    }

    pub(super) fn managed_snapshot(&self, id: Uuid, generation: u64) -> ManageSnapshot {
        ManageSnapshot {
            snapshot: NewSnapshot { id, share_instance_id: self.share },
            provider_location: self.data("snapshots", self.snapshot).to_str().unwrap().to_owned(),
            generation,
        }
    }

    /// Makes what the call works on.
    pub(super) async fn prepare(&self) {
        if self.call == Call::Open {
            return;
        }
        let Backends { here: driver, there } = self.open().await;
        if self.call == Call::CreateShare {
            return;
        }
        if self.call == Call::ImportShare {
            let directory = self.root.join("import/some directory");
            if self.driver == "btrfs" {
                make_subvolume(&directory);
            }
            return plant(&directory);
        }
        driver.create_share(&self.share(self.share)).await.unwrap();
        plant(&self.data("shares", self.share));
        if matches!(
            self.call,
            Call::DeleteSnapshot
                | Call::CreateShareFromSnapshot
                | Call::RevertToSnapshot
                | Call::BringSnapshot
                | Call::Migrate
                | Call::ManageSnapshot
                | Call::UnmanageSnapshot
        ) {
            driver.create_snapshot(&self.snapshot()).await.unwrap();
        }
        if matches!(
            self.call,
            Call::UpdateReplica | Call::PromoteReplica | Call::DeleteReplica | Call::BringSnapshot
        ) {
            there.create_replica(&self.replica()).await.unwrap();
            make_stale(&self.data("shares", self.copy));
        }
        if self.call == Call::RevertToSnapshot {
            fs::remove_dir_all(self.data("shares", self.share).join("directory")).unwrap();
            fs::write(self.data("shares", self.share).join("file"), "later").unwrap();
        }
        if self.call == Call::ManageSnapshot {
            driver.unmanage_snapshot(&self.snapshot().into(), 1).await.unwrap();
        }
        if matches!(self.call, Call::ApplyAccess | Call::ManageShare) {
            let target = AccessTarget::Share(self.share);
            driver.apply_access(target, &access(1, "10.0.0.1")).await.unwrap();
        }
        if self.call == Call::ManageShare {
            driver.unmanage_share(self.share, 1).await.unwrap();
        }
    }

    pub(super) async fn run(&self, backends: &Backends) {
        let Backends { here: driver, there } = backends;
        let reference = SnapshotRef::from(self.snapshot());
        match self.call {
            Call::Open => {}
            Call::CreateShare => drop(driver.create_share(&self.share(self.share)).await.unwrap()),
            Call::ExtendShare => driver.extend_share(self.share, 5).await.unwrap(),
            Call::DeleteShare => driver.delete_share(self.share).await.unwrap(),
            Call::CreateSnapshot => drop(driver.create_snapshot(&self.snapshot()).await.unwrap()),
            Call::DeleteSnapshot => driver.delete_snapshot(&reference).await.unwrap(),
            Call::ApplyAccess => {
                let target = AccessTarget::Share(self.share);
                drop(driver.apply_access(target, &access(2, "10.0.0.2")).await.unwrap());
            }
            Call::CreateShareFromSnapshot => {
                let copy = self.share(self.copy);
                driver.create_share_from_snapshot(&copy, &reference).await.unwrap();
            }
            Call::RevertToSnapshot => {
                let revert = RevertShare { snapshot: reference, size_gb: 5, generation: 2 };
                driver.revert_to_snapshot(&revert).await.unwrap();
            }
            Call::CreateReplica => drop(there.create_replica(&self.replica()).await.unwrap()),
            Call::UpdateReplica => drop(there.update_replica(&self.sync(1)).await.unwrap()),
            Call::PromoteReplica => {
                drop(there.promote_replica(&self.sync(2), false).await.unwrap())
            }
            Call::DeleteReplica => there.delete_share(self.copy).await.unwrap(),
            Call::FillShare => {
                let from = driver.share_tree(self.share).await.unwrap();
                let copy = self.share(self.copy);
                there.fill_share(&copy, &from, &Arc::default()).await.unwrap();
            }
            Call::Migrate => {
                let source = driver.migration_source(self.share).await.unwrap();
                let kept = driver.get_snapshot(self.snapshot, self.share).await.unwrap().unwrap();
                let snapshot = MigratedSnapshot { source: (&kept).into(), id: self.brought };
                let share = self.share(self.copy);
                let snapshots = vec![snapshot];
                let migration = Migration { source, share, snapshots, preserve_metadata: true };
                there.migrate(&migration, &Arc::default()).await.unwrap();
            }
            Call::ManageShare | Call::ImportShare => {
                drop(driver.manage_share(&self.managed(self.copy, 1)).await.unwrap());
            }
            Call::UnmanageShare => driver.unmanage_share(self.share, 1).await.unwrap(),
            Call::ManageSnapshot => {
                let wanted = self.managed_snapshot(self.brought, 1);
                drop(driver.manage_snapshot(&wanted).await.unwrap());
            }
            Call::UnmanageSnapshot => driver.unmanage_snapshot(&reference, 1).await.unwrap(),
            Call::BringSnapshot => {
                let new = NewSnapshot { id: self.brought, share_instance_id: self.copy };
                let provider_location = self.data("snapshots", self.snapshot);
                let provider_location = provider_location.to_str().map(str::to_owned);
                let source = SnapshotRef { provider_location, ..reference };
                there.create_replica_snapshot(&new, &source).await.unwrap();
            }
        }
    }

    /// What the ground truth says is true, and is the state before the call or the state after.
    pub(super) async fn check(&self, backends: &Backends, finished: bool) {
        let Backends { here: driver, there } = backends;
        let share = driver.get_share(self.share).await.unwrap();
        let snapshot = driver.get_snapshot(self.snapshot, self.share).await.unwrap();
        let copy = there.get_share(self.copy).await.unwrap();
        let size = share.as_ref().map(|share| share.size_gb);
        let (before, after, now) = match self.call {
            Call::Open => (true, true, driver.list_shares().await.unwrap().is_empty()),
            Call::CreateShare => (false, true, share.is_some()),
            Call::ExtendShare | Call::RevertToSnapshot => (false, true, size == Some(5)),
            Call::DeleteShare => (true, false, share.is_some()),
            Call::CreateSnapshot => (false, true, snapshot.is_some()),
            Call::DeleteSnapshot => (true, false, snapshot.is_some()),
            Call::CreateShareFromSnapshot | Call::CreateReplica | Call::FillShare => {
                (false, true, copy.is_some())
            }
            Call::DeleteReplica => (true, false, copy.is_some()),
            Call::ManageShare | Call::ImportShare => {
                let places = [
                    self.data("shares", self.share),
                    self.data("shares", self.copy),
                    self.root.join("import/some directory"),
                ];
                let there = places.into_iter().filter(|place| place.exists());
                let [place] = there.collect::<Vec<_>>().try_into().unwrap();
                ensure_planted(&place);
                if let Some(copy) = &copy {
                    ensure_planted(Path::new(&copy.exports[0].path));
                    let access = driver.get_access(AccessTarget::Share(self.copy)).await.unwrap();
                    assert_eq!(access, Some(AccessList::default()));
                }
                (false, true, copy.is_some())
            }
            Call::UnmanageShare => {
                ensure_planted(&self.data("shares", self.share));
                (true, false, share.is_some())
            }
            Call::ManageSnapshot => {
                let brought = driver.get_snapshot(self.brought, self.share).await.unwrap();
                let places = [self.snapshot, self.brought].map(|id| self.data("snapshots", id));
                let there = places.iter().filter(|place| place.exists());
                let [place] = there.collect::<Vec<_>>().try_into().unwrap();
                ensure_planted(place);
                (false, true, brought.is_some())
            }
            Call::UnmanageSnapshot => {
                ensure_planted(&self.data("snapshots", self.snapshot));
                (true, false, snapshot.is_some())
            }
            Call::UpdateReplica | Call::PromoteReplica => {
                let stale = self.data("shares", self.copy).join("stale").exists();
                (false, true, !stale)
            }
            Call::BringSnapshot | Call::Migrate => {
                let brought = there.get_snapshot(self.brought, self.copy).await.unwrap();
                if let Some(brought) = &brought {
                    ensure_planted(Path::new(&brought.provider_location));
                }
                (false, true, brought.is_some())
            }
            Call::ApplyAccess => {
                let found = driver.get_access(AccessTarget::Share(self.share)).await.unwrap();
                let is_old = found == Some(access(1, "10.0.0.1"));
                assert!(is_old || found == Some(access(2, "10.0.0.2")), "{found:?}");
                (false, true, !is_old)
            }
        };
        assert!(now == after || (!finished && now == before), "{self:?}: {now}");
        if matches!(self.call, Call::Open | Call::CreateShare) {
            return;
        }
        let may_grow = matches!(self.call, Call::ExtendShare | Call::RevertToSnapshot);
        assert!(size.is_none_or(|size| size == 1 || may_grow), "{share:?}");
        if self.call == Call::RevertToSnapshot && !now {
            let data = self.data("shares", self.share);
            assert_eq!(fs::read(data.join("file")).unwrap(), b"later");
            assert!(!data.join("directory").exists(), "half reverted");
        } else if share.is_some() {
            ensure_planted(&self.data("shares", self.share));
        }
        if let Some(snapshot) = snapshot {
            ensure_planted(Path::new(&snapshot.provider_location));
        }
        // At every moment the copy is whole: as it was, or as the source.
        let is_stale = match self.call {
            Call::UpdateReplica | Call::PromoteReplica => !now,
            call => matches!(call, Call::BringSnapshot | Call::DeleteReplica),
        };
        if copy.is_some() {
            ensure_same(&self.data("shares", self.copy), is_stale);
        }
    }

    pub(super) async fn sweep(&self, backends: &Backends) {
        for driver in [&backends.here, &backends.there] {
            driver.sweep(&BTreeSet::new()).await.unwrap();
        }
    }

    fn roots(&self) -> impl Iterator<Item = &PathBuf> {
        std::iter::once(&self.root).chain(self.elsewhere.as_ref().map(|elsewhere| &elsewhere.root))
    }

    pub(super) async fn clean_up(&self, backends: &Backends) {
        let Backends { here: driver, there } = backends;
        self.sweep(backends).await;
        for part in
            self.roots().flat_map(|root| ["tmp", "trash", "locks"].map(|part| root.join(part)))
        {
            let left = fs::read_dir(&part).unwrap().count();
            assert_eq!(left, 0, "{} is not empty after the sweep", part.display());
        }
        if self.call == Call::UnmanageShare {
            driver.manage_share(&self.managed(self.share, 2)).await.unwrap();
        }
        if self.call == Call::UnmanageSnapshot {
            driver.manage_snapshot(&self.managed_snapshot(self.snapshot, 2)).await.unwrap();
        }
        driver.delete_snapshot(&self.snapshot().into()).await.unwrap();
        let of_share = self.call == Call::ManageSnapshot;
        let share_instance_id = if of_share { self.share } else { self.copy };
        let brought = NewSnapshot { id: self.brought, share_instance_id };
        there.delete_snapshot(&brought.into()).await.unwrap();
        there.delete_share(self.copy).await.unwrap();
        if let Ok(left) = fs::read_dir(self.data("shares", self.share).join("..")) {
            let names = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let kept = names.filter(|name| name.starts_with("sent-")).collect::<Vec<_>>();
            assert!(kept.is_empty(), "{kept:?} stayed at the source");
        }
        driver.delete_share(self.share).await.unwrap();
        for root in self.roots() {
            assert_eq!(leftovers(root), Vec::<String>::new());
            fs::remove_dir_all(root).unwrap();
        }
    }

    pub(super) fn data(&self, container: &str, id: Uuid) -> PathBuf {
        let is_copy = id == self.copy || id == self.brought;
        let elsewhere = self.elsewhere.as_ref().filter(|_| is_copy);
        let root = elsewhere.map_or(&self.root, |elsewhere| &elsewhere.root);
        root.join(container).join(id.to_string()).join("data")
    }
}

async fn open_at(driver: &str, root: &Path) -> Arc<dyn Driver> {
    let settings = settings(json!({ "root": root, "replication_type": "dr" }));
    build(driver, &settings).await.unwrap()
}

fn access(generation: i64, client: &str) -> AccessList {
    let rule = AccessRule {
        id: Uuid::nil(),
        access_type: AccessType::Ip,
        access_to: client.to_owned(),
        access_level: AccessLevel::ReadWrite,
    };
    AccessList { generation, rules: vec![rule] }
}

fn make_subvolume(path: &Path) {
    let mut command = Command::new("btrfs");
    let output = command.args(["subvolume", "create"]).arg(path).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

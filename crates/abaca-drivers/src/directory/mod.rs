//! Shares and snapshots in any POSIX directory, without root: the embedded default.
//!
//! A snapshot is a copy of the tree: by reflinks where the file system has them, so that it costs
//! neither time nor space, else byte by byte (see [`tree::copy`] for what is kept). A plain
//! directory has no quota: the size limit of a share is recorded, not enforced. Until file servers
//! are wired in, the export location is the local path.
//!
//! What a crash leaves is invisible to the ground-truth queries and done again by the next call,
//! because objects appear and disappear by one rename ([`root`] shows the layout). Names of
//! objects are ids; every step is relative to an open directory and follows no symlink.

mod access;
mod calls;
pub(crate) mod cancel;
pub(crate) mod failure;
mod kept;
pub(crate) mod kill_point;
mod locks;
mod manage;
pub(crate) mod medium;
mod migrate;
mod mount;
mod objects;
mod records;
mod replicas;
pub(crate) mod root;
pub(crate) mod settings;
mod sweep;
pub(crate) mod sys;
mod take_over;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_damage;
#[cfg(test)]
mod tests_of_sizes;
mod tree;

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::{
    BuildError, DriverError, DriverInfo, DriverResult, ObjectKind, PoolStats, Settings,
    SettingsError,
};

use cancel::Cancel;
use failure::{FsResult, Stop};
use locks::{FileGuards, Locks, Wanted};
use medium::{Medium, Trees};
use root::Root;
use settings::DirectorySettings;

pub(crate) const NAME: &str = "directory";

pub(crate) const INFO: DriverInfo = DriverInfo {
    name: NAME,
    summary: "Any POSIX directory, without root; snapshots by reflink where the file system can.",
    keys: settings::KEYS,
};

/// How many queries run at a time, beside the mutations.
const CONCURRENT_QUERIES: usize = 16;

/// How many shares are taken over or brought up to date as replicas at a time, beside the mutations:
/// it may take hours.
const CONCURRENT_COPIES: usize = 4;
/// Of what reads another backend a last time, so that a hanging one keeps nothing else from running, nor
/// copies that take hours what tenants wait for: promotions, snapshots that follow, ends of migrations.
const CONCURRENT_LAST_LOOKS: usize = 8;

pub(crate) const GIB: u64 = 1 << 30;

/// A backend whose objects lie in a directory.
#[derive(Debug)]
pub(crate) struct Directory {
    name: &'static str,
    settings: DirectorySettings,
    root: Arc<Root>,
    reflinks: bool,
    exchanges: bool,
    locks: Arc<Locks>,
    mutations: Arc<Semaphore>,
    /// Of copies within this backend, which take as long as there are bytes where the file system
    /// can't share them.
    own_copies: Arc<Semaphore>,
    queries: Arc<Semaphore>,
    copies: Arc<Semaphore>,
    last_looks: Arc<Semaphore>,
}

impl Directory {
    pub(crate) fn check(settings: &Settings) -> Result<(), SettingsError> {
        settings::parse(NAME, settings::KEYS, settings).map(drop)
    }

    pub(crate) async fn open(settings: &Settings) -> Result<Self, BuildError> {
        let settings = settings::parse(NAME, settings::KEYS, settings)?;
        Ok(Self::open_with(NAME, settings, Box::new(Trees)).await?)
    }

    /// Opens the backend of the driver `name`, which keeps bytes by `medium`.
    pub(crate) async fn open_with(
        name: &'static str,
        settings: DirectorySettings,
        medium: Box<dyn Medium>,
    ) -> DriverResult<Self> {
        let (path, must_be_mount_point) = (settings.root.clone(), settings.must_be_mount_point);
        let opened = tokio::task::spawn_blocking(move || {
            let root = Root::open(&path, must_be_mount_point, name, medium)?;
            let reflinks = tree::has_reflinks(&root);
            let exchanges = root.can_exchange().unwrap_or_else(|error| {
                // A disk that is full now is not full for ever; each call says itself what it is.
                tracing::warn!(%error, "it is not known whether directories can be exchanged");
                true
            });
            Ok::<_, DriverError>((root, reflinks, exchanges))
        });
        let (root, reflinks, exchanges) =
            opened.await.map_err(|error| DriverError::failed("opening the directory", error))??;
        Ok(Self {
            name,
            root: Arc::new(root),
            reflinks,
            exchanges,
            locks: Arc::default(),
            mutations: Arc::new(Semaphore::new(settings.max_concurrent_operations)),
            own_copies: Arc::new(Semaphore::new(settings.max_concurrent_operations)),
            queries: Arc::new(Semaphore::new(CONCURRENT_QUERIES)),
            copies: Arc::new(Semaphore::new(CONCURRENT_COPIES)),
            last_looks: Arc::new(Semaphore::new(CONCURRENT_LAST_LOOKS)),
            settings,
        })
    }

    /// Runs blocking work under its locks. When the caller goes away, the work stops soon.
    async fn mutate<T: Send + 'static>(
        &self,
        doing: String,
        wanted: Vec<Wanted>,
        work: impl FnOnce(&Root, &Cancel) -> Result<T, Stop> + Send + 'static,
    ) -> DriverResult<T> {
        self.mutate_in(&self.mutations, doing, wanted, work).await
    }

    async fn mutate_in<T: Send + 'static>(
        &self,
        slots: &Arc<Semaphore>,
        doing: String,
        mut wanted: Vec<Wanted>,
        work: impl FnOnce(&Root, &Cancel) -> Result<T, Stop> + Send + 'static,
    ) -> DriverResult<T> {
        let local = self.locks.acquire(&mut wanted).await;
        let local = local.map_err(|error| error.while_doing(doing.clone()))?;
        self.block(slots, doing, move |root, cancel| {
            let _local = local;
            let files = FileGuards::acquire(root.locks.as_fd(), &wanted)?;
            work(root, &cancel.under(&files)?)
        })
        .await
    }

    /// Runs blocking work that only looks.
    async fn query<T: Send + 'static>(
        &self,
        doing: String,
        work: impl FnOnce(&Root) -> FsResult<T> + Send + 'static,
    ) -> DriverResult<T> {
        self.block(&self.queries, doing, move |root, _| Ok(work(root)?)).await
    }

    async fn block<T: Send + 'static>(
        &self,
        slots: &Arc<Semaphore>,
        doing: String,
        work: impl FnOnce(&Root, &Cancel) -> Result<T, Stop> + Send + 'static,
    ) -> DriverResult<T> {
        let slot = Arc::clone(slots).acquire_owned().await;
        let slot = slot.map_err(|error| DriverError::failed(doing.clone(), error))?;
        let (root, cancel) = (Arc::clone(&self.root), Cancel::default());
        let _cancel_on_drop = cancel.on_drop();
        let running = tokio::task::spawn_blocking(move || {
            let _slot = slot;
            work(&root, &cancel)
        });
        match running.await {
            Ok(result) => result.map_err(|stop| stop.while_doing(doing)),
            Err(panicked) => Err(DriverError::failed(doing, panicked)),
        }
    }

    /// The kind of replicas there are: a replica changes by an exchange of directories.
    fn replication_type(&self) -> Option<&str> {
        self.settings.replication_type.as_deref().filter(|_| self.exchanges)
    }

    fn check_pool(&self, pool: &str) -> DriverResult<()> {
        if pool == self.settings.pool {
            return Ok(());
        }
        Err(DriverError::NotFound { kind: ObjectKind::Pool, id: pool.to_owned() })
    }

    fn pool_stats(&self, total: u64, free: u64) -> PoolStats {
        let settings = &self.settings;
        let reserved = settings.reserved_percentage;
        PoolStats {
            pool_name: settings.pool.clone(),
            total_gb: gib(total),
            free_gb: gib(free),
            allocated_gb: None,
            reserved_percentage: reserved,
            reserved_snapshot_percentage: settings.reserved_snapshot_percentage.unwrap_or(reserved),
            reserved_share_extend_percentage: settings
                .reserved_share_extend_percentage
                .unwrap_or(reserved),
            max_over_subscription_ratio: settings.max_over_subscription_ratio,
            thin_provisioning: true,
            snapshot_support: true,
            create_share_from_snapshot_support: true,
            revert_to_snapshot_support: self.exchanges,
            mount_snapshot_support: true,
            mount_point_name_support: true,
            dedupe: false,
            compression: false,
            replication_type: self.replication_type().map(str::to_owned),
            storage_protocol: "NFS_CIFS".to_owned(),
            vendor_name: "Abaca".to_owned(),
            driver_version: env!("CARGO_PKG_VERSION").to_owned(),
            ipv4_support: true,
            ipv6_support: true,
            extra: BTreeMap::from([("reflink".to_owned(), self.reflinks.into())]),
        }
    }
}

fn gib(bytes: u64) -> f64 {
    bytes as f64 / GIB as f64
}

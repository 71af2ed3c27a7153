//! The objects of the simulated backend: in memory, or in a file that several processes share.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{AccessList, DriverError, DriverResult};

/// All objects.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Objects {
    pub(crate) shares: BTreeMap<Uuid, Share>,
    pub(crate) snapshots: BTreeMap<Uuid, Snapshot>,
    /// What the service gave up: out of reach of all calls but those that take it into use.
    #[serde(default)]
    pub(crate) unmanaged: Unmanaged,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Unmanaged {
    pub(crate) shares: BTreeMap<Uuid, Share>,
    pub(crate) snapshots: BTreeMap<Uuid, Snapshot>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Share {
    pub(crate) size_gb: u64,
    pub(crate) pool: String,
    #[serde(default)]
    pub(crate) mount_point_name: Option<String>,
    /// Generation of the last revert.
    #[serde(default)]
    pub(crate) reverted: u64,
    /// The generation that it follows as a replica, or was promoted by.
    #[serde(default)]
    pub(crate) replication: u64,
    #[serde(default)]
    pub(crate) is_replica: bool,
    #[serde(default)]
    pub(crate) access: AccessList,
    /// Generation of the last call that took it into use or gave it up.
    #[serde(default)]
    pub(crate) custody: u64,
    /// The share instances it was before it was given up and taken into use again.
    #[serde(default)]
    pub(crate) former_ids: Vec<Uuid>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) share_instance_id: Uuid,
    /// The pool it lies in, that of its share.
    pub(crate) pool: String,
    #[serde(default)]
    pub(crate) access: AccessList,
    /// As in [`Share::custody`].
    #[serde(default)]
    pub(crate) custody: u64,
}

/// Keeps the objects.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    file: Option<PathBuf>,
    memory: Arc<Mutex<Objects>>,
}

impl Store {
    pub(crate) fn new(file: Option<PathBuf>) -> Self {
        Self { file, memory: Arc::default() }
    }

    /// Runs `work` on the objects and keeps what it changed, all or nothing.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Objects) -> DriverResult<T> + Send + 'static,
    ) -> DriverResult<T> {
        let Some(file) = self.file.clone() else {
            return work(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner));
        };
        let memory = Arc::clone(&self.memory);
        tokio::task::spawn_blocking(move || {
            // Threads of this process queue up here, other processes at the lock file.
            let _turn = memory.lock().unwrap_or_else(PoisonError::into_inner);
            with_file(&file, work)
        })
        .await
        .map_err(|error| DriverError::failed("running a simulated call", error))?
    }
}

fn with_file<T>(
    file: &Path,
    work: impl FnOnce(&mut Objects) -> DriverResult<T>,
) -> DriverResult<T> {
    let broken = |error: io::Error| DriverError::failed("keeping the state file", error);
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(beside(file, ".lock"))
        .map_err(broken)?;
    lock.lock().map_err(broken)?;
    let before = load(file).map_err(broken)?;
    let mut objects = before.clone();
    let result = work(&mut objects)?;
    if objects != before {
        save(file, &objects).map_err(broken)?;
    }
    Ok(result)
}

fn load(file: &Path) -> io::Result<Objects> {
    match fs::read(file) {
        Ok(content) => serde_json::from_slice(&content).map_err(io::Error::from),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Objects::default()),
        Err(error) => Err(error),
    }
}

fn save(file: &Path, objects: &Objects) -> io::Result<()> {
    let temporary = beside(file, ".new");
    let mut output = File::create(&temporary)?;
    output.write_all(&serde_json::to_vec_pretty(objects)?)?;
    output.sync_all()?;
    fs::rename(&temporary, file)?;
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

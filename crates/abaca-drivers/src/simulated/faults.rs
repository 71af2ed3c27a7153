//! Failures on demand: from the config, and from a file that is read again when it changes.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use uuid::Uuid;

use super::settings::parse_faults;
use crate::{DriverError, DriverResult, ObjectKind, Settings, SettingsError};

/// Every driver call that a fault can strike.
pub(crate) const METHODS: &[&str] = &[
    "stats",
    "create_share",
    "create_share_from_snapshot",
    "delete_share",
    "extend_share",
    "shrink_share",
    "revert_to_snapshot",
    "ensure_share",
    "create_snapshot",
    "delete_snapshot",
    "get_share",
    "get_snapshot",
    "list_shares",
    "list_snapshots",
    "create_replica",
    "update_replica",
    "promote_replica",
    "create_replica_snapshot",
    "apply_access",
    "get_access",
    "migration_source",
    "migration_check",
    "migrate",
    "manage_share",
    "unmanage_share",
    "manage_snapshot",
    "unmanage_snapshot",
    "sweep",
];

/// How often a hanging call looks whether its fault is still there.
const HANG_POLL: Duration = Duration::from_millis(10);

/// One fault as written.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Fault {
    pub(crate) method: String,
    object: Option<Uuid>,
    fail: Option<FailKind>,
    times: Option<u64>,
    #[serde(default)]
    after_effect: bool,
    #[serde(default)]
    delay_ms: u64,
    access_to: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FailKind {
    Transient,
    Failed,
    NotFound,
    NoSpace,
    Unsupported,
    ShrinkBelowData,
    Hang,
    Block,
    Refuse,
}

impl Fault {
    fn strikes(&self, method: &str, object: Option<Uuid>) -> bool {
        (self.method == "*" || self.method == method)
            && self.fail != Some(FailKind::Refuse)
            && self.times != Some(0)
            && (self.object.is_none() || self.object == object)
    }
}

/// When a fault strikes, relative to the effect of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Before,
    After,
}

/// The faults in force.
#[derive(Debug)]
pub(crate) struct Faults {
    file: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// From the config, with their remaining times.
    own: Vec<Fault>,
    /// From the file, with their remaining times since it last changed.
    from_file: Vec<Fault>,
    stamp: Option<Stamp>,
}

/// Identifies a version of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Faults {
    pub(crate) fn new(own: Vec<Fault>, file: Option<PathBuf>) -> Self {
        Self { file, state: Mutex::new(State { own, from_file: Vec::new(), stamp: None }) }
    }

    /// Applies what is due for this call at this moment: waits, hangs or fails.
    pub(crate) async fn strike(
        &self,
        moment: Moment,
        method: &'static str,
        object: Option<Uuid>,
    ) -> DriverResult<()> {
        let Some(fault) = self.take(moment, method, object)? else { return Ok(()) };
        if fault.delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
        }
        match fault.fail {
            None => Ok(()),
            Some(FailKind::Hang) => self.hang(moment, method, object).await,
            Some(FailKind::Block) => {
                let blocked = tokio::task::spawn_blocking(|| {
                    loop {
                        std::thread::park();
                    }
                });
                blocked.await.map_err(|error| DriverError::failed(method, error))
            }
            Some(kind) => Err(error(kind, method, object)),
        }
    }

    /// Whether the access rules of this client are to be refused.
    pub(crate) fn refuse(&self, access_to: &str) -> DriverResult<bool> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &self.file {
            state.reload(file)?;
        }
        let mut all = state.own.iter().chain(&state.from_file);
        Ok(all.any(|fault| {
            fault.fail == Some(FailKind::Refuse) && fault.access_to.as_deref() == Some(access_to)
        }))
    }

    async fn hang(
        &self,
        moment: Moment,
        method: &'static str,
        object: Option<Uuid>,
    ) -> DriverResult<()> {
        while self
            .take(moment, method, object)?
            .is_some_and(|fault| fault.fail == Some(FailKind::Hang))
        {
            tokio::time::sleep(HANG_POLL).await;
        }
        Ok(())
    }

    /// The first fault that strikes, counted down. A hanging fault is never used up.
    fn take(
        &self,
        moment: Moment,
        method: &str,
        object: Option<Uuid>,
    ) -> DriverResult<Option<Fault>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &self.file {
            state.reload(file)?;
        }
        let State { own, from_file, .. } = &mut *state;
        let due = own.iter_mut().chain(from_file).find(|fault| {
            fault.strikes(method, object) && fault.after_effect == (moment == Moment::After)
        });
        Ok(due.map(|fault| {
            if fault.fail != Some(FailKind::Hang) {
                fault.times = fault.times.map(|times| times.saturating_sub(1));
            }
            fault.clone()
        }))
    }
}

impl State {
    fn reload(&mut self, file: &Path) -> DriverResult<()> {
        let stamp = match fs::metadata(file) {
            Ok(metadata) => Some(Stamp {
                inode: metadata.ino(),
                size: metadata.size(),
                modified: (metadata.mtime(), metadata.mtime_nsec()),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(DriverError::failed("reading the fault file", error)),
        };
        if stamp == self.stamp {
            return Ok(());
        }
        self.from_file = match stamp {
            None => Vec::new(),
            Some(_) => read_file(file)
                .map_err(|error| DriverError::failed("reading the fault file", error))?,
        };
        self.stamp = stamp;
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultFile {
    #[serde(default)]
    fault: Vec<Settings>,
}

#[derive(Debug, thiserror::Error)]
enum FaultFileError {
    #[error("the file can't be read")]
    Read(#[from] io::Error),
    #[error("the file is not the TOML that was expected")]
    Toml(#[from] toml::de::Error),
    #[error("a fault is not understood")]
    Settings(#[from] SettingsError),
}

fn read_file(file: &Path) -> Result<Vec<Fault>, FaultFileError> {
    let content: FaultFile = toml::from_str(&fs::read_to_string(file)?)?;
    Ok(parse_faults(&content.fault)?)
}

fn error(kind: FailKind, method: &str, object: Option<Uuid>) -> DriverError {
    let doing = format!("{method} (simulated)");
    let asked_for = || io::Error::other("the fault settings ask for it");
    match kind {
        FailKind::Transient | FailKind::Hang | FailKind::Block | FailKind::Refuse => {
            DriverError::transient(doing, asked_for())
        }
        FailKind::Failed => DriverError::failed(doing, asked_for()),
        FailKind::NoSpace => DriverError::NoSpace { doing },
        FailKind::Unsupported => DriverError::Unsupported { what: doing },
        FailKind::ShrinkBelowData => {
            DriverError::ShrinkBelowData { used_bytes: u64::MAX, requested_gb: 0 }
        }
        FailKind::NotFound => DriverError::NotFound {
            kind: if method.ends_with("_snapshot") {
                ObjectKind::Snapshot
            } else {
                ObjectKind::Share
            },
            id: object.map(|id| id.to_string()).unwrap_or_default(),
        },
    }
}

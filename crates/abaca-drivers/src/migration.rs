//! What drivers say and are told when a share moves from one backend to another.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Export, NewShare, SnapshotObject, SnapshotRef};

/// Where a share is, in words that another backend of the same family understands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigrationSource {
    /// The drivers that understand `location`.
    pub family: String,
    /// Id of the share instance.
    pub id: Uuid,
    /// Where its bytes are.
    pub location: String,
}

/// What a backend can promise while it takes a share over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MigrationAbilities {
    /// Clients may go on writing while the bytes are copied.
    pub writable: bool,
    /// Clients keep their mounts when it is completed.
    pub nondisruptive: bool,
    /// Owners, modes, times and attributes are kept.
    pub preserve_metadata: bool,
    /// Snapshots come along.
    pub preserve_snapshots: bool,
}

/// A share that a backend takes over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// Where it is now.
    pub source: MigrationSource,
    /// What it shall be here.
    pub share: NewShare,
    /// The snapshots that come along.
    pub snapshots: Vec<MigratedSnapshot>,
    /// If a time or an attribute can't be kept, it fails; otherwise that is left out.
    pub preserve_metadata: bool,
}

/// A snapshot that comes along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigratedSnapshot {
    /// Where it is now.
    pub source: SnapshotRef,
    /// Id of its instance here.
    pub id: Uuid,
}

/// What a backend took over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// Where the share can be reached.
    pub exports: Vec<Export>,
    /// In the order in which they were asked for.
    pub snapshots: Vec<SnapshotObject>,
}

/// The bytes of a share, as a directory of this machine, within one that has this crate's layout and
/// locks, so that they can be held while they are copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareTree {
    /// Id of the share instance.
    pub id: Uuid,
    /// Path of the top of what clients see.
    pub data: String,
}

/// What is in a [`ShareTree`] at some moment: whatever is changed afterwards makes it another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeState {
    /// Files, directories and all else.
    pub entries: u64,
    /// Bytes of the files from their start to their end, of each of their names.
    pub bytes: u64,
    /// Sum of the times of their last changes, by anybody and of any kind, in nanoseconds.
    pub changes: u64,
}

/// How far a copy is, to be looked at while it runs. Every byte is copied and then compared, a hole
/// counts as its bytes would.
#[derive(Debug, Default)]
pub struct CopyProgress {
    total: AtomicU64,
    copied: AtomicU64,
    compared: AtomicU64,
}

impl CopyProgress {
    /// Bytes in the source.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Bytes that have been copied, or were found copied.
    pub fn copied(&self) -> u64 {
        self.copied.load(Ordering::Relaxed).min(self.total())
    }

    /// Bytes that were found to be the same at both ends.
    pub fn compared(&self) -> u64 {
        self.compared.load(Ordering::Relaxed).min(self.total())
    }

    pub(crate) fn begin(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
        self.copied.store(0, Ordering::Relaxed);
        self.compared.store(0, Ordering::Relaxed);
    }

    pub(crate) fn add_copied(&self, bytes: u64) {
        add(&self.copied, bytes);
    }

    pub(crate) fn add_compared(&self, bytes: u64) {
        add(&self.compared, bytes);
    }

    /// Everything is there and was compared, perhaps by an earlier call.
    pub(crate) fn end(&self) {
        let total = self.total();
        self.copied.store(total, Ordering::Relaxed);
        self.compared.store(total, Ordering::Relaxed);
    }
}

/// Sparse files can be larger together than the number can.
fn add(counter: &AtomicU64, bytes: u64) {
    let relaxed = Ordering::Relaxed;
    let _ = counter.fetch_update(relaxed, relaxed, |now| Some(now.saturating_add(bytes)));
}

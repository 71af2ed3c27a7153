//! One mutation of an object at a time, across the calls of this process and across processes.
//!
//! Calls of this process queue up at an async lock, for a few seconds: who holds it may copy for
//! hours, and a caller does better than wait for that in one of its places. A lock file keeps other processes out; the
//! kernel releases it when its holder is killed, so that nothing has to be cleaned up before
//! work goes on.

use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use rustix::fs::FlockOperation;
use rustix::io::Errno;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::failure::{FsError, FsResult};
use super::sys;

/// Above this many known locks, those that nobody holds are forgotten.
const FORGET_ABOVE: usize = 256;

/// How long a call waits for others of this process that work on its objects.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// How often a lock to be held together with others is asked for again, and after which time.
const SHARED_ATTEMPTS: u32 = 50;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(2);

/// How a lock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hold {
    /// Together with others: the object must stay as long as it is held.
    Shared,
    /// Alone: the object is made or removed.
    Alone,
}

/// What is locked, and how.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wanted {
    name: String,
    hold: Hold,
}

impl Wanted {
    /// The life of a share or snapshot.
    pub(super) fn object(id: Uuid, hold: Hold) -> Self {
        Self { name: id.to_string(), hold }
    }

    /// The record of a share, which changes while the share lives.
    pub(super) fn record(id: Uuid) -> Self {
        Self { name: format!("{id}.record"), hold: Hold::Alone }
    }

    pub(super) fn named(name: impl Into<String>, hold: Hold) -> Self {
        Self { name: name.into(), hold }
    }
}

/// The locks of this process.
#[derive(Debug, Default)]
pub(super) struct Locks {
    known: Mutex<HashMap<String, Weak<RwLock<()>>>>,
}

/// Held until dropped; kept by the blocking work itself, so that it outlives a dropped call.
#[derive(Debug)]
pub(super) struct LocalGuards {
    _guards: Vec<LocalGuard>,
}

#[derive(Debug)]
enum LocalGuard {
    Shared { _guard: OwnedRwLockReadGuard<()> },
    Alone { _guard: OwnedRwLockWriteGuard<()> },
}

impl Locks {
    /// Waits for all of `wanted`, in an order that can't deadlock; `Busy` if one does not come free in
    /// [`PATIENCE`].
    pub(super) async fn acquire(&self, wanted: &mut [Wanted]) -> FsResult<LocalGuards> {
        wanted.sort();
        let until = Instant::now() + PATIENCE;
        let mut guards = Vec::with_capacity(wanted.len());
        for Wanted { name, hold } in wanted {
            let lock = self.lock(name);
            let guard = async {
                match hold {
                    Hold::Shared => LocalGuard::Shared { _guard: lock.read_owned().await },
                    Hold::Alone => LocalGuard::Alone { _guard: lock.write_owned().await },
                }
            };
            let guard = timeout_at(until, guard).await;
            guards.push(guard.map_err(|_| FsError::Busy { name: name.clone() })?);
        }
        Ok(LocalGuards { _guards: guards })
    }

    /// Takes the lock alone if nobody of this process holds it.
    pub(super) fn try_alone(&self, name: &str) -> Option<LocalGuards> {
        let guard = self.lock(name).try_write_owned().ok()?;
        Some(LocalGuards { _guards: vec![LocalGuard::Alone { _guard: guard }] })
    }

    fn lock(&self, name: &str) -> Arc<RwLock<()>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = known.get(name).and_then(Weak::upgrade) {
            return lock;
        }
        if known.len() > FORGET_ABOVE {
            known.retain(|_, lock| lock.strong_count() > 0);
        }
        let lock = Arc::new(RwLock::new(()));
        known.insert(name.to_owned(), Arc::downgrade(&lock));
        lock
    }
}

/// Lock files held by this process. Dropping releases them, and removes those nobody else holds.
#[derive(Debug)]
pub(super) struct FileGuards<'a> {
    directory: BorrowedFd<'a>,
    held: Vec<Held>,
}

#[derive(Debug)]
struct Held {
    name: String,
    hold: Hold,
    file: OwnedFd,
}

impl<'a> FileGuards<'a> {
    /// Takes all of `wanted`; `Busy` if another process holds one.
    pub(super) fn acquire(directory: BorrowedFd<'a>, wanted: &[Wanted]) -> FsResult<Self> {
        let mut guards = Self { directory, held: Vec::with_capacity(wanted.len()) };
        for Wanted { name, hold } in wanted {
            let file = lock_file(directory, name, *hold)?;
            guards.held.push(Held { name: name.clone(), hold: *hold, file });
        }
        Ok(guards)
    }

    /// Another descriptor of the first lock that is held alone. The lock is free when both are gone.
    pub(super) fn share_alone(&self) -> FsResult<Option<OwnedFd>> {
        let alone = self.held.iter().find(|lock| lock.hold == Hold::Alone);
        alone.map(|lock| sys::duplicate(lock.file.as_fd())).transpose()
    }
}

fn lock_file(directory: BorrowedFd<'_>, name: &str, hold: Hold) -> FsResult<OwnedFd> {
    let operation = match hold {
        Hold::Shared => FlockOperation::NonBlockingLockShared,
        Hold::Alone => FlockOperation::NonBlockingLockExclusive,
    };
    let mut attempts_left = if hold == Hold::Shared { SHARED_ATTEMPTS } else { 0 };
    loop {
        let file = sys::open_lock_file(directory, name)?;
        match sys::call("lock", name, || rustix::fs::flock(&file, operation)) {
            // Who held it together with others takes it alone for a moment when he goes, to remove
            // it: that is not yet somebody at work on the object.
            Err(error) if error.errno() == Some(Errno::AGAIN) && attempts_left > 0 => {
                attempts_left -= 1;
                std::thread::sleep(BETWEEN_ATTEMPTS);
                continue;
            }
            Err(error) if error.errno() == Some(Errno::AGAIN) => {
                return Err(FsError::Busy { name: name.to_owned() });
            }
            other => other?,
        }
        // Its last holder may have removed the file between the open and the lock.
        match sys::meta(directory, name) {
            Ok(meta) if meta.identity == sys::meta_of(file.as_fd())?.identity => return Ok(file),
            Ok(_) => {}
            Err(error) if error.is_gone() => {}
            Err(error) => return Err(error),
        }
    }
}

impl Drop for FileGuards<'_> {
    fn drop(&mut self) {
        for Held { name, file, .. } in self.held.drain(..) {
            // Removed only when held alone, else another process would lock a file that is gone.
            let alone = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive);
            if alone.is_ok() {
                // What stays behind here, the next sweep removes.
                let _ = sys::remove_file(self.directory, name.as_str());
            }
        }
    }
}

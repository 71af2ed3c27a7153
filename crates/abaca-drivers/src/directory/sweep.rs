//! Removes what killed processes left in `tmp`, `trash` and `locks`.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd};

use uuid::Uuid;

use super::cancel::Cancel;
use super::failure::{FsError, FsResult};
use super::locks::{FileGuards, Hold, Locks, Wanted};
use super::records::{Kind, parse_id};
use super::root::Root;
use super::sys;
use crate::SweepReport;

/// Removes every leftover whose lock is free, but what is unfinished of the objects `to_resume`; one
/// that can't be removed does not stop the rest.
pub(super) fn sweep(
    root: &Root,
    locks: &Locks,
    to_resume: &BTreeSet<Uuid>,
    cancel: &Cancel,
) -> FsResult<SweepReport> {
    let mut report = SweepReport::default();
    let mut first_error = None;
    for (directory, is_tmp) in [(root.tmp.as_fd(), true), (root.trash.as_fd(), false)] {
        for name in names(directory)? {
            let Some(lock) = lock_of(&name) else {
                tracing::warn!(name, "an entry that is not this driver's stays in tmp or trash");
                continue;
            };
            if is_tmp && parse_id(&lock).is_some_and(|id| to_resume.contains(&id)) {
                continue;
            }
            match sweep_one(root, locks, &lock, directory, &name, cancel) {
                Ok(true) => report.removed += 1,
                Ok(false) => report.busy += 1,
                Err(FsError::Cancelled) => return Err(FsError::Cancelled),
                Err(error) => {
                    tracing::warn!(%error, name, "a leftover could not be removed");
                    first_error.get_or_insert(error);
                }
            }
        }
    }
    for name in names(root.locks.as_fd())? {
        // Taking and releasing a free lock removes its file.
        let local = locks.try_alone(&name);
        if local.is_some() {
            drop(FileGuards::acquire(root.locks.as_fd(), &[Wanted::named(name, Hold::Alone)]));
        }
    }
    root.medium.tidy(root.top(), cancel)?;
    match first_error {
        Some(error) => Err(error),
        None => Ok(report),
    }
}

/// Whether the leftover was removed; false when a call works on it.
fn sweep_one(
    root: &Root,
    locks: &Locks,
    lock: &str,
    directory: BorrowedFd<'_>,
    name: &str,
    cancel: &Cancel,
) -> FsResult<bool> {
    let Some(_local) = locks.try_alone(lock) else { return Ok(false) };
    let wanted = [Wanted::named(lock, Hold::Alone)];
    let file = match FileGuards::acquire(root.locks.as_fd(), &wanted) {
        Err(FsError::Busy { .. }) => return Ok(false),
        other => other?,
    };
    // Its caller may have been killed when this was in the place of its replacement a moment ago,
    // which must be durable first.
    root.settle(Kind::Share)?;
    root.discard(directory, name, &cancel.under(&file)?)?;
    Ok(true)
}

/// The lock under which a call makes or removes an entry of that name.
fn lock_of(name: &str) -> Option<String> {
    let (kind, id) = name.split_once('-')?;
    let id = parse_id(id)?;
    match kind {
        "share" | "snapshot" => Some(id.to_string()),
        "record" | "access" => Some(format!("{id}.record")),
        _ => None,
    }
}

fn names(directory: BorrowedFd<'_>) -> FsResult<Vec<String>> {
    let mut names = Vec::new();
    sys::read_directory(directory, |name, _| {
        names.push(name.to_string_lossy().into_owned());
        Ok(())
    })?;
    Ok(names)
}

//! Moves trees to other places: copies them, however often it was interrupted, until both ends are
//! the same, byte by byte.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::super::cancel::Cancel;
use super::super::failure::{FsError, FsResult};
use super::super::sys;
use super::copy::resume_copy;
use super::measure::apparent_bytes;
use super::verify::{Found, differences};
use crate::CopyProgress;

/// How often what was found to differ is copied again.
const ROUNDS: u32 = 3;

/// Makes `to` the same tree as `from`, and returns when it is, and would survive power loss. Goes on
/// from whatever `to` holds. `base` is as for [`super::copy::copy_tree`]. What the other file system or
/// this process's user can't keep (times, attributes, owners, devices) is left out, unless `all` must
/// be kept.
pub(crate) fn mirror_tree(
    from: &OwnedFd,
    to: &OwnedFd,
    base: BorrowedFd<'_>,
    all: bool,
    progress: &CopyProgress,
    cancel: &Cancel,
) -> FsResult<()> {
    let mut found = Found::default();
    for _ in 0..ROUNDS {
        resume_copy(again(from)?, again(to)?, base, progress, cancel)?;
        sys::sync_file_system(base)?;
        found = differences(again(from)?, again(to)?, progress, cancel)?;
        let Found { differences, not_kept, .. } = found;
        if not_kept > 0 && all {
            return Err(FsError::NotKept { entries: not_kept, first: found.first_not_kept });
        }
        if differences == 0 {
            if not_kept > 0 {
                let first = found.first_not_kept;
                tracing::warn!(
                    not_kept,
                    first,
                    "owners, times, attributes or devices can't be kept here"
                );
            }
            if found.mended {
                sys::sync_file_system(base)?;
            }
            return Ok(());
        }
        let first = &found.first;
        tracing::warn!(
            differences,
            first,
            "a copy differs from its source; these are copied again"
        );
    }
    Err(FsError::KeepsChanging { entries: found.differences, first: found.first })
}

/// Bytes that [`mirror_tree`] will have to copy.
pub(crate) fn to_copy(from: &OwnedFd, cancel: &Cancel) -> FsResult<u64> {
    apparent_bytes(again(from)?, cancel)
}

/// Another descriptor of the directory, with a position of its own.
fn again(directory: &OwnedFd) -> FsResult<OwnedFd> {
    sys::open_directory(directory.as_fd(), ".")
}

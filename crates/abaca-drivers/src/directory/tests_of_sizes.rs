//! The limit of a share is its recorded size, whichever step of a resize fails.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex};

use rustix::io::Errno;
use serde_json::json;

use super::cancel::Cancel;
use super::failure::{FsError, FsResult};
use super::medium::{Content, Medium, Trees};
use super::tests::new_share;
use super::{Directory, NAME, settings};
use crate::{Driver as _, DriverError, DriverResult};

/// Trees with a limit, whose bytes can be counted or not.
#[derive(Debug)]
struct Scales {
    limit_gb: Arc<Mutex<u64>>,
    used_bytes: Option<u64>,
}

impl Medium for Scales {
    fn check_root(&self, top: BorrowedFd<'_>, path: &str) -> DriverResult<()> {
        Trees.check_root(top, path)
    }

    fn make(
        &self,
        object: BorrowedFd<'_>,
        content: Content,
        size_gb: Option<u64>,
        cancel: &Cancel,
    ) -> FsResult<()> {
        *self.limit_gb.lock().unwrap() = size_gb.unwrap_or_default();
        Trees.make(object, content, size_gb, cancel)
    }

    fn limit(&self, _data: BorrowedFd<'_>, size_gb: u64, cancel: &Cancel) -> FsResult<()> {
        cancel.check()?;
        *self.limit_gb.lock().unwrap() = size_gb;
        Ok(())
    }

    fn used_bytes(&self, _data: OwnedFd, _cancel: &Cancel) -> FsResult<u64> {
        let source = Errno::NODEV;
        self.used_bytes.ok_or(FsError::Call { action: "weigh", name: String::new(), source })
    }
}

/// A backend with these scales, and the limit of the share that was limited last.
async fn open(top: &std::path::Path, used_bytes: Option<u64>) -> (Directory, Arc<Mutex<u64>>) {
    let limit_gb = Arc::default();
    let medium = Scales { limit_gb: Arc::clone(&limit_gb), used_bytes };
    let values = json!({ "root": top }).as_object().unwrap().clone();
    let settings = settings::parse(NAME, settings::KEYS, &values).unwrap();
    (Directory::open_with(NAME, settings, Box::new(medium)).await.unwrap(), limit_gb)
}

#[tokio::test]
async fn a_refused_or_failed_shrinkage_leaves_the_old_limit() {
    let top = tempfile::tempdir().unwrap();
    let mut share = new_share();
    share.size_gb = 3;
    for used_bytes in [None, Some(5 << 30), Some(1 << 30)] {
        let (driver, limit_gb) = open(top.path(), used_bytes).await;
        driver.create_share(&share).await.unwrap();
        let shrunk = driver.shrink_share(share.id, 1).await;
        let size_gb = driver.get_share(share.id).await.unwrap().unwrap().size_gb;
        match used_bytes {
            Some(bytes) if bytes <= 1 << 30 => shrunk.unwrap(),
            Some(_) => assert!(matches!(shrunk, Err(DriverError::ShrinkBelowData { .. }))),
            None => assert!(matches!(shrunk, Err(DriverError::Failed { .. })), "{shrunk:?}"),
        }
        let expected = if used_bytes == Some(1 << 30) { 1 } else { 3 };
        assert_eq!((*limit_gb.lock().unwrap(), size_gb), (expected, expected), "{used_bytes:?}");
    }
}

#[tokio::test]
async fn the_recorded_size_can_be_set_again() {
    let top = tempfile::tempdir().unwrap();
    let (driver, limit_gb) = open(top.path(), None).await;
    let share = new_share();
    driver.create_share(&share).await.unwrap();
    // A call that was killed before it recorded the size.
    *limit_gb.lock().unwrap() = 5;
    driver.extend_share(share.id, share.size_gb).await.unwrap();
    assert_eq!(*limit_gb.lock().unwrap(), share.size_gb);
}

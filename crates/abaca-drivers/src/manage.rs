//! What drivers are told when the service takes into use what they hold already.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{DriverError, DriverResult, NewSnapshot};

/// A share that the backend holds, to be taken into use by the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManageShare {
    /// Id of the share instance that it becomes; it names the object from now on.
    pub id: Uuid,
    /// Where it is found, as an administrator wrote it.
    pub export_path: String,
    /// As in [`crate::NewShare::protocol`].
    pub protocol: String,
    /// The pool that it must be in.
    pub pool: String,
    /// As in [`crate::NewShare::mount_point_name`].
    pub mount_point_name: Option<String>,
    /// The size limit it gets, in GiB; `None`: the one it has, or room for what it holds.
    pub size_gb: Option<u64>,
    /// The sizes that are allowed, in GiB.
    pub allowed_gb: RangeInclusive<u64>,
    /// Tells whether the service keeps the share: each later [`crate::Driver::manage_share`] or
    /// [`crate::Driver::unmanage_share`] of the same share instance has a higher one, at least 1.
    pub generation: u64,
}

impl ManageShare {
    /// The size limit of a share whose present one is `limit_gb` and that holds `used_bytes`.
    ///
    /// # Errors
    /// [`DriverError::InvalidInput`] when it is not allowed, or what is there does not fit.
    pub(crate) fn size(&self, limit_gb: Option<u64>, used_bytes: u64) -> DriverResult<u64> {
        let wrong = |problem| DriverError::InvalidInput { field: "size", problem };
        let needed_gb = used_bytes.div_ceil(1 << 30).max(1);
        let size_gb = self.size_gb.or(limit_gb).unwrap_or(needed_gb);
        if self.size_gb.is_some_and(|size_gb| size_gb < needed_gb) {
            return Err(wrong(format!(
                "the share holds {used_bytes} bytes, which do not fit into {size_gb} GiB"
            )));
        }
        if !self.allowed_gb.contains(&size_gb) {
            let (from, to) = (self.allowed_gb.start(), self.allowed_gb.end());
            return Err(wrong(format!(
                "the share has {size_gb} GiB, and its share type takes {from} to {to}"
            )));
        }
        Ok(size_gb)
    }

    pub(crate) fn wrong_path(&self, expected: &str) -> DriverError {
        let problem = format!("expected {expected}, got {:?}", self.export_path);
        DriverError::InvalidInput { field: "export_path", problem }
    }
}

/// A snapshot that the backend holds, to be taken into use by the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManageSnapshot {
    /// What it becomes. Its share instance is in use.
    pub snapshot: NewSnapshot,
    /// Where it is found, as an administrator wrote it.
    pub provider_location: String,
    /// As in [`ManageShare::generation`].
    pub generation: u64,
}

impl ManageSnapshot {
    pub(crate) fn wrong_location(&self, expected: &str) -> DriverError {
        let problem = format!("expected {expected}, got {:?}", self.provider_location);
        DriverError::InvalidInput { field: "provider_location", problem }
    }

    /// Refuses a snapshot of a share other than the one it shall be of.
    pub(crate) fn check_share(&self, found: Uuid, former: &[Uuid]) -> DriverResult<()> {
        let wanted = self.snapshot.share_instance_id;
        if found == wanted || former.contains(&found) {
            return Ok(());
        }
        let problem = format!("expected a snapshot of share instance {wanted}, got one of {found}");
        Err(DriverError::InvalidInput { field: "provider_location", problem })
    }
}

/// Refuses to take into use what is in use.
pub(crate) fn in_use(field: &'static str, given: &str) -> DriverError {
    let problem = format!("{given:?} is in use by the service already");
    DriverError::InvalidInput { field, problem }
}

/// Whether the service keeps an object, and since which call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Custody {
    /// The service has it no more, or not yet.
    pub(crate) unmanaged: bool,
    /// Generation of the last call that changed that.
    pub(crate) generation: u64,
}

impl Custody {
    /// Of what is about to be taken into use.
    pub(crate) const COMING: Self = Self { unmanaged: true, generation: 0 };

    pub(crate) fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the object has to be changed for `unmanaged` to be true of it.
    ///
    /// # Errors
    /// [`DriverError::InvalidInput`] for a call that was overtaken by a later one.
    pub(crate) fn must_become(self, unmanaged: bool, generation: u64) -> DriverResult<bool> {
        if self.unmanaged == unmanaged {
            return Ok(false);
        }
        if generation > self.generation {
            return Ok(true);
        }
        let present = self.generation;
        let problem = format!("a call of generation {present} came before, got {generation}");
        Err(DriverError::InvalidInput { field: "generation", problem })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_call_changes_nothing() {
        let kept = Custody { unmanaged: false, generation: 3 };
        let left = Custody { unmanaged: true, generation: 3 };
        assert!(!kept.must_become(false, 1).unwrap(), "as it is");
        assert!(!left.must_become(true, 1).unwrap(), "as it is");
        assert!(kept.must_become(true, 4).unwrap());
        assert!(left.must_become(false, 4).unwrap());
        for generation in [1, 3] {
            kept.must_become(true, generation).unwrap_err();
            left.must_become(false, generation).unwrap_err();
        }
        assert!(Custody::COMING.must_become(false, 1).unwrap());
    }

    #[test]
    fn a_size_has_room_for_what_is_there_and_is_allowed() {
        let size = |size_gb, limit_gb, used_bytes| {
            let wanted = ManageShare {
                id: Uuid::nil(),
                export_path: String::new(),
                protocol: String::new(),
                pool: String::new(),
                mount_point_name: None,
                size_gb,
                allowed_gb: 1..=5,
                generation: 1,
            };
            wanted.size(limit_gb, used_bytes).ok()
        };
        let gib = 1 << 30;
        assert_eq!(size(None, None, 0), Some(1));
        assert_eq!(size(None, None, gib + 1), Some(2));
        assert_eq!(size(None, Some(3), 0), Some(3));
        assert_eq!(size(Some(4), Some(3), 2 * gib), Some(4));
        assert_eq!(size(Some(2), None, 2 * gib + 1), None, "too small for it");
        assert_eq!(size(None, Some(6), 0), None, "larger than the type takes");
        assert_eq!(size(Some(0), None, 0), None, "smaller than the type takes");
    }
}

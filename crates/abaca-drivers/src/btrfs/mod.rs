//! Shares and snapshots as btrfs subvolumes: sizes are enforced, snapshots take no time and no space.
//!
//! Objects lie in a directory, as those of the driver `directory` do, and what stands around their
//! bytes is that driver's. The bytes of a share are a subvolume, held to the share's size by the
//! limit of its qgroup on referenced bytes; those of a snapshot are a read-only snapshot. Needs
//! root, a btrfs file system with quotas, and the command `btrfs` ([`command`] says why). Replicas get
//! their bytes by send and receive ([`transfer`]).

mod command;
mod subvolumes;
mod transfer;

use crate::directory::Directory;
use crate::directory::settings::{keys, parse};
use crate::{BuildError, DriverInfo, SettingKey, Settings, SettingsError};
use subvolumes::Subvolumes;

pub(crate) const NAME: &str = "btrfs";

const KEYS: &[SettingKey] = &keys(
    "\"btrfs\"",
    "The directory that holds shares and snapshots, on a btrfs file system with quotas (btrfs quota \
     enable). It is taken into use when it is absent or empty, and refused when it holds anything \
     else without this driver's mark.",
);

pub(crate) const INFO: DriverInfo = DriverInfo {
    name: NAME,
    summary: "A btrfs file system with quotas, as root; subvolumes whose sizes are enforced.",
    keys: KEYS,
};

pub(crate) fn check(settings: &Settings) -> Result<(), SettingsError> {
    parse(NAME, KEYS, settings).map(drop)
}

pub(crate) async fn open(settings: &Settings) -> Result<Directory, BuildError> {
    let settings = parse(NAME, KEYS, settings)?;
    Ok(Directory::open_with(NAME, settings, Box::new(Subvolumes)).await?)
}

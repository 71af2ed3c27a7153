//! Who may mount a share or a snapshot.

mod allow;
mod client;
pub(super) mod contract;
mod deny;
mod list;
mod load;
mod metadata;
mod of_snapshots;
mod sync;
mod update;
mod view;

pub(crate) use allow::allow;
pub(crate) use deny::deny;
pub(crate) use list::{index, list_of_share, show};
pub(super) use load::of_visible_share;
pub(crate) use metadata::{delete as delete_metadata, update as update_metadata};
pub(crate) use of_snapshots::{
    allow as allow_to_snapshot, deny as deny_to_snapshot, list as list_of_snapshot,
};
pub(super) use sync::share_instances as synchronise;
pub(crate) use update::update;

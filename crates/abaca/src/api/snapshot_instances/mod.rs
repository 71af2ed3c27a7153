//! Snapshot instances: the administrator's view of a snapshot in each place its share lives in.

pub(super) mod contract;
mod export_locations;
mod list;
mod query;
mod reset;
mod show;
mod target;
mod view;

pub(crate) use export_locations::{export_location, export_locations};
pub(super) use export_locations::{list_reply, show_reply};
pub(crate) use list::{detail, index};
pub(crate) use reset::reset_status;
pub(super) use reset::{set_by_hand, take_over};
pub(crate) use show::show;

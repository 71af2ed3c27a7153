//! Snapshots as tenants see them.

mod list;
mod load;
mod query;
mod reset;
mod show;
mod update;
mod view;

pub(crate) use list::{detail, index};
pub(crate) use reset::reset_status;
pub(crate) use show::show;
pub(crate) use update::update;

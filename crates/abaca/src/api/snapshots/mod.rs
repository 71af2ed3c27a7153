//! Snapshots as tenants see them.

pub(super) mod contract;
mod create;
mod delete;
mod export_locations;
mod list;
mod load;
mod manage;
mod query;
mod reset;
mod show;
mod unmanage;
mod update;
mod view;

pub(crate) use create::create;
pub(crate) use delete::{delete, force_delete};
pub(crate) use export_locations::{export_location, export_locations};
pub(crate) use list::{detail, index};
pub(super) use load::{find, target, visible};
pub(crate) use manage::manage;
pub(crate) use reset::reset_status;
pub(crate) use show::show;
pub(crate) use unmanage::unmanage;
pub(crate) use update::update;

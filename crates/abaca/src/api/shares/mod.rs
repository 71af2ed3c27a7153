//! Shares as tenants see them.

mod create;
mod delete;
mod limits;
mod list;
mod load;
mod public;
mod query;
mod reset;
mod resize;
mod show;
mod update;
mod view;

pub(crate) use create::create;
pub(crate) use delete::{delete, force_delete};
pub(crate) use list::{detail, index};
pub(super) use load::{find, target, visible};
pub(crate) use reset::reset_status;
pub(crate) use resize::{extend, shrink};
pub(crate) use show::show;
pub(crate) use update::update;
pub(super) use view::shown_status;

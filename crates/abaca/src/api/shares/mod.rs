//! Shares as tenants see them.

pub(super) mod contract;
mod create;
mod delete;
mod limits;
mod list;
mod load;
mod manage;
mod migration;
mod public;
mod query;
mod recycle_bin;
mod reset;
mod resize;
mod revert;
mod show;
mod unmanage;
mod update;
mod view;

pub(crate) use create::create;
pub(crate) use delete::{delete, force_delete};
pub(crate) use list::{detail, index};
pub(super) use load::{find, not_busy, not_soft_deleted, target, visible};
pub(crate) use manage::manage;
pub(super) use manage::{required, size_option};
pub(crate) use migration::{
    cancel as cancel_migration, complete as complete_migration, progress as migration_progress,
    start as start_migration,
};
pub(crate) use recycle_bin::{restore, soft_delete};
pub(crate) use reset::{reset_status, reset_task_state};
pub(crate) use resize::{extend, shrink};
pub(crate) use revert::revert;
pub(crate) use show::show;
pub(crate) use unmanage::unmanage;
pub(crate) use update::update;
pub(super) use view::shown_status;

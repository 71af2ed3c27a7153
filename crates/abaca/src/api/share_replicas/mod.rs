//! Replicas: the instances of a replicated share, each with its replica state.

pub(in crate::api) mod contract;
mod create;
mod delete;
mod list;
mod load;
mod promote;
mod reset;
mod resync;
mod show;
mod view;

pub(super) use create::check_quota;
pub(crate) use create::create;
pub(crate) use delete::{delete, force_delete};
pub(crate) use list::{detail, index};
pub(super) use load::find;
pub(crate) use promote::promote;
pub(crate) use reset::{reset_replica_state, reset_status};
pub(crate) use resync::resync;
pub(crate) use show::show;

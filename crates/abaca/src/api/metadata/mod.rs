//! Metadata: pairs of text that tenants keep with shares, snapshots and export locations. One
//! mechanism for all of them.

mod change;
pub(super) mod contract;
mod pairs;
mod resource;
mod show;

pub(crate) use change::{merge, remove, replace, set};
pub(super) use pairs::{authorise, read};
pub(crate) use resource::Resource;
pub(crate) use show::{index, show};

//! `/resource-locks`: what keeps shares and access rules from being deleted, and rules from being
//! read. Whatever a lock forbids asks here, in the transaction that does it.

mod body;
pub(super) mod contract;
mod create;
mod guard;
mod list;
mod load;
mod update;
mod view;

pub(super) use create::create;
pub(super) use guard::{
    NewLocks, ask_to_lock, lock_rule, locked_against_deletion, refuse_locked_rule, removable_locks,
    restricted_rules,
};
pub(super) use list::index;
pub(super) use load::show;
pub(super) use update::{delete, update};

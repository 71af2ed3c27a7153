//! The paths under which shares and share instances can be mounted.

pub(super) mod contract;
mod of_instances;
mod of_replicas;
mod of_shares;
mod view;

pub(crate) use of_instances::{list as list_of_instance, show as show_of_instance};
pub(crate) use of_replicas::{list as list_of_replica, show as show_of_replica};
pub(crate) use of_shares::{list as list_of_share, show as show_of_share};

//! Share instances: the administrator's view of a share in each place it lives in.

pub(super) mod contract;
mod delete;
mod list;
mod load;
mod place;
mod reset;
mod show;
mod view;

pub(crate) use delete::force_delete;
pub(crate) use list::{index, of_share};
pub(super) use load::{find, target};
pub(super) use place::{as_place, leave_out_left, leave_out_left_copies, spokesman};
pub(crate) use reset::reset_status;
pub(super) use reset::{SETTABLE, end_promotion, overtake, set_by_hand};
pub(crate) use show::show;

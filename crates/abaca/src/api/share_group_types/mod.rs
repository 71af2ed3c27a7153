//! `/share-group-types`: what kinds of groups of shares there are, their specs, and the projects
//! that may use private ones.

mod access;
pub(super) mod contract;
mod create;
mod group_specs;
mod read;
mod view;

use abaca_model::{ShareGroupType, ShareGroupTypeId};
use abaca_store::{Tx, share_group_types};

use super::{ApiError, Call, share_types};

pub(super) use access::{add_project_access, list_project_access, remove_project_access};
pub(super) use create::{create, delete};
pub(super) use group_specs::{
    create as create_group_specs, delete as delete_group_spec, list as list_group_specs,
    show as show_group_spec, update as update_group_spec,
};
pub(super) use read::{default, list, show};

/// The share group type of the path; 404 when there is none that the caller may see.
async fn load(call: &Call, tx: &mut Tx) -> Result<ShareGroupType, ApiError> {
    let visible = share_types::visible(call);
    let found = match call.id::<ShareGroupTypeId>() {
        Some(id) => share_group_types::by_id(tx, visible, id).await?,
        None => None,
    };
    found.ok_or_else(|| not_found(call))
}

fn not_found(call: &Call) -> ApiError {
    ApiError::not_found(format!("Share group type {} could not be found.", call.path("id")))
}

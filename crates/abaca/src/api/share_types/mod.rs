//! `/types`: share types, their extra specs, and the projects that may use private ones.

mod access;
pub(super) mod contract;
mod create;
mod extra_specs;
mod read;
mod spec_filter;
pub(super) mod specs;
mod update;
mod view;

use abaca_model::{ShareType, ShareTypeId};
use abaca_store::Tx;
use abaca_store::share_types::{self, Visible};
use serde_json::{Map, Value};

use super::{ApiError, Call};

pub(super) use access::{add_project_access, list_project_access, project, remove_project_access};
pub(super) use create::create;
pub(super) use extra_specs::{
    create as create_extra_specs, delete as delete_extra_spec, list as list_extra_specs,
    show as show_extra_spec, update as update_extra_spec,
};
pub(super) use read::{default, list, listed, show};
pub(super) use update::{delete, update};

/// The share types that the caller may see: administrators all, others the public ones and those
/// granted to their project.
pub(super) fn visible(call: &Call) -> Visible<'_> {
    if call.caller.is_admin {
        Visible::All
    } else {
        Visible::To(call.caller.project_id.as_deref().unwrap_or_default())
    }
}

/// The share type of the path, if the caller may see it.
async fn load(call: &Call, tx: &mut Tx) -> Result<Option<ShareType>, ApiError> {
    match call.id::<ShareTypeId>() {
        Some(id) => Ok(share_types::by_id(tx, visible(call), id).await?),
        None => Ok(None),
    }
}

/// As [`load`], 404 when there is none.
async fn load_or_404(call: &Call, tx: &mut Tx) -> Result<ShareType, ApiError> {
    load(call, tx).await?.ok_or_else(|| not_found(call))
}

fn not_found(call: &Call) -> ApiError {
    ApiError::not_found(format!("Share type {} could not be found.", call.path("id")))
}

/// The object under `share_type`, or under `volume_type`, its name in Cinder, of which old clients
/// were made.
fn body(call: &Call) -> Result<&Map<String, Value>, ApiError> {
    call.wrapped("share_type")
        .or_else(|| call.wrapped("volume_type"))
        .ok_or_else(ApiError::malformed)
}

/// 409: the name is taken.
fn name_taken(name: &str) -> ApiError {
    ApiError::conflict(format!("Share Type {name} already exists."))
}

//! The resources that have metadata: how each is found, and by which rules it may be changed.

use abaca_store::Tx;
use abaca_store::export_locations::{self, OfShare};
use abaca_store::metadata::Owner;

use crate::api::{ApiError, Call, share_replicas, shares, snapshots};
use crate::app::Target;

/// A kind of resource that has metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource {
    /// `/shares/{id}`
    Share,
    /// `/snapshots/{id}`
    Snapshot,
    /// `/shares/{id}/export_locations/{export_location_id}`
    ExportLocation,
    /// `/share-replicas/{id}`
    Replica,
}

/// What is to be done with its metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Update,
    Delete,
}

/// The resource of a request.
pub(super) struct Found {
    pub(super) owner: Owner,
    /// What a rule about it can compare the caller with.
    pub(super) target: Target,
}

impl Resource {
    /// The resource in the path, if the caller may do with its metadata what he wants to.
    ///
    /// # Errors
    /// 404, also for what the caller may not see; 403.
    pub(super) async fn find(
        self,
        call: &Call,
        tx: &mut Tx,
        access: Access,
    ) -> Result<Found, ApiError> {
        let (found, is_public) = match self {
            Self::Share => share(call, tx).await?,
            Self::Snapshot => (snapshot(call, tx).await?, false),
            Self::ExportLocation => export_location(call, tx).await?,
            Self::Replica => (replica(call, tx).await?, false),
        };
        if access != Access::Read || !is_public {
            call.authorise(self.rule(access), &found.target).await?;
        }
        Ok(found)
    }

    fn rule(self, access: Access) -> &'static str {
        match (self, access) {
            (Self::Share, Access::Read) => "share:get_share_metadata",
            (Self::Share, Access::Update) => "share:update_share_metadata",
            (Self::Share, Access::Delete) => "share:delete_share_metadata",
            (Self::Snapshot, Access::Read) => "share_snapshot:get_metadata",
            (Self::Snapshot, Access::Update) => "share_snapshot:update_metadata",
            (Self::Snapshot, Access::Delete) => "share_snapshot:delete_metadata",
            (Self::ExportLocation, Access::Read) => "share_export_location:get_metadata",
            (Self::ExportLocation, Access::Update) => "share_export_location:update_metadata",
            (Self::ExportLocation, Access::Delete) => "share_export_location:delete_metadata",
            (Self::Replica, Access::Read) => "share_replica:get_metadata",
            (Self::Replica, Access::Update) => "share_replica:update_metadata",
            (Self::Replica, Access::Delete) => "share_replica:delete_metadata",
        }
    }

    /// The names that only administrators may set, and the rule that says who that is.
    pub(super) fn admin_only(self, call: &Call) -> Option<(&[String], &'static str)> {
        let settings = &call.app.settings;
        match self {
            Self::Share => {
                Some((&settings.admin_only_metadata, "share:update_admin_only_metadata"))
            }
            Self::Snapshot | Self::Replica => None,
            Self::ExportLocation => Some((
                &settings.admin_only_export_location_metadata,
                "share_export_location:update_admin_only_metadata",
            )),
        }
    }

    pub(super) fn gone(self) -> ApiError {
        ApiError::not_found(match self {
            Self::Share => "Share not found.",
            Self::Snapshot => "Share snapshot not found.",
            Self::ExportLocation => "Export location not found.",
            Self::Replica => "Share replica not found.",
        })
    }
}

async fn share(call: &Call, tx: &mut Tx) -> Result<(Found, bool), ApiError> {
    let share = shares::find(call, tx, call.path("id")).await?;
    let share = share.ok_or_else(|| Resource::Share.gone())?;
    let found = Found { owner: Owner::Share(share.id), target: shares::target(&share) };
    Ok((found, share.is_public))
}

async fn snapshot(call: &Call, tx: &mut Tx) -> Result<Found, ApiError> {
    let found = snapshots::visible(call, tx).await?.snapshot;
    Ok(Found { owner: Owner::Snapshot(found.id), target: snapshots::target(&found) })
}

async fn replica(call: &Call, tx: &mut Tx) -> Result<Found, ApiError> {
    let found = share_replicas::find(call, tx).await?;
    let target = shares::target(&found.share);
    Ok(Found { owner: Owner::ShareInstance(found.replica.id), target })
}

async fn export_location(call: &Call, tx: &mut Tx) -> Result<(Found, bool), ApiError> {
    let id = call.path("id");
    let share = shares::find(call, tx, id).await?;
    let share = share.ok_or_else(|| ApiError::not_found(format!("Share '{id}' not found.")))?;
    let id = call.path("export_location_id");
    let unknown = || ApiError::not_found(format!("Export location '{id}' not found."));
    let of = OfShare { share_id: share.id, with_admin_only: true, with_secondary_replicas: true };
    let id = id.parse().map_err(|_| unknown())?;
    let location = export_locations::get_of_share(tx, of, id).await?.ok_or_else(unknown)?;
    if location.is_admin_only && !call.caller.is_admin {
        return Err(ApiError::access_denied());
    }
    let found = Found { owner: Owner::ExportLocation(location.id), target: shares::target(&share) };
    Ok((found, share.is_public))
}

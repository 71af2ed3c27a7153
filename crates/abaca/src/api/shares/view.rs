//! Shares in JSON, as each version of the API shows them.
//!
//! A share comes from the database in rows, one for each of its instances and each pair of its
//! metadata. Its own columns are written as its first row is read; what its rows say together
//! follows after the last of them. Nothing is kept of a share that is written.

use std::collections::BTreeMap;

use abaca_model::{
    AccessRulesStatus, SharePlace, ShareStatus, aggregate_access_rules_status, has_replicas,
    representative_instance,
};
use abaca_store::shares::{ListedExport, ListedPlace, ListedShare, ShareRow};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::api::list::separate;
use crate::api::{Call, Links, V};

/// For whom shares are shown.
#[derive(Clone)]
pub(super) struct Viewer {
    version: V,
    is_admin: bool,
    links: Links,
}

impl Viewer {
    pub(super) fn new(call: &Call) -> Self {
        let (version, is_admin) = (call.version, call.caller.is_admin);
        Self { version, is_admin, links: call.links.clone() }
    }

    fn since(&self, minor: u32) -> bool {
        self.version >= V(2, minor)
    }

    /// Before 2.9 a share's export locations are shown with it.
    pub(super) fn shows_exports(&self) -> bool {
        !self.since(9)
    }

    /// Appends a row of a list without details.
    pub(super) fn write_summary(
        &self,
        buffer: &mut Vec<u8>,
        id: &str,
        name: Option<&str>,
    ) -> Result<(), serde_json::Error> {
        #[derive(Serialize)]
        struct Summary<'a, L> {
            id: &'a str,
            name: Option<&'a str>,
            links: L,
        }
        serde_json::to_writer(buffer, &Summary { id, name, links: self.links.of("shares", id) })
    }
}

/// Writes shares into a buffer, row by row.
pub(super) struct ShareWriter {
    viewer: Viewer,
    buffer: Vec<u8>,
    open: Option<Open>,
}

/// The share whose rows are being read, as far as it is not written yet.
struct Open {
    id: String,
    places: Vec<Place>,
    metadata: BTreeMap<String, String>,
}

struct Place {
    id: String,
    host: Option<String>,
    availability_zone: Option<String>,
    status: ShareStatus,
    access_rules_status: AccessRulesStatus,
    replica_state: Option<String>,
    progress: Option<String>,
    exports: Vec<String>,
}

impl ShareWriter {
    /// `buffer` is empty or ends in what the first share follows: the `[` of a list, or a name and
    /// its `:` where the share stands alone.
    pub(super) fn new(viewer: Viewer, buffer: Vec<u8>) -> Self {
        Self { viewer, buffer, open: None }
    }

    /// The next row.
    pub(super) fn row(&mut self, row: &ShareRow<'_>) -> Result<(), serde_json::Error> {
        if self.open.as_ref().is_none_or(|open| open.id != row.share.id) {
            self.close()?;
            // A share that stands alone follows its name, and a colon.
            if self.buffer.last() != Some(&b':') {
                separate(&mut self.buffer);
            }
            let own = OwnPart { viewer: &self.viewer, share: &row.share };
            serde_json::to_writer(&mut self.buffer, &own)?;
            let (id, places) = (row.share.id.to_owned(), Vec::new());
            self.open = Some(Open { id, places, metadata: BTreeMap::new() });
        }
        if let Some(open) = &mut self.open {
            open.add(row, self.viewer.is_admin);
        }
        Ok(())
    }

    /// All rows are read; `None`: there was no share in them.
    pub(super) fn finish(mut self) -> Result<Option<Vec<u8>>, serde_json::Error> {
        let any = self.open.is_some();
        self.close()?;
        Ok(any.then_some(self.buffer))
    }

    /// The buffer, after however many shares.
    pub(super) fn into_buffer(mut self) -> Result<Vec<u8>, serde_json::Error> {
        self.close()?;
        Ok(self.buffer)
    }

    fn close(&mut self) -> Result<(), serde_json::Error> {
        let Some(open) = self.open.take() else { return Ok(()) };
        // The share's own part ends in a brace; what comes now is written behind it as an object
        // too, whose first brace becomes the comma between the two.
        self.buffer.pop();
        let seam = self.buffer.len();
        let joint = JointPart { viewer: &self.viewer, open: &open };
        serde_json::to_writer(&mut self.buffer, &joint)?;
        if let Some(brace) = self.buffer.get_mut(seam) {
            *brace = b',';
        }
        Ok(())
    }
}

impl Open {
    fn add(&mut self, row: &ShareRow<'_>, is_admin: bool) {
        if let Some((name, value)) = row.metadata
            && !self.metadata.contains_key(name)
        {
            self.metadata.insert(name.to_owned(), value.to_owned());
        }
        let known = self.places.iter().position(|place| place.id == row.place.id);
        let place = known.unwrap_or_else(|| {
            self.places.push(Place::of(&row.place));
            self.places.len() - 1
        });
        if let (Some(export), Some(place)) = (row.export, self.places.get_mut(place)) {
            place.add(&export, is_admin);
        }
    }

    /// The paths a client may mount: those of the active replicas, where there are any.
    fn exports(&self) -> Vec<&str> {
        let is_active = |place: &&Place| place.replica_state.as_deref() == Some("active");
        let any_active = self.places.iter().any(|place| is_active(&place));
        let chosen = self.places.iter().filter(|place| !any_active || is_active(place));
        chosen
            .filter(|place| place.status == ShareStatus::Available)
            .flat_map(|place| place.exports.iter().map(String::as_str))
            .collect()
    }
}

impl Place {
    fn of(place: &ListedPlace<'_>) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Self {
            id: place.id.to_owned(),
            host: owned(place.host),
            availability_zone: owned(place.availability_zone),
            status: place.status,
            access_rules_status: place.access_rules_status,
            replica_state: owned(place.replica_state),
            progress: owned(place.progress),
            exports: Vec::new(),
        }
    }

    fn add(&mut self, export: &ListedExport<'_>, is_admin: bool) {
        let visible = is_admin || !export.is_admin_only;
        if visible && !self.exports.iter().any(|path| path == export.path) {
            self.exports.push(export.path.to_owned());
        }
    }

    fn as_model(&self) -> SharePlace<'_> {
        SharePlace {
            status: self.status,
            access_rules_status: self.access_rules_status,
            replica_state: self.replica_state.as_deref(),
        }
    }
}

/// What a share's own columns say.
struct OwnPart<'a> {
    viewer: &'a Viewer,
    share: &'a ListedShare<'a>,
}

/// No share has what stands behind this: it belongs to a part of the API that is not there.
const NONE: Option<()> = None;

impl Serialize for OwnPart<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { viewer, share } = self;
        let since = |minor| viewer.since(minor);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", share.id)?;
        // Of a share that is being taken into use, only the backend knows it.
        map.serialize_entry("size", &(share.size > 0).then_some(share.size))?;
        map.serialize_entry("created_at", &share.created_at)?;
        map.serialize_entry("name", &share.name)?;
        map.serialize_entry("description", &share.description)?;
        map.serialize_entry("project_id", share.project_id)?;
        map.serialize_entry("snapshot_id", &share.source_snapshot_id)?;
        map.serialize_entry("share_network_id", &NONE)?;
        map.serialize_entry("share_proto", share.share_proto)?;
        let share_type = if since(6) { share.share_type_id } else { share.share_type_name };
        map.serialize_entry("share_type", share_type)?;
        map.serialize_entry("volume_type", share.share_type_name)?;
        map.serialize_entry("links", &viewer.links.of("shares", share.id))?;
        map.serialize_entry("is_public", &share.is_public)?;
        if since(2) {
            map.serialize_entry("snapshot_support", &share.snapshot_support)?;
        }
        if since(5) {
            map.serialize_entry("task_state", &share.task_state)?;
        }
        if since(6) {
            map.serialize_entry("share_type_name", share.share_type_name)?;
        }
        if since(11) {
            map.serialize_entry("replication_type", &share.replication_type)?;
        }
        if since(16) {
            map.serialize_entry("user_id", share.user_id)?;
        }
        if since(24) {
            let supported = share.create_share_from_snapshot_support;
            map.serialize_entry("create_share_from_snapshot_support", &supported)?;
        }
        if since(27) {
            map.serialize_entry("revert_to_snapshot_support", &share.revert_to_snapshot_support)?;
        }
        if since(31) {
            map.serialize_entry("share_group_id", &NONE)?;
            map.serialize_entry("source_share_group_snapshot_member_id", &NONE)?;
        }
        if since(32) {
            map.serialize_entry("mount_snapshot_support", &share.mount_snapshot_support)?;
        }
        if since(69) {
            let scheduled = share.scheduled_to_be_deleted_at;
            map.serialize_entry("is_soft_deleted", &scheduled.is_some())?;
            map.serialize_entry("scheduled_to_be_deleted_at", &scheduled)?;
        }
        if since(80) {
            map.serialize_entry("source_backup_id", &NONE)?;
        }
        if since(90) {
            map.serialize_entry("encryption_key_ref", &NONE)?;
        }
        if since(99) {
            map.serialize_entry("snapshot_inherit_share_access_support", &false)?;
        }
        if viewer.is_admin {
            map.serialize_entry("share_server_id", &NONE)?;
        }
        map.end()
    }
}

/// What all rows of a share say together.
struct JointPart<'a> {
    viewer: &'a Viewer,
    open: &'a Open,
}

impl Serialize for JointPart<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { viewer, open } = self;
        let since = |minor| viewer.since(minor);
        let places: Vec<_> = open.places.iter().map(Place::as_model).collect();
        let spokesman = representative_instance(&places).and_then(|index| open.places.get(index));
        let status = spokesman.map(|place| shown_status(viewer.version, place.status));
        let zone = spokesman.and_then(|place| place.availability_zone.as_deref());
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("status", &status)?;
        map.serialize_entry("availability_zone", &zone)?;
        map.serialize_entry("metadata", &open.metadata)?;
        if viewer.shows_exports() {
            let first = spokesman.and_then(|place| place.exports.first());
            map.serialize_entry("export_location", &first)?;
            map.serialize_entry("export_locations", &open.exports())?;
        }
        if since(10) {
            let rules = match aggregate_access_rules_status(&places) {
                AccessRulesStatus::Syncing if !since(28) => "out_of_sync",
                status => status.as_str(),
            };
            map.serialize_entry("access_rules_status", rules)?;
        }
        if since(11) {
            map.serialize_entry("has_replicas", &has_replicas(&places))?;
        }
        if since(54) {
            map.serialize_entry("progress", &spokesman.and_then(|place| place.progress.as_ref()))?;
        }
        if viewer.is_admin {
            let host = spokesman.and_then(|place| place.host.as_deref()).unwrap_or_default();
            map.serialize_entry("host", host)?;
        }
        map.end()
    }
}

/// `creating_from_snapshot` is `creating` to clients older than it.
pub(in crate::api) fn shown_status(version: V, status: ShareStatus) -> ShareStatus {
    match status {
        ShareStatus::CreatingFromSnapshot if version < V(2, 54) => ShareStatus::Creating,
        status => status,
    }
}

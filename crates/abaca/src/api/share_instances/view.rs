//! Share instances in JSON, as each version of the API shows them.
//!
//! Before 2.9 an instance is shown with its export locations: it comes in a row for each of them,
//! and they are written after the last. Later there is one row, written as it is read.

use abaca_store::share_instances::ListedInstance;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::api::V;
use crate::api::list::separate;
use crate::api::shares::shown_status;

/// Before 2.9 export locations are shown with the instance.
pub(super) fn shows_exports(version: V) -> bool {
    version < V(2, 9)
}

/// Writes instances into a buffer, row by row.
pub(super) struct InstanceWriter {
    version: V,
    buffer: Vec<u8>,
    open: Option<Open>,
}

/// The instance whose export locations are being read.
struct Open {
    id: String,
    paths: Vec<String>,
}

impl InstanceWriter {
    /// `buffer` is empty or ends in what the first instance follows: the `[` of a list, or a name
    /// and its `:` where the instance stands alone.
    pub(super) fn new(version: V, buffer: Vec<u8>) -> Self {
        Self { version, buffer, open: None }
    }

    /// The next row.
    pub(super) fn row(&mut self, row: &ListedInstance<'_>) -> Result<(), serde_json::Error> {
        if self.open.as_ref().is_none_or(|open| open.id != row.id) {
            self.close()?;
            if self.buffer.last() != Some(&b':') {
                separate(&mut self.buffer);
            }
            let own = OwnPart { version: self.version, instance: row };
            serde_json::to_writer(&mut self.buffer, &own)?;
            if shows_exports(self.version) {
                self.open = Some(Open { id: row.id.to_owned(), paths: Vec::new() });
            }
        }
        if let (Some(open), Some(path)) = (&mut self.open, row.export_path) {
            open.paths.push(path.to_owned());
        }
        Ok(())
    }

    /// The buffer, after all rows.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, serde_json::Error> {
        self.close()?;
        Ok(self.buffer)
    }

    fn close(&mut self) -> Result<(), serde_json::Error> {
        #[derive(Serialize)]
        struct Exports<'a> {
            export_location: Option<&'a String>,
            export_locations: &'a [String],
        }
        let Some(Open { paths, .. }) = self.open.take() else { return Ok(()) };
        // What comes now is written behind the instance's own part as an object too, whose first
        // brace becomes the comma between the two.
        self.buffer.pop();
        let seam = self.buffer.len();
        let exports = Exports { export_location: paths.first(), export_locations: &paths };
        serde_json::to_writer(&mut self.buffer, &exports)?;
        if let Some(brace) = self.buffer.get_mut(seam) {
            *brace = b',';
        }
        Ok(())
    }
}

struct OwnPart<'a> {
    version: V,
    instance: &'a ListedInstance<'a>,
}

/// No instance has what stands behind this: it belongs to a part of the API that is not there.
const NONE: Option<()> = None;

impl Serialize for OwnPart<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { version, instance } = self;
        let since = |minor| *version >= V(2, minor);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", instance.id)?;
        map.serialize_entry("share_id", instance.share_id)?;
        map.serialize_entry("availability_zone", &instance.availability_zone)?;
        map.serialize_entry("created_at", &instance.created_at)?;
        map.serialize_entry("host", instance.host.unwrap_or_default())?;
        map.serialize_entry("status", &shown_status(*version, instance.status))?;
        map.serialize_entry("share_network_id", &NONE)?;
        map.serialize_entry("share_server_id", &NONE)?;
        if since(10) {
            map.serialize_entry("access_rules_status", &instance.access_rules_status)?;
        }
        if since(11) {
            map.serialize_entry("replica_state", &instance.replica_state)?;
        }
        if since(22) {
            map.serialize_entry("share_type_id", instance.share_type_id)?;
        }
        if since(30) {
            map.serialize_entry("cast_rules_to_readonly", &instance.cast_rules_to_readonly)?;
        }
        if since(54) {
            map.serialize_entry("progress", &instance.progress)?;
        }
        if since(71) {
            map.serialize_entry("updated_at", &instance.updated_at)?;
        }
        map.end()
    }
}

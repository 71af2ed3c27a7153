//! Snapshots in JSON, as each version of the API shows them.

use std::collections::BTreeMap;

use abaca_model::{ShareId, SnapshotId, SnapshotStatus, Timestamp};
use abaca_store::snapshots::SnapshotWithStatus;
use serde::Serialize;
use serde_json::Value;

use crate::api::{Links, V};
use crate::identity::Caller;

#[derive(Serialize)]
pub(super) struct Summary<'a> {
    id: SnapshotId,
    name: Option<&'a str>,
    links: Value,
}

#[derive(Serialize)]
pub(super) struct Detail<'a> {
    id: SnapshotId,
    share_id: ShareId,
    share_size: i64,
    created_at: Timestamp,
    status: SnapshotStatus,
    name: Option<&'a str>,
    description: Option<&'a str>,
    size: i64,
    share_proto: &'a str,
    links: Value,
    /// Since 2.12, for administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_location: Option<Option<&'a str>>,
    /// Since 2.17.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    /// Since 2.17.
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<&'a str>,
    /// Since 2.73.
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a BTreeMap<String, String>>,
}

#[derive(Serialize)]
pub(super) struct Body<T> {
    pub(super) snapshot: T,
}

/// For whom snapshots are shown.
#[derive(Clone)]
pub(super) struct Viewer {
    pub(super) version: V,
    pub(super) is_admin: bool,
    pub(super) links: Links,
}

impl Viewer {
    pub(super) fn new(version: V, caller: &Caller, links: &Links) -> Self {
        Self { version, is_admin: caller.is_admin, links: links.clone() }
    }

    pub(super) fn summary<'a>(&self, shown: &'a SnapshotWithStatus) -> Summary<'a> {
        let snapshot = &shown.snapshot;
        Summary { id: snapshot.id, name: snapshot.name.as_deref(), links: self.links(snapshot.id) }
    }

    pub(super) fn detail<'a>(&self, shown: &'a SnapshotWithStatus) -> Detail<'a> {
        let snapshot = &shown.snapshot;
        let since = |major, minor| self.version >= V(major, minor);
        let location = || shown.provider_location.as_deref();
        Detail {
            id: snapshot.id,
            share_id: snapshot.share_id,
            share_size: snapshot.share_size,
            created_at: snapshot.created_at,
            status: shown.status,
            name: snapshot.name.as_deref(),
            description: snapshot.description.as_deref(),
            size: snapshot.size,
            share_proto: &snapshot.share_proto,
            links: self.links(snapshot.id),
            provider_location: (since(2, 12) && self.is_admin).then(location),
            user_id: since(2, 17).then_some(snapshot.user_id.as_str()),
            project_id: since(2, 17).then_some(snapshot.project_id.as_str()),
            metadata: since(2, 73).then_some(&snapshot.metadata),
        }
    }

    fn links(&self, id: SnapshotId) -> Value {
        self.links.resource("snapshots", &id.to_string())
    }
}

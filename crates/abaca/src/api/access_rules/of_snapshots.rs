//! Who may mount a snapshot: the rules of snapshots of shares whose type allows it.

use std::collections::HashMap;

use abaca_model::{
    AccessLevel, AccessRule, AccessRuleId, AccessState, ShareInstanceId, Snapshot,
    SnapshotInstance, SnapshotStatus, Timestamp,
};
use abaca_store::access_rules::{self, Filter, Of};
use abaca_store::{Tx, retry_conflicts, share_instances, shares, snapshot_instances};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::allow::exists;
use super::client::{self, Client};
use super::sync;
use crate::api::share_instances::leave_out_left_copies;
use crate::api::snapshots::{target, visible};
use crate::api::{ApiError, Call, Fields, Reply};

/// `POST /snapshots/{id}/action` with `allow_access`.
pub(crate) async fn allow(call: Call) -> Result<Reply, ApiError> {
    let fields = fields(&call, &["access_type", "access_to"])?;
    let Client { access_type, access_to } = client::read(&call, &fields, false)?;
    let snapshot = mountable(&call, "share_snapshot:allow_access").await?;
    let rule = AccessRule {
        id: AccessRuleId::random(),
        resource_id: snapshot.id.uuid(),
        access_type,
        access_to,
        access_level: AccessLevel::ReadOnly,
        access_key: None,
        state: AccessState::QueuedToApply,
        metadata: Default::default(),
        created_at: Timestamp::now(),
        updated_at: None,
    };
    retry_conflicts(|| add(&call, &snapshot, &rule)).await?;
    call.app.nudge();
    Reply::json(StatusCode::ACCEPTED, &json!({ "snapshot_access": shown(&rule) }))
}

/// `POST /snapshots/{id}/action` with `deny_access`.
pub(crate) async fn deny(call: Call) -> Result<Reply, ApiError> {
    let id = fields(&call, &["access_id"])?.text("access_id")?.unwrap_or_default();
    let snapshot = mountable(&call, "share_snapshot:deny_access").await?;
    let found = match id.parse::<AccessRuleId>() {
        Ok(id) => access_rules::get(&mut call.app.db.read().await?, Of::Snapshots, id).await?,
        Err(_) => None,
    };
    let rule =
        found.ok_or_else(|| ApiError::not_found("NotFound: Resource could not be found."))?;
    if rule.resource_id != snapshot.id.uuid() {
        return Err(ApiError::bad_request(
            "Access rule provided is not associated with given snapshot.",
        ));
    }
    let now = Timestamp::now();
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        let places = Places::lock(&mut tx, &snapshot, "Access rules cannot be denied").await?;
        access_rules::set_state(&mut tx, Of::Snapshots, rule.id, AccessState::QueuedToDeny).await?;
        places.sync(&call, &mut tx, now).await?;
        Ok::<_, ApiError>(tx.commit().await?)
    })
    .await?;
    call.app.nudge();
    Ok(Reply::accepted())
}

/// `GET /snapshots/{id}/access-list`
pub(crate) async fn list(call: Call) -> Result<Reply, ApiError> {
    let snapshot = mountable(&call, "share_snapshot:access_list").await?;
    let mut tx = call.app.db.read().await?;
    let id = snapshot.id.uuid();
    let rules = access_rules::of_resource(&mut tx, Of::Snapshots, id, &Filter::default()).await?;
    let shown: Vec<_> = rules.iter().map(shown).collect();
    Reply::ok(&json!({ "snapshot_access_list": shown }))
}

fn shown(rule: &AccessRule) -> Value {
    json!({
        "id": rule.id,
        "access_type": rule.access_type,
        "access_to": rule.access_to,
        "state": rule.state,
    })
}

/// What the action was given; these must be texts.
fn fields<'a>(call: &'a Call, required: &[&str]) -> Result<Fields<'a>, ApiError> {
    let fields = call.action_value().as_object().map(Fields);
    let fields =
        fields.ok_or_else(|| ApiError::bad_request("Access data not found in request body."))?;
    for key in required {
        let problem = match fields.0.get(*key) {
            None => "not found",
            Some(Value::Null) => "is empty",
            Some(value) if value.as_str() == Some("") => "is empty",
            Some(Value::String(_)) => continue,
            Some(_) => {
                return Err(ApiError::bad_request(format!("Parameter {key} must be a string.")));
            }
        };
        return Err(ApiError::bad_request(format!("Required parameter {key} {problem}.")));
    }
    Ok(fields)
}

/// The snapshot in the path, if the caller may see it and do so, and it can be mounted at all.
async fn mountable(call: &Call, rule: &str) -> Result<Snapshot, ApiError> {
    let mut tx = call.app.db.read().await?;
    let snapshot = visible(call, &mut tx).await?.snapshot;
    call.authorise(rule, &target(&snapshot)).await?;
    let share = shares::get(&mut tx, snapshot.share_id).await?.ok_or_else(ApiError::no_route)?;
    if !share.capabilities.mount_snapshot_support {
        return Err(ApiError::bad_request(format!(
            "Cannot control access to the snapshot {} since the parent share {} does not support \
             mounting its snapshots.",
            snapshot.id, share.id
        )));
    }
    Ok(snapshot)
}

async fn add(call: &Call, snapshot: &Snapshot, rule: &AccessRule) -> Result<(), ApiError> {
    let mut tx = call.app.db.write().await?;
    let instances = snapshot_instances::of_snapshot_locked(&mut tx, snapshot.id).await?;
    if exists(&mut tx, Of::Snapshots, rule).await? {
        return Err(ApiError::bad_request(format!(
            "Share snapshot access {}:{} exists.",
            rule.access_type, rule.access_to
        )));
    }
    let places = Places::of(&mut tx, instances, snapshot, "New access rules cannot be applied");
    let places = places.await?;
    access_rules::insert(&mut tx, Of::Snapshots, rule, &places.ids()).await?;
    places.sync(call, &mut tx, rule.created_at).await?;
    Ok(tx.commit().await?)
}

/// The instances of a snapshot, locked, and where they are. Not those that a migration of the share
/// left behind.
struct Places {
    instances: Vec<SnapshotInstance>,
    hosts: HashMap<ShareInstanceId, String>,
}

impl Places {
    async fn lock(tx: &mut Tx, snapshot: &Snapshot, doing: &str) -> Result<Self, ApiError> {
        let instances = snapshot_instances::of_snapshot_locked(tx, snapshot.id).await?;
        Self::of(tx, instances, snapshot, doing).await
    }

    /// # Errors
    /// 400 unless rules can be changed in all of them; 404 when there are none.
    async fn of(
        tx: &mut Tx,
        mut instances: Vec<SnapshotInstance>,
        snapshot: &Snapshot,
        doing: &str,
    ) -> Result<Self, ApiError> {
        let mut shares = share_instances::of_share(tx, snapshot.share_id).await?;
        leave_out_left_copies(&mut instances, &mut shares);
        if instances.is_empty() {
            return Err(ApiError::no_route());
        }
        let hosts = shares.into_iter().filter_map(|share| Some((share.id, share.host?)));
        let places = Self { instances, hosts: hosts.collect() };
        let is_ready = |instance: &SnapshotInstance| {
            instance.status == SnapshotStatus::Available
                && places.hosts.contains_key(&instance.share_instance_id)
        };
        if places.instances.iter().all(is_ready) {
            return Ok(places);
        }
        Err(ApiError::bad_request(format!(
            "Invalid share snapshot instance: {doing} while the snapshot or any of its replicas or \
             migration copies lacks a valid host or is not in available state."
        )))
    }

    fn ids(&self) -> Vec<uuid::Uuid> {
        self.instances.iter().map(|instance| instance.id.uuid()).collect()
    }

    async fn sync(&self, call: &Call, tx: &mut Tx, now: Timestamp) -> Result<(), ApiError> {
        for instance in &self.instances {
            let host = self.hosts.get(&instance.share_instance_id).map(String::as_str);
            sync::ask(call, tx, Of::Snapshots, instance.id.uuid(), host, now).await?;
        }
        Ok(())
    }
}

//! Shares.

mod bodies;
mod create;
mod deferred;
mod delete;
mod errors;
mod from_snapshot;
mod list;
mod long_lists;
mod mount_point_name;
mod recycle_bin;
mod recycle_bin_emptied;
mod reset;
mod resize;
mod revert;
mod task_state;
mod tenants;

use std::collections::BTreeMap;

use abaca::api::V;
use abaca_model::{
    Operation, Share, ShareId, ShareInstance, ShareStatus, ShareType, ShareTypeId, Timestamp,
};
use abaca_store::export_work::NewExportLocation;
use abaca_store::share_work;
use abaca_store::{availability_zones, operations, share_instances, share_types, shares};
use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestServer, seed};

/// A member of the project `project`.
pub(crate) const ALICE: &str = "alice:project:member";
/// A member of another project.
pub(crate) const BOB: &str = "bob:other:member";
/// May only read in the project `project`.
pub(crate) const RITA: &str = "rita:project:reader";

pub(crate) const DEFAULT_SPECS: [(&str, &str); 5] = [
    ("driver_handles_share_servers", "False"),
    ("snapshot_support", "True"),
    ("create_share_from_snapshot_support", "True"),
    ("revert_to_snapshot_support", "True"),
    ("mount_snapshot_support", "True"),
];

/// A server with the real policy, the default share type (id `seed::uuid(0)`) and a zone.
pub(crate) async fn server() -> TestServer {
    prepared(TestServer::start().await).await
}

/// Adds the default share type and a zone.
pub(crate) async fn prepared(server: TestServer) -> TestServer {
    add_type(&server, 0, "default", &DEFAULT_SPECS).await;
    let mut tx = server.app.db.write().await.unwrap();
    availability_zones::ensure(&mut tx, "nova", seed::THEN).await.unwrap();
    availability_zones::ensure(&mut tx, "far", seed::THEN).await.unwrap();
    tx.commit().await.unwrap();
    server
}

/// Adds a public share type.
pub(crate) async fn add_type(
    server: &TestServer,
    number: u128,
    name: &str,
    specs: &[(&str, &str)],
) -> ShareTypeId {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let share_type = ShareType {
        id: ShareTypeId::from(seed::uuid(number)),
        name: name.to_owned(),
        description: None,
        is_public: true,
        extra_specs: specs.iter().map(owned).collect::<BTreeMap<_, _>>(),
        created_at: seed::THEN,
        updated_at: None,
    };
    let mut tx = server.app.db.write().await.unwrap();
    share_types::insert(&mut tx, &share_type).await.unwrap();
    tx.commit().await.unwrap();
    share_type.id
}

/// Adds shares of the default type with their instances.
pub(crate) async fn add(server: &TestServer, all: &[(Share, ShareInstance)]) {
    let mut tx = server.app.db.write().await.unwrap();
    for (share, instance) in all {
        shares::insert(&mut tx, share).await.unwrap();
        share_instances::insert(&mut tx, instance).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// POSTs a share as `token` at the last version.
pub(crate) async fn create(server: &TestServer, token: &str, share: Value) -> Answer {
    let body = json!({ "share": share });
    server.request(Method::POST, "/v2/shares").token(token).json(&body).send().await
}

/// As [`create`], of 1 GiB; the share's id.
pub(crate) async fn created(server: &TestServer, token: &str) -> ShareId {
    let share = create(server, token, json!({ "size": 1, "share_proto": "NFS" })).await.expect(200);
    share["share"]["id"].as_str().unwrap().parse().unwrap()
}

/// POSTs an action on a share as `token` at the last version.
pub(crate) async fn act(server: &TestServer, token: &str, share: ShareId, body: Value) -> Answer {
    act_at(server, V::MAX, token, share, body).await
}

/// As [`act`], at `version`.
pub(crate) async fn act_at(
    server: &TestServer,
    version: V,
    token: &str,
    share: ShareId,
    body: Value,
) -> Answer {
    let path = format!("/v2/shares/{share}/action");
    server.request(Method::POST, &path).token(token).at(version).json(&body).send().await
}

/// The only instance of a share.
pub(crate) async fn instance_of(server: &TestServer, share: ShareId) -> ShareInstance {
    let mut tx = server.app.db.read().await.unwrap();
    let mut instances = share_instances::of_share(&mut tx, share).await.unwrap();
    assert_eq!(instances.len(), 1);
    instances.remove(0)
}

/// Does what the engine does when a share was made: it is placed and has an export location.
pub(crate) async fn settle(server: &TestServer, share: ShareId) {
    let instance = instance_of(server, share).await;
    let exports = [NewExportLocation {
        path: format!("/exports/{}", instance.id),
        is_admin_only: false,
        preferred: true,
        metadata: BTreeMap::new(),
    }];
    let (id, fence, now) = (instance.id, instance.fence, Timestamp::now());
    let mut tx = server.app.db.write().await.unwrap();
    assert!(share_work::place(&mut tx, id, fence, "h@b#pool", "nova", now).await.unwrap());
    assert!(share_work::created(&mut tx, id, fence, &exports, now).await.unwrap());
    tx.commit().await.unwrap();
}

/// Sets the status of a share's instance as an operation would.
pub(crate) async fn set_status(server: &TestServer, share: ShareId, status: ShareStatus) {
    let instance = instance_of(server, share).await;
    let mut tx = server.app.db.write().await.unwrap();
    let now = Timestamp::now();
    let set = share_work::set_status(&mut tx, instance.id, instance.fence, status, now).await;
    assert!(set.unwrap());
    tx.commit().await.unwrap();
}

/// The operations of a share's instance, oldest first.
pub(crate) async fn operations_of(server: &TestServer, share: ShareId) -> Vec<Operation> {
    let instance = instance_of(server, share).await;
    let mut tx = server.app.db.read().await.unwrap();
    operations::of_resource(&mut tx, instance.id.uuid()).await.unwrap()
}

/// The ids in a list, in its order.
pub(crate) fn ids(list: &Value) -> Vec<String> {
    let shares = list["shares"].as_array().unwrap();
    shares.iter().map(|share| share["id"].as_str().unwrap().to_owned()).collect()
}

/// The names in a list, in its order.
pub(crate) fn names(list: &Value) -> Vec<String> {
    let shares = list["shares"].as_array().unwrap();
    shares.iter().map(|share| share["name"].as_str().unwrap_or("-").to_owned()).collect()
}

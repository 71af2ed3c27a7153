//! Snapshot instances.

mod bodies;
mod errors;
mod export_locations;
mod filters;
mod long_lists;
mod pages;
mod policy;
mod real_bytes;
mod reset;

use abaca_model::{ShareInstance, Snapshot, SnapshotInstance, SnapshotStatus, Timestamp};

use crate::support::{TestServer, seed};

/// A server with a share and one snapshot of it.
async fn one_snapshot() -> (TestServer, Snapshot, SnapshotInstance) {
    let server = TestServer::start().await;
    let (share, place) = seed::share(1, "project");
    seed::add_share(&server.app.db, &share, std::slice::from_ref(&place)).await;
    let (snapshot, instance) = seed::snapshot(2, &place);
    seed::add_snapshot(&server.app.db, &snapshot, std::slice::from_ref(&instance)).await;
    (server, snapshot, instance)
}

/// A server with two shares, one of another project and on another backend, and `count` snapshots
/// of them in turn, in three statuses, made four at a time.
async fn many_snapshots(count: u128) -> (TestServer, Vec<ShareInstance>, Vec<SnapshotInstance>) {
    let server = TestServer::start().await;
    let mut places = Vec::new();
    for (number, project, host) in [(1, "project", "one@fast#pool"), (2, "other", "two@slow#pool")]
    {
        let (share, place) = seed::share(number, project);
        let place = ShareInstance { host: Some(host.to_owned()), ..place };
        seed::add_share(&server.app.db, &share, std::slice::from_ref(&place)).await;
        places.push(place);
    }
    let mut tx = server.app.db.write().await.unwrap();
    let mut made = Vec::new();
    let statuses = [SnapshotStatus::Available, SnapshotStatus::Error, SnapshotStatus::Creating];
    for number in 0..count {
        let index = usize::try_from(number).unwrap();
        let (mut snapshot, mut instance) = seed::snapshot(number + 10, &places[index % 2]);
        snapshot.project_id = ["project", "other"][index % 2].to_owned();
        let minutes = i64::try_from(number / 4).unwrap() * 60_000_000;
        let time = Timestamp::from_micros(seed::THEN.micros() + minutes);
        (snapshot.created_at, instance.created_at) = (time, time);
        instance.status = statuses[index % 3];
        instance.updated_at = instance.updated_at.filter(|_| index.is_multiple_of(2));
        abaca_store::snapshots::insert(&mut tx, &snapshot).await.unwrap();
        abaca_store::snapshot_instances::insert(&mut tx, &instance).await.unwrap();
        made.push(instance);
    }
    tx.commit().await.unwrap();
    (server, places, made)
}

/// The ids in a list, in its order.
fn ids(list: &serde_json::Value) -> Vec<String> {
    let instances = list["snapshot_instances"].as_array().unwrap();
    instances.iter().map(|instance| instance["id"].as_str().unwrap().to_owned()).collect()
}

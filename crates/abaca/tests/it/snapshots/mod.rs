//! Snapshots.

mod bodies;
mod create;
mod delete;
mod lists;
mod reset;
mod update;

use abaca_model::{Share, ShareInstance, Snapshot, SnapshotInstance};

use crate::support::{TestServer, seed};

/// The tenant who owns what is seeded.
const ALICE: &str = "alice:project:member,reader";

/// A server with a share of `project`.
async fn one_share() -> (TestServer, Share, ShareInstance) {
    let server = TestServer::start().await;
    let (share, place) = seed::share(1, "project");
    seed::add_share(&server.app.db, &share, std::slice::from_ref(&place)).await;
    (server, share, place)
}

/// A server with a share and one snapshot of it.
async fn one_snapshot() -> (TestServer, Snapshot, SnapshotInstance) {
    let (server, _, place) = one_share().await;
    let (mut snapshot, instance) = seed::snapshot(2, &place);
    snapshot.description = Some("before the move".to_owned());
    snapshot.metadata.insert("project".to_owned(), "my_app".to_owned());
    seed::add_snapshot(&server.app.db, &snapshot, std::slice::from_ref(&instance)).await;
    (server, snapshot, instance)
}

//! Taking shares and snapshots into use, and giving them up.

mod life;
mod requests;
mod snapshots;

use abaca_model::Timestamp;
use abaca_store::services;

use crate::shares;
use crate::support::TestServer;

const ROOT: &str = "root:admin:admin";
const POOL: &str = "h@b#pool";

/// A server with the default type and a backend that is up.
async fn server() -> TestServer {
    let server = shares::server().await;
    beat(&server, Timestamp::now()).await;
    server
}

/// The last sign of life of the backend `h@b`.
async fn beat(server: &TestServer, at: Timestamp) {
    let mut tx = server.app.db.write().await.unwrap();
    services::heartbeat(&mut tx, "h@b", services::SHARE_BINARY, "nova", at).await.unwrap();
    tx.commit().await.unwrap();
}

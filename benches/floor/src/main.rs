//! The floor that `benches/run` measures against: the HTTP stack of Abaca answering a body that is
//! ready, without routing table, policy or database. `floor ADDRESS`; `GET /BYTES` answers that many
//! bytes. A crate of its own, so that the service is built for the measurement as for production.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

type Bodies = Arc<Mutex<HashMap<usize, Bytes>>>;

async fn ready_body(Path(size): Path<usize>, State(bodies): State<Bodies>) -> impl IntoResponse {
    let body = bodies
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .entry(size)
        .or_insert_with(|| Bytes::from(vec![b' '; size]))
        .clone();
    ([(CONTENT_TYPE, "application/json")], body)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: floor ADDRESS")?;
    let router =
        axum::Router::new().route("/{size}", get(ready_body)).with_state(Bodies::default());
    axum::serve(tokio::net::TcpListener::bind(address).await?, router).await?;
    Ok(())
}

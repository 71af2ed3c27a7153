//! What somebody works on is waited for, for as long as that takes.

use std::fs::File;

use abaca_model::{OperationState, Timestamp};
use sea_query::{Expr, ExprTrait, Query};
use serde_json::json;

use super::Service;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_object_uses_up_no_attempts() {
    let backend = "[[backend]]\nname = \"a\"\ndriver = \"directory\"\nroot = \"DATA/a\"\n";
    let service = Service::start("", backend, |_| {}).await;
    service.reported(&["a"]).await;
    let share = service.share("w@a#directory", "default").await;
    service.share_is(&share, "available").await;
    let instance = service.instance(&share).await;

    // Another process copies from it, as one does that outlived its service.
    let lock = service.data.path().join("a/locks").join(&instance);
    let other = File::options().create(true).append(true).open(lock).unwrap();
    other.lock_shared().unwrap();
    service.api.delete(&format!("/v2/shares/{share}")).await.expect(202);
    let waits = |operation: &abaca_model::Operation| {
        operation.state == OperationState::Queued && operation.attempts > 0
    };
    let operation = service.operation(&instance, waits).await;
    assert!(operation.error.as_deref().unwrap_or_default().contains("works on"), "{operation:?}");

    // As if it had been tried so often that a failure would be the last one.
    let now = Timestamp::now();
    let late = Query::update()
        .table("operations")
        .value("attempts", 19_i64)
        .value("run_at", now.micros())
        .and_where(Expr::col("id").eq(operation.id.to_string()))
        .to_owned();
    let mut tx = service.api.app.db.write().await.unwrap();
    assert_eq!(tx.execute(&late).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let again = |operation: &abaca_model::Operation| {
        operation.state != OperationState::Running && operation.run_at > now
    };
    let operation = service.operation(&instance, again).await;
    assert_eq!(operation.state, OperationState::Queued);
    service.share_is(&share, "deleting").await;

    drop(other);
    let hasten = Query::update()
        .table("operations")
        .value("run_at", now.micros())
        .and_where(Expr::col("id").eq(operation.id.to_string()))
        .to_owned();
    let mut tx = service.api.app.db.write().await.unwrap();
    tx.execute(&hasten).await.unwrap();
    tx.commit().await.unwrap();
    service.gone(&format!("/v2/shares/{share}")).await;
    let list = service.api.get("/v2/messages").await.expect(200);
    assert_eq!(list["messages"], json!([]));
    service.stop().await;
}

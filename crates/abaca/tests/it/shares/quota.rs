//! Quota is consumed by one request after the other, however many come at once.

use std::sync::Arc;

use abaca_model::ShareStatus;
use axum::http::Method;
use serde_json::json;

use super::{ALICE, BOB, act, create, created, prepared, set_status, settle};
use crate::support::TestServer;

async fn server(change: impl FnOnce(&mut abaca::config::QuotaConfig)) -> TestServer {
    prepared(TestServer::with_quota(change).await).await
}

fn share(size: i64) -> serde_json::Value {
    json!({ "size": size, "share_proto": "NFS" })
}

#[tokio::test]
async fn a_project_has_its_limits() {
    let server = server(|quota| (quota.shares, quota.gigabytes) = (2, 10)).await;
    create(&server, ALICE, share(8)).await.expect(200);
    let answer = create(&server, ALICE, share(3)).await;
    assert_eq!(answer.header("retry-after"), Some("0"));
    let message = answer.fault(413, "overLimit");
    assert_eq!(
        message,
        "ShareSizeExceedsAvailableQuota: Requested share exceeds allowed project/user or share \
         type gigabytes quota."
    );
    create(&server, ALICE, share(2)).await.expect(200);
    let over_both = create(&server, ALICE, share(1)).await.fault(413, "overLimit");
    assert!(over_both.starts_with("ShareSizeExceedsAvailableQuota"), "sizes first: {over_both}");
    create(&server, BOB, share(10)).await.expect(200);
}

#[tokio::test]
async fn a_project_has_so_many_shares_and_no_more() {
    let server = server(|quota| quota.shares = 1).await;
    let first = created(&server, ALICE).await;
    let message = create(&server, ALICE, share(1)).await.fault(413, "overLimit");
    assert_eq!(
        message,
        "ShareLimitExceeded: Maximum number of shares allowed (1) either per project/user or \
         share type quota is exceeded."
    );
    // A failed share counts until it is deleted, as long as its row is there.
    set_status(&server, first, ShareStatus::Error).await;
    create(&server, ALICE, share(1)).await.fault(413, "overLimit");
}

#[tokio::test]
async fn one_share_has_its_limit() {
    let server = server(|quota| quota.per_share_gigabytes = 3).await;
    let message = create(&server, ALICE, share(4)).await.fault(413, "overLimit");
    assert_eq!(
        message,
        "ShareSizeExceedsLimit: Requested share size 4 is larger than maximum allowed limit 3."
    );
    let id = created(&server, ALICE).await;
    settle(&server, id).await;
    let grow = |size| json!({ "extend": { "new_size": size } });
    act(&server, ALICE, id, grow(4)).await.fault(413, "overLimit");
    act(&server, ALICE, id, grow(3)).await.expect(202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_at_once_never_pass_the_limit() {
    let server = Arc::new(server(|quota| quota.shares = 5).await);
    let requests = (0..12).map(|_| {
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            let body = json!({ "share": share(1) });
            let request = server.request(Method::POST, "/v2/shares").token(ALICE).json(&body);
            request.send().await.status
        })
    });
    let mut statuses = Vec::new();
    for request in requests.collect::<Vec<_>>() {
        statuses.push(request.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [[200; 5].as_slice(), [413; 7].as_slice()].concat());
}

#[tokio::test]
async fn what_an_extend_asks_for_counts_while_it_runs() {
    let server = server(|quota| quota.gigabytes = 10).await;
    let id = created(&server, ALICE).await;
    settle(&server, id).await;
    let grow = |size| json!({ "extend": { "new_size": size } });
    let message = act(&server, ALICE, id, grow(11)).await.fault(403, "forbidden");
    assert_eq!(
        message,
        "Requested share exceeds allowed project/user or share type gigabytes quota."
    );
    act(&server, ALICE, id, grow(9)).await.expect(202);
    create(&server, ALICE, share(2)).await.fault(413, "overLimit");
    set_status(&server, id, ShareStatus::ExtendingError).await;
    create(&server, ALICE, share(2)).await.expect(200);
}

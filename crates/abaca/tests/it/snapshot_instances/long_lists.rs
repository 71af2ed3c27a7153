//! Lists of more than one batch.

use std::collections::HashSet;

use super::{ids, many_snapshots};

#[tokio::test]
async fn a_list_of_many_batches_is_whole_and_valid() {
    let (server, _, made) = many_snapshots(2_500).await;
    for path in ["snapshot-instances", "snapshot-instances/detail"] {
        let answer = server.get(&format!("/v2/{path}?with_count=1")).await;
        assert_eq!(answer.header("content-length"), None, "it is streamed");
        let list = answer.expect(200);
        let seen: HashSet<_> = ids(&list).into_iter().collect();
        assert_eq!((ids(&list).len(), seen.len()), (made.len(), made.len()), "each once");
        assert_eq!(list["count"], made.len());
    }
    let page = server.get("/v2/snapshot-instances?limit=5000").await.expect(200);
    assert_eq!(ids(&page).len(), 1_000, "a page is never longer than api.max_limit");
    let rest = server.get("/v2/snapshot-instances?offset=1200").await.expect(200);
    let whole = server.get("/v2/snapshot-instances").await.expect(200);
    assert_eq!(ids(&rest), ids(&whole)[1_200..]);
}

#[tokio::test]
async fn a_list_of_just_one_batch_ends_with_it() {
    let (server, _, _) = many_snapshots(1_000).await;
    let list = server.get("/v2/snapshot-instances").await.expect(200);
    assert_eq!(ids(&list).len(), 1_000);
}

//! Lists of more than one batch.

use std::collections::HashSet;

use abaca_model::{Share, ShareInstance, Timestamp};

use super::{add, ids, server};
use crate::support::{TestServer, seed};

async fn many(count: u128) -> TestServer {
    let server = server().await;
    let all: Vec<(Share, ShareInstance)> = (1..=count)
        .map(|number| {
            let (mut share, instance) = seed::share(number, "admin");
            // Four at a time, so that the order needs the id too.
            let micros = seed::THEN.micros() + i64::try_from(number / 4).unwrap();
            share.created_at = Timestamp::from_micros(micros);
            if number % 3 == 0 {
                share.metadata = [("a", "1"), ("b", "2")]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .into();
            }
            (share, instance)
        })
        .collect();
    add(&server, &all).await;
    server
}

#[tokio::test]
async fn a_list_of_many_batches_is_whole_and_valid() {
    let server = many(2_100).await;
    for path in ["shares", "shares/detail"] {
        let answer = server.get(&format!("/v2/{path}?with_count=1")).await;
        assert_eq!(answer.header("content-length"), None, "it is streamed");
        let list = answer.expect(200);
        let seen: HashSet<_> = ids(&list).into_iter().collect();
        assert_eq!((ids(&list).len(), seen.len()), (2_100, 2_100), "each once");
        assert_eq!(list["count"], 2_100);
        let page = server.get(&format!("/v2/{path}?limit=5000")).await.expect(200);
        assert_eq!(ids(&page), ids(&list)[..1_000], "a page is never longer than api.max_limit");
        let rest = server.get(&format!("/v2/{path}?offset=1200")).await.expect(200);
        assert_eq!(ids(&rest), ids(&list)[1_200..]);
    }
    let list = server.get("/v2/share_instances").await.expect(200);
    assert_eq!(list["share_instances"].as_array().unwrap().len(), 2_100);
}

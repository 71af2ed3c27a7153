//! Scheduler hints.

use abaca::api::V;
use axum::http::Method;
use serde_json::{Value, json};

use super::{ADMIN, ALICE, BOB, Service, id};

const SAME: &str = "__affinity_same_host";
const APART: &str = "__affinity_different_host";

fn hint(name: &str, value: &str) -> Value {
    json!({ "scheduler_hints": { name: value } })
}

async fn metadata(service: &Service, share: &str) -> Value {
    let path = format!("/v2/shares/{share}/metadata");
    service.api.get_as(ALICE, V::MAX, &path).await.expect(200)["metadata"].take()
}

#[tokio::test]
async fn shares_are_placed_together_and_apart_and_know_of_one_another() {
    let service = Service::with_three_backends().await;
    let first = service.share(json!({})).await;
    let near = service.share(hint("same_host", id(&first))).await;
    assert_eq!(near["host"], first["host"]);
    assert_eq!(near["metadata"], json!({ SAME: id(&first) }));
    let apart = service.share(hint("different_host", &format!("{0},{0}", id(&first)))).await;
    assert_ne!(apart["host"], first["host"]);
    let both = format!("{},{}", id(&first), id(&apart));
    let third = service.share(hint("different_host", &both)).await;
    let hosts = [&first, &apart, &third].map(|share| share["host"].as_str().unwrap());
    let mut sorted = hosts;
    sorted.sort_unstable();
    assert_eq!(sorted, ["w@a#p", "w@b#p", "w@c#p"]);
    assert_eq!(
        metadata(&service, id(&first)).await,
        json!({ SAME: id(&near), APART: format!("{},{}", id(&apart), id(&third)) })
    );
    // There is no fourth place, and no place is in two backends.
    let all = hosts.map(|host| host.to_owned());
    for hints in [
        hint("different_host", &format!("{both},{}", id(&third))),
        hint("same_host", &both),
        json!({ "scheduler_hints": { "same_host": id(&first), "different_host": id(&first) } }),
    ] {
        let nowhere = service.created(hints).await;
        service.settled(&nowhere, "error").await;
        assert_eq!(service.told(&nowhere).await, ("001".to_owned(), "012".to_owned()), "{all:?}");
        let gone = |answer: &crate::support::Answer| (answer.status == 404).then_some(());
        service.api.delete(&format!("/v2/shares/{nowhere}")).await;
        service.api.wait(&format!("/v2/shares/{nowhere}"), gone).await;
    }
    // Whoever goes is forgotten by the others.
    service.api.delete(&format!("/v2/shares/{}", id(&apart))).await;
    let path = format!("/v2/shares/{}", id(&apart));
    service.api.wait(&path, |answer| (answer.status == 404).then_some(())).await;
    assert_eq!(metadata(&service, id(&first)).await, json!({ SAME: id(&near), APART: id(&third) }));
    assert_eq!(metadata(&service, id(&third)).await, json!({ APART: id(&first) }));
    service.stop().await;
}

#[tokio::test]
async fn a_share_waits_for_the_one_it_is_to_be_with() {
    let backends = ["a", "b", "c"].map(|name| {
        format!(
            "[[backend]]\nname = {name:?}\ndriver = \"simulated\"\npools = [{{ name = \"p\" }}]\n"
        )
    });
    let mut service = Service::stopped(&backends.concat()).await;
    let first = service.created(json!({})).await;
    let mut others = Vec::new();
    for _ in 0..6 {
        others.push(service.created(hint("same_host", &first)).await);
    }
    service.run().await;
    let host = service.settled(&first, "available").await["host"].take();
    for other in others {
        assert_eq!(service.settled(&other, "available").await["host"], host);
    }
    service.stop().await;
}

#[tokio::test]
async fn hints_that_make_no_sense_are_refused_and_leave_nothing_behind() {
    let service = Service::stopped("").await;
    let hidden = service.created(json!({})).await;
    let unknown = "351cc796-2d79-4a08-b878-a8ed933b6b68";
    for (token, given, code, said) in [
        (ALICE, hint("same_host", "x"), 400, "x is not a valid uuid"),
        (ALICE, hint("different_host", ","), 400, "is not a valid uuid"),
        (ALICE, json!({ "scheduler_hints": { "same_host": 5 } }), 400, "same_host"),
        (ALICE, json!({ "scheduler_hints": [] }), 400, "scheduler_hints"),
        (ALICE, hint("same_host", unknown), 404, unknown),
        (BOB, hint("different_host", &hidden), 404, &*hidden),
    ] {
        let name = if code == 400 { "badRequest" } else { "itemNotFound" };
        let answer = service.create(token, given).await;
        assert!(answer.fault(code, name).contains(said), "{}", answer.text);
    }
    let list = service.api.get("/v2/shares?all_tenants=1").await.expect(200);
    assert_eq!(list["shares"].as_array().unwrap().len(), 1);
    // As many as the metadata has room for.
    for _ in 0..27 {
        service.create(ALICE, hint("different_host", &hidden)).await.expect(200);
    }
    let answer = service.create(ALICE, hint("different_host", &hidden)).await;
    assert!(answer.fault(400, "badRequest").contains("27 others at most"));
}

/// A share that everybody sees may be named by everybody; it stays what its project made it.
#[tokio::test]
async fn a_share_of_another_project_does_not_get_to_know() {
    let service = Service::with_three_backends().await;
    let public = service.share(json!({})).await;
    let path = format!("/v2/shares/{}", id(&public));
    service.api.put(&path, json!({ "share": { "is_public": true } })).await.expect(200);
    let theirs = service.create(BOB, hint("same_host", id(&public))).await.expect(200);
    let theirs = service.settled(id(&theirs["share"]), "available").await;
    assert_eq!(theirs["host"], public["host"]);
    assert_eq!(theirs["metadata"], json!({ SAME: id(&public) }));
    assert_eq!(metadata(&service, id(&public)).await, json!({}));
    let mine = service.share(hint("same_host", id(&public))).await;
    let path = format!("/v2/shares/{}", id(&theirs));
    service.api.delete(&path).await.expect(202);
    service.api.wait(&path, |answer| (answer.status == 404).then_some(())).await;
    assert_eq!(metadata(&service, id(&public)).await, json!({ SAME: id(&mine) }));
    service.stop().await;
}

#[tokio::test]
async fn an_administrator_chooses_the_pool_and_nobody_else_does() {
    let service = Service::with_three_backends().await;
    let only = hint("only_host", "w@c#p");
    let disable = json!({ "host": "w@c", "binary": "manila-share" });
    service
        .api
        .request(Method::PUT, "/v2/services/disable")
        .json(&disable)
        .send()
        .await
        .expect(200);
    let share = service.create(ADMIN, only.clone()).await.expect(200);
    let share = service.settled(share["share"]["id"].as_str().unwrap(), "available").await;
    assert_eq!(share["host"], "w@c#p");
    for (version, token) in [(V::MAX, ALICE), (V(2, 66), ADMIN), (V(2, 64), ADMIN)] {
        let share = service.create_at(version, token, only.clone()).await.expect(200);
        let share = service.settled(share["share"]["id"].as_str().unwrap(), "available").await;
        assert_ne!(share["host"], "w@c#p", "{version} {token}");
    }
    let nowhere = service.create(ADMIN, hint("only_host", "w@c")).await.expect(200);
    service.settled(nowhere["share"]["id"].as_str().unwrap(), "error").await;
    service.stop().await;
}

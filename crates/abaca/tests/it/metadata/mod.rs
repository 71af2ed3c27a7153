//! Metadata of shares, snapshots and export locations, all of which are handled alike.

mod administrators;
mod errors;
mod exports;

use abaca::api::V;
use abaca_store::export_work::NewExportLocation;
use abaca_store::share_work;
use axum::http::Method;
use serde_json::{Value, json};

use crate::shares::{ALICE, BOB, RITA, add, server};
use crate::support::{Answer, TestServer, sample, seed};

/// One kind of resource with metadata.
struct Kind {
    /// The first part of its samples' names.
    sample: &'static str,
    /// The first version that has its metadata.
    since: V,
    /// Where the metadata of one is.
    path: String,
}

/// A share with a snapshot and an export location, all of them Alice's.
struct Scene {
    server: TestServer,
    share: String,
    /// Its export location.
    location: String,
    snapshot: String,
}

impl Scene {
    async fn new() -> Self {
        let server = server().await;
        let (share, place) = seed::share(1, "project");
        add(&server, &[(share.clone(), place.clone())]).await;
        let (snapshot, instance) = seed::snapshot(2, &place);
        seed::add_snapshot(&server.app.db, &snapshot, &[instance]).await;
        let mut tx = server.app.db.write().await.unwrap();
        let export = NewExportLocation {
            path: "/exports/1".to_owned(),
            is_admin_only: false,
            preferred: false,
            metadata: [].into(),
        };
        share_work::record_exports(&mut tx, place.id, &[export], seed::THEN).await.unwrap();
        tx.commit().await.unwrap();
        let share = format!("/v2/shares/{}", share.id);
        let list = server.get(&format!("{share}/export_locations")).await.expect(200);
        let id = list["export_locations"][0]["id"].as_str().unwrap();
        let location = format!("{share}/export_locations/{id}");
        Self { server, share, location, snapshot: format!("/v2/snapshots/{}", snapshot.id) }
    }

    fn kinds(&self) -> [Kind; 3] {
        let of = |resource: &str| format!("{resource}/metadata");
        [
            Kind { sample: "share", since: V(2, 0), path: of(&self.share) },
            Kind { sample: "snapshot", since: V(2, 73), path: of(&self.snapshot) },
            Kind { sample: "export-location", since: V(2, 87), path: of(&self.location) },
        ]
    }

    async fn ask(&self, token: &str, method: Method, path: &str, body: Value) -> Answer {
        self.server.request(method, path).token(token).json(&body).send().await
    }

    async fn get(&self, path: &str) -> Value {
        self.server.get_as(ALICE, V::MAX, path).await.expect(200)
    }
}

#[tokio::test]
async fn each_request_is_answered_as_the_sample_is() {
    let scene = Scene::new().await;
    for Kind { sample: kind, since, path } in scene.kinds() {
        let example = |name: &str| sample(&format!("{kind}-{name}"));
        let show = example("show-metadata-response");
        scene.ask(ALICE, Method::PUT, &path, show.clone()).await.expect(200);
        assert_eq!(scene.get(&path).await, show, "{kind}");
        let item = scene.get(&format!("{path}/project")).await;
        assert_eq!(item, example("show-metadata-item-response"), "{kind}");

        let update = example("update-metadata-request");
        let updated = scene.ask(ALICE, Method::PUT, &path, update).await.expect(200);
        assert_eq!(updated, example("update-metadata-response"), "{kind}");

        let one = json!({ "metadata": { "key": "value" } });
        for given in [one.clone(), json!({ "meta": { "key": "value" } })] {
            let set = scene.ask(ALICE, Method::POST, &format!("{path}/key"), given).await;
            assert_eq!(set.expect(200), one, "{kind}");
        }
        let request = example("set-metadata-request");
        let merged = scene.ask(ALICE, Method::POST, &path, request).await.expect(200);
        assert_eq!(merged, example("set-metadata-response"), "{kind}");
        assert_eq!(scene.get(&path).await, merged, "{kind}");

        let gone = scene.server.request(Method::DELETE, &format!("{path}/key")).token(ALICE);
        let gone = gone.send().await;
        assert_eq!((gone.status, gone.text.as_str()), (200, ""), "{kind}");
        scene.server.get(&format!("{path}/key")).await.fault(404, "itemNotFound");
        let null = json!({ "metadata": null });
        let emptied = scene.ask(ALICE, Method::PUT, &path, null).await.expect(200);
        assert_eq!(emptied, example("update-null-metadata-response"), "{kind}");
        assert_eq!(scene.get(&path).await, json!({ "metadata": {} }), "{kind}");

        scene.server.get_as(ALICE, since, &path).await.expect(200);
        if since > V::MIN {
            let before = V(2, since.1 - 1);
            scene.server.get_as(ALICE, before, &path).await.fault(404, "itemNotFound");
        }
    }
}

#[tokio::test]
async fn lists_find_what_was_set() {
    let scene = Scene::new().await;
    let pairs = json!({ "metadata": { "aim": "it's", "other": "x" } });
    for (resource, list, minor) in [(&scene.share, "shares", 0), (&scene.snapshot, "snapshots", 73)]
    {
        let path = format!("{resource}/metadata");
        scene.ask(ALICE, Method::POST, &path, pairs.clone()).await.expect(200);
        for (query, count) in [
            ("{'aim':+%22it's%22}", 1),
            ("{'aim':+%22it's%22,+'other':+'x'}", 1),
            ("{'aim':+'x'}", 0),
            ("{'aim':+%22it's%22,+'other':+'y'}", 0),
        ] {
            let path = format!("/v2/{list}?metadata={query}");
            let found = scene.server.get_as(ALICE, V(2, minor), &path).await.expect(200);
            assert_eq!(found[list].as_array().unwrap().len(), count, "{path}");
        }
    }
    let path = "/v2/snapshots?metadata={'aim':+'x'}";
    let all = scene.server.get_as(ALICE, V(2, 72), path).await.expect(200);
    assert_eq!(all["snapshots"].as_array().unwrap().len(), 1, "no such filter before 2.73");
}

#[tokio::test]
async fn everybody_reads_what_is_public_and_only_its_project_changes_it() {
    let scene = Scene::new().await;
    let public = json!({ "share": { "is_public": true } });
    scene.server.put(&scene.share, public).await.expect(200);
    let pair = json!({ "metadata": { "a": "b" } });
    for Kind { sample, path, .. } in scene.kinds() {
        scene.ask(ALICE, Method::POST, &path, pair.clone()).await.expect(200);
        let theirs = if sample == "snapshot" { 404 } else { 200 };
        assert_eq!(scene.server.get_as(BOB, V::MAX, &path).await.status, theirs, "{path}");
        scene.server.get_as(RITA, V::MAX, &path).await.expect(200);
        for token in [BOB, RITA] {
            for (method, path) in [
                (Method::POST, path.clone()),
                (Method::PUT, path.clone()),
                (Method::POST, format!("{path}/a")),
                (Method::DELETE, format!("{path}/a")),
            ] {
                let answer = scene.ask(token, method.clone(), &path, pair.clone()).await;
                assert!(matches!(answer.status, 403 | 404), "{token} {method} {path}");
            }
        }
        assert_eq!(scene.get(&path).await, pair, "{path}");
    }
}

/// As many as a request can hold, in statements of which each has but some.
#[tokio::test]
async fn a_request_may_be_full_of_them() {
    let scene = Scene::new().await;
    let pairs = |count: usize, value: &str| -> Value {
        let pairs = (0..count).map(|number| (format!("key{number:04}"), json!(value)));
        json!({ "metadata": pairs.collect::<serde_json::Map<_, _>>() })
    };
    for Kind { path, .. } in scene.kinds() {
        for (method, count, value) in
            [(Method::POST, 3_000, "a"), (Method::POST, 501, "b"), (Method::PUT, 1_001, "c")]
        {
            let given = pairs(count, value);
            let answer = scene.ask(ALICE, method.clone(), &path, given.clone()).await.expect(200);
            let kept = answer["metadata"].as_object().unwrap();
            let expected = if method == Method::PUT { count } else { 3_000 };
            assert_eq!(kept.len(), expected, "{path}");
            assert_eq!(kept.values().filter(|kept| *kept == value).count(), count, "{path}");
        }
    }
}

/// Each of them holds the row, so that no pair is lost and no key is inserted twice.
#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_lose_nothing() {
    let scene = Scene::new().await;
    for Kind { path, .. } in scene.kinds() {
        let one = async |number: usize| {
            let own = format!("key{number}");
            let pairs = json!({ "metadata": { "same": number.to_string(), own: "x" } });
            scene.ask(ALICE, Method::POST, &path, pairs).await.expect(200);
        };
        futures_util::future::join_all((0..8).map(one)).await;
        let pairs = scene.get(&path).await;
        assert_eq!(pairs["metadata"].as_object().unwrap().len(), 9, "{pairs}");
    }
}

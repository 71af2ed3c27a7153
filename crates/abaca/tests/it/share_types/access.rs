//! Who may use a private type: `share_type_access`, `addProjectAccess`, `removeProjectAccess`.

use abaca::api::V;
use serde_json::json;

use super::{create, hide, path};
use crate::support::{TestServer, assert_like_sample, sample};

#[tokio::test]
async fn a_private_type_is_seen_by_the_projects_it_is_granted_to() {
    let server = TestServer::start().await;
    let made = create(&server, "gold", json!({})).await;
    hide(&server, &made).await;
    let action = path(&made) + "/action";
    let see = |project: &'static str| {
        let path = path(&made);
        let server = &server;
        async move {
            let token = format!("u:{project}:member");
            let shown = server.get_as(&token, V::MAX, &path).await.status;
            let listed = server.get_as(&token, V::MAX, "/v2/types").await.expect(200);
            let listed = listed["share_types"].as_array().unwrap().len();
            assert_eq!(shown == 200, listed == 1, "{project}");
            shown
        }
    };
    assert_eq!(see("mine").await, 404);
    let grant = json!({"addProjectAccess": {"project": "mine"}});
    assert_eq!(server.post(&action, grant.clone()).await.status, 202);
    assert_eq!((see("mine").await, see("other").await), (200, 404));
    server.post(&action, grant).await.fault(409, "conflictingRequest");
    let revoke = json!({"removeProjectAccess": {"project": "mine"}});
    assert_eq!(server.post(&action, revoke.clone()).await.status, 202);
    assert_eq!(see("mine").await, 404);
    server.post(&action, revoke).await.fault(404, "itemNotFound");
}

#[tokio::test]
async fn grants_are_listed_by_both_paths() {
    let server = TestServer::start().await;
    let made = create(&server, "gold", json!({})).await;
    hide(&server, &made).await;
    let action = path(&made) + "/action";
    let request = sample("share-type-grant-access-request");
    assert_eq!(server.post(&action, request.clone()).await.status, 202);
    let revocable = sample("share-type-revoke-access-request");
    let project = &revocable["removeProjectAccess"]["project"];
    let second = json!({"addProjectAccess": {"project": project}});
    assert_eq!(server.post(&action, second).await.status, 202);
    let listed = server.get(&format!("{}/share_type_access", path(&made))).await.expect(200);
    assert_like_sample(&listed, "share-types-list-access-response", &[]);
    assert_eq!(listed["share_type_access"].as_array().unwrap().len(), 2);
    let old = format!("{}/os-share-type-access", path(&made));
    assert_eq!(server.get(&old).await.expect(200), listed);
    assert_eq!(server.post(&action, revocable).await.status, 202);
    let left = server.get(&old).await.expect(200);
    let granted = &request["addProjectAccess"]["project"];
    assert_eq!(left["share_type_access"][0]["project_id"], *granted);
}

#[tokio::test]
async fn public_types_have_no_grants() {
    let server = TestServer::start().await;
    let made = create(&server, "gold", json!({})).await;
    let listed = server.get(&format!("{}/share_type_access", path(&made))).await;
    assert_eq!(
        listed.fault(404, "itemNotFound"),
        "Access list not available for public share types."
    );
    for name in ["addProjectAccess", "removeProjectAccess"] {
        let body = json!({ name: { "project": "p" } });
        let answer = server.post(&format!("{}/action", path(&made)), body).await;
        answer.fault(409, "conflictingRequest");
    }
}

#[tokio::test]
async fn bad_projects() {
    let server = TestServer::start().await;
    let made = create(&server, "gold", json!({})).await;
    hide(&server, &made).await;
    for given in
        [json!({}), json!({"project": null}), json!({"project": 5}), json!({"project": ""})]
    {
        let body = json!({ "addProjectAccess": given });
        let answer = server.post(&format!("{}/action", path(&made)), body).await;
        assert!(answer.fault(400, "badRequest").starts_with("Bad project format"), "{given}");
    }
    let body = json!({ "addProjectAccess": 1 });
    server.post(&format!("{}/action", path(&made)), body).await.fault(400, "badRequest");
}

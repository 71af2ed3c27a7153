//! Who may use a private group type.

use abaca::api::V;
use serde_json::json;

use super::{create, path};
use crate::support::{TestServer, assert_like_sample, sample};

#[tokio::test]
async fn a_private_group_type_is_seen_by_the_projects_it_is_granted_to() {
    let server = TestServer::start().await;
    let made = create(&server, "gold", false, json!({})).await;
    let action = path(&made) + "/action";
    let see = async |project: &str| {
        let token = format!("u:{project}:member");
        let shown = server.get_as(&token, V::MAX, &path(&made)).await.status;
        let listed = server.get_as(&token, V::MAX, "/v2/share-group-types").await.expect(200);
        let listed = listed["share_group_types"].as_array().unwrap().len();
        assert_eq!(shown == 200, listed == 1, "{project}");
        shown
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
async fn grants_are_listed_and_public_group_types_have_none() {
    let server = TestServer::start().await;
    let made = create(&server, "gold", false, json!({})).await;
    let (action, access) = (path(&made) + "/action", path(&made) + "/access");
    let grant = sample("share-group-type-grant-access-request");
    let revoke = sample("share-group-type-revoke-access-request");
    let second = json!({"addProjectAccess": revoke["removeProjectAccess"]});
    for request in [&grant, &second] {
        assert_eq!(server.post(&action, request.clone()).await.status, 202);
    }
    let listed = server.get(&access).await.expect(200);
    assert_like_sample(&listed, "share-group-types-list-access-response", &[]);
    assert_eq!(listed["share_group_type_access"].as_array().unwrap().len(), 2);
    assert_eq!(server.post(&action, revoke).await.status, 202);
    let left = server.get(&access).await.expect(200);
    let project = &grant["addProjectAccess"]["project"];
    assert_eq!(left["share_group_type_access"][0]["project_id"], *project);

    for given in [json!({}), json!({"project": null}), json!({"project": 5}), json!(1)] {
        let body = json!({ "addProjectAccess": given });
        server.post(&action, body).await.fault(400, "badRequest");
    }
    let public = create(&server, "public", true, json!({})).await;
    server.get(&format!("{}/access", path(&public))).await.fault(404, "itemNotFound");
    for name in ["addProjectAccess", "removeProjectAccess"] {
        let body = json!({ name: { "project": "p" } });
        let answer = server.post(&format!("{}/action", path(&public)), body).await;
        answer.fault(409, "conflictingRequest");
    }
}

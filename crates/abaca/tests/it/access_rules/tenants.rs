//! Who sees and changes the rules of whose shares.

use abaca::api::V;
use axum::http::Method;
use serde_json::json;

use super::{ALICE, BOB, RITA, act, allowed, listed, one_share};

#[tokio::test]
async fn another_project_learns_nothing_also_of_a_public_share() {
    let (server, share, _) = one_share().await;
    let rule = allowed(&server, &share, "10.0.0.1").await;
    let id = rule["id"].as_str().unwrap();
    let path = format!("shares/{}", share.id);
    let update = json!({ "update_access": { "access_level": "ro" } });
    let metadata = json!({ "metadata": { "a": "b" } });
    for (is_public, action, index, show) in [(false, 404, 400, 404), (true, 403, 403, 403)] {
        let body = json!({ "share": { "is_public": is_public } });
        server.put(&format!("/v2/{path}"), body).await.expect(200);
        for body in [
            json!({ "allow_access": { "access_type": "ip", "access_to": "10.0.0.2" } }),
            json!({ "deny_access": { "access_id": id } }),
        ] {
            assert_eq!(act(&server, BOB, V::MAX, &path, body).await.status, action);
        }
        let old = act(&server, BOB, V(2, 44), &path, json!({ "access_list": null })).await;
        assert_eq!(old.status, action, "{}", old.text);
        let list = format!("/v2/share-access-rules?share_id={}", share.id);
        let listed = server.get_as(BOB, V::MAX, &list).await;
        assert_eq!(listed.status, index, "{}", listed.text);
        let one = format!("/v2/share-access-rules/{id}");
        let shown = server.get_as(BOB, V::MAX, &one).await;
        assert_eq!(shown.status, show, "{}", shown.text);
        for (path, body) in [(one.clone(), &update), (format!("{one}/metadata"), &metadata)] {
            let answer = server.request(Method::PUT, &path).token(BOB).json(body).send().await;
            assert_eq!(answer.status, show, "{path}: {}", answer.text);
        }
        let path = format!("{one}/metadata/a");
        let answer = server.request(Method::DELETE, &path).token(BOB).send().await;
        assert_eq!(answer.status, show, "{}", answer.text);
    }
    let mut unchanged = rule.clone();
    unchanged.as_object_mut().unwrap().remove("share_id");
    assert_eq!(listed(&server, &share).await, [unchanged]);
}

#[tokio::test]
async fn a_reader_sees_and_a_member_changes() {
    let (server, share, _) = one_share().await;
    let rule = allowed(&server, &share, "10.0.0.1").await;
    let path = format!("shares/{}", share.id);
    let list = format!("/v2/share-access-rules?share_id={}", share.id);
    server.get_as(RITA, V::MAX, &list).await.expect(200);
    act(&server, RITA, V(2, 44), &path, json!({ "access_list": null })).await.expect(200);
    let deny = json!({ "deny_access": { "access_id": rule["id"] } });
    act(&server, RITA, V::MAX, &path, deny.clone()).await.fault(403, "forbidden");
    act(&server, ALICE, V(2, 6), &path, json!({ "os-deny_access": deny["deny_access"] }))
        .await
        .expect(202);
}

//! The zones of a share type.

use abaca::api::V;
use serde_json::json;

use super::{ALICE, Service};

#[tokio::test]
async fn a_type_keeps_its_shares_in_its_zones() {
    let service = Service::with_three_backends().await;
    service.add_type("away", json!({ "availability_zones": "far, gone" })).await;
    let share = service.share(json!({ "share_type": "away" })).await;
    assert_eq!((&share["host"], &share["availability_zone"]), (&json!("w@c#p"), &json!("far")));
    let elsewhere = json!({ "share_type": "away", "availability_zone": "nova" });
    let answer = service.create(ALICE, elsewhere.clone()).await;
    let said = answer.fault(400, "badRequest");
    assert!(
        said.contains("away is not supported within the availability zone chosen nova"),
        "{said}"
    );
    // Before 2.48 the zones of a type mean nothing.
    let share = service.create_at(V(2, 47), ALICE, elsewhere).await.expect(200);
    let share = service.settled(share["share"]["id"].as_str().unwrap(), "available").await;
    assert_eq!(share["availability_zone"], "nova");
    for (filter, expected) in [("far", 2), ("far,gone", 2), ("nova", 1)] {
        let path = format!("/v2/types?extra_specs={{%27availability_zones%27:%27{filter}%27}}");
        let types = service.api.get(&path).await.expect(200);
        assert_eq!(types["share_types"].as_array().unwrap().len(), expected, "{filter}");
    }
    service.stop().await;
}

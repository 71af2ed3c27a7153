//! The functions of backends.

use serde_json::json;

use super::Service;

const BACKENDS: &str = r#"
[[backend]]
name = "small"
driver = "simulated"
pools = [{ name = "p", extra = { disks = 12 } }]
filter_function = "(share.size < 5) and (capabilities.disks > 10)"
goodness_function = "100"
[[backend]]
name = "large"
driver = "simulated"
pools = [{ name = "p" }]
filter_function = "share.size < 50"
goodness_function = "share.size < 5 ? 10 : 90"
[[backend]]
name = "broken"
driver = "simulated"
pools = [{ name = "p" }]
filter_function = "capabilities.disks > 10"
"#;

#[tokio::test]
async fn backends_say_themselves_what_they_take_and_like() {
    let service = Service::start(BACKENDS).await;
    for (size, host) in [(4, "w@small#p"), (5, "w@large#p")] {
        let share = service.share(json!({ "size": size })).await;
        assert_eq!(share["host"], host, "{size} GiB");
    }
    let nowhere = service.created(json!({ "size": 50 })).await;
    service.settled(&nowhere, "error").await;
    assert_eq!(service.told(&nowhere).await, ("001".to_owned(), "010".to_owned()));
    let path = "/v2/scheduler-stats/pools/detail?backend=small";
    let pools = service.api.get(path).await.expect(200);
    let capabilities = &pools["pools"][0]["capabilities"];
    assert_eq!(
        (&capabilities["filter_function"], &capabilities["goodness_function"]),
        (&json!("(share.size < 5) and (capabilities.disks > 10)"), &json!("100"))
    );
    service.stop().await;
}

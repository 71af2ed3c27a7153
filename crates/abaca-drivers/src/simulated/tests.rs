use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use crate::{Driver, DriverError, NewShare, NewSnapshot, Settings, SettingsError, build, check};

fn settings(value: serde_json::Value) -> Settings {
    value.as_object().unwrap().clone()
}

async fn driver(value: serde_json::Value) -> Arc<dyn Driver> {
    build("simulated", &settings(value)).await.unwrap()
}

fn share(pool: &str, size_gb: u64) -> NewShare {
    NewShare {
        id: Uuid::new_v4(),
        size_gb,
        protocol: "NFS".into(),
        pool: pool.into(),
        mount_point_name: None,
    }
}

#[tokio::test]
async fn a_transient_fault_strikes_so_many_times() {
    let driver = driver(json!({
        "fault": [{ "method": "create_share", "fail": "transient", "times": 2 }]
    }))
    .await;
    let new = share("simulated", 1);
    for _ in 0..2 {
        let error = driver.create_share(&new).await.unwrap_err();
        assert!(error.is_transient(), "{error}");
        assert!(driver.get_share(new.id).await.unwrap().is_none());
    }
    driver.create_share(&new).await.unwrap();
}

#[tokio::test]
async fn an_after_effect_fault_leaves_the_object() {
    let driver = driver(json!({
        "fault": [{ "method": "create_share", "fail": "failed", "after_effect": true }]
    }))
    .await;
    let new = share("simulated", 1);
    let error = driver.create_share(&new).await.unwrap_err();
    assert!(!error.is_transient());
    assert!(driver.get_share(new.id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_hanging_call_goes_on_when_its_fault_is_removed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("faults.toml");
    let new = share("simulated", 1);
    let fault = format!("[[fault]]\nmethod = \"*\"\nobject = \"{}\"\nfail = \"hang\"\n", new.id);
    std::fs::write(&file, fault).unwrap();
    let driver = driver(json!({ "fault_file": file })).await;

    let call = tokio::spawn({
        let (driver, new) = (Arc::clone(&driver), new.clone());
        async move { driver.create_share(&new).await }
    });
    // Another object is not struck, and the first call has not taken effect meanwhile.
    driver.create_share(&share("simulated", 1)).await.unwrap();
    assert_eq!(driver.list_shares().await.unwrap().len(), 1);
    assert!(!call.is_finished());

    std::fs::remove_file(&file).unwrap();
    tokio::time::timeout(Duration::from_secs(10), call).await.unwrap().unwrap().unwrap();
    assert!(driver.get_share(new.id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_fault_file_that_is_not_understood_fails_calls() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("faults.toml");
    std::fs::write(&file, "[[fault]]\nmethod = \"creat_share\"\n").unwrap();
    let driver = driver(json!({ "fault_file": file })).await;
    assert!(matches!(driver.stats().await, Err(DriverError::Failed { .. })));
}

#[tokio::test]
async fn capabilities_and_capacity_are_those_of_the_settings() {
    let driver = driver(json!({ "pools": [
        { "name": "thick", "total_capacity_gb": 10, "thin_provisioning": false,
          "snapshot_support": false, "extra": { "qos": true } },
        { "name": "thin", "total_capacity_gb": 1 },
    ]}))
    .await;
    let stored = share("thick", 8);
    driver.create_share(&stored).await.unwrap();
    driver.create_share(&share("thin", 50)).await.unwrap();
    let refused = driver.create_share(&share("thick", 3)).await;
    assert!(matches!(refused, Err(DriverError::NoSpace { .. })));
    let refused = driver.extend_share(stored.id, 11).await;
    assert!(matches!(refused, Err(DriverError::NoSpace { .. })));
    let new = NewSnapshot { id: Uuid::new_v4(), share_instance_id: stored.id };
    let refused = driver.create_snapshot(&new).await;
    assert!(matches!(refused, Err(DriverError::Unsupported { .. })));

    let stats = serde_json::to_value(driver.stats().await.unwrap()).unwrap();
    assert_eq!(stats[0]["free_capacity_gb"], 2.0);
    assert_eq!(stats[0]["qos"], true);
    assert_eq!(stats[0]["snapshot_support"], false);
    assert_eq!(stats[1]["free_capacity_gb"], 1.0);
    assert_eq!(stats[1]["allocated_capacity_gb"], 50.0);
}

#[test]
fn wrong_settings_name_the_key() {
    let problem = |value| check("simulated", &settings(value)).unwrap_err();
    let error = problem(json!({ "pools": [{ "name": "a", "compresion": true }] }));
    assert_eq!(error.key(), "pools[0].compresion");
    assert!(error.to_string().contains("did you mean \"compression\"?"), "{error}");
    let error = problem(json!({ "latency_ms": "ten" }));
    assert_eq!(
        error.to_string(),
        "latency_ms: expected a whole number of zero or more, got \"ten\""
    );
    let error = problem(json!({ "pools": [{}] }));
    assert!(matches!(&error, SettingsError::MissingKey { key, .. } if key == "pools[0].name"));
    let error = problem(json!({ "pools": [{ "name": "a" }, { "name": "a" }] }));
    assert_eq!(error.key(), "pools[1].name");
    let error = problem(json!({ "fault": [{ "method": "create_shares" }] }));
    assert!(error.to_string().contains("did you mean \"create_share\"?"), "{error}");
    let error = check("simulatd", &Settings::new()).unwrap_err();
    assert!(error.to_string().contains("did you mean \"simulated\"?"), "{error}");
}

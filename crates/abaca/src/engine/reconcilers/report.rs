//! The heartbeat: that this worker lives, and what its backends' pools can do and hold.

use abaca_model::Timestamp;
use abaca_model::scheduler::{FILTER_FUNCTION, GOODNESS_FUNCTION};
use abaca_store::{Error, retry_conflicts, services};
use serde_json::{Map, Value};

use crate::engine::failure::chain;
use crate::engine::{Backend, Engine};
use crate::telemetry::metrics;

const NAME: &str = "report";

/// The name under which clients look for a service that serves a backend.
const SHARE_BINARY: &str = "manila-share";
/// The name under which clients look for a scheduler.
const SCHEDULER_BINARY: &str = "manila-scheduler";

/// Looks at a backend and reports it.
pub(super) async fn backend(engine: &Engine, backend: &Backend) {
    let result = report(engine, backend).await;
    if let Err(error) = &result {
        tracing::warn!(backend = backend.service, error = chain(&**error), "it can't be reported");
    }
    if backend.first_look.set(result.is_ok()).is_ok() {
        // Shares may be placed from now on.
        engine.queue.notify_one();
    }
    metrics::reconciler_run(NAME, result.is_ok());
}

/// Reports this process, as a scheduler.
pub(super) async fn process(engine: &Engine) {
    let status = engine.db.status();
    metrics::database_pool(status.size, status.in_use);
    let result = scheduler(engine).await;
    if let Err(error) = &result {
        tracing::warn!(error = chain(error), "the scheduler can't be reported");
    }
    metrics::reconciler_run(NAME, result.is_ok());
}

async fn report(
    engine: &Engine,
    backend: &Backend,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    // A backend that does not answer has no heartbeat: the scheduler leaves it out by and by.
    let stats = backend.driver.stats().await.inspect_err(|_| {
        metrics::backend_up(&backend.service, false);
    })?;
    metrics::backend_up(&backend.service, true);
    let mut pools = Vec::new();
    for pool in stats {
        let name = format!("{}#{}", backend.service, pool.pool_name);
        let Value::Object(mut report) = serde_json::to_value(&pool)? else { continue };
        add_config(&mut report, backend);
        pools.push((name, report));
    }
    let now = Timestamp::now();
    let registering = engine.registering.lock().await;
    retry_conflicts(|| async {
        let mut tx = engine.db.write().await?;
        let zone = &backend.availability_zone;
        services::heartbeat(&mut tx, &backend.service, SHARE_BINARY, zone, now).await?;
        services::report_pools(&mut tx, &backend.service, &pools, now).await?;
        tx.commit().await?;
        Ok::<_, Error>(())
    })
    .await?;
    drop(registering);
    capacity(engine, backend).await?;
    Ok(())
}

/// What the config says of the backend, and what this service can't do with any.
fn add_config(report: &mut Map<String, Value>, backend: &Backend) {
    let of_config = [
        ("share_backend_name", backend.name.clone().into()),
        ("driver_handles_share_servers", backend.driver_handles_share_servers.into()),
        ("replication_domain", backend.replication_domain.clone().into()),
        (FILTER_FUNCTION, backend.filter_function.clone().into()),
        (GOODNESS_FUNCTION, backend.goodness_function.clone().into()),
    ];
    report.extend(of_config.map(|(name, value)| (name.to_owned(), value)));
    for (name, value) in ABSENT {
        report.entry(name).or_insert(value);
    }
}

/// What clients look for in a pool and this service has not, by the names they know it by; null
/// where they expect a word, not a boolean.
const ABSENT: [(&str, Value); 9] = [
    ("encryption_support", Value::Null),
    ("network_allocation_update_support", Value::Bool(false)),
    ("qos", Value::Bool(false)),
    ("qos_type_support", Value::Bool(false)),
    ("security_service_update_support", Value::Bool(false)),
    ("sg_consistent_snapshot_support", Value::Null),
    ("share_replicas_migration_support", Value::Bool(false)),
    ("share_server_multiple_subnet_support", Value::Bool(false)),
    ("snapshot_inherit_share_access_support", Value::Bool(false)),
];

async fn capacity(engine: &Engine, backend: &Backend) -> Result<(), Error> {
    for pool in services::pools(&mut engine.db.read().await?).await? {
        let Some((service, name)) = pool.name.split_once('#') else { continue };
        if service == backend.service {
            let gigabytes = |key| pool.report.get(key).and_then(Value::as_f64).unwrap_or(f64::NAN);
            let (total, free) = (gigabytes("total_capacity_gb"), gigabytes("free_capacity_gb"));
            metrics::backend_capacity(service, name, total, free, pool.provisioned_gb as f64);
        }
    }
    Ok(())
}

async fn scheduler(engine: &Engine) -> Result<(), Error> {
    let now = Timestamp::now();
    let Some(backend) = engine.backends.values().next() else { return Ok(()) };
    let _registering = engine.registering.lock().await;
    retry_conflicts(|| async {
        let mut tx = engine.db.write().await?;
        let (host, zone) = (&engine.settings.host, &backend.availability_zone);
        services::heartbeat(&mut tx, host, SCHEDULER_BINARY, zone, now).await?;
        tx.commit().await
    })
    .await
}

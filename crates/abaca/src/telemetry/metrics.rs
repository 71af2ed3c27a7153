//! Prometheus metrics: every name in one place, a function for each thing that is counted, and
//! the text of `GET /metrics`.

use std::time::Duration;

use abaca_model::{OperationKind, OperationState};
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use metrics_process::Collector;

use super::TelemetryError;

const BUILD: &str = "abaca_build_info";
const HTTP_REQUESTS: &str = "abaca_http_requests_total";
const HTTP_DURATION: &str = "abaca_http_request_duration_seconds";
const KEYSTONE_VALIDATIONS: &str = "abaca_keystone_validations_total";
const KEYSTONE_DURATION: &str = "abaca_keystone_validation_duration_seconds";
const KEYSTONE_CACHE_HITS: &str = "abaca_keystone_cache_hits_total";
const OPERATIONS: &str = "abaca_operations";
const OPERATION_AGE: &str = "abaca_operation_oldest_age_seconds";
const OPERATIONS_ENDED: &str = "abaca_operations_ended_total";
const OPERATION_DURATION: &str = "abaca_operation_duration_seconds";
const OPERATION_RETRIES: &str = "abaca_operation_retries_total";
const OPERATION_TAKEOVERS: &str = "abaca_operation_takeovers_total";
const BACKEND_UP: &str = "abaca_backend_up";
const BACKEND_MISSED: &str = "abaca_backend_deadlines_missed_total";
const BACKEND_TOTAL: &str = "abaca_backend_total_bytes";
const BACKEND_FREE: &str = "abaca_backend_free_bytes";
const BACKEND_PROVISIONED: &str = "abaca_backend_provisioned_bytes";
const POOL_SIZE: &str = "abaca_database_pool_size";
const POOL_IN_USE: &str = "abaca_database_pool_in_use";
const RECONCILER_RUNS: &str = "abaca_reconciler_runs_total";
const RECONCILER_FINDINGS: &str = "abaca_reconciler_findings_total";

/// Seconds; the reference's answers take 5 ms to 14 s.
const HTTP_BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Seconds; a copy of a large share takes hours.
const OPERATION_BUCKETS: [f64; 12] =
    [0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0, 43_200.0];
const BYTES_PER_GIBIBYTE: f64 = 1_073_741_824.0;

/// Renders what was recorded.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
    process: Collector,
}

impl Metrics {
    /// The media type of [`Metrics::render`].
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// Makes the process's recorder, once.
    ///
    /// # Errors
    /// When there is one already.
    pub fn install() -> Result<Self, TelemetryError> {
        let recorder = recorder()?;
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder)
            .map_err(|error| TelemetryError::Metrics(error.to_string().into()))?;
        let metrics = Self { handle, process: Collector::default() };
        metrics.describe();
        Ok(metrics)
    }

    /// The text of `GET /metrics`; [`Metrics::CONTENT_TYPE`] goes with it.
    #[must_use]
    pub fn render(&self) -> String {
        self.process.collect();
        self.handle.render()
    }

    /// Folds recorded latencies together. To be called every few seconds, else they pile up until
    /// somebody asks for the metrics.
    pub fn fold(&self) {
        self.handle.run_upkeep();
    }

    fn describe(&self) {
        self.process.describe();
        describe();
        gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1);
        begin_failures();
    }
}

/// Begins at 0 what alerts watch: of a series that begins with its first failure, `increase` says 0.
fn begin_failures() {
    for kind in OperationKind::ALL {
        counter!(OPERATIONS_ENDED, "kind" => kind.as_str(), "state" => OperationState::Failed.as_str())
            .increment(0);
    }
    counter!(KEYSTONE_VALIDATIONS, "outcome" => "failed").increment(0);
}

fn recorder() -> Result<PrometheusRecorder, TelemetryError> {
    let mut builder = PrometheusBuilder::new();
    for (name, buckets) in [
        (HTTP_DURATION, &HTTP_BUCKETS[..]),
        (KEYSTONE_DURATION, &HTTP_BUCKETS[..]),
        (OPERATION_DURATION, &OPERATION_BUCKETS[..]),
    ] {
        builder = builder
            .set_buckets_for_metric(Matcher::Full(name.to_owned()), buckets)
            .map_err(|error| TelemetryError::Metrics(error.into()))?;
    }
    Ok(builder.build_recorder())
}

fn describe() {
    describe_gauge!(BUILD, "Version of the running service.");
    describe_counter!(HTTP_REQUESTS, "Requests by route template, method and status code.");
    describe_histogram!(
        HTTP_DURATION,
        Unit::Seconds,
        "Time to answer, by route template and method."
    );
    describe_counter!(KEYSTONE_VALIDATIONS, "Tokens that Keystone was asked about, by outcome.");
    describe_histogram!(
        KEYSTONE_DURATION,
        Unit::Seconds,
        "Time to learn from Keystone of a token, all tries together, by outcome."
    );
    describe_counter!(
        KEYSTONE_CACHE_HITS,
        "Tokens that Keystone was not asked about: known already, or just being asked about."
    );
    describe_gauge!(OPERATIONS, "Operations in the queue now, by kind and state.");
    describe_gauge!(
        OPERATION_AGE,
        Unit::Seconds,
        "Age of the oldest operation of the kind that has not ended."
    );
    describe_counter!(OPERATIONS_ENDED, "Operations this process ended, by kind and final state.");
    describe_histogram!(
        OPERATION_DURATION,
        Unit::Seconds,
        "Time from the request to the end of the operation, by kind."
    );
    describe_counter!(OPERATION_RETRIES, "Steps put off to be tried again, by kind.");
    describe_counter!(
        OPERATION_TAKEOVERS,
        "Operations this process took over from a worker that gave no sign of life, by kind."
    );
    describe_gauge!(BACKEND_UP, "1 when the backend answered the last look at it, else 0.");
    describe_counter!(
        BACKEND_MISSED,
        "Calls that the backend did not answer in time, by the driver's call."
    );
    describe_gauge!(BACKEND_TOTAL, Unit::Bytes, "Capacity of the pool.");
    describe_gauge!(BACKEND_FREE, Unit::Bytes, "Free capacity of the pool.");
    describe_gauge!(BACKEND_PROVISIONED, Unit::Bytes, "Capacity promised to shares of the pool.");
    describe_gauge!(POOL_SIZE, "Most database connections there may be.");
    describe_gauge!(POOL_IN_USE, "Database connections that are in use.");
    describe_counter!(RECONCILER_RUNS, "Runs of the reconciler, by result.");
    describe_counter!(RECONCILER_FINDINGS, "Differences the reconciler found, by what they were.");
}

/// A request was answered. `route` is the template, so that the number of series stays small;
/// empty where no route matched.
pub fn http_request(route: &'static str, method: &str, code: u16, elapsed: Duration) {
    let route = if route.is_empty() { "none" } else { route };
    // Any token can be a method; the odd ones share a series.
    let method = match method {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        _ => "other",
    };
    counter!(HTTP_REQUESTS, "route" => route, "method" => method, "code" => code.to_string())
        .increment(1);
    histogram!(HTTP_DURATION, "route" => route, "method" => method).record(elapsed.as_secs_f64());
}

/// Keystone was asked about a token: `accepted`, `refused`, or `failed` without a word of Keystone's.
pub fn keystone_validation(outcome: &'static str, elapsed: Duration) {
    counter!(KEYSTONE_VALIDATIONS, "outcome" => outcome).increment(1);
    histogram!(KEYSTONE_DURATION, "outcome" => outcome).record(elapsed.as_secs_f64());
}

/// Keystone need not be asked about a token, good or bad.
pub fn keystone_cache_hit() {
    counter!(KEYSTONE_CACHE_HITS).increment(1);
}

/// How many operations wait or run, from the database. Kinds and states that are left out are 0.
pub fn operations(counts: &[(OperationKind, OperationState, u64)]) {
    for kind in OperationKind::ALL {
        for state in [OperationState::Queued, OperationState::Running] {
            let own = counts.iter().filter(|(k, s, _)| (k, s) == (kind, &state));
            let sum: u64 = own.map(|(_, _, count)| count).sum();
            gauge!(OPERATIONS, "kind" => kind.as_str(), "state" => state.as_str()).set(sum as f64);
        }
    }
}

/// Ages of operations that have not ended, of which the oldest of each kind counts. Kinds that are left
/// out are 0.
pub fn oldest_operations(ages: &[(OperationKind, Duration)]) {
    for kind in OperationKind::ALL {
        let own = ages.iter().filter(|(k, _)| k == kind).map(|(_, age)| *age);
        gauge!(OPERATION_AGE, "kind" => kind.as_str())
            .set(own.max().unwrap_or_default().as_secs_f64());
    }
}

/// An operation ended: succeeded, failed or superseded, this long after it was asked for.
pub fn operation_ended(kind: OperationKind, state: OperationState, age: Duration) {
    counter!(OPERATIONS_ENDED, "kind" => kind.as_str(), "state" => state.as_str()).increment(1);
    histogram!(OPERATION_DURATION, "kind" => kind.as_str()).record(age.as_secs_f64());
}

/// A step failed for a passing reason and will be tried again.
pub fn operation_retried(kind: OperationKind) {
    counter!(OPERATION_RETRIES, "kind" => kind.as_str()).increment(1);
}

/// An operation was claimed whose last lease had run out.
pub fn operation_taken_over(kind: OperationKind) {
    counter!(OPERATION_TAKEOVERS, "kind" => kind.as_str()).increment(1);
}

/// Whether a backend answered the last look at it.
pub fn backend_up(backend: &str, up: bool) {
    gauge!(BACKEND_UP, "backend" => backend.to_owned()).set(f64::from(u8::from(up)));
}

/// A backend did not answer this call in time.
pub fn backend_deadline_missed(backend: &str, call: &'static str) {
    counter!(BACKEND_MISSED, "backend" => backend.to_owned(), "call" => call).increment(1);
}

/// Capacity of one pool in GiB.
pub fn backend_capacity(backend: &str, pool: &str, total: f64, free: f64, provisioned: f64) {
    for (name, gibibytes) in
        [(BACKEND_TOTAL, total), (BACKEND_FREE, free), (BACKEND_PROVISIONED, provisioned)]
    {
        gauge!(name, "backend" => backend.to_owned(), "pool" => pool.to_owned())
            .set(gibibytes * BYTES_PER_GIBIBYTE);
    }
}

/// Most database connections there may be, and those in use.
pub fn database_pool(size: usize, in_use: usize) {
    gauge!(POOL_SIZE).set(size as f64);
    gauge!(POOL_IN_USE).set(in_use as f64);
}

/// A reconciler ran.
pub fn reconciler_run(reconciler: &'static str, succeeded: bool) {
    let result = if succeeded { "success" } else { "failure" };
    counter!(RECONCILER_RUNS, "reconciler" => reconciler, "result" => result).increment(1);
}

/// A reconciler found differences between the rows and the backend, `what` they are in a word:
/// `orphan_share`, `missing_snapshot`.
pub fn reconciler_findings(reconciler: &'static str, what: &'static str, count: u64) {
    counter!(RECONCILER_FINDINGS, "reconciler" => reconciler, "finding" => what).increment(count);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What is rendered after `work`.
    fn rendered(work: impl Fn()) -> String {
        let recorder = recorder().unwrap();
        let metrics = Metrics { handle: recorder.handle(), process: Collector::default() };
        metrics::with_local_recorder(&recorder, || {
            metrics.describe();
            work();
            metrics.render()
        })
    }

    fn assert_has(text: &str, lines: &[&str]) {
        for line in lines {
            assert!(text.lines().any(|own| own == *line), "{line} is not in:\n{text}");
        }
    }

    #[test]
    fn requests_are_counted_by_template() {
        let text = rendered(|| {
            http_request("/shares/{id}", "GET", 200, Duration::from_millis(3));
            http_request("/shares/{id}", "GET", 200, Duration::from_millis(3));
            http_request("", "BREW", 404, Duration::ZERO);
        });
        assert_has(
            &text,
            &[
                "abaca_http_requests_total{route=\"/shares/{id}\",method=\"GET\",code=\"200\"} 2",
                "abaca_http_requests_total{route=\"none\",method=\"other\",code=\"404\"} 1",
                "# TYPE abaca_http_request_duration_seconds histogram",
            ],
        );
        let bucket = |le: &str| {
            let start = "abaca_http_request_duration_seconds_bucket{route=\"/shares/{id}\"";
            let le = format!("le=\"{le}\"");
            let line = text.lines().find(|line| line.starts_with(start) && line.contains(&le));
            line.unwrap().rsplit(' ').next().unwrap().to_owned()
        };
        assert_eq!((bucket("0.0025").as_str(), bucket("0.005").as_str()), ("0", "2"));
    }

    #[test]
    fn operations_that_went_away_fall_to_zero() {
        let text = rendered(|| {
            operations(&[(OperationKind::CreateShare, OperationState::Queued, 3)]);
            operations(&[(OperationKind::CreateShare, OperationState::Running, 1)]);
            operation_ended(
                OperationKind::CreateSnapshot,
                OperationState::Superseded,
                Duration::from_secs(2),
            );
            operation_retried(OperationKind::DeleteShare);
            operation_taken_over(OperationKind::DeleteShare);
            oldest_operations(&[
                (OperationKind::DeleteShare, Duration::from_secs(20)),
                (OperationKind::DeleteShare, Duration::from_secs(90)),
            ]);
        });
        assert_has(
            &text,
            &[
                "abaca_operations{kind=\"create_share\",state=\"queued\"} 0",
                "abaca_operations{kind=\"create_share\",state=\"running\"} 1",
                "abaca_operations_ended_total{kind=\"create_snapshot\",state=\"superseded\"} 1",
                "abaca_operation_retries_total{kind=\"delete_share\"} 1",
                "abaca_operation_takeovers_total{kind=\"delete_share\"} 1",
                "abaca_operations_ended_total{kind=\"create_snapshot\",state=\"failed\"} 0",
                "abaca_operation_oldest_age_seconds{kind=\"delete_share\"} 90",
                "abaca_operation_oldest_age_seconds{kind=\"create_share\"} 0",
            ],
        );
    }

    #[test]
    fn backends_database_and_reconcilers_are_there() {
        let text = rendered(|| {
            backend_up("fast", true);
            backend_capacity("fast", "pool", 2.0, 1.5, 0.5);
            database_pool(8, 3);
            reconciler_run("orphans", false);
            reconciler_findings("orphans", "orphan_share", 2);
        });
        assert_has(
            &text,
            &[
                "abaca_backend_up{backend=\"fast\"} 1",
                "abaca_backend_total_bytes{backend=\"fast\",pool=\"pool\"} 2147483648",
                "abaca_backend_free_bytes{backend=\"fast\",pool=\"pool\"} 1610612736",
                "abaca_backend_provisioned_bytes{backend=\"fast\",pool=\"pool\"} 536870912",
                "abaca_database_pool_size 8",
                "abaca_database_pool_in_use 3",
                "abaca_reconciler_runs_total{reconciler=\"orphans\",result=\"failure\"} 1",
                "abaca_reconciler_findings_total{reconciler=\"orphans\",finding=\"orphan_share\"} 2",
            ],
        );
        let resident = text.lines().find(|line| line.starts_with("process_resident_memory_bytes "));
        let bytes: f64 = resident.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
        assert!(bytes > 1e6, "{bytes}");
    }

    #[test]
    fn every_metric_is_described() {
        let text = rendered(|| {
            http_request("/x", "GET", 200, Duration::ZERO);
            keystone_validation("accepted", Duration::ZERO);
            keystone_cache_hit();
            operations(&[]);
            oldest_operations(&[]);
            operation_ended(OperationKind::CreateShare, OperationState::Failed, Duration::ZERO);
            operation_retried(OperationKind::CreateShare);
            operation_taken_over(OperationKind::CreateShare);
            backend_up("b", false);
            backend_deadline_missed("b", "stats");
            backend_capacity("b", "p", 0.0, 0.0, 0.0);
            database_pool(0, 0);
            reconciler_run("r", true);
            reconciler_findings("r", "f", 1);
        });
        let of = |start: &str| {
            let lines = text.lines().filter_map(|line| line.strip_prefix(start));
            let names = lines.filter_map(|rest| rest.split(' ').next());
            names.map(str::to_owned).collect::<BTreeSet<String>>()
        };
        assert!(of("# TYPE ").contains(OPERATIONS));
        assert_eq!(of("# TYPE "), of("# HELP "));
    }
}

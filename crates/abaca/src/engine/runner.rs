//! Claims operations, keeps their leases, runs their steps and writes how they ended.

use std::sync::Arc;
use std::time::Duration;

use abaca_model::{Operation, OperationState, Timestamp};
use abaca_store::{operations, retry_conflicts};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::failure::{Failure, Permanent, chain};
use super::ops::{self, Work};
use super::places::{Place, Places};
use super::run::{Outcome, Run};
use super::{Engine, kill_point};
use crate::telemetry::metrics;

/// After this many failed attempts of one step a passing failure counts as permanent: about a
/// quarter of an hour.
const MAX_ATTEMPTS: i64 = 20;
/// The wait after the first failed attempt; doubled after each.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait after a failed attempt.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Waiting counts as so many attempts at most, so that some are left when something fails after it.
const LONG_WAITED: i64 = 8;

/// Works until `shutdown`, then lets what runs end, or releases it after the time of a lease.
pub(super) async fn run(engine: Arc<Engine>, shutdown: CancellationToken) {
    let places = Places::new(&engine.settings, Arc::clone(&engine.queue));
    let tasks = TaskTracker::new();
    let stop = CancellationToken::new();
    while !shutdown.is_cancelled() {
        match claim(&engine, &places).await {
            Ok(Some(operation)) => {
                let place = places.take(operation.service.as_deref());
                let (engine, stop) = (Arc::clone(&engine), stop.clone());
                tasks.spawn(async move { hold(&engine, operation, place, &stop).await });
                continue;
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(error = chain(&error), "the queue can't be read"),
        }
        let wait = tokio::time::timeout(engine.settings.poll_interval, engine.queue.notified());
        // Woken, timed out or told to stop: the loop looks which.
        let _ = shutdown.run_until_cancelled(wait).await;
    }
    tasks.close();
    if tokio::time::timeout(engine.settings.lease, tasks.wait()).await.is_err() {
        stop.cancel();
        tasks.wait().await;
    }
}

/// An operation of a service that is up and has room for it.
async fn claim(engine: &Engine, places: &Places) -> abaca_store::Result<Option<Operation>> {
    let mut services = engine.services();
    services.retain(|service| places.has_room(*service));
    let now = Timestamp::now();
    // A look without the write lock first: the queue is empty most of the time.
    if !operations::any_claimable(&mut engine.db.read().await?, &services, now).await? {
        return Ok(None);
    }
    retry_conflicts(|| async {
        let mut tx = engine.db.write().await?;
        let lease = engine.settings.lease;
        let claimed = operations::claim(&mut tx, &engine.owner, &services, now, lease).await?;
        tx.commit().await?;
        Ok(claimed)
    })
    .await
}

/// Runs a claimed operation while its lease lasts, and gives it back when `stop` comes first.
async fn hold(engine: &Engine, operation: Operation, place: Place, stop: &CancellationToken) {
    let span = tracing::info_span!(
        "operation",
        id = %operation.id,
        kind = %operation.kind,
        resource_id = %operation.resource_id,
        project_id = operation.project_id,
        request_id = operation.request_id,
    );
    if operation.state == OperationState::Running {
        metrics::operation_taken_over(operation.kind);
        span.in_scope(|| {
            tracing::info!(step = operation.step, "resumed after its runner was lost")
        });
    }
    let work = async {
        tokio::select! {
            () = steps(engine, operation.clone(), &place) => {}
            () = keep_lease(engine, &operation) => {
                tracing::warn!("the lease was lost; another runner goes on");
            }
            () = stop.cancelled() => give_back(engine, &operation).await,
        }
    };
    work.instrument(span).await;
}

/// Renews the lease in time; returns when it is lost.
async fn keep_lease(engine: &Engine, operation: &Operation) {
    let lease = engine.settings.lease;
    let mut expires_at = Timestamp::now().after(lease);
    loop {
        tokio::time::sleep(lease / 3).await;
        let now = Timestamp::now();
        let renewed = retry_conflicts(|| async {
            let mut tx = engine.db.write().await?;
            let renewed = operations::renew(&mut tx, operation, now, lease).await?;
            tx.commit().await?;
            Ok::<_, abaca_store::Error>(renewed)
        });
        match renewed.await {
            Ok(true) => expires_at = now.after(lease),
            // It ended a moment ago, or is another runner's now: the steps' own guards tell which.
            Ok(false) => return,
            Err(_) if Timestamp::now() < expires_at => {}
            Err(error) => {
                tracing::warn!(error = chain(&error), "the lease could not be renewed");
                return;
            }
        }
    }
}

async fn give_back(engine: &Engine, operation: &Operation) {
    let attempts = operation.attempts;
    if let Err(error) = put_back(engine, operation, Timestamp::now(), attempts, None).await {
        // The next worker takes it over when the lease ends.
        tracing::warn!(error = chain(&error), "an operation could not be released");
    }
}

async fn put_back(
    engine: &Engine,
    operation: &Operation,
    run_at: Timestamp,
    attempts: i64,
    error: Option<&str>,
) -> abaca_store::Result<()> {
    retry_conflicts(|| async {
        let mut tx = engine.db.write().await?;
        operations::put_back(&mut tx, operation, run_at, attempts, error).await?;
        tx.commit().await
    })
    .await
}

/// Runs the steps that are left, and sees to how the last one ended.
async fn steps(engine: &Engine, mut operation: Operation, place: &Place) {
    let work = ops::work(operation.kind);
    loop {
        let number = usize::try_from(operation.step).unwrap_or(usize::MAX);
        let Some(step) = work.steps().get(number) else {
            tracing::error!(step = operation.step, "there is no such step");
            return;
        };
        let run = Run { engine, operation: &operation, place, step };
        run.reach("start");
        match work.run(&run).await {
            Ok(Outcome::Advanced { service }) => {
                operation.service = Some(service);
                operation.step += 1;
                operation.attempts = 0;
            }
            Ok(Outcome::HandedOver) => return,
            Ok(Outcome::Ended(state)) => return ended(&operation, state),
            Err(failure) => return settle(&run, work, failure).await,
        }
    }
}

/// Sees to a step that did not succeed: try again later, give up, clean up, or leave it to the
/// runner that took over.
async fn settle(run: &Run<'_>, work: &dyn Work, failure: Failure) {
    let failure = match failure {
        Failure::Passing(source) if run.operation.attempts + 1 < MAX_ATTEMPTS => {
            return try_again(run, &chain(&*source), LONGEST_WAIT, run.operation.attempts + 1)
                .await;
        }
        Failure::Waiting(reason) => return wait_on(run, reason, work).await,
        Failure::Busy(source) => return wait_on(run, &chain(&source), work).await,
        Failure::Passing(source) => Failure::permanent("The storage backend kept failing.", source),
        other => other,
    };
    let result = match failure {
        Failure::Permanent(failed) if work.never_gives_up(run) => put_off(run, work, &failed).await,
        Failure::Permanent(failed) => give_up(run, work, &failed).await,
        Failure::Superseded => supersede(run, work).await,
        other => Err(other),
    };
    match result {
        Ok(Outcome::Ended(state)) => ended(run.operation, state),
        Ok(_) => {}
        Err(Failure::LeaseLost) => tracing::warn!("another runner took the operation over"),
        Err(Failure::Waiting(reason)) => wait_on(run, reason, work).await,
        // Taken over just now: the next attempt finds it so and cleans up.
        Err(failure) => {
            try_again(run, &chain(&failure), LONGEST_WAIT, run.operation.attempts + 1).await;
        }
    }
}

/// Waiting uses up no attempt that is needed: it goes on for as long as it takes.
async fn wait_on(run: &Run<'_>, reason: &str, work: &dyn Work) {
    let attempts = run.operation.attempts;
    let attempts = if attempts < LONG_WAITED { attempts + 1 } else { attempts };
    try_again(run, reason, work.longest_wait(), attempts).await;
}

async fn try_again(run: &Run<'_>, reason: &str, longest: Duration, attempts: i64) {
    let operation = run.operation;
    let wait = wait(operation, longest);
    metrics::operation_retried(operation.kind);
    tracing::info!(step = run.step, reason, wait_ms = wait.as_millis(), "it will be tried again");
    let run_at = Timestamp::now().after(wait);
    let result = put_back(run.engine, operation, run_at, attempts, Some(reason)).await;
    if let Err(error) = result {
        tracing::warn!(error = chain(&error), "it will be taken over when its lease ends");
    }
    // Sooner than the next look at the queue.
    let queue = Arc::clone(&run.engine.queue);
    tokio::spawn(async move {
        tokio::time::sleep(wait).await;
        queue.notify_one();
    });
}

/// Doubles with each attempt, less up to a quarter that differs between operations, so that many
/// that failed together do not come back together.
fn wait(operation: &Operation, longest: Duration) -> Duration {
    let doublings = u32::try_from(operation.attempts.clamp(0, 16)).unwrap_or(16);
    let whole = (FIRST_WAIT * 2_u32.pow(doublings)).min(longest);
    let share = u32::from(operation.id.uuid().as_bytes()[15]);
    whole - whole / 4 * share / 255
}

async fn give_up(run: &Run<'_>, work: &dyn Work, failed: &Permanent) -> Result<Outcome, Failure> {
    let text = chain(&*failed.source);
    tracing::error!(step = run.step, error = text, "given up");
    run.reach("give_up");
    let mut tx = run.record().await?;
    work.give_up(run, &mut tx, failed).await?;
    run.end(tx, OperationState::Failed, Some(&text)).await
}

/// Tells of the failure as [`give_up`] does, and tries again all the same.
async fn put_off(run: &Run<'_>, work: &dyn Work, failed: &Permanent) -> Result<Outcome, Failure> {
    let (operation, text) = (run.operation, chain(&*failed.source));
    let wait = wait(operation, run.engine.settings.deferred_deletion_interval);
    metrics::operation_retried(operation.kind);
    tracing::warn!(step = run.step, error = text, wait_ms = wait.as_millis(), "put off");
    let (run_at, attempts) = (Timestamp::now().after(wait), operation.attempts + 1);
    let mut tx = run.record().await?;
    work.give_up(run, &mut tx, failed).await?;
    run.put_back(tx, run_at, attempts, &text).await
}

async fn supersede(run: &Run<'_>, work: &dyn Work) -> Result<Outcome, Failure> {
    tracing::info!(step = run.step, "its resource was taken over; cleaning up");
    // Whoever was held up finds a resource that later operations have had: it is theirs, and none of
    // its bytes are to be cleaned up.
    run.commit_as_owner(run.db().write().await?).await?;
    run.reach("clean_up");
    let tx = work.clean_up(run).await?;
    run.end(tx, OperationState::Superseded, None).await
}

fn ended(operation: &Operation, state: OperationState) {
    let age = Timestamp::now().since(operation.created_at);
    metrics::operation_ended(operation.kind, state, age);
    tracing::info!(%state, age_ms = age.as_millis(), "ended");
    kill_point::reach(operation.kind.as_str(), "ended", state.as_str());
}

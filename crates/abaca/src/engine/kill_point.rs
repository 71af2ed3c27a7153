//! Places at which a test can have the process killed, to see that nothing is lost there.

/// Kills this process (SIGKILL) if the environment variable `ABACA_KILL_AT` names this place,
/// `kind.step.moment`: `create_share.create.effect`. With a count, `create_snapshot.create.effect#2`,
/// when it is reached that many times in this process. Does nothing in a build without the feature
/// `kill-points`, which only tests have.
#[cfg(feature = "kill-points")]
pub(super) fn reach(kind: &str, step: &str, moment: &str) {
    use std::sync::atomic::{AtomicU64, Ordering};

    static REACHED: AtomicU64 = AtomicU64::new(0);
    let Ok(at) = std::env::var("ABACA_KILL_AT") else { return };
    let (place, count) = at.split_once('#').unwrap_or((&at, "1"));
    if place != format!("{kind}.{step}.{moment}") {
        return;
    }
    let reached = REACHED.fetch_add(1, Ordering::Relaxed) + 1;
    if count.parse() != Ok(reached) {
        return;
    }
    tracing::warn!(kind, step, moment, reached, "killed here, as ABACA_KILL_AT asks");
    let own = rustix::process::getpid();
    // If the signal can't be sent the test sees a process that goes on.
    let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
}

/// Nothing, in a build without the feature `kill-points`.
#[cfg(not(feature = "kill-points"))]
pub(super) fn reach(_: &str, _: &str, _: &str) {}

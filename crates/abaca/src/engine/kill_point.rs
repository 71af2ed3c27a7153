//! Places at which a test can have the process killed, to see that nothing is lost there.

/// Kills this process (SIGKILL) if the environment variable `ABACA_KILL_AT` names this place,
/// `kind.step.moment`: `create_share.create.effect`. Does nothing in a build without the feature
/// `kill-points`, which only tests have.
#[cfg(feature = "kill-points")]
pub(super) fn reach(kind: &str, step: &str, moment: &str) {
    if std::env::var("ABACA_KILL_AT").is_ok_and(|at| at == format!("{kind}.{step}.{moment}")) {
        tracing::warn!(kind, step, moment, "killed here, as ABACA_KILL_AT asks");
        let own = rustix::process::getpid();
        // If the signal can't be sent the test sees a process that goes on.
        let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
    }
}

/// Nothing, in a build without the feature `kill-points`.
#[cfg(not(feature = "kill-points"))]
pub(super) fn reach(_: &str, _: &str, _: &str) {}

//! Places at which a test can have the process killed, to see that nothing is lost there, or the
//! runner held up for longer than its lease lasts, to see what it does when it goes on.

/// Kills this process (SIGKILL) if the environment variable `ABACA_KILL_AT` names this place,
/// `kind.step.moment`: `create_share.create.effect`. With a count, `create_snapshot.create.effect#2`,
/// when it is reached that many times in this process. At `ABACA_HOLD_AT` the runner is held up as
/// long as there is a file `ABACA_HOLD_WHILE`, in whatever it does: it renews no lease meanwhile.
/// Does nothing in a build without the feature `kill-points`, which only tests have.
#[cfg(feature = "kill-points")]
pub(super) fn reach(kind: &str, step: &str, moment: &str) {
    use std::sync::atomic::AtomicU64;

    static TO_KILL: AtomicU64 = AtomicU64::new(0);
    static TO_HOLD: AtomicU64 = AtomicU64::new(0);
    let place = format!("{kind}.{step}.{moment}");
    if is_reached("ABACA_KILL_AT", &place, &TO_KILL) {
        tracing::warn!(place, "killed here, as ABACA_KILL_AT asks");
        let own = rustix::process::getpid();
        // If the signal can't be sent the test sees a process that goes on.
        let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
    }
    if is_reached("ABACA_HOLD_AT", &place, &TO_HOLD) {
        tracing::warn!(place, "held here, as ABACA_HOLD_AT asks");
        let file = std::env::var_os("ABACA_HOLD_WHILE").unwrap_or_default();
        let is_held = || std::path::Path::new(&file).exists();
        tokio::task::block_in_place(|| {
            while is_held() {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        });
    }
}

/// Whether the variable names this place, and it is reached as many times as it says.
#[cfg(feature = "kill-points")]
fn is_reached(variable: &str, place: &str, count: &std::sync::atomic::AtomicU64) -> bool {
    let Ok(at) = std::env::var(variable) else { return false };
    let (wanted, times) = at.split_once('#').unwrap_or((&at, "1"));
    wanted == place
        && times.parse() == Ok(count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1)
}

/// Nothing, in a build without the feature `kill-points`.
#[cfg(not(feature = "kill-points"))]
pub(super) fn reach(_: &str, _: &str, _: &str) {}

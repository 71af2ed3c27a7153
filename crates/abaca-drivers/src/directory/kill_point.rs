//! Lets a test kill the process before its N-th change of the file system.

/// Kills this process if it is its turn. Does nothing in a build without the feature.
#[cfg(not(feature = "kill-points"))]
pub(crate) fn hit() {}

/// Kills this process before the change whose number is in `ABACA_DIRECTORY_KILL_AT`.
#[cfg(feature = "kill-points")]
pub(crate) fn hit() {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static KILL_AT: OnceLock<Option<u64>> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);

    let kill_at = KILL_AT.get_or_init(|| {
        std::env::var("ABACA_DIRECTORY_KILL_AT").ok().and_then(|number| number.parse().ok())
    });
    if *kill_at == Some(COUNT.fetch_add(1, Ordering::SeqCst) + 1) {
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        loop {
            std::thread::park();
        }
    }
}

/// Lets a unit test have its own thread's disk fail.
#[cfg(test)]
pub(super) mod sick_disk {
    use std::cell::Cell;

    use rustix::io::Errno;

    thread_local! {
        static SYNCS: Cell<Option<usize>> = const { Cell::new(None) };
    }

    /// The sync after this many fails; `None`: none does.
    pub(crate) fn fails_after(syncs: Option<usize>) {
        SYNCS.set(syncs);
    }

    pub(crate) fn strike() -> Result<(), Errno> {
        match SYNCS.take() {
            Some(0) => Err(Errno::IO),
            left => {
                SYNCS.set(left.map(|syncs| syncs - 1));
                Ok(())
            }
        }
    }
}

//! Runs a test of this binary in a process of its own.

use std::process::{Command, Output};

use abaca_drivers::conformance::file_systems;
pub(crate) use abaca_drivers::conformance::file_systems::arguments;

/// A command that runs one ignored test of this binary.
pub(crate) fn this_test(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(arguments(name));
    command
}

/// Fails with what the process said unless it ran its one test and the test passed.
pub(crate) fn ensure_passed(output: &Output) {
    file_systems::ensure_passed(output).unwrap_or_else(|said| panic!("{said}"));
}

/// A variable that the starting test sets; `None` when the test was started by hand.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Tests that mount or give files away fail without root: `scripts/test` leaves them out with a word.
pub(crate) fn ensure_root() {
    let is_root = rustix::process::geteuid().is_root();
    let without = "-E 'not test(/^(btrfs|file_systems|ordinary_user)::/)'";
    assert!(is_root, "this test wants root; leave such tests out with: {without}");
}

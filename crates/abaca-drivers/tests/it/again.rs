//! Runs a test of this binary in a process of its own.

use std::process::{Command, Output};

/// A command that runs one ignored test of this binary.
pub(crate) fn this_test(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(arguments(name));
    command
}

/// The arguments that make a test binary run one ignored test.
pub(crate) fn arguments(name: &str) -> [&str; 4] {
    [name, "--exact", "--ignored", "--nocapture"]
}

/// Fails with what the process said unless it ran its one test and the test passed.
pub(crate) fn ensure_passed(output: &Output) {
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let passed = output.status.success() && said.contains("1 passed");
    assert!(passed, "{}\n{said}\n{errors}", output.status);
}

/// A variable that the starting test sets; `None` when the test was started by hand.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

//! The `abaca` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    abaca::cli::main()
}

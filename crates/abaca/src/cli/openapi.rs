//! `abaca openapi`.

use std::process::ExitCode;

use clap::Args;

use super::{CliError, print};
use crate::api::{V, openapi};

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Openapi {
    /// Describe this microversion alone, for tools that know no versions
    #[arg(long, value_name = "VERSION")]
    microversion: Option<V>,
}

const EXAMPLES: &str = "\
Examples:
  abaca openapi > openapi.json         all microversions, as served at /v2/openapi.json
  abaca openapi --microversion 2.19    one of them";

impl Openapi {
    pub(super) fn run(self) -> Result<ExitCode, CliError> {
        print(&openapi::text(self.microversion))?;
        Ok(ExitCode::SUCCESS)
    }
}

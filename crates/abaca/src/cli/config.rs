//! `abaca config show`.

use std::process::ExitCode;

use clap::Subcommand;

use super::{CliError, ConfigArgs, print};

#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum ConfigCommand {
    /// Print the effective configuration: every option explained, where its value comes from,
    /// secrets hidden
    #[command(after_help = EXAMPLES)]
    Show {
        #[command(flatten)]
        config: ConfigArgs,
    },
}

const EXAMPLES: &str = "\
Examples:
  abaca config show > abaca.toml                     a config file to begin with
  abaca config show --config /etc/abaca/abaca.toml   what is in effect
  ABACA__API__LISTEN=127.0.0.1:9000 abaca config show";

impl ConfigCommand {
    pub(super) fn run(self) -> Result<ExitCode, CliError> {
        let Self::Show { config } = self;
        print(&config.load(None)?.to_commented_toml())?;
        Ok(ExitCode::SUCCESS)
    }
}

//! The command line. Each command is a file; this one has the tree, the options they share, and
//! the way an error is told.

mod config;
mod db;
mod demo;
mod error;
mod openapi;
mod policy;
mod serve;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueHint};
use clap_complete::Shell;

use crate::config::{Config, ConfigError, Overrides};

pub use demo::DemoError;
pub use error::CliError;

/// The command line of the `abaca` binary.
#[derive(Debug, Parser)]
#[command(
    name = "abaca",
    version,
    about = "The Shared File Systems service of a cloud, speaking the OpenStack API v2",
    after_help = EXAMPLES,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  abaca serve                     the whole service, on 127.0.0.1:8786
  abaca demo                      what it is about, in a second
  abaca config show               every option, explained
  abaca COMMAND --help            more examples";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service: the API, the workers, or both
    Serve(serve::Serve),
    /// Bring the database's schema up to date, or look at it
    #[command(subcommand)]
    Db(db::Db),
    /// Look at the configuration
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Look at the policy rules, check them, and explain what they decide
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Print the OpenAPI document of the API
    Openapi(openapi::Openapi),
    /// Tell the story of a snapshot instance in a second, in a temporary directory
    Demo(demo::Demo),
    /// Print a completion script for a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// The shell
        shell: Shell,
    },
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  abaca completions bash > ~/.local/share/bash-completion/completions/abaca
  abaca completions zsh > \"${fpath[1]}/_abaca\"
  abaca completions fish > ~/.config/fish/completions/abaca.fish";

/// The options of every command that reads the configuration.
#[derive(Debug, Args)]
struct ConfigArgs {
    /// The config file, in TOML; without it, defaults and the environment
    #[arg(long, value_name = "FILE", env = "ABACA_CONFIG", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
    /// Where the service keeps its own files; wins over the config file's data_dir
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    data_dir: Option<String>,
}

impl ConfigArgs {
    fn load(&self, listen: Option<&str>) -> Result<Config, ConfigError> {
        Config::load(&Overrides {
            file: self.config.clone(),
            data_dir: self.data_dir.clone(),
            listen: listen.map(str::to_owned),
        })
    }
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to be told when standard error is closed too.
            _ = write!(io::stderr(), "{}", error.report());
            error.exit_code()
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, CliError> {
    match cli.command {
        Command::Serve(serve) => serve.run(),
        Command::Db(db) => db.run(),
        Command::Config(config) => config.run(),
        Command::Policy(policy) => policy.run(),
        Command::Openapi(openapi) => openapi.run(),
        Command::Demo(demo) => demo.run(),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "abaca", &mut script);
            io::stdout().write_all(&script)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Writes a command's answer, all of it or an error.
fn print(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// The runtime of the commands that wait for something.
fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(CliError::Runtime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_sound_and_every_command_has_examples() {
        let mut command = Cli::command();
        command.build();
        command.clone().debug_assert();
        let mut open = vec![command];
        while let Some(command) = open.pop() {
            let name = command.get_name().to_owned();
            if name == "help" {
                continue;
            }
            let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(examples.starts_with("Examples:\n  abaca"), "{name}: {examples}");
            open.extend(command.get_subcommands().cloned());
        }
    }
}

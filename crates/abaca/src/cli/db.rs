//! `abaca db migrate` and `abaca db status`.

use std::fmt::Write;
use std::process::ExitCode;

use abaca_store::{AppliedMigration, MigrationStatus};
use clap::Subcommand;

use super::{CliError, ConfigArgs, print, runtime};
use crate::config::Config;

#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum Db {
    /// Bring the schema up to date; abaca serve does it too
    #[command(after_help = EXAMPLES)]
    Migrate {
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Print which migrations the database has and which are pending
    #[command(after_help = EXAMPLES)]
    Status {
        #[command(flatten)]
        config: ConfigArgs,
    },
}

const EXAMPLES: &str = "\
Examples:
  abaca db status
  abaca db migrate --config /etc/abaca/abaca.toml
  ABACA__DATABASE__URL=postgres://abaca:SECRET@db/abaca abaca db migrate";

impl Db {
    pub(super) fn run(self) -> Result<ExitCode, CliError> {
        match self {
            Self::Migrate { config } => {
                let config = config.load(None)?;
                super::serve::make_data_dir(&config)?;
                let applied = runtime()?.block_on(async { open(&config)?.migrate().await })?;
                print(&migrated(&config, &applied))?;
            }
            Self::Status { config } => {
                let config = config.load(None)?;
                if let Some(path) = config.database.url.sqlite_file()
                    && !path.exists()
                {
                    return Err(CliError::NoDatabase(path.to_owned()));
                }
                let migrations =
                    runtime()?.block_on(async { open(&config)?.migrations().await })?;
                print(&status(&config, &migrations))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A command needs one connection, and another for the migrations' lock.
fn open(config: &Config) -> Result<abaca_store::Db, abaca_store::Error> {
    abaca_store::Db::open(config.database.url.reveal(), 2)
}

fn migrated(config: &Config, applied: &[AppliedMigration]) -> String {
    let mut text = format!("Database {}\n", config.database.url);
    for migration in applied {
        // Writing to a String can't fail.
        _ = writeln!(text, "applied  {:>3}  {}", migration.version, migration.name);
    }
    if applied.is_empty() {
        text.push_str("the schema is up to date\n");
    }
    text
}

fn status(config: &Config, migrations: &[MigrationStatus]) -> String {
    let mut text = format!("Database {}\n", config.database.url);
    for migration in migrations {
        let when = migration.applied_at.map_or("pending".to_owned(), |time| time.to_string());
        _ = writeln!(text, "{:>3}  {:<30}  {when}", migration.version, migration.name);
    }
    let pending = migrations.iter().filter(|migration| migration.applied_at.is_none()).count();
    if migrations.iter().any(|migration| !migration.known) {
        text.push_str("the schema is newer than this program: run the release that made it\n");
    } else if pending == 0 {
        text.push_str("the schema is up to date\n");
    } else {
        _ = writeln!(text, "{pending} to apply: abaca db migrate, or abaca serve");
    }
    text
}

#[cfg(test)]
mod tests {
    use abaca_model::Timestamp;

    use super::*;
    use crate::config::Overrides;

    #[test]
    fn a_status_says_what_to_do() {
        let config = Config::load_from(&Overrides::default(), []).unwrap();
        let migration = |version, known, applied: bool| MigrationStatus {
            known,
            version,
            name: "what".to_owned(),
            applied_at: applied.then(|| Timestamp::from_micros(0)),
        };
        let (done, new) = (migration(1, true, true), migration(9, false, true));
        let pending = migration(2, true, false);
        for (migrations, expected) in [
            (vec![done.clone()], "up to date"),
            (vec![done.clone(), pending.clone()], "1 to apply"),
            (vec![done.clone(), new.clone()], "newer than this program"),
            (vec![done, pending, new], "newer than this program"),
        ] {
            let text = status(&config, &migrations);
            assert!(text.lines().last().unwrap().contains(expected), "{text}");
        }
    }
}

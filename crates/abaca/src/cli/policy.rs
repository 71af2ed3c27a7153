//! `abaca policy`: the rules in force, what is wrong with them, and why they decide as they do.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueHint};

use super::{CliError, ConfigArgs, print, runtime};
use crate::app::{Policy as _, Target};
use crate::identity::Caller;
use crate::policy::{self, Credentials, Policy};

#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum PolicyCommand {
    /// Print every rule in force, and the file it comes from if it is not built in
    #[command(after_help = EXAMPLES)]
    List {
        #[command(flatten)]
        rules: RulesArgs,
    },
    /// Say what is wrong with the policy files; exits with 1 if anything is
    #[command(after_help = EXAMPLES)]
    Check {
        #[command(flatten)]
        rules: RulesArgs,
    },
    /// Say whether a caller may do something, and which checks decide it; without a rule, what the
    /// caller may do
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(Explain),
    /// Print a policy.yaml with every built-in rule, described and commented out
    #[command(after_help = EXAMPLES)]
    Sample,
}

const EXAMPLES: &str = "\
Examples:
  abaca policy list
  abaca policy sample > policy.yaml
  abaca policy check --file policy.yaml
  abaca policy explain share_snapshot_instance:show --roles support";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  abaca policy explain --roles reader                what a reader may do
  abaca policy explain share_snapshot_instance:show --roles support
  abaca policy explain share:delete --roles member --project p1 --target project_id=p2";

#[derive(Debug, Args)]
pub(super) struct RulesArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// A policy file to read in place of the configured ones
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The rule; all of them when it is left out
    rule: Option<String>,
    #[command(flatten)]
    rules: RulesArgs,
    /// The caller's roles, separated by commas; those they imply are added, as in Keystone
    #[arg(long, value_name = "ROLES", value_delimiter = ',', default_value = "member")]
    roles: Vec<String>,
    /// The caller's user id
    #[arg(long, value_name = "ID", default_value = "user")]
    user: String,
    /// The project the caller's token is for
    #[arg(long, value_name = "ID", default_value = "project")]
    project: String,
    /// The caller's token is for the whole system instead of a project
    #[arg(long, conflicts_with = "project")]
    system: bool,
    /// An attribute of the thing the caller wants to act on; without any, the caller's own project
    #[arg(long, value_name = "KEY=VALUE", value_parser = attribute)]
    target: Vec<(String, String)>,
}

fn attribute(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE, as in project_id=p1")?;
    Ok((key.to_owned(), value.to_owned()))
}

impl PolicyCommand {
    pub(super) fn run(self) -> Result<ExitCode, CliError> {
        match self {
            Self::List { rules } => print(&policy::list(&rules.load()?.rules()))?,
            Self::Check { rules } => return check(&rules.load()?),
            Self::Explain(explain) => explain.run()?,
            Self::Sample => print(&policy::sample())?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl RulesArgs {
    fn load(&self) -> Result<Policy, CliError> {
        let mut config = self.config.load(None)?.policy;
        if let Some(file) = &self.file {
            config.file = Some(file.clone());
            config.dirs = Vec::new();
        }
        Ok(Policy::load(&config)?)
    }
}

fn check(policy: &Policy) -> Result<ExitCode, CliError> {
    let warnings = policy.warnings();
    let rules = policy.rules();
    let changed = rules.iter().filter(|rule| rule.origin != policy::Origin::Default).count();
    let mut text = String::new();
    for warning in &warnings {
        // Writing to a String can't fail.
        _ = writeln!(text, "warning: {warning}");
    }
    _ = writeln!(text, "{} rules, {changed} of them from files", rules.len());
    print(&text)?;
    Ok(if warnings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Explain {
    fn run(self) -> Result<(), CliError> {
        let policy = self.rules.load()?;
        let explained = runtime()?.block_on(async {
            let caller = self.caller(&policy).await;
            let target = self.target.iter().cloned();
            let target: Target = target.map(|(key, value)| (key, value.into())).collect();
            match &self.rule {
                Some(rule) => {
                    policy.explain(rule, &Credentials::new(&caller), &target).await.to_string()
                }
                None => overview(&policy, &caller, &target).await,
            }
        });
        print(&explained)
    }

    async fn caller(&self, policy: &Policy) -> Caller {
        let mut caller = Caller {
            user_id: self.user.clone(),
            project_id: (!self.system).then(|| self.project.clone()),
            system_scope: self.system.then(|| "all".to_owned()),
            roles: self.roles.clone(),
            ..Caller::default()
        };
        caller.add_implied_roles();
        caller.is_admin = policy.allows("context_is_admin", &caller, None).await;
        caller
    }
}

/// One line a rule: whether the caller is allowed.
async fn overview(policy: &Policy, caller: &Caller, target: &Target) -> String {
    let mut text = String::new();
    for rule in policy.rules() {
        let decision = policy.decide(&rule.name, &Credentials::new(caller), target).await;
        let word = match decision {
            Ok(true) => "allowed",
            Ok(false) => "refused",
            Err(_) => "failed",
        };
        _ = writeln!(text, "{word}  {}", rule.name);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_keys_and_values() {
        assert_eq!(attribute("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(attribute("a").is_err());
    }
}

//! Who may do what: the `oslo.policy` language, the reference's rules, and an operator's files over
//! them.
//!
//! Rules are compiled once, when they are loaded; deciding is pure and takes well under a
//! microsecond. Only a rule with an `http:` check waits for something. Whatever goes wrong refuses:
//! a rule that can't be read refuses everyone, a decision that fails refuses this caller even
//! inside a `not`, a file that can't be read or is malformed changes nothing (and ends the service
//! at its start).
//!
//! What differs from the `oslo.policy` package, always on the refusing side: empty values in a file
//! (`document.rs`), configured files that are missing, remote checks (`remote.rs`), nesting beyond
//! 150 levels, roles that are no list, a few Python literals and `%` conversions that no policy
//! uses. `tests/policy/` holds everything else against the package.

mod attributes;
mod check;
mod credentials;
mod defaults;
mod document;
mod evaluate;
mod explain;
mod files;
mod parser;
mod python;
mod remote;
mod report;
mod rules;
mod source;
mod template;
mod watch;
mod yaml;

use std::{cell::Cell, fmt, sync::Arc, time::Instant};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use serde_json::{Map, Value};

pub use attributes::{Attribute, CredentialAttributes};
pub use credentials::Credentials;
pub use defaults::{DefaultRule, Scope};
pub use document::DocumentError;
pub use evaluate::Failure;
pub use explain::{Explanation, Step, Verdict};
pub use files::PolicyError;
pub use report::{RuleListing, list, sample};
pub use source::Origin;
pub use watch::Watcher;

use crate::{app, config::PolicyConfig, identity::Caller};

use attributes::Target;
use evaluate::{Answer, Evaluation, Outcome, Stop, Trace};
use files::Sources;
use remote::{Question, Remote};
use rules::{Rule, RuleTable};

/// The rules in force. Clones share them.
#[derive(Clone)]
pub struct Policy {
    shared: Arc<Shared>,
}

struct Shared {
    config: PolicyConfig,
    loaded: ArcSwap<Loaded>,
    remote: Remote,
}

struct Loaded {
    sources: Sources,
    table: RuleTable,
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy").field("config", &self.shared.config).finish_non_exhaustive()
    }
}

impl Policy {
    /// Reads and compiles the rules.
    ///
    /// # Errors
    /// When a configured file or directory is missing, can't be read, or is malformed.
    pub fn load(config: &PolicyConfig) -> Result<Self, PolicyError> {
        let sources = Sources::read(config)?;
        let table = sources.compile()?;
        Ok(Self::new(config.clone(), Loaded { sources, table }))
    }

    /// The built-in rules with these put over them, as a policy file in JSON would.
    ///
    /// # Errors
    /// When `rules` is no mapping of names to rules.
    pub fn from_rules(rules: &Value) -> Result<Self, DocumentError> {
        let document = document::read_value(rules)?;
        let overrides = document.rules.into_iter().map(|(name, source)| source::Override {
            name,
            source,
            origin: Origin::File("-".into()),
        });
        let loaded =
            Loaded { sources: Sources::default(), table: RuleTable::new(overrides.collect()) };
        Ok(Self::new(PolicyConfig { file: None, dirs: Vec::new() }, loaded))
    }

    fn new(config: PolicyConfig, loaded: Loaded) -> Self {
        log_warnings(&loaded.table);
        Self {
            shared: Arc::new(Shared {
                config,
                loaded: ArcSwap::from_pointee(loaded),
                remote: Remote::default(),
            }),
        }
    }

    /// Reads the files again and takes them over at once; says whether they had changed.
    ///
    /// # Errors
    /// As [`Policy::load`]; the rules in force stay.
    pub fn reload(&self) -> Result<bool, PolicyError> {
        let sources = self.read_sources()?;
        if self.is_current(&sources) {
            return Ok(false);
        }
        self.install(sources).map(|()| true)
    }

    fn read_sources(&self) -> Result<Sources, PolicyError> {
        Sources::read(&self.shared.config)
    }

    fn is_current(&self, sources: &Sources) -> bool {
        self.shared.loaded.load().sources == *sources
    }

    fn install(&self, sources: Sources) -> Result<(), PolicyError> {
        let table = sources.compile()?;
        log_warnings(&table);
        self.shared.loaded.store(Arc::new(Loaded { sources, table }));
        tracing::info!("took over changed policy files");
        Ok(())
    }

    /// Whether the rule allows these credentials on this target, told apart from a decision that
    /// fails.
    ///
    /// As `Enforcer.enforce` of `oslo.policy`: a rule that does not exist is decided by the rule
    /// `default`. An empty target stands for the caller's own project and user, as in the
    /// reference.
    ///
    /// # Errors
    /// Where `oslo.policy` would raise, and when a remote check gives no answer.
    pub async fn decide(
        &self,
        rule: &str,
        credentials: &dyn CredentialAttributes,
        target: &Map<String, Value>,
    ) -> Result<bool, Failure> {
        let loaded = self.shared.loaded.load_full();
        self.run(&loaded, rule, credentials, target, || ()).await.0
    }

    /// What the decision consists of, check by check.
    pub async fn explain(
        &self,
        rule: &str,
        credentials: &dyn CredentialAttributes,
        target: &Map<String, Value>,
    ) -> Explanation {
        let loaded = self.shared.loaded.load_full();
        let (decision, trace) =
            self.run(&loaded, rule, credentials, target, explain::Tree::default).await;
        let found = loaded.table.find(rule);
        Explanation {
            rule: rule.to_owned(),
            verdict: Verdict::of(&decision),
            wrong_scope: found.and_then(|rule| wrong_scope(rule, credentials)),
            is_unknown: found.is_none_or(|found| *found.name != *rule),
            tree: trace.into_root(),
        }
    }

    /// Evaluates again, with a fresh trace, after each answer of a remote check.
    async fn run<T: Trace>(
        &self,
        loaded: &Loaded,
        rule: &str,
        credentials: &dyn CredentialAttributes,
        target: &Map<String, Value>,
        new_trace: fn() -> T,
    ) -> (Result<bool, Failure>, T) {
        let target = if target.is_empty() {
            Target::Caller(credentials)
        } else {
            Target::Attributes(target)
        };
        let mut answers = Vec::new();
        let mut first_asked = None;
        loop {
            let mut trace = new_trace();
            match evaluate_rule(&loaded.table, rule, credentials, target, &answers, &mut trace) {
                Ok(allowed) => return (Ok(allowed), trace),
                Err(Stop::Failed(failure)) => return (Err(failure), trace),
                Err(Stop::Ask(url)) => {
                    let since = *first_asked.get_or_insert_with(Instant::now);
                    let question =
                        Question { rule, credentials, target, asked: answers.len(), since };
                    let outcome = self.shared.remote.ask(&url, &question).await;
                    answers.push(Answer { url, outcome });
                }
            }
        }
    }

    /// All rules in force, the built-in names first.
    pub fn rules(&self) -> Vec<RuleListing> {
        let loaded = self.shared.loaded.load();
        loaded
            .table
            .iter()
            .map(|rule| RuleListing {
                name: rule.name.to_string(),
                check: rule.source.to_string(),
                origin: rule.origin.clone(),
                default: rule.default,
            })
            .collect()
    }

    /// What an operator should know about the files in force: rules that can't be read, unknown
    /// names.
    pub fn warnings(&self) -> Vec<String> {
        self.shared.loaded.load().table.warnings.clone()
    }
}

#[async_trait]
impl app::Policy for Policy {
    /// A decision that fails refuses and is logged; so does a rule that is not built in, as no
    /// route may be left to the rule `default`.
    async fn allows(&self, rule: &str, caller: &Caller, target: Option<&app::Target>) -> bool {
        let is_built_in = |found: &Rule| *found.name == *rule && found.default.is_some();
        if !self.shared.loaded.load().table.find(rule).is_some_and(is_built_in) {
            tracing::error!(rule, "no such policy rule is built in, so it refuses");
            return false;
        }
        // Whether the caller is an administrator can't depend on itself.
        let is_settled = rule != "context_is_admin";
        let credentials =
            if is_settled { Credentials::new(caller) } else { Credentials::unsettled(caller) };
        let decision = match target {
            Some(target) => self.decide(rule, &credentials, target).await,
            None => self.decide(rule, &credentials, &app::Target::new()).await,
        };
        decision.unwrap_or_else(|failure| {
            tracing::warn!(rule, %failure, "a policy decision failed and refuses");
            false
        })
    }
}

fn log_warnings(table: &RuleTable) {
    for warning in &table.warnings {
        tracing::warn!("policy: {warning}");
    }
}

fn evaluate_rule(
    table: &RuleTable,
    rule: &str,
    credentials: &dyn CredentialAttributes,
    target: Target<'_>,
    answers: &[Answer],
    trace: &mut impl Trace,
) -> Outcome {
    let Some(rule) = table.find(rule) else { return Ok(false) };
    if wrong_scope(rule, credentials).is_some() {
        return Ok(false);
    }
    Evaluation { rules: table, credentials, target, answers, steps: Cell::new(0) }.evaluate(
        &rule.check,
        0,
        trace,
    )
}

/// The token's scope and those the rule takes, if they don't match.
fn wrong_scope(
    rule: &Rule,
    credentials: &dyn CredentialAttributes,
) -> Option<(Scope, &'static [Scope])> {
    let scopes = rule.default?.scopes;
    let has = |name| credentials.attribute(name).is_some_and(Attribute::is_truthy);
    let scope = if has("system") {
        Scope::System
    } else if has("domain_id") {
        Scope::Domain
    } else {
        Scope::Project
    };
    (!scopes.is_empty() && !scopes.contains(&scope)).then_some((scope, scopes))
}

#[cfg(test)]
mod tests;

//! Asks a compiled rule about one caller and one target.
//!
//! Evaluation is pure and synchronous. A remote check whose answer is not known yet stops it with
//! [`Stop::Ask`]; the caller asks and evaluates again with the answer (see
//! [`super::Policy::decide`]).

use std::{borrow::Cow, cell::Cell};

use super::{
    attributes::{Attribute, CredentialAttributes, Target},
    check::{Check, Left, LeftKind},
    rules::RuleTable,
    template::{Template, TemplateError},
};

/// Deepest nesting of checks through all rules that refer to one another; a cycle ends here.
const MAX_DEPTH: usize = 400;

/// Most checks one decision may evaluate: rules that refer to one another can multiply without a
/// cycle.
const MAX_STEPS: u32 = 200_000;

/// Why a decision could not be made; the caller is refused, whatever stands around the check.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// A URL needs a key that the target lacks.
    #[error("the target has no \"{0}\", which a remote check's URL needs")]
    MissingKey(String),
    /// The right side of a check can't be filled in.
    #[error("the right side of {check} can't be filled in: {reason}")]
    Template {
        /// The check.
        check: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The left side of a check is no name and no literal.
    #[error("the left side of {check} is neither a name nor a literal: {reason}")]
    LeftSide {
        /// The check.
        check: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A path leads into something without names.
    #[error("{check}: the credentials have nothing named below \"{name}\"")]
    NotAMapping {
        /// The check.
        check: String,
        /// The step of the path that holds no further names.
        name: String,
    },
    /// The credentials' roles are no list of texts.
    #[error("the credentials' roles are not a list of names")]
    Roles,
    /// Checks nested too deep, or rules that refer to one another in a circle.
    #[error("the rules refer to one another in a circle, or are nested too deep")]
    TooDeep,
    /// Too many checks.
    #[error("the rules multiply beyond {MAX_STEPS} checks")]
    TooManySteps,
    /// A remote check gave no answer.
    #[error("the remote check {url} gave no answer: {reason}")]
    Remote {
        /// Where it was sent, without query.
        url: String,
        /// What went wrong.
        reason: String,
    },
}

/// Why evaluation stopped before a yes or no.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stop {
    Failed(Failure),
    /// The answer of this URL is needed.
    Ask(String),
}

pub(super) type Outcome = Result<bool, Stop>;

/// Watches an evaluation; `()` watches nothing and costs nothing.
pub(super) trait Trace {
    fn enter(&mut self, check: &Check);
    fn leave(&mut self, check: &Check, outcome: &Outcome, evaluation: &Evaluation<'_>);
}

impl Trace for () {
    fn enter(&mut self, _: &Check) {}
    fn leave(&mut self, _: &Check, _: &Outcome, _: &Evaluation<'_>) {}
}

/// An answer of a remote check.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) url: String,
    pub(super) outcome: Result<bool, Failure>,
}

/// What one evaluation looks at.
pub(super) struct Evaluation<'a> {
    pub(super) rules: &'a RuleTable,
    pub(super) credentials: &'a dyn CredentialAttributes,
    pub(super) target: Target<'a>,
    pub(super) answers: &'a [Answer],
    pub(super) steps: Cell<u32>,
}

impl<'a> Evaluation<'a> {
    pub(super) fn evaluate(
        &self,
        check: &'a Check,
        depth: usize,
        trace: &mut impl Trace,
    ) -> Outcome {
        trace.enter(check);
        let outcome = self.evaluate_inner(check, depth, trace);
        trace.leave(check, &outcome, self);
        outcome
    }

    fn evaluate_inner(&self, check: &'a Check, depth: usize, trace: &mut impl Trace) -> Outcome {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > MAX_STEPS {
            return Err(Stop::Failed(Failure::TooManySteps));
        }
        if depth > MAX_DEPTH {
            return Err(Stop::Failed(Failure::TooDeep));
        }
        match check {
            Check::Allow => Ok(true),
            Check::Deny | Check::Unreadable(_) => Ok(false),
            Check::TooDeep => Err(Stop::Failed(Failure::TooDeep)),
            Check::Not(inner) => self.evaluate(inner, depth + 1, trace).map(|allowed| !allowed),
            Check::And(checks) => self.evaluate_until(checks, false, depth, trace),
            Check::Or(checks) => self.evaluate_until(checks, true, depth, trace),
            Check::Rule(reference) => {
                let Some(rule) = reference.index.and_then(|index| self.rules.by_index(index))
                else {
                    return Ok(false);
                };
                match self.evaluate(&rule.check, depth + 1, trace) {
                    // The package takes a key missing inside a rule for the rule itself missing.
                    Err(Stop::Failed(Failure::MissingKey(_))) => Ok(false),
                    outcome => outcome,
                }
            }
            Check::Role(name) => self.has_role(check, name),
            Check::Attribute { left, right } => self.compare(check, left, right),
            Check::Remote(url) => self.ask(check, url),
        }
    }

    /// `and` stops at the first refusal, `or` at the first allowance.
    fn evaluate_until(
        &self,
        checks: &'a [Check],
        stop_at: bool,
        depth: usize,
        trace: &mut impl Trace,
    ) -> Outcome {
        for check in checks {
            if self.evaluate(check, depth + 1, trace)? == stop_at {
                return Ok(stop_at);
            }
        }
        Ok(!stop_at)
    }

    fn has_role(&self, check: &Check, name: &'a Template) -> Outcome {
        let Some(name) = self.fill_in(check, name)? else { return Ok(false) };
        match self.credentials.attribute("roles") {
            None => Ok(false),
            Some(Attribute::TextList(roles)) => {
                Ok(roles.iter().any(|role| same_ignoring_case(role, &name)))
            }
            Some(Attribute::Json(serde_json::Value::Array(roles))) => {
                let roles: Option<Vec<&str>> =
                    roles.iter().map(serde_json::Value::as_str).collect();
                let roles = roles.ok_or(Stop::Failed(Failure::Roles))?;
                Ok(roles.into_iter().any(|role| same_ignoring_case(role, &name)))
            }
            Some(_) => Err(Stop::Failed(Failure::Roles)),
        }
    }

    fn compare(&self, check: &Check, left: &'a Left, right: &'a Template) -> Outcome {
        let Some(wanted) = self.fill_in(check, right)? else { return Ok(false) };
        match &left.kind {
            LeftKind::Literal(shown) => Ok(**shown == *wanted),
            LeftKind::Invalid(reason) => {
                Err(Stop::Failed(Failure::LeftSide { check: check.to_string(), reason }))
            }
            LeftKind::Path(path) => {
                let Some((first, rest)) = path.split_first() else { return Ok(false) };
                let Some(value) = self.credentials.attribute(first) else { return Ok(false) };
                find(value, first, rest, &wanted).map_err(|name| {
                    Stop::Failed(Failure::NotAMapping {
                        check: check.to_string(),
                        name: name.to_owned(),
                    })
                })
            }
        }
    }

    /// The right side of a check for this target; `None` when the target lacks a key.
    fn fill_in(&self, check: &Check, template: &'a Template) -> Result<Option<Cow<'a, str>>, Stop> {
        match template.render(&self.target) {
            Ok(text) => Ok(Some(text)),
            Err(TemplateError::Missing(_)) => Ok(None),
            Err(TemplateError::Invalid(reason)) => {
                Err(Stop::Failed(Failure::Template { check: check.to_string(), reason }))
            }
        }
    }

    fn ask(&self, check: &Check, url: &'a Template) -> Outcome {
        let url = url.render(&self.target).map_err(|error| {
            Stop::Failed(match error {
                TemplateError::Missing(key) => Failure::MissingKey(key.into()),
                TemplateError::Invalid(reason) => {
                    Failure::Template { check: check.to_string(), reason }
                }
            })
        })?;
        match self.answers.iter().find(|answer| answer.url == url) {
            Some(answer) => answer.outcome.clone().map_err(Stop::Failed),
            None => Err(Stop::Ask(url.into_owned())),
        }
    }
}

/// Whether the value at the path is shown as `wanted`; of a list, any item. The error names where
/// there are no names to follow.
fn find<'a>(
    value: Attribute<'_>,
    name: &'a str,
    path: &'a [Box<str>],
    wanted: &str,
) -> Result<bool, &'a str> {
    use serde_json::Value;
    let items = match value {
        Attribute::TextList(items) if path.is_empty() => {
            return Ok(items.iter().any(|item| item == wanted));
        }
        Attribute::TextList(items) => return if items.is_empty() { Ok(false) } else { Err(name) },
        Attribute::Json(Value::Array(items)) => items.as_slice(),
        Attribute::Json(value) => std::slice::from_ref(value),
        _ if path.is_empty() => return Ok(value.shown() == wanted),
        _ => return Err(name),
    };
    for item in items {
        let found = match (path.split_first(), item) {
            (None, item) => Attribute::Json(item).shown() == wanted,
            (Some((first, rest)), Value::Object(map)) => match map.get(first.as_ref()) {
                Some(value) => find(Attribute::Json(value), first, rest, wanted)?,
                None => false,
            },
            (Some(_), _) => return Err(name),
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

fn same_ignoring_case(left: &str, right: &str) -> bool {
    if left.is_ascii() && right.is_ascii() {
        return left.eq_ignore_ascii_case(right);
    }
    left.to_lowercase() == right.to_lowercase()
}

//! Why a rule allows or refuses: the checks in the order they were asked, and what each one said.

use std::fmt;

use super::{
    attributes::Attribute,
    check::{Check, LeftKind},
    defaults::Scope,
    evaluate::{Evaluation, Failure, Outcome, Stop, Trace},
    template::TemplateError,
};

/// What one check, or the whole decision, came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Allowed.
    Allowed,
    /// Refused.
    Refused,
    /// Could not be decided, which refuses the whole.
    Failed(Failure),
    /// Not asked, as the outcome stood already.
    NotAsked,
}

impl Verdict {
    pub(super) fn of(decision: &Result<bool, Failure>) -> Self {
        match decision {
            Ok(true) => Self::Allowed,
            Ok(false) => Self::Refused,
            Err(failure) => Self::Failed(failure.clone()),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::Failed(_) => "failed",
            Self::NotAsked => "not asked",
        })
    }
}

/// One check of an explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The check, in the policy language.
    pub check: String,
    /// What it came to.
    pub verdict: Verdict,
    /// What the caller has and the target wants.
    pub detail: Option<String>,
    /// The checks it consists of.
    pub steps: Vec<Step>,
}

/// Why a rule allows or refuses; `Display` writes it as an indented tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The rule that was asked for.
    pub rule: String,
    /// The decision.
    pub verdict: Verdict,
    /// The token's scope and those the rule takes, when it refused for that alone.
    pub wrong_scope: Option<(Scope, &'static [Scope])>,
    /// Whether there is no such rule, so that the default rule decided.
    pub is_unknown: bool,
    /// The checks, unless the scope decided.
    pub tree: Option<Step>,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.rule, self.verdict)?;
        if let Verdict::Failed(failure) = &self.verdict {
            writeln!(f, "  because {failure}")?;
        }
        if self.is_unknown {
            writeln!(f, "  there is no rule of this name, so the rule \"default\" decides")?;
        }
        if let Some((scope, expected)) = self.wrong_scope {
            let expected =
                expected.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(" or ");
            writeln!(
                f,
                "  the token is for a {}; the rule takes one for a {expected}",
                scope.name()
            )?;
        }
        self.tree.as_ref().map_or(Ok(()), |step| write_step(f, step, 1))
    }
}

fn write_step(f: &mut fmt::Formatter<'_>, step: &Step, depth: usize) -> fmt::Result {
    write!(f, "{:indent$}{:<9}  {}", "", step.verdict, step.check, indent = depth * 2)?;
    if let Some(detail) = &step.detail {
        write!(f, "  ({detail})")?;
    }
    writeln!(f)?;
    step.steps.iter().try_for_each(|step| write_step(f, step, depth + 1))
}

/// Most steps that are kept; a decision may evaluate more checks than anyone reads.
const MAX_STEPS: usize = 2000;

/// Collects the steps of an evaluation.
#[derive(Debug, Default)]
pub(super) struct Tree {
    open: Vec<Vec<Step>>,
    root: Option<Step>,
    count: usize,
}

impl Tree {
    pub(super) fn into_root(self) -> Option<Step> {
        self.root
    }
}

impl Trace for Tree {
    fn enter(&mut self, _: &Check) {
        self.open.push(Vec::new());
    }

    fn leave(&mut self, check: &Check, outcome: &Outcome, evaluation: &Evaluation<'_>) {
        let mut steps = self.open.pop().unwrap_or_default();
        self.count += 1;
        if self.count > MAX_STEPS && !self.open.is_empty() {
            return;
        }
        if let Check::And(checks) | Check::Or(checks) = check
            && self.count <= MAX_STEPS
        {
            let asked = steps.len();
            steps.extend(checks.iter().skip(asked).map(|check| Step {
                check: check.to_string(),
                verdict: Verdict::NotAsked,
                detail: None,
                steps: Vec::new(),
            }));
        }
        let verdict = match outcome {
            Ok(allowed) => Verdict::of(&Ok(*allowed)),
            Err(Stop::Failed(failure)) => Verdict::Failed(failure.clone()),
            Err(Stop::Ask(_)) => Verdict::NotAsked,
        };
        let step = Step { check: label(check), verdict, detail: detail(check, evaluation), steps };
        match self.open.last_mut() {
            Some(parent) => parent.push(step),
            None => self.root = Some(step),
        }
    }
}

/// A check's text; what only joins others is named, as the others follow below it.
fn label(check: &Check) -> String {
    match check {
        Check::And(_) => "all of".to_owned(),
        Check::Or(_) => "any of".to_owned(),
        Check::Not(_) => "not".to_owned(),
        other => other.to_string(),
    }
}

fn detail(check: &Check, evaluation: &Evaluation<'_>) -> Option<String> {
    match check {
        Check::Unreadable(_) => Some("can't be read".to_owned()),
        Check::Rule(reference) => {
            match reference.index.and_then(|index| evaluation.rules.by_index(index)) {
                None => Some("no such rule".to_owned()),
                Some(rule) if rule.name != reference.name => {
                    Some(format!("no such rule, so \"{}\" decides", rule.name))
                }
                Some(rule) => Some(format!("from {}", rule.origin)),
            }
        }
        Check::Role(name) => {
            let roles =
                evaluation.credentials.attribute("roles").map(|roles| roles.shown().into_owned());
            let wanted = missing_key(name.render(&evaluation.target).err());
            Some(format!("the caller's roles: {}{wanted}", roles.as_deref().unwrap_or("none")))
        }
        Check::Attribute { left, right } => {
            let has = match &left.kind {
                LeftKind::Literal(shown) => format!("compares {shown:?}"),
                LeftKind::Invalid(reason) => return Some((*reason).to_owned()),
                LeftKind::Path(path) => {
                    let first = path.first()?;
                    let value = evaluation.credentials.attribute(first).map(Attribute::shown);
                    format!(
                        "the caller's {first}: {}",
                        value.map_or("not set".into(), |value| format!("{value:?}"))
                    )
                }
            };
            Some(match right.render(&evaluation.target) {
                Ok(wanted) => format!("{has}, wanted: {wanted:?}"),
                error => format!("{has}{}", missing_key(error.err())),
            })
        }
        Check::Remote(url) => url.render(&evaluation.target).ok().map(|url| format!("asked {url}")),
        _ => None,
    }
}

fn missing_key(error: Option<TemplateError>) -> String {
    match error {
        Some(TemplateError::Missing(key)) => format!(", and the target has no {key}"),
        Some(TemplateError::Invalid(reason)) => format!(", and the right side has {reason}"),
        None => String::new(),
    }
}

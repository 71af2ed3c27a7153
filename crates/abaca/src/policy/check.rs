//! The tree a rule's text becomes: what is asked, in which order.

use std::fmt;

use super::{python::ParsedKind, template::Template};

/// Deepest nesting of `not`, parentheses and lists in one rule, and of the rules it refers to.
///
/// Everything that walks a tree recurses, so this bounds the stack. The `oslo.policy` package ends
/// in a `RecursionError` at a few hundred.
pub(super) const MAX_DEPTH: usize = 150;

/// One compiled check.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Check {
    /// `@`, an empty rule.
    Allow,
    /// `!`.
    Deny,
    /// Text that is no check; refused as `!` is. Keeps the text for the explanation.
    Unreadable(Box<str>),
    /// Nested deeper than [`MAX_DEPTH`]: evaluating it fails, so that a `not` around it can't open
    /// anything.
    TooDeep,
    Not(Box<Check>),
    And(Vec<Check>),
    Or(Vec<Check>),
    /// `rule:name`.
    Rule(RuleReference),
    /// `role:name`, the name a template.
    Role(Template),
    /// `left:right`, neither `rule`, `role` nor a URL.
    Attribute {
        left: Left,
        right: Template,
    },
    /// `http:` or `https:`; the whole URL a template.
    Remote(Template),
}

/// A reference to another rule, resolved once all rules are known.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RuleReference {
    pub(super) name: Box<str>,
    /// Where the rule (or the default rule in its place) stands; `None` when there is neither.
    pub(super) index: Option<usize>,
}

/// The left side of an attribute check.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Left {
    pub(super) text: Box<str>,
    pub(super) kind: LeftKind,
}

/// What the left side of an attribute check means.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum LeftKind {
    /// A Python literal, as `str()` shows it.
    Literal(Box<str>),
    /// A path into the credentials.
    Path(Vec<Box<str>>),
    /// Neither: `oslo.policy` raises a `SyntaxError` here, so the whole decision fails.
    Invalid(&'static str),
}

impl Left {
    /// Decides once what the text left of the colon means.
    pub(super) fn parse(text: &str) -> Self {
        let kind = match super::python::parse_kind(text) {
            ParsedKind::Literal(shown) => LeftKind::Literal(shown.into()),
            ParsedKind::Expression => LeftKind::Path(text.split('.').map(Into::into).collect()),
            ParsedKind::Invalid(reason) => LeftKind::Invalid(reason),
        };
        Self { text: text.into(), kind }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allow => f.write_str("@"),
            Self::Deny => f.write_str("!"),
            Self::Unreadable(text) => f.write_str(text),
            Self::TooDeep => f.write_str("..."),
            Self::Not(inner) => write!(f, "not {inner}"),
            Self::And(checks) => write_joined(f, checks, " and "),
            Self::Or(checks) => write_joined(f, checks, " or "),
            Self::Rule(reference) => write!(f, "rule:{}", reference.name),
            Self::Role(name) => write!(f, "role:{name}"),
            Self::Attribute { left, right } => write!(f, "{}:{right}", left.text),
            Self::Remote(url) => write!(f, "{url}"),
        }
    }
}

fn write_joined(f: &mut fmt::Formatter<'_>, checks: &[Check], separator: &str) -> fmt::Result {
    f.write_str("(")?;
    for (position, check) in checks.iter().enumerate() {
        if position > 0 {
            f.write_str(separator)?;
        }
        write!(f, "{check}")?;
    }
    f.write_str(")")
}

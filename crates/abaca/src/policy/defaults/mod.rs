//! The rules that are built in: the reference's names and defaults, for the routes that exist.
//!
//! The reference also lets each rule's older default allow what the new one refuses unless
//! `enforce_new_defaults` is set; it is set by default by now, and here there is no other way.

mod access_rules;
mod base;
mod infrastructure;
mod messages;
mod quotas;
mod resource_locks;
mod share_group_types;
mod share_replicas;
mod share_types;
mod shares;
mod snapshots;

/// A token's scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The whole deployment.
    System,
    /// A domain.
    Domain,
    /// A project; also a token without any scope.
    Project,
}

impl Scope {
    /// The name as Keystone writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Domain => "domain",
            Self::Project => "project",
        }
    }
}

/// A built-in rule.
#[derive(Debug, PartialEq, Eq)]
pub struct DefaultRule {
    /// The name that routes and other rules ask for.
    pub name: &'static str,
    /// The check, in the policy language.
    pub check: &'static str,
    /// What it guards.
    pub description: &'static str,
    /// The requests it guards; none for a rule that only other rules use.
    pub operations: &'static [&'static str],
    /// The token scopes it takes; empty for any.
    pub scopes: &'static [Scope],
}

const ADMIN: &str = "rule:context_is_admin";
const ADMIN_OR_MEMBER: &str = "(rule:context_is_admin) or (rule:project-member)";
const ADMIN_OR_READER: &str = "(rule:context_is_admin) or (rule:project-reader)";

/// A rule for tokens of a project, as all routes have it.
const fn rule(
    name: &'static str,
    check: &'static str,
    description: &'static str,
    operations: &'static [&'static str],
) -> DefaultRule {
    DefaultRule { name, check, description, operations, scopes: &[Scope::Project] }
}

/// All built-in rules, those that others build on first.
pub(super) fn all() -> impl Iterator<Item = &'static DefaultRule> {
    [
        base::RULES,
        shares::RULES,
        access_rules::RULES,
        resource_locks::RULES,
        snapshots::RULES,
        share_replicas::RULES,
        share_types::RULES,
        share_group_types::RULES,
        messages::RULES,
        quotas::RULES,
        infrastructure::RULES,
    ]
    .into_iter()
    .flatten()
}

/// The built-in name most like this one, if any is close.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    all()
        .map(|rule| (strsim::jaro_winkler(rule.name, name), rule.name))
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .filter(|(likeness, _)| *likeness > 0.9)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::{Value, json};

    use super::*;

    /// The reference's rules, as the contract gives them.
    fn reference() -> BTreeMap<String, Value> {
        let rules: Vec<Value> =
            serde_json::from_str(include_str!("../../../tests/policy/reference-defaults.json"))
                .unwrap();
        rules.into_iter().map(|rule| (rule["name"].as_str().unwrap().to_owned(), rule)).collect()
    }

    #[test]
    fn every_rule_is_the_references() {
        let reference = reference();
        for rule in all() {
            let theirs = reference
                .get(rule.name)
                .unwrap_or_else(|| panic!("{} is not the reference's", rule.name));
            assert_eq!(theirs["check"], rule.check, "{}", rule.name);
            let scopes: Vec<&str> = rule.scopes.iter().map(|scope| scope.name()).collect();
            assert_eq!(
                theirs.get("scope").filter(|scope| !scope.is_null()).unwrap_or(&json!([])),
                &json!(scopes),
                "{}",
                rule.name
            );
            assert!(rule.description.ends_with('.'), "{}", rule.name);
        }
    }

    #[test]
    fn every_rule_stands_once() {
        let names: BTreeSet<&str> = all().map(|rule| rule.name).collect();
        assert_eq!(names.len(), all().count());
    }
}

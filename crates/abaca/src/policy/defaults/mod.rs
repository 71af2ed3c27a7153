//! The rules that are built in: the reference's names and defaults, for the routes that exist.
//!
//! The reference also lets each rule's older default allow what the new one refuses unless
//! `enforce_new_defaults` is set; it is set by default by now, and here there is no other way.

mod base;
mod infrastructure;
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
    [base::RULES, shares::RULES, snapshots::RULES, share_types::RULES, infrastructure::RULES]
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

    /// The reference's rules, from the contract beside the checkout.
    fn reference() -> BTreeMap<String, Value> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .map(|folder| folder.join("shared/api/policy-defaults.json"))
            .find(|path| path.is_file())
            .expect("shared/api/policy-defaults.json above the checkout");
        let rules: Vec<Value> =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
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
    fn only_rules_of_later_routes_are_left_out() {
        let ours: BTreeSet<&str> = all().map(|rule| rule.name).collect();
        assert_eq!(ours.len(), all().count(), "a name stands twice");
        let of_later_routes = |name: &str| {
            let (resource, operation) = name.split_once(':').unwrap_or((name, ""));
            match resource {
                "share" => {
                    operation.starts_with("migration_")
                        || operation.ends_with("_metadata")
                        || operation.contains("access")
                        || [
                            "soft_delete",
                            "restore",
                            "manage",
                            "unmanage",
                            "reset_task_state",
                            "revert_to_snapshot",
                        ]
                        .contains(&operation)
                }
                "share_snapshot" => {
                    operation.ends_with("_metadata")
                        || operation.contains("access")
                        || operation.contains("manage_snapshot")
                }
                "share_export_location" => operation.ends_with("_metadata"),
                "service" => operation == "ensure_shares",
                _ => [
                    "share_server",
                    "quota",
                    "resource_lock",
                    "share_group",
                    "share_replica",
                    "share_network",
                    "security_service",
                    "message",
                    "share_access",
                    "share_transfer",
                    "share_backup",
                    "qos_type",
                ]
                .iter()
                .any(|later| resource.starts_with(later)),
            }
        };
        let missing: Vec<String> = reference()
            .into_keys()
            .filter(|name| !ours.contains(name.as_str()) && !of_later_routes(name))
            .collect();
        assert_eq!(missing, Vec::<String>::new());
        let too_early: Vec<&str> = ours.into_iter().filter(|name| of_later_routes(name)).collect();
        assert_eq!(too_early, Vec::<&str>::new());
    }
}

//! What `abaca policy list` and `abaca policy sample` print.

use std::fmt::Write as _;

use super::{
    defaults::{self, DefaultRule, Scope},
    source::Origin,
};

/// A rule in force, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleListing {
    /// The name.
    pub name: String,
    /// The check as it was written.
    pub check: String,
    /// Where it was written.
    pub origin: Origin,
    /// What is built in under this name, with description, operations and scopes.
    pub default: Option<&'static DefaultRule>,
}

/// One line a rule: name, check, and the file it comes from if it is not built in.
pub fn list(rules: &[RuleListing]) -> String {
    let width = rules.iter().map(|rule| rule.name.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for rule in rules {
        let check = if rule.check.is_empty() { "\"\"" } else { &rule.check };
        let origin = match &rule.origin {
            Origin::Default => String::new(),
            Origin::File(path) => format!("  # {}", path.display()),
        };
        // Writing to a String can't fail.
        _ = writeln!(out, "{:<width$}  {}{origin}", rule.name, check.replace('\n', " "));
    }
    out
}

/// A policy.yaml with every built-in rule commented out, described, with the requests it guards.
pub fn sample() -> String {
    let mut out = String::from(
        "# Rules of Abaca, with their built-in checks. To change one, take the # from its line.\n\
         # Language: https://docs.openstack.org/oslo.policy/latest/admin/policy-yaml-file.html\n",
    );
    for rule in defaults::all() {
        _ = writeln!(out, "\n# {}", rule.description);
        for operation in rule.operations {
            _ = writeln!(out, "# {operation}");
        }
        if !rule.scopes.is_empty() {
            let scopes =
                rule.scopes.iter().copied().map(Scope::name).collect::<Vec<_>>().join(", ");
            _ = writeln!(out, "# Token scope: {scopes}");
        }
        _ = writeln!(out, "#\"{}\": \"{}\"", rule.name, rule.check);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::document;

    #[test]
    fn the_sample_uncommented_is_the_defaults() {
        let text: String = sample()
            .lines()
            .filter_map(|line| line.strip_prefix("#\""))
            .map(|line| format!("\"{line}\n"))
            .collect();
        let rules = document::read(&text, false).unwrap().rules;
        let expected: Vec<_> =
            defaults::all().map(|rule| (rule.name.to_owned(), rule.check.to_owned())).collect();
        assert_eq!(
            rules.into_iter().map(|(name, source)| (name, source.to_string())).collect::<Vec<_>>(),
            expected
        );
        assert_eq!(document::read(&sample(), false).unwrap().rules, []);
    }
}

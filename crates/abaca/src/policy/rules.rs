//! All rules in force, compiled, each knowing where it came from.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{
    check::{Check, LeftKind},
    defaults::{self, DefaultRule},
    parser,
    source::{Origin, Override, RuleSource},
};

/// The rule asked in place of one that does not exist.
const DEFAULT_RULE: &str = "default";

/// One rule in force.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: Box<str>,
    pub(super) source: RuleSource,
    pub(super) origin: Origin,
    pub(super) check: Check,
    /// What is built in under this name.
    pub(super) default: Option<&'static DefaultRule>,
}

/// All rules in force.
#[derive(Debug)]
pub(super) struct RuleTable {
    rules: Vec<Rule>,
    by_name: HashMap<Box<str>, usize>,
    /// What an operator should know about the files.
    pub(super) warnings: Vec<String>,
}

impl RuleTable {
    /// The built-in rules with the overrides put over them, a later one over an earlier one.
    pub(super) fn new(overrides: Vec<Override>) -> Self {
        let mut table = Self { rules: Vec::new(), by_name: HashMap::new(), warnings: Vec::new() };
        for default in defaults::all() {
            table.put(
                default.name,
                RuleSource::Text(default.check.to_owned()),
                Origin::Default,
                Some(default),
            );
        }
        for Override { name, source, origin } in overrides {
            table.put(&name, source, origin, None);
        }
        let references = table.compile();
        table.warn_unknown(&references);
        table.warn_circles(&references);
        table
    }

    fn put(
        &mut self,
        name: &str,
        source: RuleSource,
        origin: Origin,
        default: Option<&'static DefaultRule>,
    ) {
        match self.by_name.get(name).and_then(|index| self.rules.get_mut(*index)) {
            Some(rule) => (rule.source, rule.origin) = (source, origin),
            None => {
                self.by_name.insert(name.into(), self.rules.len());
                self.rules.push(Rule {
                    name: name.into(),
                    source,
                    origin,
                    check: Check::Deny,
                    default,
                });
            }
        }
    }

    /// Compiles every rule; gives who refers to whom, by number.
    fn compile(&mut self) -> Vec<(usize, usize)> {
        let (by_name, warnings) = (&self.by_name, &mut self.warnings);
        let fallback = by_name.get(DEFAULT_RULE).copied();
        let mut references = Vec::new();
        for (number, rule) in self.rules.iter_mut().enumerate() {
            let name = &rule.name;
            let mut warn = |what: &str| warnings.push(format!("rule \"{name}\": {what}"));
            let parsed = parser::parse(&rule.source);
            rule.check = parsed.check;
            parsed.warnings.iter().for_each(|warning| warn(warning));
            visit(&mut rule.check, &mut |check| match check {
                Check::Rule(reference) => {
                    reference.index = by_name.get(&reference.name).copied().or(fallback);
                    references.extend(reference.index.map(|to| (number, to)));
                    if !by_name.contains_key(&reference.name) {
                        warn(&format!("refers to \"{}\", which is not defined", reference.name));
                    }
                }
                Check::Attribute { left, .. } => {
                    if let LeftKind::Invalid(reason) = left.kind {
                        let text = &left.text;
                        warn(&format!(
                            "\"{text}\" left of a colon is {reason}; whoever reaches it is refused"
                        ));
                    }
                }
                _ => {}
            });
        }
        references
    }

    /// A rule that no route and no other rule asks is probably a slip of the pen.
    fn warn_unknown(&mut self, references: &[(usize, usize)]) {
        let referenced: HashSet<usize> = references.iter().map(|(_, to)| *to).collect();
        for (number, rule) in self.rules.iter().enumerate() {
            if rule.default.is_none() && !referenced.contains(&number) {
                let (name, origin) = (&rule.name, &rule.origin);
                let nearest = defaults::nearest(name)
                    .map_or_else(String::new, |name| format!("; did you mean \"{name}\"?"));
                self.warnings.push(format!(
                    "rule \"{name}\" in {origin} is asked by no route and no rule{nearest}"
                ));
            }
        }
    }

    /// Takes away the rules that refer to none left, then those none left refers to: what stays is
    /// in circles or between them.
    fn warn_circles(&mut self, references: &[(usize, usize)]) {
        let count = self.rules.len();
        let leading_in = trim(references, count, |(from, to)| (from, to));
        let circles = trim(&leading_in, count, |(from, to)| (to, from));
        let numbers: BTreeSet<usize> = circles.iter().map(|(from, _)| *from).collect();
        let names: Vec<&str> = numbers
            .iter()
            .filter_map(|number| self.rules.get(*number))
            .map(|rule| rule.name.as_ref())
            .collect();
        if !names.is_empty() {
            self.warnings.push(format!(
                "these rules refer to one another in a circle; whoever reaches it is refused: {}",
                names.join(", ")
            ));
        }
    }

    /// All rules, the built-in ones first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    pub(super) fn by_index(&self, index: usize) -> Option<&Rule> {
        self.rules.get(index)
    }

    /// The rule of this name, or the default rule in its place.
    pub(super) fn find(&self, name: &str) -> Option<&Rule> {
        self.by_name
            .get(name)
            .or_else(|| self.by_name.get(DEFAULT_RULE))
            .and_then(|index| self.rules.get(*index))
    }
}

/// Drops, again and again, the edges into nodes that have none going out.
fn trim(
    edges: &[(usize, usize)],
    nodes: usize,
    direction: fn((usize, usize)) -> (usize, usize),
) -> Vec<(usize, usize)> {
    let mut outgoing = vec![0_usize; nodes];
    let mut incoming: Vec<Vec<usize>> = vec![Vec::new(); nodes];
    for (from, to) in edges.iter().copied().map(direction) {
        outgoing[from] += 1;
        incoming[to].push(from);
    }
    let mut done: Vec<usize> = (0..nodes).filter(|node| outgoing[*node] == 0).collect();
    while let Some(node) = done.pop() {
        for &from in &incoming[node] {
            outgoing[from] -= 1;
            if outgoing[from] == 0 {
                done.push(from);
            }
        }
    }
    edges.iter().copied().filter(|edge| outgoing[edge.0] > 0 && outgoing[edge.1] > 0).collect()
}

/// Calls `on` for every check of a tree; the parser bounds its depth.
fn visit(check: &mut Check, on: &mut impl FnMut(&mut Check)) {
    on(check);
    match check {
        Check::Not(inner) => visit(inner, on),
        Check::And(checks) | Check::Or(checks) => {
            checks.iter_mut().for_each(|check| visit(check, on))
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(rules: &[(&str, &str)]) -> Vec<String> {
        let overrides = rules
            .iter()
            .map(|(name, text)| Override {
                name: (*name).to_owned(),
                source: RuleSource::Text((*text).to_owned()),
                origin: Origin::File("policy.yaml".into()),
            })
            .collect();
        RuleTable::new(overrides).warnings
    }

    #[test]
    fn the_built_in_rules_give_no_warning() {
        assert_eq!(warnings(&[]), Vec::<String>::new());
    }

    #[test]
    fn an_alias_is_fine_and_an_unknown_name_is_reported_with_the_nearest() {
        assert_eq!(
            warnings(&[("auditor", "role:auditor"), ("share:get", "rule:auditor")]),
            Vec::<String>::new()
        );
        let found = warnings(&[("share:gett", "@")]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("did you mean \"share:get\"?"), "{found:?}");
    }

    #[test]
    fn undefined_references_circles_and_nonsense_are_reported() {
        let found =
            warnings(&[("share:get", "rule:nowhere"), ("share:create", "nonsense or $x:1")])
                .join("\n");
        for expected in
            ["refers to \"nowhere\"", "\"nonsense\" is no check", "\"$x\" left of a colon"]
        {
            assert!(found.contains(expected), "{expected}: {found}");
        }
        let found = warnings(&[
            ("share:get", "rule:share:update"),
            ("share:update", "not rule:share:delete"),
            ("share:delete", "rule:share:update"),
        ]);
        assert_eq!(found.len(), 1);
        assert!(found[0].ends_with(": share:update, share:delete"), "{found:?}");
    }
}

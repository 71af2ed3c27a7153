//! The contents of a policy file: YAML 1.1 as PyYAML's safe loader reads it, or JSON.
//!
//! One thing is stricter than `oslo.policy`: a rule that is `null`, `false`, `0` or `{}` there
//! allows everyone (`rule: !` is such a null), and refuses the whole file here. Who wants that
//! writes `""` or `"@"`.

use serde_json::Value;

use super::{source::RuleSource, yaml};

/// A value in a file, as far as rules care.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Text(String),
    /// A scalar that is no text: null, a truth value, a number, a date.
    Scalar {
        /// What to call it in an error.
        kind: &'static str,
        /// Whether Python's `if` takes it for true.
        truthy: bool,
    },
    Sequence(Vec<Node>),
    Mapping(Vec<(Node, Node)>),
}

/// What is wrong with a file's contents.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// It is neither YAML nor JSON.
    #[error("line {line}, column {column}: {reason}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// What the reader expected.
        reason: String,
    },
    /// It is no mapping of names to rules.
    #[error("expected a mapping of rule names to checks, found {0}")]
    NotAMapping(&'static str),
    /// A name is no text.
    #[error("expected rule names, found {0} in place of one (quote it if it is meant as a name)")]
    Name(&'static str),
    /// A rule is neither text nor a list.
    #[error(
        "rule \"{rule}\": expected a check as text or a list of lists of checks, found {found} \
         (\"\" or \"@\" allows everyone)"
    )]
    Rule {
        /// Its name.
        rule: String,
        /// What stands there.
        found: &'static str,
    },
}

/// The rules of one file, in order.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Document {
    pub(super) rules: Vec<(String, RuleSource)>,
    /// Names that stand there more than once; the last one counts.
    pub(super) repeated: Vec<String>,
}

/// Reads a file's text; a JSON file may also be anything that is YAML, as it is for `oslo.policy`.
pub(super) fn read(text: &str, is_json: bool) -> Result<Document, DocumentError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let json = if is_json { serde_json::from_str::<Value>(text).ok() } else { None };
    match json {
        Some(value) => from_node(Node::from(&value)),
        None => from_node(yaml::parse(text)?),
    }
}

/// Reads rules that are JSON already.
pub(super) fn read_value(value: &Value) -> Result<Document, DocumentError> {
    from_node(Node::from(value))
}

fn from_node(root: Node) -> Result<Document, DocumentError> {
    let entries = match root {
        Node::Mapping(entries) => entries,
        // An empty file has no rules.
        Node::Scalar { kind: "null", .. } => Vec::new(),
        other => return Err(DocumentError::NotAMapping(other.kind())),
    };
    let mut document = Document::default();
    let mut seen = std::collections::HashSet::new();
    for (name, rule) in entries {
        let Node::Text(name) = name else { return Err(DocumentError::Name(name.kind())) };
        let source =
            rule_source(rule).map_err(|found| DocumentError::Rule { rule: name.clone(), found })?;
        if !seen.insert(name.clone()) {
            document.repeated.push(name.clone());
        }
        document.rules.push((name, source));
    }
    Ok(document)
}

/// The error is what was found instead.
fn rule_source(node: Node) -> Result<RuleSource, &'static str> {
    match node {
        Node::Text(text) => Ok(RuleSource::Text(text)),
        Node::Sequence(items) => {
            items.into_iter().map(alternative).collect::<Result<_, _>>().map(RuleSource::List)
        }
        other => Err(other.kind()),
    }
}

fn alternative(node: Node) -> Result<Vec<Option<String>>, &'static str> {
    match node {
        Node::Text(text) if text.is_empty() => Ok(Vec::new()),
        Node::Text(text) => Ok(vec![Some(text)]),
        Node::Sequence(items) => Ok(items
            .into_iter()
            .map(|item| if let Node::Text(text) = item { Some(text) } else { None })
            .collect()),
        Node::Scalar { truthy: false, .. } => Ok(Vec::new()),
        other => Err(other.kind()),
    }
}

impl Node {
    fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Scalar { kind, .. } => kind,
            Self::Sequence(_) => "a list",
            Self::Mapping(_) => "a mapping",
        }
    }
}

impl From<&Value> for Node {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Scalar { kind: "null", truthy: false },
            Value::Bool(value) => Self::Scalar { kind: "a truth value", truthy: *value },
            Value::Number(number) => {
                Self::Scalar { kind: "a number", truthy: number.as_f64() != Some(0.0) }
            }
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(items) => Self::Sequence(items.iter().map(Self::from).collect()),
            Value::Object(map) => Self::Mapping(
                map.iter()
                    .map(|(name, item)| (Self::Text(name.clone()), Self::from(item)))
                    .collect(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<(String, String)> {
        read(text, false)
            .unwrap()
            .rules
            .into_iter()
            .map(|(name, source)| (name, source.to_string()))
            .collect()
    }

    fn pair(name: &str, rule: &str) -> (String, String) {
        (name.to_owned(), rule.to_owned())
    }

    #[test]
    fn yaml_styles_aliases_and_merges() {
        assert_eq!(rules(""), []);
        assert_eq!(rules("# nothing\n---\n"), []);
        assert_eq!(
            rules("a: role:x and project_id:%(project_id)s"),
            [pair("a", "role:x and project_id:%(project_id)s")]
        );
        assert_eq!(
            rules("'a:b': \"@\"\nc: '!'\nd: ''"),
            [pair("a:b", "@"), pair("c", "!"), pair("d", "")]
        );
        assert_eq!(rules("a: >\n  role:x\n  or role:y\n"), [pair("a", "role:x or role:y\n")]);
        assert_eq!(rules("a: &x role:x\nb: *x"), [pair("a", "role:x"), pair("b", "role:x")]);
        assert_eq!(rules("a: !!str 5"), [pair("a", "5")]);
        assert_eq!(
            rules("a: [[role:x, role:y], role:z, ['']]"),
            [pair("a", r#"[["role:x","role:y"],["role:z"],[""]]"#)]
        );
        assert_eq!(rules("\u{feff}a: \"role:\\u00fc\""), [pair("a", "role:ü")]);
    }

    #[test]
    fn json_is_read_with_tabs_and_escapes() {
        let text = "{\n\t\"a\":\t\"role:\\ud83d\\ude00\",\n\t\"b\": [[\"role:x\"]]}";
        assert_eq!(
            read(text, true).unwrap().rules[0],
            ("a".to_owned(), RuleSource::Text("role:😀".to_owned()))
        );
        let with_comment = "# a comment\n{\"a\": \"role:x\",}";
        assert_eq!(
            read(with_comment, true).unwrap().rules,
            [("a".to_owned(), RuleSource::Text("role:x".to_owned()))]
        );
    }

    #[test]
    fn what_would_open_a_rule_by_accident_refuses_the_file() {
        for value in ["", "~", "null", "false", "no", "0", "0.0", "{}", "!", "&x", "0x0", "-0"] {
            let found = read(&format!("a: {value}"), false);
            assert!(matches!(found, Err(DocumentError::Rule { .. })), "{value}: {found:?}");
        }
        for value in
            ["true", "12", "1.5", "2020-01-01", "{role: x}", "[{a: b}]", "[5]", "1:30", "="]
        {
            let found = read(&format!("a: {value}"), false);
            assert!(matches!(found, Err(DocumentError::Rule { .. })), "{value}: {found:?}");
        }
    }

    #[test]
    fn malformed_files_say_where_and_what() {
        for text in [
            "a: [",
            "a: b: c",
            "a: @",
            "a: %x",
            "a: 'x",
            "- a",
            "text",
            "a: *nowhere",
            "a: !!python/name:os.system x",
            "a: 1\n---\nb: 2",
            "yes: role:x",
            "[a]: role:x",
            "a: `x",
        ] {
            assert!(read(text, false).is_err(), "{text}");
        }
        let Err(DocumentError::Syntax { line, .. }) = read("a: role:x\nb: [", false) else {
            panic!("no syntax error")
        };
        assert!(line >= 2, "{line}");
    }

    #[test]
    fn nothing_in_a_file_overflows_or_explodes() {
        assert!(read(&format!("a: {}", "[".repeat(100_000)), false).is_err());
        assert!(read(&"- ".repeat(100_000), false).is_err());
        let mut bomb = format!("a0: &a0 [[{}]]\n", ["role:x"; 10].join(", "));
        for level in 1..9 {
            let previous = format!("*a{}", level - 1);
            bomb += &format!("a{level}: &a{level} [{}]\n", vec![previous; 10].join(", "));
        }
        assert!(read(&bomb, false).is_err());
    }

    #[test]
    fn a_repeated_name_is_reported() {
        let document = read("a: role:x\na: role:y", false).unwrap();
        assert_eq!(document.repeated, ["a"]);
        assert_eq!(document.rules.len(), 2);
    }
}

//! Random rules, credentials and targets.
//!
//! What the module documentation of `abaca::policy` names as stricter than `oslo.policy` is left
//! out: rules that are null, false, zero or a mapping, remote checks, and nesting that nobody
//! writes.

use proptest::{collection, prelude::*, sample::select};
use serde_json::{Map, Value, json};

/// Names that turn up in rules, credentials and targets alike, so that they meet.
const NAMES: &[&str] = &[
    "user_id",
    "project_id",
    "domain_id",
    "system_scope",
    "system",
    "is_admin",
    "roles",
    "a",
    "b",
    "c",
    "user-id",
    "target.a",
    "a.b",
    "é",
    "名",
];

const WORDS: &[&str] = &[
    "u",
    "p",
    "x",
    "admin",
    "Admin",
    "ADMIN",
    "member",
    "reader",
    "",
    "None",
    "True",
    "False",
    "1",
    "0",
    "-3",
    "1.0",
    "1e+16",
    "straße",
    "STRASSE",
    "ΟΔΟΣ",
    "οδος",
    "İ",
    "it's",
    "a\"b",
    "tab\there",
    "new\nline",
    "back\\slash",
    "名前",
    "🦀",
    "\u{a0}",
    "\u{200b}",
    "\u{7f}",
    "%",
    "a:b",
    "(",
    ")",
];

const RULES: &[&str] = &[
    "r",
    "s",
    "t",
    "u",
    "default",
    "share:get",
    "share:create",
    "context_is_admin",
    "project-reader",
    "admin_api",
    "admin_or_owner",
    "nowhere",
];

/// Left sides: literals, names, expressions, and what is no expression.
const LEFTS: &[&str] = &[
    "user_id",
    "project_id",
    "is_admin",
    "roles",
    "a",
    "a.b",
    "a.b.c",
    "a.c",
    "b",
    "user-id",
    "é",
    "名",
    "True",
    "False",
    "None",
    "'x'",
    "\"x\"",
    "'admin'",
    "u'x'",
    "b'x'",
    "r'\\n'",
    "'\\x78'",
    "''",
    "1",
    "-3",
    "1.0",
    "1e16",
    "01",
    "0x1",
    "1_0",
    "...",
    "()",
    "[]",
    "{}",
    "(1,)",
    "1,",
    "['x']",
    "{'x'}",
    "set()",
    "1j",
    "1+1j",
    "f'x'",
    "f(x)",
    "a[0]",
    "a,b",
    "lambda",
    "class",
    "a..b",
    "a.",
    ".a",
    "$",
    "a.0",
    "-a",
    "not",
    "'x",
    "'a'b'c'",
    "(a",
    "a=b",
    "",
    "@",
    "!",
    "Role",
    "RULE",
    "a#b",
    "~1",
    "--1",
    "-True",
    "1if(1)else(2)",
    "[x]",
    "(yield)",
    "a*b",
    "*a",
    "a!b",
    "`a`",
    "\u{200b}",
    "a/b",
    "[1,2]",
    "('a','b')",
    "99999999999999999999",
    "1.",
    ".5",
    "1e999",
    "-0.0",
    "0_0",
    "'it\\'s'",
    "'a''b'",
    "'\\u00e9'",
    "b'\\xff'",
    "rb'x'",
    "a@b",
    "a<b",
];

/// Formats after a key.
const FORMATS: &[&str] = &[
    "s", "s", "s", "s", "s", "s", "r", "d", "5s", "-5s", ".1s", "x", "q", "", "%", "c", "a", "05d",
    "+d", "i", "ls",
];

/// Right sides that are no usual template.
const ODD_TEMPLATES: &[&str] =
    &["%s", "%%", "%", "%(", "%(a", "%(a(b))s", "%d", "%(a)s%s", "%5", "%(a)", "%5%", "%%%(a)s"];

/// Tokens of the language, and words that look like some.
const TOKENS: &[&str] = &[
    "and", "or", "not", "(", ")", "((", "))", "'q'", "\"q\"", "", "nonsense", "(@", "@)", "('q')",
    "and)", "(or",
];

fn float() -> impl Strategy<Value = f64> {
    let any_finite = any::<f64>().prop_filter("JSON has no other", |float| float.is_finite());
    prop_oneof![1 => select(vec![1.0, 1e16, 1e15, 1.5e-7, 1e-4, -0.0, 123_456.789]), 1 => any_finite]
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![8 => select(WORDS).prop_map(str::to_owned), 1 => "[a-z]{1,3}"]
}

/// The right side of a check.
fn template() -> impl Strategy<Value = String> {
    let key =
        (select(NAMES), select(FORMATS)).prop_map(|(key, format)| format!("%({key}){format}"));
    prop_oneof![
        4 => word(),
        6 => select(NAMES).prop_map(|key| format!("%({key})s")),
        2 => key.clone(),
        2 => (word(), key, word()).prop_map(|(before, key, after)| before + &key + &after),
        1 => select(ODD_TEMPLATES).prop_map(str::to_owned),
    ]
}

/// One check, well formed or not, that may hold white space.
fn check() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => select(vec!["@", "!"]).prop_map(str::to_owned),
        5 => template().prop_map(|name| format!("role:{name}")),
        4 => select(RULES).prop_map(|name| format!("rule:{name}")),
        8 => (select(LEFTS), template()).prop_map(|(left, right)| format!("{left}:{right}")),
        3 => (select(NAMES), select(NAMES)).prop_map(|(left, right)| format!("{left}:%({right})s")),
        1 => word().prop_filter("no URL", |word| !word.starts_with("http")),
    ]
}

/// A rule's text, mostly well formed.
fn expression() -> impl Strategy<Value = String> {
    let leaf = check();
    leaf.prop_recursive(4, 24, 3, |inner| {
        let operator = select(vec![" and ", " or ", " AND ", " oR ", "  and\t", "\nor "]);
        prop_oneof![
            3 => (inner.clone(), operator, inner.clone())
                .prop_map(|(left, operator, right)| left + operator + &right),
            2 => inner.clone().prop_map(|inner| format!("({inner})")),
            2 => inner.clone().prop_map(|inner| format!("not {inner}")),
            1 => inner.prop_map(|inner| format!("( {inner} )")),
        ]
    })
}

/// A rule's text whose tokens are in no order.
fn jumble() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        3 => check(),
        2 => select(TOKENS).prop_map(str::to_owned),
    ];
    let space = select(vec![" ", " ", " ", "  ", "\t", "\n", "\u{a0}", "\x1c", ""]);
    collection::vec((token, space), 0..7).prop_map(|tokens| {
        tokens.into_iter().flat_map(|(token, space)| [token, space.to_owned()]).collect()
    })
}

/// The old list syntax, with what doesn't belong there.
fn list() -> impl Strategy<Value = Value> {
    let item = prop_oneof![
        12 => check().prop_map(Value::from),
        1 => select(vec![json!(null), json!(5), json!(true), json!([]), json!(["@"]), json!("")]),
    ];
    let alternative = prop_oneof![
        8 => collection::vec(item, 0..4).prop_map(Value::from),
        3 => check().prop_map(Value::from),
        1 => select(vec![json!(null), json!(""), json!(0), json!(5), json!(true), json!(1.5)]),
    ];
    collection::vec(alternative, 0..4).prop_map(Value::from)
}

fn rule() -> impl Strategy<Value = Value> {
    prop_oneof![
        10 => expression().prop_map(Value::from),
        3 => jumble().prop_map(Value::from),
        3 => list(),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        6 => word().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => (-4_i64..4).prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => float().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            collection::btree_map(select(NAMES).prop_map(str::to_owned), inner, 0..3)
                .prop_map(|map| map.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

fn attributes() -> impl Strategy<Value = Map<String, Value>> {
    collection::btree_map(select(NAMES).prop_map(str::to_owned), value(), 0..8)
        .prop_map(|map| map.into_iter().collect())
}

/// Roles as a list of names, mostly; as a text or a mapping Python would go through their
/// characters or keys.
fn roles() -> impl Strategy<Value = Option<Value>> {
    let names = collection::vec(word(), 0..4).prop_map(|names| Some(json!(names)));
    let usual = collection::vec(select(vec!["admin", "member", "reader"]), 0..3)
        .prop_map(|names| Some(json!(names)));
    let odd = select(vec![
        None,
        Some(json!(null)),
        Some(json!(5)),
        Some(json!(true)),
        Some(json!(["a", 5])),
        Some(json!([["a"]])),
    ]);
    prop_oneof![6 => usual, 4 => names, 1 => odd]
}

fn credentials() -> impl Strategy<Value = Map<String, Value>> {
    (attributes(), roles(), proptest::bool::weighted(0.7)).prop_map(
        |(mut credentials, roles, is_plain)| {
            credentials.remove("roles");
            credentials.extend(roles.map(|roles| ("roles".to_owned(), roles)));
            if is_plain {
                for name in ["system", "system_scope", "domain_id"] {
                    credentials.remove(name);
                }
            }
            credentials
        },
    )
}

/// A whole case, as the peer takes it.
pub(crate) fn case() -> impl Strategy<Value = Value> {
    let names = select(&RULES[..RULES.len() - 1]).prop_map(str::to_owned);
    let rules = collection::btree_map(names, rule(), 1..5);
    let asked = prop_oneof![5 => Just("r"), 3 => select(RULES)];
    (rules, rule(), asked, credentials(), attributes()).prop_map(
        |(mut rules, first, asked, credentials, target)| {
            rules.insert("r".to_owned(), first);
            json!({"rules": rules, "rule": asked, "credentials": credentials, "target": target})
        },
    )
}

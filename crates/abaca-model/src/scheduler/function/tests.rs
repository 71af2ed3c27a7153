use proptest::prelude::*;
use serde_json::json;

use super::*;

/// An expression and, behind a tab, what the reference's evaluator makes of it: a number, a
/// boolean, a text in quotes, or `error`. Computed with manila 23 and pyparsing 3.2.3, from which
/// 3.0.9 and 2.4.7 do not differ; with pyparsing 3.3 the reference reads no variable at all.
const CASES: &str = include_str!("cases.tsv");

/// What the cases look at.
fn with_variables<T>(look: impl FnOnce(Variables<'_>) -> T) -> T {
    let extra = [("speed", "5"), ("tier", "gold"), ("ratio", "1.5"), ("flag", "<is> True")];
    let extra = extra.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let stats = json!({
        "total_capacity_gb": 100.9, "free_capacity_gb": 40, "provisioned_capacity_gb": 60,
        "unknown": "unknown", "host": "h@b#p",
    });
    let capabilities = json!({
        "dedupe": true, "compression": false, "nothing": null, "list": [1], "iops": 1500,
        "name": "fast", "ipv6_support": true,
    });
    let share = json!({"size": 10, "is_public": false, "share_proto": "NFS"});
    let object = |value: &Json| value.as_object().unwrap().clone();
    look(Variables {
        extra: &extra,
        stats: &object(&stats),
        capabilities: &object(&capabilities),
        share: &object(&share),
    })
}

fn value(text: &str) -> Result<Value, FunctionError> {
    let function: Function = text.parse()?;
    with_variables(|variables| evaluate::evaluate(&function.0, variables))
}

fn is_expected(found: &Result<Value, FunctionError>, expected: &str) -> bool {
    match found {
        Err(_) => expected == "error",
        Ok(Value::Number(number)) => expected
            .parse()
            .is_ok_and(|expected: f64| (number - expected).abs() <= 1e-12 * expected.abs()),
        Ok(other) => other.to_string() == expected,
    }
}

#[test]
fn values_are_those_of_the_reference() {
    let wrong: Vec<String> = CASES
        .lines()
        .filter_map(|line| {
            let (text, expected) = line.split_once('\t').unwrap();
            let found = value(text);
            let told = format!("{text}: {found:?}, expected {expected}");
            (!is_expected(&found, expected)).then_some(told)
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn values_are_better_than_the_reference_s() {
    let cases = [
        // The reference ignores what follows the second operand.
        ("1 and 1 and 0", "0"),
        ("0 or 0 or 1", "1"),
        ("0 ? 2 : 0 ? 4 : 5", "5"),
        // It takes a word before another word for a function.
        ("capabilities.dedupe and 5", "5"),
        ("stats.host or not 1", "\"h@b#p\""),
        // Its names have no digits.
        ("capabilities.ipv6_support == 1", "true"),
        // It adds, repeats and counts texts and lists, and has complex numbers.
        ("\"a\" + \"b\"", "error"),
        ("\"a\" * 3", "error"),
        ("1, 2", "error"),
        ("(-8) ^ 0.5", "error"),
        ("nan", "error"),
    ];
    for (text, expected) in cases {
        let found = value(text);
        assert!(is_expected(&found, expected), "{text}: {found:?}, expected {expected}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    let cases = [
        ("", "at character 1: expected an operand, found the end"),
        ("share.size <", "at character 13: expected an operand, found the end"),
        ("1 2", "at character 3: expected an operator or the end, found 2"),
        ("(1", "at character 3: expected an operator or ')', found the end"),
        ("1 ? 2", "at character 6: expected ':', found the end"),
        ("é > 1", "at character 1: expected an operator or an operand, found é"),
        ("1 = 1", "at character 3: expected an operator or an operand, found ="),
        ("\"open", "at character 1: expected an operator or an operand, found \""),
        ("1 and and", "at character 7: expected an operand, found \"and\""),
        ("sqrt(4)", "there is no function \"sqrt\"; there are abs, max and min"),
        (
            "disk.size > 1",
            "\"disk.size\" is no variable; they begin with stats, capabilities, share or extra",
        ),
        ("stats.iops", "stats.iops is not known"),
        ("extra.iops", "extra.iops is not known"),
        ("capabilities.nothing", "capabilities.nothing is neither a number, a text nor a boolean"),
        ("1 + extra.tier", "\"gold\" is no number"),
        ("stats.unknown > 1", "\"unknown\" and 1 can't be compared"),
        ("1 / 0", "the calculation has no result"),
        ("max(1)", "max takes two arguments or more"),
        ("abs(1, 2)", "abs takes one argument"),
        ("(1, 2)", "a list stands outside of a function"),
    ];
    for (text, expected) in cases {
        assert_eq!(value(text).unwrap_err().to_string(), expected, "{text}");
    }
    let deep = format!("{}1{}", "(".repeat(40), ")".repeat(40));
    let long = "1 + ".repeat(1100) + "1";
    let chains = [format!("{}1", "-".repeat(2000)), "1 ^ ".repeat(1000) + "1"];
    for text in [deep, long].into_iter().chain(chains) {
        assert_eq!(value(&text), Err(FunctionError::TooLarge));
    }
}

#[test]
fn a_goodness_is_from_0_to_100() {
    let goodness = |text: &str| {
        let function: Function = text.parse().unwrap();
        with_variables(|variables| function.goodness(variables))
    };
    for (text, expected) in [("1 == 1", 100.0), ("1 > 1", 0.0), ("99.5", 99.5), ("max(1, 2)", 2.0)]
    {
        assert_eq!(goodness(text), Ok(expected), "{text}");
    }
    for text in ["101", "-1", "gold", "stats.missing", "inf"] {
        assert!(goodness(text).is_err(), "{text}");
    }
}

/// An expression of numbers, and its value.
fn any_calculation() -> impl Strategy<Value = (String, f64)> {
    let number = (0u32..1000).prop_map(|number| (number.to_string(), f64::from(number)));
    number.prop_recursive(6, 40, 3, |inner| {
        let pair = (inner.clone(), inner.clone());
        let operator = prop::sample::select(vec!["+", "-", "*", "<", "==", "max", "min"]);
        prop_oneof![
            (operator, pair).prop_map(|(operator, ((left, one), (right, other)))| {
                let text = match operator {
                    "max" | "min" => format!("{operator}({left}, {right})"),
                    _ => format!("({left}) {operator} ({right})"),
                };
                let value = match operator {
                    "+" => one + other,
                    "-" => one - other,
                    "*" => one * other,
                    "<" => f64::from(u8::from(one < other)),
                    "==" => f64::from(u8::from(one == other)),
                    "max" => one.max(other),
                    _ => one.min(other),
                };
                (text, value)
            }),
            inner.clone().prop_map(|(text, value)| (format!("-({text})"), -value)),
            (inner.clone(), inner.clone(), inner).prop_map(
                |((c, condition), (t, then), (o, other))| {
                    let value = if condition == 0.0 { other } else { then };
                    (format!("({c}) ? ({t}) : ({o})"), value)
                }
            ),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,60}") {
        let _ = value(&text);
    }

    #[test]
    fn no_tokens_make_it_panic(tokens in prop::collection::vec(prop::sample::select(vec![
        "1", "2.5", "(", ")", ",", "+", "-", "*", "/", "^", "<", "==", "!", "?", ":", "and", "or",
        "not", "max", "abs", "stats.host", "share.size", "capabilities.list", "gold", "''", " ",
    ]), 0..40)) {
        let _ = value(&tokens.join(" "));
        let _ = value(&tokens.concat());
    }

    #[test]
    fn calculations_come_out_right((text, expected) in any_calculation()) {
        let found = value(&text).map(|value| match value {
            Value::Number(number) => number,
            Value::Boolean(value) => f64::from(u8::from(value)),
            Value::Text(_) => f64::NAN,
        });
        prop_assert_eq!(found, Ok(expected), "{}", text);
    }
}

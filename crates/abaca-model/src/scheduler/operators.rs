//! The little language of extra spec values: `<is> True`, `>= 5`, `s== ssd`, `<in> nfs`,
//! `<or> gold <or> silver`, or a plain word.
//!
//! Case is ignored. A value the operator can't be applied to does not match.

use serde_json::Value;

/// Whether one reported value (no list) meets a requirement.
#[must_use]
pub fn matches(value: &Value, requirement: &str) -> bool {
    let lowered = value.as_str().map(|text| Value::String(text.to_lowercase()));
    let value = lowered.as_ref().unwrap_or(value);
    let requirement = requirement.to_lowercase();
    let mut words = requirement.split_whitespace();
    match words.next() {
        // Every other word is the keyword again, whatever it says.
        Some("<or>") => words.step_by(2).any(|word| value.as_str() == Some(word)),
        Some(operator) if is_operator(operator) => {
            !value.is_null() && words.next().is_some_and(|word| holds(value, operator, word))
        }
        _ => is_plainly(value, &requirement),
    }
}

/// A word of the strings clients write for true and false; `None` for any other.
#[must_use]
pub(super) fn parse_bool(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "1" | "t" | "true" | "on" | "y" | "yes" => Some(true),
        "0" | "f" | "false" | "off" | "n" | "no" => Some(false),
        _ => None,
    }
}

fn is_operator(word: &str) -> bool {
    matches!(
        word,
        "=" | "=="
            | "!="
            | ">="
            | "<="
            | "<in>"
            | "<is>"
            | "s=="
            | "s!="
            | "s<"
            | "s<="
            | "s>"
            | "s>="
    )
}

/// A requirement without an operator: numbers never meet one, which is why there are operators.
fn is_plainly(value: &Value, requirement: &str) -> bool {
    match value {
        Value::Bool(value) => parse_bool(requirement) == Some(*value),
        Value::String(text) => text == requirement,
        _ => false,
    }
}

fn holds(value: &Value, operator: &str, operand: &str) -> bool {
    let numbers = |compare: fn(&f64, &f64) -> bool| {
        number(value).zip(operand.parse().ok()).is_some_and(|(left, right)| compare(&left, &right))
    };
    let texts =
        |compare: fn(&str, &str) -> bool| value.as_str().is_some_and(|text| compare(text, operand));
    match operator {
        // A plain `=` has always meant "at least".
        "=" | ">=" => numbers(f64::ge),
        "==" => numbers(f64::eq),
        "!=" => numbers(f64::ne),
        "<=" => numbers(f64::le),
        "<in>" => contains(value, operand),
        "<is>" => truth(value) == parse_bool(operand).unwrap_or(false),
        "s==" => texts(|text, operand| text == operand),
        "s!=" => value.as_str() != Some(operand),
        "s<" => texts(|text, operand| text < operand),
        "s<=" => texts(|text, operand| text <= operand),
        "s>" => texts(|text, operand| text > operand),
        "s>=" => texts(|text, operand| text >= operand),
        _ => false,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn contains(value: &Value, operand: &str) -> bool {
    match value {
        Value::String(text) => text.contains(operand),
        Value::Array(values) => values.iter().any(|value| value.as_str() == Some(operand)),
        Value::Object(map) => map.contains_key(operand),
        _ => false,
    }
}

fn truth(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_i64() == Some(1),
        Value::String(text) => parse_bool(text).unwrap_or(false),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn operators_hold_as_documented() {
        let cases = [
            // value, requirement, whether it matches
            (json!("12"), "= 1", true),
            (json!(1), "= 12", false),
            (json!(10), "= 9", true),
            (json!(true), "= 1", true),
            (json!("123"), "== 123", true),
            (json!(123.0), "== 123", true),
            (json!("124"), "== 123", false),
            (json!("12x"), "== 12", false),
            (json!("123"), "!= 124", true),
            (json!("123"), "!= 123", false),
            (json!("abc"), "!= 123", false),
            (json!("5"), "<= 5", true),
            (json!("9"), "<= 10", true),
            (json!("11"), ">= 9", true),
            (json!("8"), ">= 9", false),
            (json!(["x"]), ">= 0", false),
            (json!("2"), "= inf", false),
            (json!("9"), ">=", false),
            (json!("NFS_CIFS"), "<in> NFS", true),
            (json!("12311321"), "<in> 11", true),
            (json!("12310321"), "<in> 11", false),
            (json!("NFS"), "<in> CIFS", false),
            (json!(5), "<in> 5", false),
            (json!(true), "<is> True", true),
            (json!("on"), "<is> yes", true),
            (json!(false), "<is> False", true),
            (json!(true), "<is> False", false),
            (json!("anything"), "<is> False", true),
            (json!(1), "<is> true", true),
            (json!("123"), "s== 123", true),
            (json!(123), "s== 123", false),
            (json!("1234"), "s== 123", false),
            (json!("123"), "s!= 1234", true),
            (json!("123"), "s!= 123", false),
            (json!(123), "s!= 123", true),
            (json!("1000"), "s>= 234", false),
            (json!("b"), "s> a", true),
            (json!("a"), "s< b", true),
            (json!("a"), "s<= a", true),
            (json!("b"), "s<= a", false),
            (json!("12"), "<or> 11 <or> 12", true),
            (json!("13"), "<or> 11 <or> 12", false),
            (json!("12"), "<or> 11 <or> 12 <or>", true),
            (json!("12"), "<or>", false),
            (json!(12), "<or> 12", false),
        ];
        for (value, requirement, expected) in cases {
            assert_eq!(matches(&value, requirement), expected, "{value} against {requirement:?}");
        }
    }

    #[test]
    fn a_plain_word_is_compared_without_case() {
        let cases = [
            (json!("SSD"), "ssd", true),
            (json!("ssd"), "SSD", true),
            (json!("ssd"), "ssd ", false),
            (json!("ssd"), "hdd", false),
            (json!(""), "", true),
            (json!(true), "True", true),
            (json!(true), "yes", true),
            (json!(false), "False", true),
            (json!(false), "nonsense", false),
            (json!(5), "5", false),
            (json!("two words"), "Two Words", true),
            (json!("s=== 3"), "s=== 3", true),
            (json!(null), "null", false),
        ];
        for (value, requirement, expected) in cases {
            assert_eq!(matches(&value, requirement), expected, "{value} against {requirement:?}");
        }
    }

    #[test]
    fn nothing_meets_an_operator_when_nothing_is_reported() {
        for requirement in ["<is> False", "s!= a", "!= 1", "<or> none", "<in> n"] {
            assert!(!matches(&Value::Null, requirement), "{requirement:?}");
        }
    }
}

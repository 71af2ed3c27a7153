//! The bits of Python that the policy language leans on.
//!
//! `oslo.policy` asks `ast.literal_eval` whether the left side of a check is a literal, compares
//! what `str()` gives, and fills in the right side with `%`. A rule written for it means the same
//! here only if these three do; the property test in `tests/policy/` holds them against the
//! package.

mod brackets;
mod conversion;
mod expression;
mod literal;
mod number;
mod text;
mod token;

pub(super) use conversion::{Conversion, ConversionKind, NumberBase};
pub(super) use text::str_of;

/// What the left side of a check is to Python.
#[derive(Debug, PartialEq)]
pub(super) enum ParsedKind {
    /// A literal, as `str()` shows it.
    Literal(String),
    /// An expression that is no literal: `user_id`, `target.name`.
    Expression,
    /// No expression at all, or a literal that isn't worth supporting.
    Invalid(&'static str),
}

/// Judges the left side of a check as `ast.literal_eval` does.
pub(super) fn parse_kind(text: &str) -> ParsedKind {
    // The names that policies really use, without the parser.
    if text.split('.').all(is_plain_name) {
        return ParsedKind::Expression;
    }
    let parsed = token::tokenize(text.trim_start_matches([' ', '\t'])).and_then(expression::parse);
    match parsed {
        Err(reason) => ParsedKind::Invalid(reason),
        Ok(node) => match literal::evaluate(&node) {
            Ok(literal) => ParsedKind::Literal(literal.shown()),
            Err(literal::NotLiteral::Expression) => ParsedKind::Expression,
            Err(literal::NotLiteral::Unsupported(reason)) => ParsedKind::Invalid(reason),
        },
    }
}

fn is_plain_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !token::is_keyword(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_shown_as_str_shows_them() {
        for (text, expected) in [
            ("True", "True"),
            ("None", "None"),
            ("'Member'", "Member"),
            ("\"it's\"", "it's"),
            ("'a''b'", "ab"),
            (r"'\x41\u00e9\n'", "A\u{e9}\n"),
            ("r'\\n'", "\\n"),
            ("b'a\\xff'", "b'a\\xff'"),
            ("1_000", "1000"),
            ("0x1F", "31"),
            ("-0", "0"),
            ("00", "0"),
            ("1e16", "1e+16"),
            ("1.50", "1.5"),
            ("-2j", "(-0-2j)"),
            ("1+2j", "(1+2j)"),
            ("1,", "(1,)"),
            ("1,'a'", "(1, 'a')"),
            ("[1,[None]]", "[1, [None]]"),
            ("()", "()"),
            ("{}", "{}"),
            ("{'a'}", "{'a'}"),
            ("set()", "set()"),
            ("...", "Ellipsis"),
            ("((1))", "1"),
            (
                "99999999999999999999999999999999999999999999",
                "99999999999999999999999999999999999999999999",
            ),
        ] {
            assert_eq!(parse_kind(text), ParsedKind::Literal(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn other_expressions_are_paths() {
        for text in [
            "user_id",
            "target.user.name",
            "user-id",
            "a,b",
            "f(x)",
            "[a]",
            "1+2",
            "--1",
            "-True",
            "f'x'",
            "a[0]",
            "(yield)",
            "a#b",
            "{**a}",
            "[x/y]",
        ] {
            assert_eq!(parse_kind(text), ParsedKind::Expression, "{text}");
        }
    }

    #[test]
    fn what_is_no_expression_is_invalid() {
        for text in [
            "",
            "$x",
            "a..b",
            "user.0",
            "class",
            "a.class",
            "(a",
            "a)",
            "'a",
            "01",
            "1a",
            "a=b",
            "1__0",
            "*a",
            "f(a=1,b)",
            "a!b",
            "'a'b'c'",
            "lambda",
            "b'\u{e9}'",
        ] {
            assert!(matches!(parse_kind(text), ParsedKind::Invalid(_)), "{text}");
        }
    }

    #[test]
    fn no_depth_overflows_the_stack() {
        for opening in ["(", "[", "-", "not ", "{", "a(", "~", "await "] {
            assert!(
                matches!(parse_kind(&opening.repeat(100_000)), ParsedKind::Invalid(_)),
                "{opening}"
            );
        }
        assert_eq!(parse_kind("A.".repeat(100_000).trim_end_matches('.')), ParsedKind::Expression);
    }
}

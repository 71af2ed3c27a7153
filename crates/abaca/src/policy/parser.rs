//! From the text of a rule to its [`Check`].
//!
//! The grammar, loosest first: `or`, `and`, `not`, parentheses; words are split at white space, and
//! a parenthesis belongs to the grammar only at the start or the end of a word, so that `%(name)s`
//! survives. A rule that can't be read is refused whole, as a word without a colon is refused
//! alone; both are reported as warnings.

use super::{
    check::{Check, Left, MAX_DEPTH, RuleReference},
    source::RuleSource,
    template::Template,
};

/// A check and what is wrong with its text.
pub(super) struct Parsed {
    pub(super) check: Check,
    pub(super) warnings: Vec<String>,
}

/// Compiles what a file, or the default, says for one rule.
pub(super) fn parse(source: &RuleSource) -> Parsed {
    match source {
        RuleSource::Text(text) => parse_text(text),
        RuleSource::List(alternatives) => parse_list(alternatives),
    }
}

/// The old syntax: a list of alternatives, each a list of checks that must all pass.
fn parse_list(alternatives: &[Vec<Option<String>>]) -> Parsed {
    let mut warnings = Vec::new();
    if alternatives.is_empty() {
        return Parsed { check: Check::Allow, warnings };
    }
    let mut any = Vec::new();
    for alternative in alternatives.iter().filter(|checks| !checks.is_empty()) {
        let all: Vec<Check> = alternative
            .iter()
            .map(|word| parse_list_word(word.as_deref(), &mut warnings))
            .collect();
        any.push(if all.len() == 1 {
            all.into_iter().next().unwrap_or(Check::Deny)
        } else {
            Check::And(all)
        });
    }
    let check = match any.len() {
        0 => Check::Deny,
        1 => any.into_iter().next().unwrap_or(Check::Deny),
        _ => Check::Or(any),
    };
    Parsed { check, warnings }
}

fn parse_list_word(word: Option<&str>, warnings: &mut Vec<String>) -> Check {
    match word {
        Some(word) => parse_word(word, warnings),
        None => {
            warnings.push("a list item is not text; it refuses everyone".to_owned());
            Check::Unreadable("(not text)".into())
        }
    }
}

fn parse_text(text: &str) -> Parsed {
    let mut warnings = Vec::new();
    if text.is_empty() {
        return Parsed { check: Check::Allow, warnings };
    }
    let tokens = tokenize(text, &mut warnings);
    let mut parser = Parser { tokens: tokens.into_iter().peekable() };
    let check = match parser.alternatives(0) {
        Ok(check) if parser.tokens.peek().is_none() => check,
        Err(Stop::TooDeep) => {
            warnings.push(format!("nested deeper than {MAX_DEPTH} levels; it refuses everyone"));
            Check::TooDeep
        }
        _ => {
            warnings.push(format!("can't be read, so it refuses everyone: {text}"));
            Check::Unreadable(text.into())
        }
    };
    Parsed { check, warnings }
}

enum Token {
    Open,
    Close,
    And,
    Or,
    Not,
    Check(Check),
    /// A quoted word. No grammar rule takes one, so it spoils the whole rule.
    Quoted,
}

/// White space as Python's `\s` sees it: Unicode's, and the four information separators.
fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

fn tokenize(text: &str, warnings: &mut Vec<String>) -> Vec<Token> {
    let mut tokens = Vec::new();
    for word in text.split(is_space).filter(|word| !word.is_empty()) {
        let inner = word.trim_start_matches('(');
        tokens.extend((inner.len()..word.len()).map(|_| Token::Open));
        let clean = inner.trim_end_matches(')');
        match clean.to_ascii_lowercase().as_str() {
            "" => {}
            "and" => tokens.push(Token::And),
            "or" => tokens.push(Token::Or),
            "not" => tokens.push(Token::Not),
            // Quotes are looked for before the closing parentheses are taken off, as oslo.policy
            // does it.
            _ if is_quoted(inner) => tokens.push(Token::Quoted),
            _ => tokens.push(Token::Check(parse_word(clean, warnings))),
        }
        tokens.extend((clean.len()..inner.len()).map(|_| Token::Close));
    }
    tokens
}

fn is_quoted(word: &str) -> bool {
    word.len() >= 2
        && ['"', '\''].iter().any(|quote| word.starts_with(*quote) && word.ends_with(*quote))
}

/// One check: `@`, `!` or `kind:match`.
fn parse_word(word: &str, warnings: &mut Vec<String>) -> Check {
    match word {
        "!" => return Check::Deny,
        "@" => return Check::Allow,
        _ => {}
    }
    let Some((kind, matched)) = word.split_once(':') else {
        warnings.push(format!(
            "\"{word}\" is no check (expected kind:match, @ or !), so it refuses everyone"
        ));
        return Check::Unreadable(word.into());
    };
    match kind {
        "http" | "https" => Check::Remote(Template::parse(word)),
        "rule" => Check::Rule(RuleReference { name: matched.into(), index: None }),
        "role" => Check::Role(Template::parse(matched)),
        _ => Check::Attribute { left: Left::parse(kind), right: Template::parse(matched) },
    }
}

enum Stop {
    Syntax,
    TooDeep,
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
}

impl Parser {
    fn alternatives(&mut self, depth: usize) -> Result<Check, Stop> {
        let first = self.conjunction(depth)?;
        let mut checks = vec![first];
        while self.tokens.next_if(|token| matches!(token, Token::Or)).is_some() {
            checks.push(self.conjunction(depth)?);
        }
        Ok(one_or(checks, Check::Or))
    }

    fn conjunction(&mut self, depth: usize) -> Result<Check, Stop> {
        let first = self.operand(depth)?;
        let mut checks = vec![first];
        while self.tokens.next_if(|token| matches!(token, Token::And)).is_some() {
            checks.push(self.operand(depth)?);
        }
        Ok(one_or(checks, Check::And))
    }

    fn operand(&mut self, depth: usize) -> Result<Check, Stop> {
        if depth > MAX_DEPTH {
            return Err(Stop::TooDeep);
        }
        match self.tokens.next() {
            Some(Token::Not) => Ok(Check::Not(Box::new(self.operand(depth + 1)?))),
            Some(Token::Open) => {
                let inner = self.alternatives(depth + 1)?;
                self.tokens.next_if(|token| matches!(token, Token::Close)).ok_or(Stop::Syntax)?;
                Ok(inner)
            }
            Some(Token::Check(check)) => Ok(check),
            _ => Err(Stop::Syntax),
        }
    }
}

fn one_or(mut checks: Vec<Check>, join: fn(Vec<Check>) -> Check) -> Check {
    match checks.pop() {
        Some(only) if checks.is_empty() => only,
        Some(last) => {
            checks.push(last);
            join(checks)
        }
        None => Check::Deny,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        parse_text(text).check.to_string()
    }

    #[test]
    fn not_binds_tighter_than_and_and_and_tighter_than_or() {
        assert_eq!(shown("a:1 or b:2 and not c:3 or d:4"), "(a:1 or (b:2 and not c:3) or d:4)");
        assert_eq!(shown("(a:1 or b:2) AND c:3"), "((a:1 or b:2) and c:3)");
        assert_eq!(shown("not (a:1 and b:2)"), "not (a:1 and b:2)");
        assert_eq!(shown("((role:%(x)s))"), "role:%(x)s");
    }

    #[test]
    fn an_empty_rule_allows_and_a_blank_one_does_not() {
        assert_eq!(parse_text("").check, Check::Allow);
        assert!(matches!(parse_text("  ").check, Check::Unreadable(_)));
    }

    #[test]
    fn malformed_rules_refuse_and_are_reported() {
        for text in [
            "a:1 b:2",
            "and",
            "a:1 and",
            "not",
            "(a:1",
            "a:1)",
            "()",
            "'a':'b'",
            "\"quoted\"",
            "a:1 or ()",
        ] {
            let parsed = parse_text(text);
            assert!(matches!(parsed.check, Check::Unreadable(_)), "{text} became {}", parsed.check);
            assert_eq!(parsed.warnings.len(), 1, "{text}");
        }
        let parsed = parse_text("nonsense or role:admin");
        assert!(
            matches!(&parsed.check, Check::Or(checks) if matches!(checks[0], Check::Unreadable(_)))
        );
        assert_eq!(parsed.warnings.len(), 1);
    }

    #[test]
    fn lists_are_alternatives_of_conjunctions() {
        let list = |items: &[&[&str]]| {
            let source = items
                .iter()
                .map(|all| all.iter().map(|word| Some((*word).to_owned())).collect())
                .collect();
            parse(&RuleSource::List(source)).check
        };
        assert_eq!(list(&[]), Check::Allow);
        assert_eq!(list(&[&[]]), Check::Deny);
        assert_eq!(
            list(&[&["role:a"], &["role:b", "role:c"]]).to_string(),
            "(role:a or (role:b and role:c))"
        );
        assert_eq!(list(&[&["@"]]), Check::Allow);
        let odd = parse(&RuleSource::List(vec![vec![None]]));
        assert!(matches!(odd.check, Check::Unreadable(_)));
        assert_eq!(odd.warnings.len(), 1);
    }

    #[test]
    fn no_depth_overflows_the_stack() {
        for text in [
            format!("{}a:1", "not ".repeat(200_000)),
            format!("{}a:1{}", "(".repeat(200_000), ")".repeat(200_000)),
        ] {
            assert_eq!(parse_text(&text).check, Check::TooDeep);
        }
        let flat = vec!["a:1"; 200_000].join(" and ");
        assert!(matches!(parse_text(&flat).check, Check::And(checks) if checks.len() == 200_000));
    }
}

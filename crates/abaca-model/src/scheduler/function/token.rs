//! Cuts the text of a function into tokens.

use super::FunctionError;

/// A token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Token<'a> {
    /// Without a sign.
    Number(f64),
    /// Letters, `_`, `.` and, behind the first, digits: a variable, a function, `and`, `or`, `not` or a text.
    Word(&'a str),
    /// What stands between quotes.
    Quoted(&'a str),
    /// An operator or a bracket.
    Symbol(&'static str),
}

/// The longer ones first.
const SYMBOLS: [&str; 20] = [
    "<=", ">=", "!=", "==", "<>", "&&", "||", "<", ">", "!", "+", "-", "*", "/", "^", "?", ":",
    "(", ")", ",",
];

/// Each token with its place, counted in characters from 1.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token<'_>)>, FunctionError> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        if rest.is_empty() {
            return Ok(tokens);
        }
        let at = 1 + text.chars().count() - rest.chars().count();
        let (token, length) = first(rest).ok_or_else(|| FunctionError::Syntax {
            at,
            expected: "an operator or an operand",
            found: rest.chars().take(1).collect(),
        })?;
        tokens.push((at, token));
        rest = rest.get(length..).unwrap_or_default();
    }
}

/// The token at the beginning, and its length in bytes.
fn first(text: &str) -> Option<(Token<'_>, usize)> {
    let letter = text.chars().next()?;
    match letter {
        '0'..='9' => number(text),
        '"' | '\'' => quoted(text, letter),
        'a'..='z' | 'A'..='Z' | '_' | '.' => {
            let length = text.find(|letter| !is_of_word(letter)).unwrap_or(text.len());
            Some((Token::Word(text.get(..length)?), length))
        }
        _ => {
            let symbol = SYMBOLS.into_iter().find(|symbol| text.starts_with(symbol))?;
            Some((Token::Symbol(symbol), symbol.len()))
        }
    }
}

const fn is_of_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.')
}

/// `12` or `1.5`, nothing shorter and nothing longer.
fn number(text: &str) -> Option<(Token<'_>, usize)> {
    let digits = |from: usize| {
        let text = text.get(from..).unwrap_or_default();
        text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len())
    };
    let whole = digits(0);
    let fraction = match text.get(whole..)?.starts_with('.') {
        true => digits(whole + 1),
        false => 0,
    };
    let length = if fraction == 0 { whole } else { whole + 1 + fraction };
    Some((Token::Number(text.get(..length)?.parse().ok()?), length))
}

/// To the next quote of its kind on the same line. A backslash takes the character behind it
/// along, a doubled quote does not end the text.
fn quoted(text: &str, quote: char) -> Option<(Token<'_>, usize)> {
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\n' | '\r' => return None,
            '\\' => drop(letters.next()),
            _ if letter == quote => match letters.peek() {
                Some((_, next)) if *next == quote => drop(letters.next()),
                _ => return Some((Token::Quoted(text.get(1..at)?), at + 1)),
            },
            _ => {}
        }
    }
    None
}

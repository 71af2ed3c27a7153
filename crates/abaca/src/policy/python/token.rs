//! Python's tokens, as far as an expression without a colon can have them.

use super::number::{self, Number};

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Name(String),
    Keyword(String),
    Number(Number),
    Text(String),
    Bytes(Vec<u8>),
    /// An f-string: an expression, never a literal.
    Formatted,
    Operator(&'static str),
}

type Result<T> = std::result::Result<T, &'static str>;

/// Longest first, so that `**` is not taken for two `*`.
const OPERATORS: [&str; 31] = [
    "...", "**", "//", "<<", ">>", "<=", ">=", "==", "!=", "+", "-", "*", "/", "%", "@", "&", "|",
    "^", "~", "<", ">", "(", ")", "[", "]", "{", "}", ",", ".", "=", ";",
];

const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
];

/// Whether the word can't be a name.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.contains(&word)
}

/// Splits an expression into tokens.
pub(super) fn tokenize(text: &str) -> Result<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start_matches('\n');
    let mut open = 0_usize;
    if rest.len() != text.len() && rest.starts_with([' ', '\t']) {
        return Err("an unexpected indent");
    }
    while let Some(first) = rest.chars().next() {
        if matches!(first, ' ' | '\t' | '\x0c') {
            rest = &rest[1..];
        } else if first == '#' {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if matches!(first, '\n' | '\r') {
            if open == 0 {
                return if is_blank(rest) { Ok(tokens) } else { Err("more than one line") };
            }
            rest = &rest[1..];
        } else if let Some(after) = rest.strip_prefix("\\\n") {
            rest = after;
        } else {
            let (token, after) = next_token(rest, first)?;
            match token {
                Token::Operator("(" | "[" | "{") => open += 1,
                Token::Operator(")" | "]" | "}") => open = open.saturating_sub(1),
                _ => {}
            }
            tokens.push(token);
            rest = after;
        }
    }
    Ok(tokens)
}

/// Whether only blank lines and comments are left.
fn is_blank(text: &str) -> bool {
    text.split(['\n', '\r'])
        .map(|line| line.trim_matches([' ', '\t', '\x0c']))
        .all(|line| line.is_empty() || line.starts_with('#'))
}

fn next_token(text: &str, first: char) -> Result<(Token, &str)> {
    if let Some((prefix, quoted)) = split_string_prefix(text) {
        return parse_string(prefix, quoted);
    }
    let second_is_digit =
        text[first.len_utf8()..].starts_with(|second: char| second.is_ascii_digit());
    if first.is_ascii_digit() || (first == '.' && second_is_digit) {
        let (number, rest) = number::parse(text)?;
        return Ok((Token::Number(number), rest));
    }
    if first == '_' || first.is_ascii_alphabetic() || !first.is_ascii() {
        return parse_name(text);
    }
    OPERATORS
        .iter()
        .find_map(|operator| {
            text.strip_prefix(operator).map(|rest| (Token::Operator(operator), rest))
        })
        .ok_or("a character that no expression has")
}

fn parse_name(text: &str) -> Result<(Token, &str)> {
    let end = text
        .find(|character: char| {
            character.is_ascii() && character != '_' && !character.is_ascii_alphanumeric()
        })
        .unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let mut characters = word.chars();
    let starts_well =
        characters.next().is_some_and(|first| first == '_' || unicode_ident::is_xid_start(first));
    if !starts_well || !characters.all(unicode_ident::is_xid_continue) {
        return Err("a character that no name has");
    }
    let token = if is_keyword(word) {
        Token::Keyword(word.to_owned())
    } else {
        Token::Name(word.to_owned())
    };
    Ok((token, rest))
}

/// Splits `rb'...` into its prefix and the rest.
fn split_string_prefix(text: &str) -> Option<(&str, &str)> {
    let quote = text.bytes().take(3).position(|byte| matches!(byte, b'\'' | b'"'))?;
    let (prefix, quoted) = text.split_at(quote);
    let known = ["", "r", "u", "b", "f", "br", "rb", "fr", "rf"];
    known.contains(&prefix.to_ascii_lowercase().as_str()).then_some((prefix, quoted))
}

fn parse_string<'a>(prefix: &str, quoted: &'a str) -> Result<(Token, &'a str)> {
    let prefix = prefix.to_ascii_lowercase();
    let (body, rest) = split_body(quoted)?;
    let is_raw = prefix.contains('r');
    let token = if prefix.contains('f') {
        if body.contains(['{', '}', '\\']) {
            return Err("an f-string, which policies don't support");
        }
        Token::Formatted
    } else if prefix.contains('b') {
        if !body.is_ascii() {
            return Err("bytes that are not ASCII");
        }
        Token::Bytes(if is_raw { body.as_bytes().to_vec() } else { unescape_bytes(body)? })
    } else {
        Token::Text(if is_raw { body.to_owned() } else { unescape(body)? })
    };
    Ok((token, rest))
}

/// Finds the end of a string that begins with its quotes.
fn split_body(quoted: &str) -> Result<(&str, &str)> {
    let quote = &quoted[..1];
    let triple = quote.repeat(3);
    let (closing, body) = match quoted.strip_prefix(triple.as_str()) {
        Some(body) => (triple.as_str(), body),
        None => (quote, &quoted[1..]),
    };
    let mut escaped = false;
    for (position, character) in body.char_indices() {
        if escaped {
            escaped = false;
        } else if character == '\\' {
            escaped = true;
        } else if body[position..].starts_with(closing) {
            return Ok((&body[..position], &body[position + closing.len()..]));
        } else if character == '\n' && closing.len() == 1 {
            break;
        }
    }
    Err("a string without its end")
}

/// One step of an escape sequence: what stands after a backslash.
enum Escape {
    /// A backslash before a line's end: nothing.
    Nothing,
    Code(u32),
    /// No escape: the backslash stays.
    Unknown,
}

/// Reads the escape at the front; returns it and how many bytes it takes.
fn read_escape(text: &str) -> Result<(Escape, usize)> {
    let simple = |code: u32| Ok((Escape::Code(code), 1));
    match text.bytes().next() {
        Some(b'\n') => Ok((Escape::Nothing, 1)),
        Some(quoted @ (b'\\' | b'\'' | b'"')) => simple(u32::from(quoted)),
        Some(b'a') => simple(7),
        Some(b'b') => simple(8),
        Some(b'f') => simple(12),
        Some(b'n') => simple(10),
        Some(b'r') => simple(13),
        Some(b't') => simple(9),
        Some(b'v') => simple(11),
        Some(b'0'..=b'7') => {
            let length =
                text.bytes().take(3).take_while(|digit| (b'0'..=b'7').contains(digit)).count();
            Ok((Escape::Code(u32::from_str_radix(&text[..length], 8).unwrap_or(0)), length))
        }
        Some(b'x') => read_hex(text, 2),
        _ => Ok((Escape::Unknown, 0)),
    }
}

fn read_hex(text: &str, digits: usize) -> Result<(Escape, usize)> {
    let hex = text
        .get(1..=digits)
        .filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()))
        .ok_or("an incomplete escape in a string")?;
    let code = u32::from_str_radix(hex, 16).map_err(|_| "an incomplete escape in a string")?;
    Ok((Escape::Code(code), digits + 1))
}

fn unescape(body: &str) -> Result<String> {
    let mut out = String::new();
    let mut rest = body;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let (escape, length) = match after.bytes().next() {
            Some(b'u') => read_hex(after, 4)?,
            Some(b'U') => read_hex(after, 8)?,
            Some(b'N') => {
                return Err("a character's name in a string, which policies don't support");
            }
            _ => read_escape(after)?,
        };
        match escape {
            Escape::Nothing => {}
            Escape::Code(code) => {
                out.push(char::from_u32(code).ok_or("half a surrogate pair in a string")?)
            }
            Escape::Unknown => out.push('\\'),
        }
        rest = &after[length..];
    }
    out.push_str(rest);
    Ok(out)
}

fn unescape_bytes(body: &str) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = body;
    while let Some((before, after)) = rest.split_once('\\') {
        out.extend_from_slice(before.as_bytes());
        let (escape, length) = read_escape(after)?;
        match escape {
            Escape::Nothing => {}
            Escape::Code(code) => out.push(code.to_le_bytes()[0]),
            Escape::Unknown => out.push(b'\\'),
        }
        rest = &after[length..];
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}

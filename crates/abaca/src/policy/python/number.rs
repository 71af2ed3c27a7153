//! Python's number literals.

/// A number, ready to be shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Number {
    /// Decimal digits without sign, underscores or leading zeros.
    Int(String),
    Float(f64),
    /// The imaginary part.
    Imaginary(f64),
}

/// Longest decimal literal that Python reads (`sys.set_int_max_str_digits`).
const MAX_DIGITS: usize = 4300;

const INVALID: &str = "a malformed number";

/// Takes a number off the front of a text that begins with a digit, or with a point and a digit.
pub(super) fn parse(text: &str) -> Result<(Number, &str), &'static str> {
    let (number, rest) = match text.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => parse_based(&text[2..], 16)?,
        Some("0o") => parse_based(&text[2..], 8)?,
        Some("0b") => parse_based(&text[2..], 2)?,
        _ => parse_decimal(text)?,
    };
    // `1or 2` is still read, by what may follow; `1a` is not.
    let keyword_follows = ["and", "else", "for", "if", "in", "is", "or", "not"]
        .iter()
        .any(|word| rest.starts_with(word));
    let name_follows = rest
        .starts_with(|next: char| next == '_' || next.is_ascii_alphanumeric() || !next.is_ascii());
    if name_follows && !keyword_follows { Err(INVALID) } else { Ok((number, rest)) }
}

fn parse_based(text: &str, radix: u32) -> Result<(Number, &str), &'static str> {
    // Python allows one underscore right after the prefix.
    let (digits, rest) = split_digits(text.strip_prefix('_').unwrap_or(text), radix)?;
    if digits.is_empty() {
        return Err(INVALID);
    }
    let value =
        u128::from_str_radix(&digits, radix).map_err(|_| "a whole number too long to support")?;
    Ok((Number::Int(value.to_string()), rest))
}

fn parse_decimal(text: &str) -> Result<(Number, &str), &'static str> {
    let (whole, mut rest) = split_digits(text, 10)?;
    let mut literal = whole.clone();
    let mut is_float = false;
    if let Some(after) = rest.strip_prefix('.') {
        let (fraction, after) = split_digits(after, 10)?;
        literal = format!("{literal}.{fraction}");
        is_float = true;
        rest = after;
    }
    if let Some(after) = rest.strip_prefix(['e', 'E']) {
        let unsigned = after.strip_prefix(['+', '-']).unwrap_or(after);
        if unsigned.starts_with(|digit: char| digit.is_ascii_digit()) {
            let sign = if after.starts_with('-') { "-" } else { "" };
            let (exponent, after) = split_digits(unsigned, 10)?;
            literal = format!("{literal}e{sign}{exponent}");
            is_float = true;
            rest = after;
        } else if unsigned.len() != after.len() {
            return Err(INVALID);
        }
    }
    let float = || literal.parse::<f64>().map_err(|_| INVALID);
    if let Some(after) = rest.strip_prefix(['j', 'J']) {
        return Ok((Number::Imaginary(float()?), after));
    }
    if is_float {
        return Ok((Number::Float(float()?), rest));
    }
    let significant = whole.trim_start_matches('0');
    if significant.len() > MAX_DIGITS || (whole.starts_with('0') && !significant.is_empty()) {
        return Err(INVALID);
    }
    Ok((Number::Int(if significant.is_empty() { "0" } else { significant }.to_owned()), rest))
}

/// Takes digits with single underscores between them off the front.
fn split_digits(text: &str, radix: u32) -> Result<(String, &str), &'static str> {
    let end = text
        .find(|character: char| !character.is_digit(radix) && character != '_')
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.starts_with('_') || digits.ends_with('_') || digits.contains("__") {
        return Err(INVALID);
    }
    Ok((digits.replace('_', ""), rest))
}

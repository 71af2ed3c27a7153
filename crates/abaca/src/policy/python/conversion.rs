//! `%` conversions other than the plain `%s`.

use serde_json::Value;

use super::text::{repr_of, str_of, write_escape};

/// Flags, width, precision and kind of one conversion.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::policy) struct Conversion {
    pub(in crate::policy) left: bool,
    pub(in crate::policy) plus: bool,
    pub(in crate::policy) space: bool,
    pub(in crate::policy) alternate: bool,
    pub(in crate::policy) zero: bool,
    /// In characters.
    pub(in crate::policy) width: usize,
    /// Most characters of a text, fewest digits of a number.
    pub(in crate::policy) precision: Option<usize>,
    pub(in crate::policy) kind: ConversionKind,
}

/// The letter of a conversion.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(in crate::policy) enum ConversionKind {
    #[default]
    Str,
    Repr,
    Ascii,
    Character,
    Number(NumberBase),
}

/// The base a whole number is shown in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::policy) enum NumberBase {
    Decimal,
    Octal,
    Hex,
    UpperHex,
}

impl Conversion {
    /// Formats one value; the error is what Python would raise.
    pub(in crate::policy) fn apply(&self, value: &Value) -> Result<String, &'static str> {
        match self.kind {
            ConversionKind::Str => Ok(self.pad_text(&str_of(value))),
            ConversionKind::Repr => Ok(self.pad_text(&repr_of(value))),
            ConversionKind::Ascii => Ok(self.pad_text(&ascii(&repr_of(value)))),
            // Python checks a character's precision no more than its sign.
            ConversionKind::Character => {
                Ok(Self { precision: None, ..self.clone() }.pad_text(&character(value)?))
            }
            ConversionKind::Number(base) => self.number(base, value),
        }
    }

    fn pad_text(&self, text: &str) -> String {
        let text: String = text.chars().take(self.precision.unwrap_or(usize::MAX)).collect();
        let width = self.width;
        if self.left { format!("{text:<width$}") } else { format!("{text:>width$}") }
    }

    fn number(&self, base: NumberBase, value: &Value) -> Result<String, &'static str> {
        let (negative, digits) = whole_number(base, value)?;
        let prefix = match base {
            NumberBase::Decimal => "",
            NumberBase::Octal => "0o",
            NumberBase::Hex => "0x",
            NumberBase::UpperHex => "0X",
        };
        let precision = self.precision.unwrap_or(0);
        let digits = format!("{digits:0>precision$}");
        let prefix = if self.alternate { prefix } else { "" };
        let sign = match (negative, self.plus, self.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        let width = self.width;
        Ok(if self.left {
            format!("{:<width$}", format!("{sign}{prefix}{digits}"))
        } else if self.zero {
            let left = width.saturating_sub(sign.len() + prefix.len());
            format!("{sign}{prefix}{digits:0>left$}")
        } else {
            format!("{:>width$}", format!("{sign}{prefix}{digits}"))
        })
    }
}

/// The sign and the digits of a number; a float is cut for `%d` and refused by the others.
fn whole_number(base: NumberBase, value: &Value) -> Result<(bool, String), &'static str> {
    let whole = match value {
        Value::Bool(value) => i128::from(*value),
        Value::Number(number) => match (number.as_i128(), number.as_f64()) {
            (Some(whole), _) => whole,
            (None, Some(float)) if base == NumberBase::Decimal => {
                let cut = float.trunc();
                return Ok((cut < 0.0, format!("{:.0}", cut.abs())));
            }
            _ => return Err("a % conversion of a whole number, and the value is none"),
        },
        _ => return Err("a % conversion of a number, and the value is none"),
    };
    let magnitude = whole.unsigned_abs();
    let digits = match base {
        NumberBase::Decimal => format!("{magnitude}"),
        NumberBase::Octal => format!("{magnitude:o}"),
        NumberBase::Hex => format!("{magnitude:x}"),
        NumberBase::UpperHex => format!("{magnitude:X}"),
    };
    Ok((whole < 0, digits))
}

fn character(value: &Value) -> Result<String, &'static str> {
    const NOT_A_CHARACTER: &str = "%c of neither a character nor its number";
    match value {
        Value::String(text) if text.chars().count() == 1 => Ok(text.clone()),
        Value::Number(number) => number
            .as_u64()
            .and_then(|code| u32::try_from(code).ok())
            .and_then(char::from_u32)
            .map(String::from)
            .ok_or(NOT_A_CHARACTER),
        Value::Bool(value) => Ok(char::from(u8::from(*value)).to_string()),
        _ => Err(NOT_A_CHARACTER),
    }
}

fn ascii(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        if character.is_ascii() { out.push(character) } else { write_escape(&mut out, character) }
    }
    out
}

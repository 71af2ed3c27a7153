//! The right side of a check: Python's `%` formatting with the target as the mapping.
//!
//! Compiled once. The usual `%(project_id)s` borrows the target's text and allocates nothing. `%e`,
//! `%f`, `%g` and `*` widths, which no policy uses, fail the decision.

use std::{borrow::Cow, fmt};

use serde_json::Value;

use super::{
    attributes::Target,
    python::{self, Conversion, NumberBase},
};

/// Widest field a template may ask for, in characters; more fails the decision.
const MAX_WIDTH: usize = 4096;

/// A compiled template.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Template {
    source: Box<str>,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(Box<str>),
    /// `%(key)` and what follows; the key is looked up before the rest is judged, as Python does.
    Key {
        key: Box<str>,
        format: Result<Format, &'static str>,
    },
    /// `%s` without a key: the whole target, once.
    Whole(Result<Format, &'static str>),
}

#[derive(Debug, Clone, PartialEq)]
enum Format {
    /// `%(key)s`: the value as `str()` shows it.
    Plain,
    Full(Conversion),
}

/// Why a template gave no text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TemplateError {
    /// The target has no such key.
    Missing(Box<str>),
    /// Python would raise here.
    Invalid(&'static str),
}

impl Template {
    /// Compiles a template; what is wrong with it shows when it is rendered, after what stands
    /// before it.
    pub(super) fn parse(source: &str) -> Self {
        Self { source: source.into(), parts: parse_parts(source) }
    }

    /// The text for this target.
    pub(super) fn render<'a>(&'a self, target: &Target<'a>) -> Result<Cow<'a, str>, TemplateError> {
        if let [only] = self.parts.as_slice() {
            return only.render(target);
        }
        let mut text = String::new();
        // A key replaces the mapping as the argument of a later bare `%s`, and has been used up by
        // then.
        let mut whole_is_left = true;
        for part in &self.parts {
            match part {
                Part::Text(_) => {}
                Part::Whole(_) if !whole_is_left => {
                    return Err(TemplateError::Invalid("a % without a key"));
                }
                Part::Key { .. } | Part::Whole(_) => whole_is_left = false,
            }
            text.push_str(&part.render(target)?);
        }
        Ok(Cow::Owned(text))
    }
}

impl Part {
    fn render<'a>(&'a self, target: &Target<'a>) -> Result<Cow<'a, str>, TemplateError> {
        match self {
            Self::Text(text) => Ok(Cow::Borrowed(text)),
            Self::Key { key, format } => {
                let value = target.get(key).ok_or_else(|| TemplateError::Missing(key.clone()))?;
                match format {
                    Ok(Format::Plain) => Ok(value.shown()),
                    Ok(format) => format.apply(&value.to_json()).map(Cow::Owned),
                    Err(reason) => Err(TemplateError::Invalid(reason)),
                }
            }
            Self::Whole(format) => {
                let format = format.as_ref().map_err(|reason| TemplateError::Invalid(reason))?;
                format.apply(&target.to_json()).map(Cow::Owned)
            }
        }
    }
}

impl Format {
    fn apply(&self, value: &Value) -> Result<String, TemplateError> {
        match self {
            Self::Plain => Ok(python::str_of(value).into_owned()),
            Self::Full(conversion) => conversion.apply(value).map_err(TemplateError::Invalid),
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

fn parse_parts(source: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = source;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            text.push('%');
            rest = after;
            continue;
        }
        let (key, after) = match split_key(after) {
            Ok(split) => split,
            Err(reason) => {
                push_text(&mut parts, &mut text);
                parts.push(Part::Whole(Err(reason)));
                return parts;
            }
        };
        let (format, after) = parse_format(after);
        rest = after;
        push_text(&mut parts, &mut text);
        let failed = format.is_err();
        parts.push(match key {
            Some(key) => Part::Key { key: key.into(), format },
            None => Part::Whole(format),
        });
        if failed {
            return parts;
        }
    }
    text.push_str(rest);
    if !text.is_empty() || parts.is_empty() {
        parts.push(Part::Text(text.into()));
    }
    parts
}

fn push_text(parts: &mut Vec<Part>, text: &mut String) {
    if !text.is_empty() {
        parts.push(Part::Text(std::mem::take(text).into()));
    }
}

/// Takes `(key)` off the front; parentheses inside a key are counted.
fn split_key(text: &str) -> Result<(Option<&str>, &str), &'static str> {
    let Some(body) = text.strip_prefix('(') else {
        return Ok((None, text));
    };
    let mut open = 1_usize;
    for (position, character) in body.char_indices() {
        match character {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Ok((Some(&body[..position]), &body[position + 1..]));
        }
    }
    Err("a %( without its closing parenthesis")
}

/// Reads flags, width, precision, length and conversion; returns what follows.
fn parse_format(text: &str) -> (Result<Format, &'static str>, &str) {
    let mut conversion = Conversion::default();
    let mut rest = text;
    while let Some(flag) = rest.chars().next() {
        match flag {
            '-' => conversion.left = true,
            '+' => conversion.plus = true,
            ' ' => conversion.space = true,
            '#' => conversion.alternate = true,
            '0' => conversion.zero = true,
            _ => break,
        }
        rest = &rest[1..];
    }
    let (width, after) = split_number(rest);
    rest = after;
    let mut precision = Ok(None);
    if let Some(after) = rest.strip_prefix('.') {
        let (digits, after) = split_number(after);
        precision = digits.map(|digits| Some(digits.unwrap_or(0)));
        rest = after;
    }
    let (Ok(width), Ok(precision)) = (width, precision) else {
        return (Err("a field wider than a policy needs"), rest);
    };
    conversion.width = width.unwrap_or(0);
    conversion.precision = precision;
    rest = rest.strip_prefix(['h', 'l', 'L']).unwrap_or(rest);
    let Some(letter) = rest.chars().next() else {
        return (Err("a % without a conversion"), rest);
    };
    let after = &rest[letter.len_utf8()..];
    conversion.kind = match letter {
        's' if conversion == Conversion::default() => return (Ok(Format::Plain), after),
        's' => python::ConversionKind::Str,
        'r' => python::ConversionKind::Repr,
        'a' => python::ConversionKind::Ascii,
        'd' | 'i' | 'u' => python::ConversionKind::Number(NumberBase::Decimal),
        'o' => python::ConversionKind::Number(NumberBase::Octal),
        'x' => python::ConversionKind::Number(NumberBase::Hex),
        'X' => python::ConversionKind::Number(NumberBase::UpperHex),
        'c' => python::ConversionKind::Character,
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' | '*' => {
            return (Err("a % conversion policies don't support"), after);
        }
        _ => return (Err("an unknown % conversion"), after),
    };
    (Ok(Format::Full(conversion)), after)
}

fn split_number(text: &str) -> (Result<Option<usize>, ()>, &str) {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() {
        return (Ok(None), rest);
    }
    let number = digits.parse().ok().filter(|number| *number <= MAX_WIDTH).ok_or(());
    (number.map(Some), rest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn render(template: &str, target: &Value) -> Result<String, TemplateError> {
        let map = target.as_object().unwrap();
        Template::parse(template).render(&Target::Attributes(map)).map(Cow::into_owned)
    }

    #[test]
    fn values_are_shown_as_python_shows_them() {
        let target = json!({
            "t": "x", "n": null, "b": true, "i": -3, "f": 1.0, "l": ["a", null], "d": {"k": "it's"},
            "a.b": 1,
        });
        for (template, expected) in [
            ("plain", "plain"),
            ("%(t)s", "x"),
            ("<%(t)s>%%", "<x>%"),
            ("%(n)s%(b)s%(i)s%(f)s", "NoneTrue-31.0"),
            ("%(l)s", "['a', None]"),
            ("%(d)s", "{'k': \"it's\"}"),
            ("%(a.b)s", "1"),
            ("%(t)r", "'x'"),
            ("%(t)5s|%(t)-3s|%(d).2s", "    x|x  |{'"),
            ("%(i)05d", "-0003"),
        ] {
            assert_eq!(render(template, &target).as_deref(), Ok(expected), "{template}");
        }
    }

    #[test]
    fn a_missing_key_wins_over_a_later_mistake_only() {
        let target = json!({"t": "x"});
        assert_eq!(render("%(gone)s%(t", &target), Err(TemplateError::Missing("gone".into())));
        assert_eq!(render("%(gone)q", &target), Err(TemplateError::Missing("gone".into())));
        for template in [
            "%(t)q",
            "%(t)%",
            "%5%",
            "%(t",
            "%",
            "%(t)d",
            "%(t)s%s",
            "%(t)*s",
            "%(t)99999999999999999999s",
            "%(t)e",
        ] {
            assert!(
                matches!(render(template, &target), Err(TemplateError::Invalid(_))),
                "{template}"
            );
        }
    }

    #[test]
    fn a_bare_s_is_the_whole_target_once() {
        assert_eq!(render("%s", &json!({"t": "x"})).as_deref(), Ok("{'t': 'x'}"));
        assert!(render("%s%s", &json!({"t": "x"})).is_err());
    }
}

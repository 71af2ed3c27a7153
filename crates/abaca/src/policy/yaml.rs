//! YAML to [`Node`]s: events from `saphyr-parser`, plain scalars told apart by YAML 1.1's rules.
//!
//! The crate reads YAML 1.2 and gives each scalar with its style, so that the older meaning of
//! `yes`, `0o17`, `1:30` or `=` is decided here. Nesting and the number of nodes that aliases
//! unfold to are bounded.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::document::{DocumentError, Node};

/// A policy needs three levels.
const MAX_DEPTH: usize = 8;

/// Most nodes of a file, aliases unfolded.
const MAX_NODES: usize = 200_000;

/// Reads the one document of a stream; an empty stream is null.
pub(super) fn parse(text: &str) -> Result<Node, DocumentError> {
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        anchors: HashMap::new(),
        nodes: 0,
        line: 1,
        column: 1,
    };
    let mut root = None;
    loop {
        match reader.next()? {
            Event::StreamEnd => {
                return Ok(root.unwrap_or(Node::Scalar { kind: "null", truthy: false }));
            }
            Event::DocumentStart(_) if root.is_some() => {
                return Err(reader.error("expected one document, found another"));
            }
            Event::DocumentStart(_) => {
                let first = reader.next()?;
                root = Some(reader.node(first, 0)?);
            }
            _ => {}
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// What each anchor names, by its number, once it has been read.
    anchors: HashMap<usize, Node>,
    nodes: usize,
    line: usize,
    column: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Event<'a>, DocumentError> {
        let next: Option<Result<(Event<'a>, Span), ScanError>> = self.parser.next();
        match next {
            None => Ok(Event::StreamEnd),
            Some(Ok((event, span))) => {
                (self.line, self.column) = (span.start.line(), span.start.col() + 1);
                Ok(event)
            }
            Some(Err(error)) => {
                (self.line, self.column) = (error.marker().line(), error.marker().col() + 1);
                Err(self.error(error.info()))
            }
        }
    }

    fn error(&self, reason: &str) -> DocumentError {
        DocumentError::Syntax { line: self.line, column: self.column, reason: reason.to_owned() }
    }

    fn node(&mut self, event: Event<'a>, depth: usize) -> Result<Node, DocumentError> {
        self.count(1)?;
        if depth > MAX_DEPTH {
            return Err(self.error("nested deeper than a policy can be"));
        }
        let (anchor, node) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                (anchor, self.scalar(&text, style, tag.as_deref())?)
            }
            Event::SequenceStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), "seq")?;
                (anchor, self.sequence(depth)?)
            }
            Event::MappingStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), "map")?;
                (anchor, self.mapping(depth)?)
            }
            Event::Alias(anchor) => {
                let node = self
                    .anchors
                    .get(&anchor)
                    .cloned()
                    .ok_or_else(|| self.error("an alias inside the very thing it names"))?;
                self.count(size(&node))?;
                return Ok(node);
            }
            _ => return Err(self.error("expected a value")),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn count(&mut self, nodes: usize) -> Result<(), DocumentError> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            Err(self.error("more values than a policy can have"))
        } else {
            Ok(())
        }
    }

    fn sequence(&mut self, depth: usize) -> Result<Node, DocumentError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                Event::SequenceEnd => return Ok(Node::Sequence(items)),
                event => items.push(self.node(event, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Node, DocumentError> {
        let mut merged = Vec::new();
        let mut own = Vec::new();
        loop {
            let event = self.next()?;
            if event == Event::MappingEnd {
                // What is merged in stands first, so that the mapping's own entries win.
                merged.extend(own);
                return Ok(Node::Mapping(merged));
            }
            let is_merge =
                matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
            let key = self.node(event, depth + 1)?;
            let event = self.next()?;
            let value = self.node(event, depth + 1)?;
            if is_merge {
                self.merge(value, &mut merged)?;
            } else {
                own.push((key, value));
            }
        }
    }

    /// `<<: *other` or `<<: [*one, *other]`, of which an earlier one wins.
    fn merge(&self, value: Node, merged: &mut Vec<(Node, Node)>) -> Result<(), DocumentError> {
        let sources = match value {
            Node::Sequence(sources) => sources,
            source => vec![source],
        };
        for source in sources.into_iter().rev() {
            let Node::Mapping(entries) = source else {
                return Err(self.error("expected a mapping to merge"));
            };
            merged.retain(|(key, _)| !entries.iter().any(|(other, _)| other == key));
            merged.extend(entries);
        }
        Ok(())
    }

    fn scalar(
        &self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
    ) -> Result<Node, DocumentError> {
        match tag {
            Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => {
                return Ok(Node::Text(text.to_owned()));
            }
            // `!` alone says nothing to PyYAML: what follows means what it would mean without.
            Some(tag) if !is_bare(tag) => {
                return Err(self.error("a tag, which a policy can't have"));
            }
            _ => {}
        }
        Ok(match resolve(text) {
            Some(scalar) if style == ScalarStyle::Plain => scalar,
            _ => Node::Text(text.to_owned()),
        })
    }

    fn check_tag(&self, tag: Option<&Tag>, expected: &str) -> Result<(), DocumentError> {
        match tag {
            Some(tag)
                if !(is_bare(tag) || (tag.is_yaml_core_schema() && tag.suffix == expected)) =>
            {
                Err(self.error("a tag, which a policy can't have"))
            }
            _ => Ok(()),
        }
    }
}

fn is_bare(tag: &Tag) -> bool {
    matches!((tag.handle.as_str(), tag.suffix.as_str()), ("", "!") | ("!", ""))
}

fn size(node: &Node) -> usize {
    match node {
        Node::Sequence(items) => 1 + items.iter().map(size).sum::<usize>(),
        Node::Mapping(entries) => {
            1 + entries.iter().map(|(key, value)| size(key) + size(value)).sum::<usize>()
        }
        _ => 1,
    }
}

/// What a plain scalar is when it is no text, by YAML 1.1.
fn resolve(text: &str) -> Option<Node> {
    let (kind, truthy) = match text {
        "" | "~" | "null" | "Null" | "NULL" => ("null", false),
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            ("a truth value", true)
        }
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            ("a truth value", false)
        }
        "=" => ("the YAML value key", true),
        "<<" => ("the YAML merge key", true),
        _ if is_date(text) => ("a date", true),
        _ if is_number(text) => ("a number", has_value(text)),
        _ => return None,
    };
    Some(Node::Scalar { kind, truthy })
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let all = |digits: &str, allowed: fn(char) -> bool| {
        !digits.is_empty() && digits.chars().all(|digit| allowed(digit) || digit == '_')
    };
    if let Some(digits) = unsigned.strip_prefix("0x") {
        return all(digits, |digit| digit.is_ascii_hexdigit());
    }
    if let Some(digits) = unsigned.strip_prefix("0b") {
        return all(digits, |digit| matches!(digit, '0' | '1'));
    }
    is_decimal(unsigned, text.len() != unsigned.len()) || is_base_60(unsigned)
}

/// `12`, `017`, `1_000`, `1.5`, `1.`, `.5e+3`. A number that begins with its point takes no sign.
fn is_decimal(unsigned: &str, has_sign: bool) -> bool {
    let digits = |text: &str| text.chars().all(|digit| digit.is_ascii_digit() || digit == '_');
    let begins = |text: &str| text.starts_with(|first: char| first.is_ascii_digit());
    let Some((whole, fraction)) = unsigned.split_once('.') else {
        let is_octal = unsigned.len() > 1 && unsigned.starts_with('0');
        return begins(unsigned)
            && digits(unsigned)
            && !(is_octal && unsigned.contains(['8', '9']));
    };
    let (fraction, exponent) = fraction
        .split_once(['e', 'E'])
        .map_or((fraction, None), |(fraction, exponent)| (fraction, Some(exponent)));
    let exponent_fits = exponent.is_none_or(|exponent| {
        exponent.strip_prefix(['-', '+']).is_some_and(|digits| {
            !digits.is_empty() && digits.chars().all(|digit| digit.is_ascii_digit())
        })
    });
    let whole_fits = if whole.is_empty() {
        !has_sign && begins(fraction)
    } else {
        begins(whole) && digits(whole)
    };
    whole_fits && digits(fraction) && exponent_fits
}

/// `1:30`, `1:30.5`.
fn is_base_60(unsigned: &str) -> bool {
    let (whole, fraction) = unsigned
        .split_once('.')
        .map_or((unsigned, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    let first_fits = first
        .starts_with(|digit: char| digit.is_ascii_digit() && (digit != '0' || fraction.is_some()))
        && first.chars().all(|digit| digit.is_ascii_digit() || digit == '_');
    let rest: Vec<&str> = parts.collect();
    let rest_fits =
        |part: &&str| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    let fraction_fits = fraction
        .is_none_or(|digits| digits.chars().all(|digit| digit.is_ascii_digit() || digit == '_'));
    first_fits && !rest.is_empty() && rest.iter().all(rest_fits) && fraction_fits
}

/// Whether a number differs from zero.
fn has_value(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, is_hex) = match unsigned.strip_prefix("0x") {
        Some(digits) => (digits, true),
        None => (unsigned.split(['e', 'E']).next().unwrap_or_default(), false),
    };
    mantissa.chars().any(|digit| matches!(digit, '1'..='9'))
        || (is_hex && mantissa.chars().any(|digit| digit.is_ascii_alphabetic()))
        || text.contains(['n', 'N'])
}

/// `2020-01-31`, with or without a time of day.
fn is_date(text: &str) -> bool {
    let (date, time) =
        text.find(['T', 't', ' ', '\t']).map_or((text, ""), |end| text.split_at(end));
    let parts: Vec<&str> = date.split('-').collect();
    let digits = |part: &str, least: usize, most: usize| {
        (least..=most).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_digit())
    };
    let [year, month, day] = parts.as_slice() else { return false };
    if time.is_empty() {
        return digits(year, 4, 4) && digits(month, 2, 2) && digits(day, 2, 2);
    }
    let looks_like_time = time
        .trim_start_matches(['T', 't', ' ', '\t'])
        .starts_with(|first: char| first.is_ascii_digit())
        && time.contains(':');
    digits(year, 4, 4) && digits(month, 1, 2) && digits(day, 1, 2) && looks_like_time
}

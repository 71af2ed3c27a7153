//! Which expressions are literals, and how `str()` shows them.

use super::{
    expression::Node,
    number::Number,
    text::{float_digits, float_repr, write_bytes, write_quoted},
};

/// A literal's value.
#[derive(Debug, PartialEq)]
pub(super) enum Literal {
    /// Shown as this, alone or inside a container.
    Shown(String),
    Text(String),
    Bytes(Vec<u8>),
    Tuple(Vec<Literal>),
    List(Vec<Literal>),
    /// One item: a larger set has no order to be shown in.
    Set(Box<Literal>),
}

/// Why an expression has no value as a literal.
#[derive(Debug, PartialEq)]
pub(super) enum NotLiteral {
    /// It is an expression of another kind.
    Expression,
    /// It is one that policies don't support, or that Python refuses with something other than a
    /// `ValueError`.
    Unsupported(&'static str),
}

/// `ast.literal_eval` on a parsed expression.
pub(super) fn evaluate(node: &Node) -> Result<Literal, NotLiteral> {
    match node {
        Node::Constant(name) => Ok(Literal::Shown((*name).to_owned())),
        Node::Number(number) => Ok(Literal::Shown(show_number(number, false))),
        Node::Signed { negative, number } => Ok(Literal::Shown(show_number(number, *negative))),
        Node::Complex { real, negative, imaginary } => {
            // Adding to or subtracting from a real number, zero signs included.
            let real = real_value(real);
            let (real, imaginary) = if *negative {
                (real - 0.0, 0.0 - imaginary)
            } else {
                (real + 0.0, 0.0 + imaginary)
            };
            Ok(Literal::Shown(show_complex(real, imaginary)))
        }
        Node::Text(text) => Ok(Literal::Text(text.clone())),
        Node::Bytes(bytes) => Ok(Literal::Bytes(bytes.clone())),
        Node::Tuple(items) => evaluate_all(items).map(Literal::Tuple),
        Node::List(items) => evaluate_all(items).map(Literal::List),
        Node::Set(items) => {
            let mut items = evaluate_all(items)?;
            match (items.pop(), items.is_empty()) {
                (Some(only), true) if is_hashable(&only) => Ok(Literal::Set(Box::new(only))),
                _ => Err(NotLiteral::Unsupported(
                    "a set of several items, or of one that no set can hold",
                )),
            }
        }
        Node::EmptyDict => Ok(Literal::Shown("{}".to_owned())),
        Node::EmptySet => Ok(Literal::Shown("set()".to_owned())),
        Node::Name(_) | Node::Place | Node::Opaque => Err(NotLiteral::Expression),
    }
}

fn evaluate_all(nodes: &[Node]) -> Result<Vec<Literal>, NotLiteral> {
    nodes.iter().map(evaluate).collect()
}

fn is_hashable(literal: &Literal) -> bool {
    match literal {
        Literal::Shown(shown) => shown != "{}" && shown != "set()",
        Literal::Text(_) | Literal::Bytes(_) => true,
        Literal::Tuple(items) => items.iter().all(is_hashable),
        Literal::List(_) | Literal::Set(_) => false,
    }
}

impl Literal {
    /// `str()`.
    pub(super) fn shown(self) -> String {
        match self {
            Self::Text(text) => text,
            other => {
                let mut out = String::new();
                other.write(&mut out);
                out
            }
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Shown(shown) => out.push_str(shown),
            Self::Text(text) => write_quoted(out, text),
            Self::Bytes(bytes) => write_bytes(out, bytes),
            Self::Tuple(items) => {
                let closing = if items.len() == 1 { ",)" } else { ")" };
                write_items(out, "(", items, closing);
            }
            Self::List(items) => write_items(out, "[", items, "]"),
            Self::Set(item) => write_items(out, "{", std::slice::from_ref(item), "}"),
        }
    }
}

fn write_items(out: &mut String, opening: &str, items: &[Literal], closing: &str) {
    out.push_str(opening);
    for (position, item) in items.iter().enumerate() {
        out.push_str(if position > 0 { ", " } else { "" });
        item.write(out);
    }
    out.push_str(closing);
}

fn show_number(number: &Number, negative: bool) -> String {
    match number {
        Number::Int(digits) if negative && digits != "0" => format!("-{digits}"),
        Number::Int(digits) => digits.clone(),
        Number::Float(value) => float_repr(if negative { -value } else { *value }),
        // Negating a complex number negates its real zero too.
        Number::Imaginary(value) if negative => show_complex(-0.0, -value),
        Number::Imaginary(value) => show_complex(0.0, *value),
    }
}

fn show_complex(real: f64, imaginary: f64) -> String {
    let digits = float_digits(imaginary);
    if real == 0.0 && real.is_sign_positive() {
        return format!("{digits}j");
    }
    let plus = if digits.starts_with('-') { "" } else { "+" };
    format!("({}{plus}{digits}j)", float_digits(real))
}

fn real_value(node: &Node) -> f64 {
    let (negative, number) = match node {
        Node::Number(number) => (false, number),
        Node::Signed { negative, number } => (*negative, number),
        _ => return 0.0,
    };
    let value = match number {
        Number::Int(digits) => digits.parse().unwrap_or(f64::INFINITY),
        Number::Float(value) | Number::Imaginary(value) => *value,
    };
    // A whole number has no negative zero.
    if negative && !(value == 0.0 && matches!(number, Number::Int(_))) { -value } else { value }
}

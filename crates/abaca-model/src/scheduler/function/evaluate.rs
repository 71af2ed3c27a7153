//! Computes the value of a function.

use std::cmp::Ordering;
use std::fmt;

use serde_json::Value as Json;

use super::parser::{Call, Chain, Expression, Group, without_quotes};
use super::{FunctionError, Variables};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Never NaN.
    Number(f64),
    Boolean(bool),
    Text(String),
}

impl Value {
    pub(super) fn is_truthy(&self) -> bool {
        match self {
            Self::Number(number) => *number != 0.0,
            Self::Boolean(value) => *value,
            Self::Text(text) => !text.is_empty(),
        }
    }

    /// A boolean counts as 0 or 1.
    fn number(&self) -> Result<f64, FunctionError> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Boolean(value) => Ok(f64::from(u8::from(*value))),
            Self::Text(text) => Err(FunctionError::NoNumber(text.clone())),
        }
    }

    /// `None` when they are of two kinds.
    fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => Some(one.cmp(other)),
            (Self::Text(_), _) | (_, Self::Text(_)) => None,
            _ => self.number().ok()?.partial_cmp(&other.number().ok()?),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(formatter),
            Self::Boolean(value) => value.fmt(formatter),
            Self::Text(text) => write!(formatter, "{text:?}"),
        }
    }
}

type Evaluated = Result<Value, FunctionError>;

pub(super) fn evaluate(expression: &Expression, variables: Variables<'_>) -> Evaluated {
    let value = |expression| evaluate(expression, variables);
    let number = |expression| value(expression)?.number();
    match expression {
        Expression::Number(literal) => result(*literal),
        Expression::Text(text) => Ok(Value::Text(text.clone())),
        Expression::Variable(group, name) => variable(*group, name, variables),
        Expression::Call(call, arguments) => {
            let arguments = match &**arguments {
                Expression::List(members) => members.iter().map(value).collect(),
                single => value(single).map(|value| vec![value]),
            };
            apply(*call, arguments?)
        }
        Expression::List(_) => Err(FunctionError::List),
        Expression::Power(base, exponent) => power(number(base)?, number(exponent)?),
        Expression::Negative(operand) => result(-number(operand)?),
        Expression::Positive(operand) => result(number(operand)?),
        Expression::Not(operand) => Ok(Value::Boolean(!value(operand)?.is_truthy())),
        Expression::Sum(chain) | Expression::Product(chain) => arithmetic(chain, variables),
        Expression::Comparison(chain) => comparison(chain, variables).map(Value::Boolean),
        Expression::And(chain) => junction(chain, variables, false),
        Expression::Or(chain) => junction(chain, variables, true),
        Expression::Choice(parts) => {
            let [condition, then, otherwise] = &**parts;
            if value(condition)?.is_truthy() { value(then) } else { value(otherwise) }
        }
    }
}

/// What is not a number is no value.
fn result(number: f64) -> Evaluated {
    if number.is_nan() { Err(FunctionError::NoResult) } else { Ok(Value::Number(number)) }
}

fn power(base: f64, exponent: f64) -> Evaluated {
    if base == 0.0 && exponent < 0.0 {
        return Err(FunctionError::NoResult);
    }
    result(base.powf(exponent))
}

fn arithmetic(chain: &Chain, variables: Variables<'_>) -> Evaluated {
    let mut total = evaluate(&chain.first, variables)?.number()?;
    for (operator, operand) in &chain.rest {
        let operand = evaluate(operand, variables)?.number()?;
        total = match *operator {
            "+" => total + operand,
            "-" => total - operand,
            "*" => total * operand,
            _ if operand == 0.0 => return Err(FunctionError::NoResult),
            _ => total / operand,
        };
    }
    result(total)
}

/// `1 < 2 < 3` holds when each neighbour does; what follows the first that does not is left out.
fn comparison(chain: &Chain, variables: Variables<'_>) -> Result<bool, FunctionError> {
    let mut left = evaluate(&chain.first, variables)?;
    for (operator, right) in &chain.rest {
        let right = evaluate(right, variables)?;
        let order = left.compare(&right);
        let holds = match (*operator, order) {
            ("==", order) => order == Some(Ordering::Equal),
            ("!=" | "<>", order) => order != Some(Ordering::Equal),
            (_, None) => {
                return Err(FunctionError::Incomparable(left.to_string(), right.to_string()));
            }
            ("<", Some(order)) => order.is_lt(),
            ("<=", Some(order)) => order.is_le(),
            (">", Some(order)) => order.is_gt(),
            (_, Some(order)) => order.is_ge(),
        };
        if !holds {
            return Ok(false);
        }
        left = right;
    }
    Ok(true)
}

/// The first operand that decides, else the last. All have to have a value.
fn junction(chain: &Chain, variables: Variables<'_>, decides: bool) -> Evaluated {
    let mut decision = evaluate(&chain.first, variables)?;
    for (_, operand) in &chain.rest {
        let operand = evaluate(operand, variables)?;
        if decision.is_truthy() != decides {
            decision = operand;
        }
    }
    Ok(decision)
}

fn apply(call: Call, arguments: Vec<Value>) -> Evaluated {
    let (function, keep) = match call {
        Call::Abs => {
            let [argument] = arguments.as_slice() else {
                let expected = "one argument";
                return Err(FunctionError::Arguments { function: "abs", expected });
            };
            return result(argument.number()?.abs());
        }
        Call::Max => ("max", Ordering::Greater),
        Call::Min => ("min", Ordering::Less),
    };
    if arguments.len() < 2 {
        let expected = "two arguments or more";
        return Err(FunctionError::Arguments { function, expected });
    }
    let mut arguments = arguments.into_iter();
    let first = arguments.next().ok_or(FunctionError::NoResult)?;
    arguments.try_fold(first, |best, next| match next.compare(&best) {
        Some(order) => Ok(if order == keep { next } else { best }),
        None => Err(FunctionError::Incomparable(best.to_string(), next.to_string())),
    })
}

fn variable(group: Group, name: &str, variables: Variables<'_>) -> Evaluated {
    let (prefix, found) = match group {
        Group::Extra => {
            let Some(text) = variables.extra.get(name) else {
                return Err(FunctionError::Missing(format!("extra.{name}")));
            };
            return text_value(text);
        }
        Group::Stats => ("stats", variables.stats.get(name)),
        Group::Capabilities => ("capabilities", variables.capabilities.get(name)),
        Group::Share => ("share", variables.share.get(name)),
    };
    let whole_name = || format!("{prefix}.{name}");
    match found {
        None => Err(FunctionError::Missing(whole_name())),
        Some(Json::Bool(value)) => Ok(Value::Number(f64::from(u8::from(*value)))),
        Some(Json::Number(number)) => result(number.as_f64().unwrap_or(f64::NAN).trunc()),
        Some(Json::String(text)) => text_value(text),
        Some(Json::Null | Json::Array(_) | Json::Object(_)) => {
            Err(FunctionError::NoScalar(whole_name()))
        }
    }
}

fn text_value(text: &str) -> Evaluated {
    match text.trim().parse() {
        Ok(number) => result(number),
        Err(_) => Ok(Value::Text(without_quotes(text))),
    }
}

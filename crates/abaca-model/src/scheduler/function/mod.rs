//! The functions by which a backend's config says what it takes (`filter_function`) and how good a
//! place it is (`goodness_function`): `(share.size < 100) and (stats.free_capacity_gb > 10)`.
//!
//! The language is the reference's. From the tightest to the loosest: `abs`, `max`, `min`; `^`;
//! a sign; `* /`; `+ -`; `! not NOT`; `< <= > >= == != <>`, which chain; `? :`;
//! `&& and AND`; `|| or OR`; commas between arguments. Operands are numbers, texts in quotes or as
//! a bare word, and the variables of [`Variables`]. A number that a variable holds loses its
//! fraction; a text that reads as a number is one.
//!
//! It differs on purpose where the reference answers by accident: all operands of a chain
//! `a and b and c` count, and all of `a ? b : c ? d : e`; `stats.x and ...` needs no parentheses;
//! names may have digits; texts and lists can't be added; an unknown function or group of variables is refused when the
//! function is read, not when a share is placed.

mod evaluate;
mod parser;
mod token;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::{Map, Value as Json};

use evaluate::Value;
use parser::Expression;

/// A function that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Function(Expression);

/// What a function can look at.
#[derive(Debug, Clone, Copy)]
pub struct Variables<'a> {
    /// `extra.x`: the extra specs of the share type.
    pub extra: &'a BTreeMap<String, String>,
    /// `stats.x`: the pool as the scheduler sees it, and its name as `stats.host`.
    pub stats: &'a Map<String, Json>,
    /// `capabilities.x`: the pool as its backend reported it.
    pub capabilities: &'a Map<String, Json>,
    /// `share.x`: what is to be placed.
    pub share: &'a Map<String, Json>,
}

/// What is wrong with a function, or keeps it from having a value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FunctionError {
    /// It breaks the grammar.
    #[error("at character {at}: expected {expected}, found {found}")]
    Syntax {
        /// Counted from 1.
        at: usize,
        /// What could have stood there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// Longer or deeper than anybody writes.
    #[error("it is too long or too deeply nested")]
    TooLarge,
    /// A word stands before an operand and is no function.
    #[error("there is no function {0:?}; there are abs, max and min")]
    UnknownFunction(String),
    /// A variable of no known group.
    #[error("{0:?} is no variable; they begin with stats, capabilities, share or extra")]
    UnknownVariable(String),
    /// Nothing is known by that name.
    #[error("{0} is not known")]
    Missing(String),
    /// The variable holds null, a list or a table.
    #[error("{0} is neither a number, a text nor a boolean")]
    NoScalar(String),
    /// Arithmetic on a text.
    #[error("{0:?} is no number")]
    NoNumber(String),
    /// A text and a number have no order.
    #[error("{0} and {1} can't be compared")]
    Incomparable(String, String),
    /// Division by zero, or a root of what has none.
    #[error("the calculation has no result")]
    NoResult,
    /// A function was given too few or too many arguments.
    #[error("{function} takes {expected}")]
    Arguments {
        /// The function.
        function: &'static str,
        /// What it takes.
        expected: &'static str,
    },
    /// A list stands where a value should.
    #[error("a list stands outside of a function")]
    List,
    /// A goodness that is neither a boolean nor from 0 to 100.
    #[error("the goodness is {0}, expected 0 to 100")]
    Goodness(String),
}

impl FromStr for Function {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<Self, FunctionError> {
        parser::parse(text).map(Self)
    }
}

impl Function {
    /// Whether a filter function lets the pool pass: any value but 0, false and the empty text.
    ///
    /// # Errors
    /// The [`FunctionError`] that leaves it without a value; the pool must be refused then.
    pub fn passes(&self, variables: Variables<'_>) -> Result<bool, FunctionError> {
        Ok(evaluate::evaluate(&self.0, variables)?.is_truthy())
    }

    /// How good a place the pool is, from 0 to 100; true is 100.
    ///
    /// # Errors
    /// The [`FunctionError`] that leaves it without a value, or the value is out of that range;
    /// the goodness is 0 then.
    pub fn goodness(&self, variables: Variables<'_>) -> Result<f64, FunctionError> {
        match evaluate::evaluate(&self.0, variables)? {
            Value::Boolean(good) => Ok(if good { 100.0 } else { 0.0 }),
            Value::Number(goodness) if (0.0..=100.0).contains(&goodness) => Ok(goodness),
            other => Err(FunctionError::Goodness(other.to_string())),
        }
    }
}

//! Reads a function by recursive descent, one method for each level of precedence.

use super::FunctionError;
use super::token::{Token, tokens};

/// Longer than any function that a person maintains.
const MOST_BYTES: usize = 4096;
/// Deeper than any function that a person reads; bounds the recursion.
const MOST_LEVELS: usize = 32;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Number(f64),
    Text(String),
    Variable(Group, String),
    Call(Call, Box<Self>),
    /// What stands between commas: arguments.
    List(Vec<Self>),
    Power(Box<Self>, Box<Self>),
    Negative(Box<Self>),
    /// A plus sign, which makes a number of a boolean.
    Positive(Box<Self>),
    Not(Box<Self>),
    /// Operands of one level with the operators between them.
    Sum(Chain),
    Product(Chain),
    Comparison(Chain),
    And(Chain),
    Or(Chain),
    Choice(Box<[Self; 3]>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chain {
    pub(super) first: Box<Expression>,
    pub(super) rest: Vec<(&'static str, Expression)>,
}

/// Where a variable is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Extra,
    Stats,
    Capabilities,
    Share,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Abs,
    Max,
    Min,
}

impl Call {
    fn named(word: &str) -> Option<Self> {
        match word {
            "abs" => Some(Self::Abs),
            "max" => Some(Self::Max),
            "min" => Some(Self::Min),
            _ => None,
        }
    }
}

type Parsed = Result<Expression, FunctionError>;

pub(super) fn parse(text: &str) -> Parsed {
    if text.len() > MOST_BYTES {
        return Err(FunctionError::TooLarge);
    }
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, end: text.chars().count() + 1, level: 0 };
    let expression = parser.expression()?;
    match parser.tokens {
        [] => Ok(expression),
        _ => Err(parser.expected("an operator or the end")),
    }
}

struct Parser<'a> {
    tokens: &'a [(usize, Token<'a>)],
    /// The place behind the last character.
    end: usize,
    level: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.first().map(|(_, token)| *token)
    }

    fn skip(&mut self) {
        self.tokens = self.tokens.get(1..).unwrap_or_default();
    }

    /// Takes the operator that comes next, if it is one of these.
    fn take(&mut self, operators: &[&'static str]) -> Option<&'static str> {
        let (Token::Symbol(next) | Token::Word(next)) = self.peek()? else { return None };
        let found = operators.iter().find(|operator| **operator == next)?;
        self.skip();
        Some(found)
    }

    fn expected(&self, expected: &'static str) -> FunctionError {
        let at = self.tokens.first().map_or(self.end, |(at, _)| *at);
        let found = match self.peek() {
            None => "the end".to_owned(),
            Some(Token::Number(number)) => number.to_string(),
            Some(Token::Word(text) | Token::Quoted(text)) => format!("{text:?}"),
            Some(Token::Symbol(symbol)) => format!("{symbol:?}"),
        };
        FunctionError::Syntax { at, expected, found }
    }

    /// Everything that can nest goes through here.
    fn nested(&mut self, parse: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        if self.level == MOST_LEVELS {
            return Err(FunctionError::TooLarge);
        }
        self.level += 1;
        let parsed = parse(self);
        self.level -= 1;
        parsed
    }

    fn chain(
        &mut self,
        operators: &[&'static str],
        operand: fn(&mut Self) -> Parsed,
        make: fn(Chain) -> Expression,
    ) -> Parsed {
        let first = operand(self)?;
        let mut rest = Vec::new();
        while let Some(operator) = self.take(operators) {
            rest.push((operator, operand(self)?));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        Ok(make(Chain { first: Box::new(first), rest }))
    }

    fn expression(&mut self) -> Parsed {
        let first = self.or()?;
        let mut members = vec![first];
        while self.take(&[","]).is_some() {
            members.push(self.or()?);
        }
        match members.len() {
            1 => Ok(members.remove(0)),
            _ => Ok(Expression::List(members)),
        }
    }

    fn or(&mut self) -> Parsed {
        self.chain(&["or", "OR", "||"], Self::and, Expression::Or)
    }

    fn and(&mut self) -> Parsed {
        self.chain(&["and", "AND", "&&"], Self::choice, Expression::And)
    }

    fn choice(&mut self) -> Parsed {
        let condition = self.comparison()?;
        if self.take(&["?"]).is_none() {
            return Ok(condition);
        }
        let then = self.comparison()?;
        if self.take(&[":"]).is_none() {
            return Err(self.expected("':'"));
        }
        let otherwise = self.nested(Self::choice)?;
        Ok(Expression::Choice(Box::new([condition, then, otherwise])))
    }

    fn comparison(&mut self) -> Parsed {
        let operators = ["<", "<=", ">", ">=", "!=", "==", "<>"];
        self.chain(&operators, Self::negation, Expression::Comparison)
    }

    fn negation(&mut self) -> Parsed {
        match self.take(&["!", "not", "NOT"]) {
            Some(_) => Ok(Expression::Not(Box::new(self.nested(Self::negation)?))),
            None => self.sum(),
        }
    }

    fn sum(&mut self) -> Parsed {
        self.chain(&["+", "-"], Self::product, Expression::Sum)
    }

    fn product(&mut self) -> Parsed {
        self.chain(&["*", "/"], Self::signed, Expression::Product)
    }

    fn signed(&mut self) -> Parsed {
        match self.take(&["+", "-"]) {
            Some("-") => Ok(Expression::Negative(Box::new(self.nested(Self::signed)?))),
            Some(_) => Ok(Expression::Positive(Box::new(self.nested(Self::signed)?))),
            None => self.power(),
        }
    }

    fn power(&mut self) -> Parsed {
        let base = self.operand()?;
        if self.take(&["^"]).is_none() {
            return Ok(base);
        }
        let exponent = self.nested(Self::power)?;
        Ok(Expression::Power(Box::new(base), Box::new(exponent)))
    }

    fn operand(&mut self) -> Parsed {
        let Some(token) = self.peek() else { return Err(self.expected("an operand")) };
        let expression = match token {
            Token::Symbol("(") => return self.brackets(),
            Token::Symbol(_) => return Err(self.expected("an operand")),
            Token::Word(word) if is_keyword(word) => return Err(self.expected("an operand")),
            Token::Number(number) => Expression::Number(number),
            Token::Quoted(text) => Expression::Text(without_quotes(text)),
            Token::Word(word) => {
                self.skip();
                return self.word(word);
            }
        };
        self.skip();
        Ok(expression)
    }

    fn brackets(&mut self) -> Parsed {
        self.skip();
        let inner = self.nested(Self::expression)?;
        match self.take(&[")"]) {
            Some(_) => Ok(inner),
            None => Err(self.expected("an operator or ')'")),
        }
    }

    /// A function when an operand follows, else a variable or a text.
    fn word(&mut self, word: &str) -> Parsed {
        let is_called = match self.peek() {
            Some(Token::Number(_) | Token::Quoted(_) | Token::Symbol("(")) => true,
            Some(Token::Word(next)) => !is_keyword(next),
            Some(Token::Symbol(_)) | None => false,
        };
        if is_called {
            let call = Call::named(word);
            let call = call.ok_or_else(|| FunctionError::UnknownFunction(word.to_owned()))?;
            return Ok(Expression::Call(call, Box::new(self.nested(Self::operand)?)));
        }
        variable_or_text(word)
    }
}

fn variable_or_text(word: &str) -> Parsed {
    let parts = word
        .split_once('.')
        .filter(|(group, name)| !group.is_empty() && !name.is_empty() && !name.contains('.'));
    let Some((group, name)) = parts else {
        // Words such as inf are numbers.
        let text = || Expression::Text(word.to_owned());
        return Ok(word.parse().map_or_else(|_| text(), Expression::Number));
    };
    let group = match group {
        "extra" => Group::Extra,
        "stats" => Group::Stats,
        "capabilities" => Group::Capabilities,
        "share" => Group::Share,
        _ => return Err(FunctionError::UnknownVariable(word.to_owned())),
    };
    Ok(Expression::Variable(group, name.to_owned()))
}

fn is_keyword(word: &str) -> bool {
    matches!(word, "and" | "AND" | "or" | "OR" | "not" | "NOT")
}

/// No text keeps a quote of either kind.
pub(super) fn without_quotes(text: &str) -> String {
    text.replace(['"', '\''], "")
}

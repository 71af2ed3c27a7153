//! Recognises Python expressions, keeping just what may be part of a literal.
//!
//! Whether `user-id` or `f(x)` is an expression decides between a failed lookup and a failed
//! decision, so the whole expression grammar is here, except what needs a colon: the left side of a
//! check has none.

use super::{number::Number, token::Token};

/// An expression, opaque where it can't be a literal.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// A number without a sign.
    Number(Number),
    /// One sign before a number.
    Signed {
        negative: bool,
        number: Number,
    },
    /// A real number plus or minus an imaginary one.
    Complex {
        real: Box<Node>,
        negative: bool,
        imaginary: f64,
    },
    Text(String),
    Bytes(Vec<u8>),
    /// `True`, `False`, `None` or `Ellipsis`.
    Constant(&'static str),
    Tuple(Vec<Node>),
    List(Vec<Node>),
    Set(Vec<Node>),
    EmptyDict,
    /// `set()`, the one call that literals know.
    EmptySet,
    Name(String),
    /// `a.b` and `a[b]`: what a comprehension may assign to.
    Place,
    /// Any other expression.
    Opaque,
}

impl Node {
    pub(super) fn is_assignable(&self) -> bool {
        match self {
            Self::Name(_) | Self::Place => true,
            Self::Tuple(items) | Self::List(items) => items.iter().all(Self::is_assignable),
            _ => false,
        }
    }
}

pub(super) type Result<T> = std::result::Result<T, &'static str>;

pub(super) const SYNTAX: &str = "not a Python expression";

/// Deepest nesting; Python ends near 200.
const MAX_DEPTH: usize = 90;

/// Binding strengths of the binary operators.
pub(super) const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const COMPARE: u8 = 4;
pub(super) const BIT_OR: u8 = 5;
const SUM: u8 = 9;

/// Parses a whole expression.
pub(super) fn parse(tokens: Vec<Token>) -> Result<Node> {
    let mut parser = Parser { tokens, position: 0, depth: 0 };
    let (node, _) = parser.items(false)?;
    if parser.position == parser.tokens.len() { Ok(node) } else { Err(SYNTAX) }
}

pub(super) struct Parser {
    pub(super) tokens: Vec<Token>,
    pub(super) position: usize,
    depth: usize,
}

impl Parser {
    pub(super) fn peek_operator(&self) -> Option<&'static str> {
        match self.tokens.get(self.position) {
            Some(Token::Operator(operator)) => Some(operator),
            _ => None,
        }
    }

    pub(super) fn peek_keyword(&self, ahead: usize) -> Option<&str> {
        match self.tokens.get(self.position + ahead) {
            Some(Token::Keyword(word)) => Some(word),
            _ => None,
        }
    }

    pub(super) fn eat(&mut self, operator: &str) -> bool {
        let found = self.peek_operator() == Some(operator);
        self.position += usize::from(found);
        found
    }

    pub(super) fn eat_keyword(&mut self, word: &str) -> bool {
        let found = self.peek_keyword(0) == Some(word);
        self.position += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, operator: &str) -> Result<()> {
        if self.eat(operator) { Ok(()) } else { Err(SYNTAX) }
    }

    /// Runs one level deeper, so that nothing overflows the stack.
    pub(super) fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("an expression nested too deep");
        }
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    /// `a`, `a,` or `a, b`, stars where the grammar allows them; says whether there was a comma.
    pub(super) fn items(&mut self, stars: bool) -> Result<(Node, bool)> {
        let (first, starred) = self.item(stars)?;
        if self.peek_operator() != Some(",") {
            return if starred { Err(SYNTAX) } else { Ok((first, false)) };
        }
        let mut items = vec![first];
        while self.eat(",") {
            if !self.at_expression() {
                break;
            }
            items.push(self.item(stars)?.0);
        }
        Ok((Node::Tuple(items), true))
    }

    /// An expression, or a starred one; says which.
    pub(super) fn item(&mut self, stars: bool) -> Result<(Node, bool)> {
        if stars && self.eat("*") {
            self.binary(BIT_OR)?;
            return Ok((Node::Opaque, true));
        }
        Ok((self.expression()?, false))
    }

    /// Whether an expression could begin here, as against a closing bracket or the end.
    pub(super) fn at_expression(&self) -> bool {
        !matches!(
            self.tokens.get(self.position),
            None | Some(Token::Operator(")" | "]" | "}" | "="))
        )
    }

    pub(super) fn expression(&mut self) -> Result<Node> {
        self.nested(|parser| {
            let node = parser.binary(OR)?;
            if !parser.eat_keyword("if") {
                return Ok(node);
            }
            parser.binary(OR)?;
            if !parser.eat_keyword("else") {
                return Err(SYNTAX);
            }
            parser.expression()?;
            Ok(Node::Opaque)
        })
    }

    pub(super) fn binary(&mut self, weakest: u8) -> Result<Node> {
        let mut left = if weakest <= NOT && self.eat_keyword("not") {
            self.nested(|parser| parser.binary(NOT))?;
            Node::Opaque
        } else {
            self.unary()?
        };
        while let Some((strength, length)) = self.peek_binary() {
            if strength < weakest {
                break;
            }
            let negative = self.peek_operator() == Some("-");
            self.position += length;
            let right = self.binary(strength + 1)?;
            left = if strength == SUM { sum(left, negative, right) } else { Node::Opaque };
        }
        Ok(left)
    }

    /// The binary operator here: its strength, and how many tokens it has.
    fn peek_binary(&self) -> Option<(u8, usize)> {
        if let Some(word) = self.peek_keyword(0) {
            return match word {
                "or" => Some((OR, 1)),
                "and" => Some((AND, 1)),
                "in" => Some((COMPARE, 1)),
                "is" => Some((COMPARE, 1 + usize::from(self.peek_keyword(1) == Some("not")))),
                "not" if self.peek_keyword(1) == Some("in") => Some((COMPARE, 2)),
                _ => None,
            };
        }
        let strength = match self.peek_operator()? {
            "<" | ">" | "<=" | ">=" | "==" | "!=" => COMPARE,
            "|" => BIT_OR,
            "^" => 6,
            "&" => 7,
            "<<" | ">>" => 8,
            "+" | "-" => SUM,
            "*" | "/" | "//" | "%" | "@" => 10,
            _ => return None,
        };
        Some((strength, 1))
    }

    fn unary(&mut self) -> Result<Node> {
        match self.peek_operator() {
            Some(sign @ ("+" | "-")) => {
                self.position += 1;
                Ok(match self.nested(Self::unary)? {
                    Node::Number(number) => Node::Signed { negative: sign == "-", number },
                    _ => Node::Opaque,
                })
            }
            Some("~") => {
                self.position += 1;
                self.nested(Self::unary)?;
                Ok(Node::Opaque)
            }
            _ => self.power(),
        }
    }

    fn power(&mut self) -> Result<Node> {
        let awaits = self.eat_keyword("await");
        let base = self.primary()?;
        if self.eat("**") {
            self.nested(Self::unary)?;
            return Ok(Node::Opaque);
        }
        Ok(if awaits { Node::Opaque } else { base })
    }

    fn primary(&mut self) -> Result<Node> {
        let mut node = self.atom()?;
        loop {
            if self.eat(".") {
                let Some(Token::Name(_)) = self.tokens.get(self.position) else {
                    return Err(SYNTAX);
                };
                self.position += 1;
                node = Node::Place;
            } else if self.eat("[") {
                self.subscript()?;
                node = Node::Place;
            } else if self.eat("(") {
                let is_set = matches!(&node, Node::Name(name) if name == "set");
                let has_arguments = self.nested(Self::arguments)?;
                node = if is_set && !has_arguments { Node::EmptySet } else { Node::Opaque };
            } else {
                return Ok(node);
            }
        }
    }

    fn atom(&mut self) -> Result<Node> {
        let token = self.tokens.get(self.position).cloned().ok_or(SYNTAX)?;
        self.position += 1;
        match token {
            Token::Name(name) => Ok(Node::Name(name)),
            Token::Number(number) => Ok(Node::Number(number)),
            Token::Keyword(word) => match word.as_str() {
                "True" => Ok(Node::Constant("True")),
                "False" => Ok(Node::Constant("False")),
                "None" => Ok(Node::Constant("None")),
                _ => Err(SYNTAX),
            },
            Token::Operator("...") => Ok(Node::Constant("Ellipsis")),
            Token::Operator("(") => self.nested(Self::group),
            Token::Operator("[") => self
                .nested(|parser| parser.display("]"))
                .map(|items| items.map_or(Node::Opaque, Node::List)),
            Token::Operator("{") => self.nested(Self::braces),
            Token::Text(_) | Token::Bytes(_) | Token::Formatted => self.strings(token),
            Token::Operator(_) => Err(SYNTAX),
        }
    }

    /// Strings that stand side by side are one; text and bytes don't mix.
    fn strings(&mut self, first: Token) -> Result<Node> {
        let mut joined = first;
        while let Some(next) = self.tokens.get(self.position) {
            joined = match (joined, next) {
                (Token::Text(left), Token::Text(right)) => Token::Text(left + right),
                (Token::Bytes(left), Token::Bytes(right)) => {
                    Token::Bytes([left, right.clone()].concat())
                }
                (Token::Formatted | Token::Text(_), Token::Formatted)
                | (Token::Formatted, Token::Text(_)) => Token::Formatted,
                (_, Token::Text(_) | Token::Bytes(_) | Token::Formatted) => {
                    return Err("text and bytes mixed");
                }
                (joined, _) => return finish_string(joined),
            };
            self.position += 1;
        }
        finish_string(joined)
    }
}

fn finish_string(token: Token) -> Result<Node> {
    match token {
        Token::Text(text) => Ok(Node::Text(text)),
        Token::Bytes(bytes) => Ok(Node::Bytes(bytes)),
        _ => Ok(Node::Opaque),
    }
}

/// `1+2j` is a literal, every other sum is not.
fn sum(left: Node, negative: bool, right: Node) -> Node {
    match (left, right) {
        (
            real @ (Node::Number(Number::Int(_) | Number::Float(_))
            | Node::Signed { number: Number::Int(_) | Number::Float(_), .. }),
            Node::Number(Number::Imaginary(imaginary)),
        ) => Node::Complex { real: Box::new(real), negative, imaginary },
        _ => Node::Opaque,
    }
}

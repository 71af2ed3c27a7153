//! What Python's brackets may hold: calls, subscripts, displays and comprehensions.

use super::{
    expression::{BIT_OR, Node, OR, Parser, Result, SYNTAX},
    token::Token,
};

impl Parser {
    pub(super) fn subscript(&mut self) -> Result<()> {
        loop {
            self.item(true)?;
            if !self.eat(",") || !self.at_expression() {
                break;
            }
        }
        self.expect("]")
    }

    /// What stands between the parentheses of a call; says whether there was anything.
    pub(super) fn arguments(&mut self) -> Result<bool> {
        let (mut count, mut keywords, mut double_stars) = (0_usize, false, false);
        while !self.eat(")") {
            if count > 0 {
                self.expect(",")?;
                if self.eat(")") {
                    break;
                }
            }
            count += 1;
            if self.eat("**") {
                self.expression()?;
                double_stars = true;
            } else if self.eat("*") {
                if double_stars {
                    return Err(SYNTAX);
                }
                self.expression()?;
            } else if self.keyword_argument()? {
                keywords = true;
            } else {
                if keywords || double_stars {
                    return Err(SYNTAX);
                }
                self.expression()?;
                if self.comprehension()? && (count > 1 || self.peek_operator() != Some(")")) {
                    return Err(SYNTAX);
                }
            }
        }
        Ok(count > 0)
    }

    /// `name=value`.
    fn keyword_argument(&mut self) -> Result<bool> {
        let named = matches!(self.tokens.get(self.position), Some(Token::Name(_)));
        if !named || self.tokens.get(self.position + 1) != Some(&Token::Operator("=")) {
            return Ok(false);
        }
        self.position += 2;
        self.expression()?;
        Ok(true)
    }

    /// `for x in y if z ...`, if there is one.
    pub(super) fn comprehension(&mut self) -> Result<bool> {
        let mut found = false;
        loop {
            let is_async =
                self.peek_keyword(0) == Some("async") && self.peek_keyword(1) == Some("for");
            self.position += usize::from(is_async);
            if !self.eat_keyword("for") {
                return Ok(found);
            }
            found = true;
            self.targets()?;
            if !self.eat_keyword("in") {
                return Err(SYNTAX);
            }
            self.binary(OR)?;
            while self.eat_keyword("if") {
                self.binary(OR)?;
            }
        }
    }

    fn targets(&mut self) -> Result<()> {
        loop {
            self.eat("*");
            if !self.binary(BIT_OR)?.is_assignable() {
                return Err(SYNTAX);
            }
            if !self.eat(",") || self.peek_keyword(0) == Some("in") {
                return Ok(());
            }
        }
    }

    pub(super) fn group(&mut self) -> Result<Node> {
        if self.eat(")") {
            return Ok(Node::Tuple(Vec::new()));
        }
        if self.eat_keyword("yield") {
            if self.eat_keyword("from") {
                self.expression()?;
            } else if self.at_expression() {
                self.yielded()?;
            }
            self.expect(")")?;
            return Ok(Node::Opaque);
        }
        let (node, has_comma) = self.items(true)?;
        let is_generator = !has_comma && self.comprehension()?;
        self.expect(")")?;
        Ok(if is_generator { Node::Opaque } else { node })
    }

    /// Like a tuple without parentheses, where a lone star is allowed to the grammar.
    fn yielded(&mut self) -> Result<()> {
        loop {
            self.item(true)?;
            if !self.eat(",") || !self.at_expression() {
                return Ok(());
            }
        }
    }

    /// The items up to a closing bracket; `None` for a comprehension.
    pub(super) fn display(&mut self, closing: &str) -> Result<Option<Vec<Node>>> {
        let mut items = Vec::new();
        while !self.eat(closing) {
            if !items.is_empty() {
                self.expect(",")?;
                if self.eat(closing) {
                    break;
                }
            }
            let (node, starred) = self.item(true)?;
            items.push(node);
            if items.len() == 1 && !starred && self.comprehension()? {
                self.expect(closing)?;
                return Ok(None);
            }
        }
        Ok(Some(items))
    }

    pub(super) fn braces(&mut self) -> Result<Node> {
        if self.eat("}") {
            return Ok(Node::EmptyDict);
        }
        if self.peek_operator() != Some("**") {
            return self.display("}").map(|items| items.map_or(Node::Opaque, Node::Set));
        }
        while self.eat("**") {
            self.binary(BIT_OR)?;
            if !self.eat(",") {
                break;
            }
        }
        self.expect("}")?;
        Ok(Node::Opaque)
    }
}

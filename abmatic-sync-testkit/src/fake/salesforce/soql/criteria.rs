//! The grammar of conditions, the part of the parser that follows `WHERE`.

use crate::fake::salesforce::soql::ast::{Condition, Literal, LiteralValue, Operator, Path};
use crate::fake::salesforce::soql::parser::{Parsed, Parser};
use crate::fake::salesforce::soql::token::TokenKind;

impl Parser<'_> {
    /// `a AND b AND c`, or `a OR b`; both at once need parentheses.
    pub(crate) fn condition(&mut self) -> Parsed<Condition> {
        let first = self.term()?;
        let word = if self.is_word("AND") {
            "AND"
        } else if self.is_word("OR") {
            "OR"
        } else {
            return Ok(first);
        };
        let mut all = vec![first];
        while self.take_word(word) {
            all.push(self.term()?);
        }
        if self.is_word("AND") || self.is_word("OR") {
            return self.unexpected();
        }
        Ok(if word == "AND" { Condition::All(all) } else { Condition::Any(all) })
    }

    fn term(&mut self) -> Parsed<Condition> {
        if self.take_word("NOT") {
            return Ok(Condition::Not(Box::new(self.deeper(Self::term)?)));
        }
        if self.take_symbol("(") {
            let inner = self.deeper(Self::condition)?;
            self.expect_symbol(")")?;
            return Ok(inner);
        }
        let path = self.path()?;
        self.comparison(path)
    }

    fn comparison(&mut self, path: Path) -> Parsed<Condition> {
        let negated = self.take_word("NOT");
        if self.take_word("IN") {
            return self.list(path, negated);
        }
        if negated {
            return self.unexpected();
        }
        if self.take_word("LIKE") {
            return Ok(Condition::Like(path, self.literal()?));
        }
        for (word, negated) in [("INCLUDES", false), ("EXCLUDES", true)] {
            if self.take_word(word) {
                self.expect_symbol("(")?;
                return Ok(Condition::Includes { path, negated, list: self.literals()? });
            }
        }
        let operators = [
            ("=", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<>", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let found = operators.iter().find(|(symbol, _)| self.take_symbol(symbol)).map(|(_, operator)| *operator);
        let Some(operator) = found else { return self.unexpected() };
        Ok(Condition::Compare(path, operator, self.literal()?))
    }

    fn list(&mut self, path: Path, negated: bool) -> Parsed<Condition> {
        self.expect_symbol("(")?;
        if self.is_word("SELECT") {
            let select = Box::new(self.deeper(Self::select)?);
            self.expect_symbol(")")?;
            return Ok(Condition::InSelect { path, negated, select });
        }
        Ok(Condition::In { path, negated, list: self.literals()? })
    }

    /// Literals up to the closing parenthesis.
    fn literals(&mut self) -> Parsed<Vec<Literal>> {
        let mut all = vec![self.literal()?];
        while self.take_symbol(",") {
            all.push(self.literal()?);
        }
        self.expect_symbol(")")?;
        Ok(all)
    }

    fn literal(&mut self) -> Parsed<Literal> {
        let token = self.next();
        let value = match token.kind {
            TokenKind::Quoted(text) => LiteralValue::Quoted(text),
            TokenKind::Plain(text) => LiteralValue::Plain(text),
            TokenKind::Word(text) => match text.to_ascii_lowercase().as_str() {
                "null" => LiteralValue::Null,
                "true" => LiteralValue::Flag(true),
                "false" => LiteralValue::Flag(false),
                _ => LiteralValue::Plain(text),
            },
            TokenKind::End | TokenKind::Symbol(_) => {
                self.at -= 1;
                return self.unexpected();
            }
        };
        Ok(Literal { value, at: token.at })
    }
}

//! From tokens to a statement: one function for each rule of the grammar.

use crate::fake::salesforce::errors::Refusal;
use crate::fake::salesforce::soql::ast::{
    Condition, Function, Item, Literal, LiteralValue, Operator, Order, Path, Select,
};
use crate::fake::salesforce::soql::token::{Token, TokenKind, malformed, tokens};

/// Nesting is bounded, or a caller could exhaust the stack.
const DEPTH_MAX: usize = 64;
/// Characters of a statement.
const CHARACTERS_MAX: usize = 100_000;

/// Reads a statement.
pub(crate) fn parse(text: &str) -> Result<Select, Refusal> {
    if text.len() > CHARACTERS_MAX {
        return Err(malformed("", 0, "SOQL statements cannot be longer than 100000 characters."));
    }
    let mut parser = Parser { text, tokens: tokens(text)?, at: 0, depth: 0 };
    let select = parser.select()?;
    parser.end()?;
    Ok(select)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

type Parsed<T> = Result<T, Refusal>;

impl Parser<'_> {
    /// There is always a last token, the end.
    fn peek(&self) -> Token {
        let end = || Token { kind: TokenKind::End, at: self.text.len() };
        self.tokens.get(self.at).cloned().unwrap_or_else(end)
    }

    fn next(&mut self) -> Token {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek().kind, TokenKind::Word(text) if text.eq_ignore_ascii_case(word))
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek().kind, TokenKind::Symbol(text) if text == symbol);
        self.at += usize::from(found);
        found
    }

    fn unexpected<T>(&self) -> Parsed<T> {
        let token = self.peek();
        Err(malformed(self.text, token.at, &format!("unexpected token: '{}'", token.shown())))
    }

    fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.take_word(word) { Ok(()) } else { self.unexpected() }
    }

    fn expect_symbol(&mut self, symbol: &str) -> Parsed<()> {
        if self.take_symbol(symbol) { Ok(()) } else { self.unexpected() }
    }

    fn end(&self) -> Parsed<()> {
        if self.peek().kind == TokenKind::End { Ok(()) } else { self.unexpected() }
    }

    fn path(&mut self) -> Parsed<Path> {
        match self.peek() {
            Token { kind: TokenKind::Word(text), at } if !text.ends_with('.') && !is_reserved(&text) => {
                self.at += 1;
                Ok(Path { text, at })
            }
            _ => self.unexpected(),
        }
    }

    fn deeper<T>(&mut self, rule: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEPTH_MAX {
            return Err(malformed(self.text, self.peek().at, "the statement is nested too deeply"));
        }
        self.depth += 1;
        let result = rule(self);
        self.depth -= 1;
        result
    }

    fn select(&mut self) -> Parsed<Select> {
        self.expect_word("SELECT")?;
        let mut items = vec![self.item()?];
        while self.take_symbol(",") {
            items.push(self.item()?);
        }
        self.expect_word("FROM")?;
        let from = self.path()?;
        let alias = self.alias(&["USING", "WHERE", "WITH", "GROUP", "ORDER", "LIMIT", "OFFSET", "FOR", "ALL"]);
        let mine = if self.take_word("USING") { self.scope()? } else { false };
        let condition = if self.take_word("WHERE") { Some(self.condition()?) } else { None };
        if self.take_word("WITH") && !self.take_word("SECURITY_ENFORCED") && !self.take_word("USER_MODE") {
            return self.unexpected();
        }
        let group_by = if self.take_word("GROUP") { self.group_by()? } else { Vec::new() };
        let order_by = if self.take_word("ORDER") { self.order_by()? } else { Vec::new() };
        let limit = if self.take_word("LIMIT") { Some(self.number()?) } else { None };
        let offset = if self.take_word("OFFSET") { Some(self.number()?) } else { None };
        let all_rows = self.tail()?;
        Ok(Select { items, from, alias, mine, condition, group_by, order_by, limit, offset, all_rows })
    }

    /// A word that is none of the keywords that may follow.
    fn alias(&mut self, keywords: &[&str]) -> Option<String> {
        match self.peek().kind {
            TokenKind::Word(text) if !keywords.iter().any(|keyword| text.eq_ignore_ascii_case(keyword)) => {
                self.at += 1;
                Some(text)
            }
            _ => None,
        }
    }

    fn scope(&mut self) -> Parsed<bool> {
        self.expect_word("SCOPE")?;
        match self.next().kind {
            TokenKind::Word(text) if text.eq_ignore_ascii_case("mine") => Ok(true),
            TokenKind::Word(text) if text.eq_ignore_ascii_case("everything") => Ok(false),
            _ => {
                self.at -= 1;
                self.unexpected()
            }
        }
    }

    /// `FOR VIEW`, `FOR REFERENCE`, `FOR UPDATE`, `ALL ROWS`.
    fn tail(&mut self) -> Parsed<bool> {
        while self.take_word("FOR") {
            if !["VIEW", "REFERENCE", "UPDATE"].iter().any(|word| self.take_word(word)) {
                return self.unexpected();
            }
        }
        if self.take_word("ALL") {
            self.expect_word("ROWS")?;
            return Ok(true);
        }
        Ok(false)
    }

    fn item(&mut self) -> Parsed<Item> {
        if self.take_symbol("(") {
            let select = self.deeper(Self::select)?;
            self.expect_symbol(")")?;
            return Ok(Item::Subquery(Box::new(select)));
        }
        let path = self.path()?;
        if !self.take_symbol("(") {
            return Ok(Item::Path(path, self.alias(&["FROM"])));
        }
        if path.text.eq_ignore_ascii_case("FIELDS") {
            let which = self.path_or_word()?;
            self.expect_symbol(")")?;
            return Ok(Item::Fields(which));
        }
        let Some(function) = Function::parse(&path.text) else {
            self.at -= 1;
            return self.unexpected();
        };
        if self.take_symbol(")") {
            let empty = Path { text: String::new(), at: path.at };
            return Ok(Item::Aggregate { function, path: empty, alias: None });
        }
        let path = self.path()?;
        self.expect_symbol(")")?;
        Ok(Item::Aggregate { function, path, alias: self.alias(&["FROM"]) })
    }

    fn path_or_word(&mut self) -> Parsed<Path> {
        match self.next() {
            Token { kind: TokenKind::Word(text), at } => Ok(Path { text, at }),
            _ => {
                self.at -= 1;
                self.unexpected()
            }
        }
    }

    fn group_by(&mut self) -> Parsed<Vec<Path>> {
        self.expect_word("BY")?;
        let mut paths = vec![self.path()?];
        while self.take_symbol(",") {
            paths.push(self.path()?);
        }
        Ok(paths)
    }

    fn order_by(&mut self) -> Parsed<Vec<Order>> {
        self.expect_word("BY")?;
        let mut orders = vec![self.order()?];
        while self.take_symbol(",") {
            orders.push(self.order()?);
        }
        Ok(orders)
    }

    fn order(&mut self) -> Parsed<Order> {
        let mut path = self.path()?;
        if self.take_symbol("(") {
            // An aggregate: it is found again by the way it is written.
            let inner = if self.take_symbol(")") { String::new() } else { self.path()?.text };
            if !inner.is_empty() {
                self.expect_symbol(")")?;
            }
            path.text = format!("{}({inner})", path.text);
        }
        let descending = self.take_word("DESC");
        if !descending {
            self.take_word("ASC");
        }
        let mut nulls_last = None;
        if self.take_word("NULLS") {
            nulls_last = Some(self.take_word("LAST"));
            if nulls_last == Some(false) {
                self.expect_word("FIRST")?;
            }
        }
        Ok(Order { path, descending, nulls_last })
    }

    fn number(&mut self) -> Parsed<u64> {
        let number = match self.peek().kind {
            TokenKind::Plain(text) => text.parse().ok(),
            _ => None,
        };
        match number {
            Some(number) => {
                self.at += 1;
                Ok(number)
            }
            None => self.unexpected(),
        }
    }

    /// `a AND b AND c`, or `a OR b`; both at once need parentheses.
    fn condition(&mut self) -> Parsed<Condition> {
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

/// Words that can be no name. Others, such as `Group`, name objects too.
fn is_reserved(word: &str) -> bool {
    ["AND", "ASC", "DESC", "FROM", "IN", "LIKE", "NOT", "NULL", "OR", "SELECT", "WHERE"]
        .iter()
        .any(|reserved| word.eq_ignore_ascii_case(reserved))
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn message(text: &str) -> String {
        parse(text).unwrap_err().message()
    }

    #[test]
    fn statements_that_hold() {
        for text in [
            "SELECT Id FROM Account",
            "select id, Account.Owner.Name from Contact where Name like 'a%' and (x = 1 or y != null) order by Id desc nulls last limit 5 offset 2",
            "SELECT COUNT() FROM Lead WHERE NOT (Email IN ('a', 'b')) AND CreatedDate = LAST_N_DAYS:30",
            "SELECT Id, (SELECT Id FROM Contacts LIMIT 2) FROM Account a USING SCOPE mine WHERE Id NOT IN (SELECT AccountId FROM Contact)",
            "SELECT Type, COUNT(Id) n FROM Account GROUP BY Type ORDER BY COUNT(Id) DESC",
            "SELECT Id FROM Contact WHERE M__c INCLUDES ('a;b', 'c') AND SystemModstamp >= 2026-01-01T00:00:00.000+01:00 ALL ROWS",
        ] {
            assert!(parse(text).is_ok(), "{text}: {}", message(text));
        }
    }

    #[test]
    fn errors_point_to_their_place() {
        assert_eq!(
            message("SELECT Id FORM Account"),
            "MALFORMED_QUERY: \nSELECT Id FORM Account\n               ^\nERROR at Row:1:Column:16\nunexpected token: 'Account'"
        );
        assert!(message("SELECT Id FROM Account WHERE a = 1 AND b = 2 OR c = 3").ends_with("unexpected token: 'OR'"));
        assert!(message("SELECT Id FROM Account WHERE a = 'x").ends_with("unterminated string literal"));
        assert!(message("SELECT Id FROM Account WHERE").ends_with("unexpected token: '<EOF>'"));
        assert!(message("SELECT Id\nFROM Account WHERE a = ;").contains("ERROR at Row:2:Column:24"));
        let deep = format!("SELECT Id FROM Account WHERE {}a = 1{}", "(".repeat(20_000), ")".repeat(20_000));
        assert!(message(&deep).ends_with("nested too deeply"));
    }
}

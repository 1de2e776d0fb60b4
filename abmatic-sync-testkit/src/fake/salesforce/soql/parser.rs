//! From tokens to a statement: one function for each rule of the grammar.

use crate::fake::salesforce::errors::Refusal;
use crate::fake::salesforce::soql::ast::{Function, Item, Order, Path, Select};
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

/// A statement that is being read.
pub(crate) struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    /// The position among the tokens.
    pub(crate) at: usize,
    depth: usize,
}

/// What a rule of the grammar gives.
pub(crate) type Parsed<T> = Result<T, Refusal>;

impl Parser<'_> {
    /// There is always a last token, the end.
    pub(crate) fn peek(&self) -> Token {
        let end = || Token { kind: TokenKind::End, at: self.text.len() };
        self.tokens.get(self.at).cloned().unwrap_or_else(end)
    }

    pub(crate) fn next(&mut self) -> Token {
        let token = self.peek();
        self.at += 1;
        token
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        matches!(self.peek().kind, TokenKind::Word(text) if text.eq_ignore_ascii_case(word))
    }

    pub(crate) fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek().kind, TokenKind::Symbol(text) if text == symbol);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn unexpected<T>(&self) -> Parsed<T> {
        let token = self.peek();
        Err(malformed(self.text, token.at, &format!("unexpected token: '{}'", token.shown())))
    }

    fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.take_word(word) { Ok(()) } else { self.unexpected() }
    }

    pub(crate) fn expect_symbol(&mut self, symbol: &str) -> Parsed<()> {
        if self.take_symbol(symbol) { Ok(()) } else { self.unexpected() }
    }

    fn end(&self) -> Parsed<()> {
        if self.peek().kind == TokenKind::End { Ok(()) } else { self.unexpected() }
    }

    pub(crate) fn path(&mut self) -> Parsed<Path> {
        match self.peek() {
            Token { kind: TokenKind::Word(text), at } if !text.ends_with('.') && !is_reserved(&text) => {
                self.at += 1;
                Ok(Path { text, at })
            }
            _ => self.unexpected(),
        }
    }

    pub(crate) fn deeper<T>(&mut self, rule: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEPTH_MAX {
            return Err(malformed(self.text, self.peek().at, "the statement is nested too deeply"));
        }
        self.depth += 1;
        let result = rule(self);
        self.depth -= 1;
        result
    }

    pub(crate) fn select(&mut self) -> Parsed<Select> {
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

//! Conditions from users' text, with line, column and what was expected in every error.
//!
//! `Type = "Customer"`, `AnnualRevenue > 1000000`, `Industry IN ("Technology", "Finance")`, `NOT`, `AND`, `OR` and
//! parentheses. Each line is a condition of its own and all of them must hold, unless a line begins or ends with `AND`, `OR`
//! or a parenthesis. Names that are no plain words stand in backticks.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use winnow::combinator::{alt, opt, separated};
use winnow::error::{ErrMode, ParserError};
use winnow::stream::{LocatingSlice, Stateful, Stream};
use winnow::token::{any, literal, take_while};
use winnow::{ModalResult, Parser};

use crate::error::Error;
use crate::filter::expr::{Comparison, Expr, field, not};
use crate::filter::syntax_error::FilterError;
use crate::ids::FieldName;
use crate::model::value::Value;

/// How deep parentheses and `NOT` may be nested.
pub const NESTING_MAX: usize = 64;

const OPERATOR: &str = "an operator (=, !=, <, <=, >, >=, IN, NOT IN, CONTAINS, STARTS WITH, IS NULL or IS NOT NULL)";
const VALUE: &str = "a value (text in quotes, a number, a date such as 2026-01-31, true or false)";
const DATE: &str = "a date that exists, such as 2026-01-31 or 2026-01-31T10:00:00Z";
const NUMBER: &str = "a number of at most 28 digits, such as 1000000 or 0.5";
const FIELD: &str = "a field name";
const JOIN: &str = "AND, OR, a new line or the end";

/// Reads a condition.
///
/// ```
/// use abmatic_sync_core::filter::parse::parse;
/// let error = parse("Type = Customer").unwrap_err();
/// assert_eq!(error.line, 1);
/// assert_eq!(error.column, 8);
/// assert_eq!(error.snippet(), "Type = Customer\n       ^");
/// ```
pub fn parse(text: &str) -> Result<Expr, FilterError> {
    let input = Stateful { input: LocatingSlice::new(text), state: Depth(0) };
    whole.parse(input).map_err(|error| FilterError::new(text, error.offset(), error.inner().0))
}

impl FromStr for Expr {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(parse(text)?)
    }
}

/// Whether `name` can be written without backticks.
pub(super) fn is_plain_name(name: &str) -> bool {
    const RESERVED: [&str; 3] = ["AND", "NOT", "OR"];
    !name.is_empty()
        && name.chars().all(is_word)
        && name.chars().all(|letter| !matches!(letter, '+' | '-' | ':'))
        && !name.starts_with('.')
        && name.contains(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        && !RESERVED.iter().any(|word| word.eq_ignore_ascii_case(name))
}

/// Whether `letter` may stand in a name, number, date or other word without quotes.
pub(super) fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '+' | '-' | ':')
}

#[derive(Clone, Copy, Debug)]
struct Depth(usize);

type Input<'a> = Stateful<LocatingSlice<&'a str>, Depth>;

/// What was expected where parsing stopped.
#[derive(Clone, Copy, Debug)]
struct Expected(&'static str);

impl<I: Stream> ParserError<I> for Expected {
    type Inner = Self;

    fn from_input(_: &I) -> Self {
        Self(JOIN)
    }

    fn into_inner(self) -> Result<Self, Self> {
        Ok(self)
    }
}

fn expected<T>(what: &'static str) -> ModalResult<T, Expected> {
    Err(ErrMode::Cut(Expected(what)))
}

fn whole(input: &mut Input<'_>) -> ModalResult<Expr, Expected> {
    let expr = lines(input)?;
    if input.input.is_empty() { Ok(expr) } else { expected(JOIN) }
}

/// Conditions line by line, up to a closing parenthesis or the end.
fn lines(input: &mut Input<'_>) -> ModalResult<Expr, Expected> {
    let mut parts = vec![any_of(input)?];
    loop {
        let new_line = gap(input)?.contains(['\n', '\r']);
        if input.input.is_empty() || input.input.starts_with(')') {
            break;
        }
        if !new_line {
            return expected(JOIN);
        }
        parts.push(any_of(input)?);
    }
    Ok(only_or(parts, Expr::And))
}

fn any_of(input: &mut Input<'_>) -> ModalResult<Expr, Expected> {
    let parts: Vec<Expr> = separated(1.., all_of, (gap, keyword("OR"))).parse_next(input)?;
    Ok(only_or(parts, Expr::Or))
}

fn all_of(input: &mut Input<'_>) -> ModalResult<Expr, Expected> {
    let parts: Vec<Expr> = separated(1.., operand, (gap, keyword("AND"))).parse_next(input)?;
    Ok(only_or(parts, Expr::And))
}

fn only_or(mut parts: Vec<Expr>, join: impl Fn(Vec<Expr>) -> Expr) -> Expr {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            join(parts)
        }
    }
}

fn operand(input: &mut Input<'_>) -> ModalResult<Expr, Expected> {
    gap(input)?;
    if input.input.starts_with('(') {
        return nested(input, |input| {
            any.parse_next(input)?;
            let inner = lines(input)?;
            if opt(literal(")")).parse_next(input)?.is_none() {
                return expected("a closing parenthesis");
            }
            Ok(inner)
        });
    }
    let start = input.checkpoint();
    if opt(keyword("NOT")).parse_next(input)?.is_some() {
        input.reset(&start);
        return nested(input, |input| {
            keyword("NOT").parse_next(input)?;
            operand(input).map(not)
        });
    }
    condition(input)
}

fn nested<'a>(
    input: &mut Input<'a>,
    inner: impl FnOnce(&mut Input<'a>) -> ModalResult<Expr, Expected>,
) -> ModalResult<Expr, Expected> {
    if input.state.0 == NESTING_MAX {
        return expected("no more than 64 levels of parentheses and NOT");
    }
    input.state.0 += 1;
    let expr = inner(input)?;
    input.state.0 -= 1;
    Ok(expr)
}

fn condition(input: &mut Input<'_>) -> ModalResult<Expr, Expected> {
    let name = name(input)?;
    gap(input)?;
    if let Some(how) = opt(symbol).parse_next(input)? {
        return comparison(input, name, how);
    }
    if opt(keyword("IS")).parse_next(input)?.is_some() {
        return nullness(input, name);
    }
    let negative = opt((keyword("NOT"), gap)).parse_next(input)?.is_some();
    let expr = if opt(keyword("IN")).parse_next(input)?.is_some() {
        membership(input, name)?
    } else if opt(keyword("CONTAINS")).parse_next(input)?.is_some() {
        comparison(input, name, Comparison::Contains)?
    } else if opt((keyword("STARTS"), gap, keyword("WITH"))).parse_next(input)?.is_some() {
        comparison(input, name, Comparison::StartsWith)?
    } else {
        return expected(if negative { "IN, CONTAINS or STARTS WITH" } else { OPERATOR });
    };
    Ok(if negative { not(expr) } else { expr })
}

fn symbol(input: &mut Input<'_>) -> ModalResult<Comparison, Expected> {
    alt((
        literal("!=").value(Comparison::NotEqual),
        literal("<>").value(Comparison::NotEqual),
        literal("<=").value(Comparison::LessOrEqual),
        literal(">=").value(Comparison::GreaterOrEqual),
        literal("=").value(Comparison::Equal),
        literal("<").value(Comparison::Less),
        literal(">").value(Comparison::Greater),
    ))
    .parse_next(input)
}

fn comparison(input: &mut Input<'_>, name: FieldName, how: Comparison) -> ModalResult<Expr, Expected> {
    gap(input)?;
    let takes_blank = matches!(how, Comparison::Equal | Comparison::NotEqual);
    if takes_blank && opt(keyword("NULL")).parse_next(input)?.is_some() {
        return Ok(field(name).compare(how, Value::Null));
    }
    let start = input.checkpoint();
    let value = value(input)?;
    if value.is_blank() && !takes_blank {
        input.reset(&start);
        return expected("a value that is not empty");
    }
    Ok(field(name).compare(how, value))
}

fn nullness(input: &mut Input<'_>, name: FieldName) -> ModalResult<Expr, Expected> {
    gap(input)?;
    let negative = opt((keyword("NOT"), gap)).parse_next(input)?.is_some();
    if opt(keyword("NULL")).parse_next(input)?.is_none() {
        return expected(if negative { "NULL" } else { "NULL or NOT NULL" });
    }
    Ok(if negative { field(name).is_not_null() } else { field(name).is_null() })
}

fn membership(input: &mut Input<'_>, name: FieldName) -> ModalResult<Expr, Expected> {
    gap(input)?;
    if opt(literal("(")).parse_next(input)?.is_none() {
        return expected("a list of values in parentheses");
    }
    let mut values = Vec::new();
    loop {
        gap(input)?;
        values.push(value(input)?);
        gap(input)?;
        if opt(literal(")")).parse_next(input)?.is_some() {
            return Ok(field(name).is_in(values));
        }
        if opt(literal(",")).parse_next(input)?.is_none() {
            return expected("a comma or a closing parenthesis");
        }
    }
}

fn name(input: &mut Input<'_>) -> ModalResult<FieldName, Expected> {
    if input.input.starts_with('`') {
        let text = quoted(input)?;
        return if text.is_empty() { expected(FIELD) } else { Ok(FieldName::from(text)) };
    }
    let start = input.checkpoint();
    let word: &str = take_while(0.., |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.'))
        .parse_next(input)?;
    if is_plain_name(word) {
        return Ok(FieldName::from(word));
    }
    input.reset(&start);
    expected(FIELD)
}

fn value(input: &mut Input<'_>) -> ModalResult<Value, Expected> {
    if input.input.starts_with(['"', '\'']) {
        return quoted(input).map(Value::text);
    }
    let start = input.checkpoint();
    let word: &str = take_while(0.., is_word).parse_next(input)?;
    match word_value(word) {
        Ok(value) => Ok(value),
        Err(what) => {
            input.reset(&start);
            expected(what)
        }
    }
}

fn word_value(word: &str) -> Result<Value, &'static str> {
    if word.eq_ignore_ascii_case("true") || word.eq_ignore_ascii_case("false") {
        return Ok(Value::Boolean(word.eq_ignore_ascii_case("true")));
    }
    let bytes = word.as_bytes();
    if bytes.len() >= 10 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-' {
        return date_value(word).ok_or(DATE);
    }
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) {
        return Err(VALUE);
    }
    if let Ok(number) = word.parse() {
        return Ok(Value::Integer(number));
    }
    Decimal::from_str_exact(word).map(Value::Decimal).map_err(|_| NUMBER)
}

fn date_value(word: &str) -> Option<Value> {
    if word.len() == 10 {
        return NaiveDate::parse_from_str(word, "%Y-%m-%d").ok().map(Value::Date);
    }
    DateTime::parse_from_rfc3339(word).ok().map(|time| Value::Instant(time.with_timezone(&Utc)))
}

/// Text between two of the quote that comes next; a backslash takes quotes and backslashes in.
fn quoted(input: &mut Input<'_>) -> ModalResult<String, Expected> {
    let start = input.checkpoint();
    let quote = any.parse_next(input)?;
    let mut text = String::new();
    loop {
        match opt(any).parse_next(input)? {
            Some('\\') => {
                let before = input.checkpoint();
                match opt(any).parse_next(input)? {
                    Some(escaped @ ('"' | '\'' | '`' | '\\')) => text.push(escaped),
                    _ => {
                        input.reset(&before);
                        return expected("a quote or a backslash after the backslash (write \\\\ for a backslash)");
                    }
                }
            }
            Some(letter) if letter == quote => return Ok(text),
            Some(letter) => text.push(letter),
            None => {
                input.reset(&start);
                return expected("a text with its closing quote");
            }
        }
    }
}

fn keyword<'a>(word: &'static str) -> impl Parser<Input<'a>, (), ErrMode<Expected>> {
    move |input: &mut Input<'a>| {
        let start = input.checkpoint();
        let found: &str = take_while(0.., is_word).parse_next(input)?;
        if found.eq_ignore_ascii_case(word) {
            return Ok(());
        }
        input.reset(&start);
        Err(ErrMode::Backtrack(Expected(JOIN)))
    }
}

fn gap<'a>(input: &mut Input<'a>) -> ModalResult<&'a str, Expected> {
    take_while(0.., char::is_whitespace).parse_next(input)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, prop_oneof, proptest};
    use rust_decimal::Decimal;

    use super::parse;
    use crate::arbitrary::{conditions, literals};
    use crate::error::{Error, ErrorCode};
    use crate::filter::expr::{Expr, field, not};

    #[test]
    fn texts_become_conditions() {
        let customer = || field("Type").equals("Customer");
        let rich = || field("AnnualRevenue").greater_than(1_000_000);
        let date: chrono::NaiveDate = "2026-01-31".parse().unwrap();
        let time: chrono::DateTime<chrono::Utc> = "2026-01-31T10:00:00Z".parse().unwrap();
        let cases: Vec<(&str, Expr)> = vec![
            (r#"Type = "Customer""#, customer()),
            ("Type='Customer'", customer()),
            ("  type = 'x'  \r\n\n", field("type").equals("x")),
            (r#"Industry IN ("Technology", "Finance")"#, field("Industry").is_in(["Technology", "Finance"])),
            ("hs_is_target_account = TRUE", field("hs_is_target_account").equals(true)),
            ("Type = \"Customer\"\nAnnualRevenue > 1000000", customer().and(rich())),
            ("Type = \"Customer\" AND\nAnnualRevenue > 1000000", customer().and(rich())),
            ("Type = \"Customer\"\nor AnnualRevenue > 1000000", customer().or(rich())),
            ("(\nType = \"Customer\"\nAnnualRevenue > 1000000\n)", customer().and(rich())),
            ("a = 1 OR b = 2\nc = 3", field("a").equals(1).or(field("b").equals(2)).and(field("c").equals(3))),
            ("a = 1 OR b = 2 AND c = 3", field("a").equals(1).or(field("b").equals(2).and(field("c").equals(3)))),
            ("not a = 1 and b <> 2", not(field("a").equals(1)).and(field("b").not_equals(2))),
            ("NOT(a = 1)", not(field("a").equals(1))),
            ("a starts  with 'x'", field("a").starts_with("x")),
            ("a NOT CONTAINS 'x'", not(field("a").contains("x"))),
            ("a not in (1)", not(field("a").is_in([1]))),
            ("a is null", field("a").is_null()),
            ("a = NULL", field("a").is_null()),
            ("a != ''", field("a").is_not_null()),
            ("a IS NOT NULL", field("a").is_not_null()),
            ("Owner.Name = 'x'", field("Owner.Name").equals("x")),
            ("9a1f = 1", field("9a1f").equals(1)),
            ("`odd name` = 1", field("odd name").equals(1)),
            ("a >= 2026-01-31", field("a").at_least(date)),
            ("a <= 2026-01-31T11:00:00+01:00", field("a").at_most(time)),
            ("a = 0.10", field("a").equals("0.10".parse::<Decimal>().unwrap())),
            ("a < -5", field("a").less_than(-5)),
            (r#"a = "say \"hi\" \\ it's""#, field("a").equals("say \"hi\" \\ it's")),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).as_ref(), Ok(&expected), "{text}");
        }
    }

    #[test]
    fn errors_name_place_and_expectation() {
        let cases = [
            ("", "line 1, column 1: expected a field name, found the end of the filter"),
            (
                "Type = Customer",
                "line 1, column 8: expected a value (text in quotes, a number, a date such as 2026-01-31, true or \
                 false), found `Customer`",
            ),
            (
                "Typé = 1",
                "line 1, column 4: expected an operator (=, !=, <, <=, >, >=, IN, NOT IN, CONTAINS, STARTS WITH, IS NULL or IS NOT NULL), found `é`",
            ),
            ("a = 1 b = 2", "line 1, column 7: expected AND, OR, a new line or the end, found `b`"),
            ("a = 1\nb = 'x", "line 2, column 5: expected a text with its closing quote, found 'x'"),
            ("a = 1\n  AND", "line 2, column 6: expected a field name, found the end of the filter"),
            ("(a = 1", "line 1, column 7: expected a closing parenthesis, found the end of the filter"),
            ("a = 1)", "line 1, column 6: expected AND, OR, a new line or the end, found `)`"),
            (
                "a IN ()",
                "line 1, column 7: expected a value (text in quotes, a number, a date such as 2026-01-31, true or false), found `)`",
            ),
            ("a IN (1 2)", "line 1, column 9: expected a comma or a closing parenthesis, found `2`"),
            ("a IN 1", "line 1, column 6: expected a list of values in parentheses, found `1`"),
            (
                "a = 2026-02-30",
                "line 1, column 5: expected a date that exists, such as 2026-01-31 or 2026-01-31T10:00:00Z, found `2026-02-30`",
            ),
            ("a IS 5", "line 1, column 6: expected NULL or NOT NULL, found `5`"),
            ("5 = a", "line 1, column 1: expected a field name, found `5`"),
            ("a > ''", "line 1, column 5: expected a value that is not empty, found ''"),
            (
                r"a = 'C:\dir'",
                r"line 1, column 9: expected a quote or a backslash after the backslash (write \\ for a backslash), found `dir`",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).unwrap_err().to_string(), expected, "{text}");
        }
        let error = Error::from(parse("a = ").unwrap_err());
        assert_eq!(error.code(), ErrorCode::InvalidFilter);
        assert_eq!(parse("a = 1\n\tb ? 2").unwrap_err().snippet(), "\tb ? 2\n\t  ^");
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{}a = 1{}", "(".repeat(depth), ")".repeat(depth));
        assert_eq!(parse(&nested(64)), Ok(field("a").equals(1)));
        assert_eq!(parse(&nested(65)).unwrap_err().column, 65);
        assert!(parse(&"(".repeat(20_000)).is_err());
        assert!(parse(&"NOT ".repeat(20_000)).is_err());
    }

    fn names() -> impl Strategy<Value = String> + Clone {
        prop_oneof!["[A-Za-z_][A-Za-z0-9_.]{0,8}", "[0-9a-f]{8}", "\\PC{1,6}", Just("and".to_owned())]
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_back(expr in conditions(names(), literals)) {
            let text = expr.to_string();
            proptest::prop_assert_eq!(parse(&text), Ok(expr), "{}", text);
        }

        #[test]
        fn no_text_breaks_the_parser(text in "[-a-zA-Z0-9=<>!()'\"`\\\\,. \n_é]{0,60}") {
            if let Err(error) = parse(&text) {
                let _ = error.snippet();
            }
        }

        #[test]
        fn a_quoted_text_never_changes_the_condition(text in "\\PC{1,30}") {
            let expr = field("a").equals(text.as_str());
            proptest::prop_assert_eq!(parse(&format!("({expr}) AND b = 1")), Ok(expr.and(field("b").equals(1))));
        }
    }
}

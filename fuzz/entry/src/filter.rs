//! Filters from users' text: what parses prints as what parses to the same again.

use abmatic_sync_core::filter::check::check;
use abmatic_sync_core::filter::eval::holds;
use abmatic_sync_core::filter::expr::not;
use abmatic_sync_core::filter::parse::parse;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::schema::{ChoiceOption, Field, FieldType, Schema};
use abmatic_sync_core::model::value::Value;

/// Parses a filter, prints it, fits it to a schema, and asks a record.
///
/// # Panics
/// Where it comes back from its own text as another, is not fitted once it was, or an error points nowhere.
pub fn filter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let expr = match parse(text) {
        Ok(expr) => expr,
        Err(error) => {
            let lines = text.split('\n').count();
            assert!((1..=lines).contains(&error.line) && error.column >= 1, "{error} is outside of the text");
            assert!(error.snippet().ends_with('^'), "{} points at nothing", error.snippet());
            return;
        }
    };
    let printed = expr.to_string();
    assert_eq!(parse(&printed).as_ref(), Ok(&expr), "{printed}");
    let fields = record();
    assert_ne!(holds(&expr, &fields), holds(&not(expr.clone()), &fields), "{printed}");
    if let Ok(fitted) = check(&expr, &schema()) {
        let again = check(&fitted, &schema());
        assert!(again.as_ref().is_ok_and(|again| *again == fitted), "{printed}: {fitted:?} became {again:?}");
        holds(&fitted, &fields);
    }
}

/// A field of each type, called by one letter.
fn schema() -> Schema {
    let options = || vec![ChoiceOption::new("CUST", "Customer"), ChoiceOption::new("a", "A; b")];
    Schema::new(vec![
        Field::new("a", FieldType::Any),
        Field::new("b", FieldType::Boolean),
        Field::new("c", FieldType::Choice).with_options(options()),
        Field::new("d", FieldType::Date),
        Field::new("e", FieldType::Email),
        Field::new("f", FieldType::Decimal),
        Field::new("i", FieldType::Instant),
        Field::new("m", FieldType::MultiChoice).with_options(options()),
        Field::new("n", FieldType::Integer),
        Field::new("o", FieldType::MultiChoice),
        Field::new("r", FieldType::Reference),
        Field::new("t", FieldType::Text),
        Field::new("u", FieldType::Url),
    ])
}

fn record() -> Fields {
    Fields::from_iter([
        ("a", Value::text("1.50")),
        ("b", Value::Boolean(true)),
        ("c", Value::Choice("CUST".to_owned())),
        ("d", Value::Date(chrono::NaiveDate::MIN)),
        ("f", Value::Decimal(rust_decimal::Decimal::MAX)),
        ("i", Value::Instant(chrono::DateTime::UNIX_EPOCH)),
        ("m", Value::MultiChoice(["CUST".to_owned(), "a".to_owned()].into())),
        ("n", Value::Integer(i64::MIN)),
        ("r", Value::reference("17")),
        ("t", Value::text("İstanbul")),
        ("u", Value::Null),
    ])
}

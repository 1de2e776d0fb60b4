//! Choices out of bytes, for what is no text.

use abmatic_sync_core::model::value::Value;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

/// Bytes that decisions are taken from; zeros once there are no more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl Bytes<'_> {
    pub(crate) fn next(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub(crate) fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.next()) % choices.len()].clone()
    }

    pub(crate) fn truth(&mut self) -> bool {
        self.next() % 2 == 1
    }

    /// A moment of a few, or none, so that equal ones are met.
    pub(crate) fn moment(&mut self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(i64::from(self.next() % 4) * 86_400, 0).filter(|time| time.timestamp() > 0)
    }

    /// A value of any type, out of so few that two of them are often the same, or nearly so.
    pub(crate) fn value(&mut self) -> Value {
        const TEXTS: [&str; 20] = [
            "",
            " ",
            "a",
            "A",
            " a ",
            "b",
            "a;b",
            "b;a",
            ";",
            "1",
            "1.0",
            "true",
            "Yes",
            "1970-01-02",
            "1970-01-02T00:00:00Z",
            "ann@acme.com",
            "ANN@acme.com ",
            "acme.com",
            "https://www.acme.com/",
            "İ",
        ];
        let text = self.one_of(&TEXTS).to_owned();
        match self.next() % 12 {
            0 => Value::Null,
            1 => Value::Boolean(self.truth()),
            2 => Value::Choice(text),
            3 => self.moment().map_or(Value::Null, |time| Value::Date(time.date_naive())),
            4 => Value::Decimal(Decimal::new(i64::from(self.next() % 4) * 5, 1)),
            5 => self.moment().map_or(Value::Null, Value::Instant),
            6 => Value::Integer(i64::from(self.next() % 4)),
            7 => Value::MultiChoice(text.split(';').map(str::to_owned).collect()),
            8 => Value::Reference(text.split(';').map(str::to_owned).collect()),
            _ => Value::Text(text),
        }
    }
}

//! What the JSON of several CRMs has in common: single values that are to be read as texts, and moments in one spelling.

use std::fmt;

use abmatic_sync_core::model::value::Value;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserializer;
use serde::de::{DeserializeSeed, Visitor};

/// Reads one JSON value (a text, a number, a boolean or null) by what its text says. Null is [`Value::Null`].
///
/// ```
/// use abmatic_sync_core::model::value::Value;
/// use abmatic_sync_http::decode::Scalar;
/// use serde::de::DeserializeSeed;
///
/// let scalar = Scalar::new("a field's value", |text: &str| Value::text(text));
/// let mut json = serde_json::Deserializer::from_str("12");
/// assert_eq!(scalar.deserialize(&mut json).unwrap(), Value::text("12"));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Scalar<F> {
    /// What errors say was expected.
    expected: &'static str,
    decode: F,
}

impl<F: Fn(&str) -> Value> Scalar<F> {
    /// A value whose text `decode` reads; errors say that `expected` was expected.
    pub fn new(expected: &'static str, decode: F) -> Self {
        Self { expected, decode }
    }
}

impl<'de, F: Fn(&str) -> Value> DeserializeSeed<'de> for Scalar<F> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<F: Fn(&str) -> Value> Visitor<'_> for Scalar<F> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok((self.decode)(text))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok((self.decode)(if value { "true" } else { "false" }))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok((self.decode)(&number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok((self.decode)(&number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok((self.decode)(&number.to_string()))
    }
}

/// A moment in the one spelling that nearly all have, `2026-03-31T10:20:30.000`, its zone left out: UTC. Several times as fast
/// as the general way; `None` for every other spelling.
///
/// ```
/// use abmatic_sync_http::decode::plain_moment;
/// assert_eq!(plain_moment("2026-03-31T10:20:30.250").unwrap().to_rfc3339(), "2026-03-31T10:20:30.250+00:00");
/// assert_eq!(plain_moment("2026-03-31"), None);
/// ```
#[inline]
pub fn plain_moment(text: &str) -> Option<DateTime<Utc>> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2, b'.', f1, f2, f3] =
        text.as_bytes()
    else {
        return None;
    };
    let number = |digits: &[u8]| {
        let add = |sum: u32, digit: &u8| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0'));
        digits.iter().try_fold(0, add)
    };
    let year = i32::try_from(number(&[y1, y2, y3, y4])?).ok()?;
    let day = NaiveDate::from_ymd_opt(year, number(&[m1, m2])?, number(&[d1, d2])?)?;
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[n1, n2])?, number(&[s1, s2])?);
    Some(day.and_hms_milli_opt(hour, minute, second, number(&[f1, f2, f3])?)?.and_utc())
}

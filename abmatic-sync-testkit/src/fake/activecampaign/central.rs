//! The server's wall clock: US Central with its summer time, in whole seconds, in the two spellings of the API.

use chrono::{DateTime, Datelike as _, FixedOffset, NaiveDate, Offset as _, TimeDelta, Timelike as _, Utc, Weekday};

/// `2026-05-28T03:05:54-05:00`.
pub(crate) fn with_offset(ms: i64) -> String {
    local(ms).format("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// `2026-05-28 03:05:54`: the same wall clock, without saying which, also where the name of a field says UTC.
pub(crate) fn zoneless(ms: i64) -> String {
    local(ms).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// The start of a day, or a moment, as a filter has it; a date means midnight of the server's.
pub(crate) fn parse(text: &str) -> Option<i64> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.timestamp_millis());
    }
    let day = NaiveDate::parse_from_str(text.get(..10)?, "%Y-%m-%d").ok()?;
    let time = text.get(11..).and_then(|time| chrono::NaiveTime::parse_from_str(time, "%H:%M:%S").ok());
    let wall = day.and_time(time.unwrap_or_default());
    Some((wall + TimeDelta::seconds(-i64::from(offset_seconds(wall.and_utc())))).and_utc().timestamp_millis())
}

fn local(ms: i64) -> DateTime<FixedOffset> {
    let utc = DateTime::<Utc>::from_timestamp_millis(ms).unwrap_or_default();
    let utc = utc.with_nanosecond(0).unwrap_or(utc);
    let offset = FixedOffset::east_opt(offset_seconds(utc)).unwrap_or_else(|| Utc.fix());
    utc.with_timezone(&offset)
}

/// Five hours behind from the second Sunday of March to the first of November, at two in the morning; else six.
fn offset_seconds(utc: DateTime<Utc>) -> i32 {
    let begins = sunday(utc.year(), 3, 2) + TimeDelta::hours(8);
    let ends = sunday(utc.year(), 11, 1) + TimeDelta::hours(7);
    let is_summer = begins.and_utc() <= utc && utc < ends.and_utc();
    if is_summer { -5 * 3_600 } else { -6 * 3_600 }
}

/// Midnight of the `count`th Sunday of a month.
fn sunday(year: i32, month: u32, count: u8) -> chrono::NaiveDateTime {
    let day = NaiveDate::from_weekday_of_month_opt(year, month, Weekday::Sun, count).unwrap_or_default();
    day.and_time(chrono::NaiveTime::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_the_server_has_a_summer() {
        for (utc, shown) in [
            ("2026-05-28T08:05:54.900Z", "2026-05-28T03:05:54-05:00"),
            ("2026-01-15T12:00:00Z", "2026-01-15T06:00:00-06:00"),
            ("2026-03-08T07:59:59Z", "2026-03-08T01:59:59-06:00"),
            ("2026-03-08T08:00:00Z", "2026-03-08T03:00:00-05:00"),
            ("2026-11-01T06:59:59Z", "2026-11-01T01:59:59-05:00"),
            ("2026-11-01T07:00:00Z", "2026-11-01T01:00:00-06:00"),
        ] {
            let ms = DateTime::parse_from_rfc3339(utc).unwrap().timestamp_millis();
            assert_eq!(with_offset(ms), shown);
            assert_eq!(zoneless(ms), shown[..19].replace('T', " "));
        }
        assert_eq!(parse("2026-05-28").map(with_offset).as_deref(), Some("2026-05-28T00:00:00-05:00"));
        assert_eq!(parse("2026-05-28T08:05:54Z").map(zoneless).as_deref(), Some("2026-05-28 03:05:54"));
        assert_eq!(parse("yesterday"), None);
    }
}

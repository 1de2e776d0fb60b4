//! Moments as epoch milliseconds, written and read in the formats that CRMs use.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

/// Milliseconds of one day.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// Writes `2025-07-07T20:27:17.947Z` into `out`, without any allocation.
pub(crate) fn write_iso(out: &mut Vec<u8>, ms: i64) {
    let (days, rest) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
    let (year, month, day) = civil(days);
    digits(out, year, 4);
    out.push(b'-');
    digits(out, month, 2);
    out.push(b'-');
    digits(out, day, 2);
    out.push(b'T');
    digits(out, rest / 3_600_000, 2);
    out.push(b':');
    digits(out, rest / 60_000 % 60, 2);
    out.push(b':');
    digits(out, rest / 1000 % 60, 2);
    out.push(b'.');
    digits(out, rest % 1000, 3);
    out.push(b'Z');
}

/// `2025-07-07T20:27:17.947Z`.
pub(crate) fn iso(ms: i64) -> String {
    let mut out = Vec::with_capacity(24);
    write_iso(&mut out, ms);
    String::from_utf8(out).unwrap_or_default()
}

/// `2025-07-07`.
pub(crate) fn date(ms: i64) -> String {
    let mut text = iso(ms);
    text.truncate(10);
    text
}

/// As the `Date` header has it: `Tue, 24 Nov 2026 16:00:00 GMT`.
pub(crate) fn http_date(ms: i64) -> String {
    let moment = DateTime::from_timestamp_millis(ms).unwrap_or_default();
    moment.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Reads ISO 8601 with a zone; a missing zone means UTC.
pub(crate) fn parse_iso(text: &str) -> Option<i64> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.timestamp_millis());
    }
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok().map(|moment| moment.and_utc().timestamp_millis())
}

/// Reads `YYYY-MM-DD` as midnight UTC.
pub(crate) fn parse_date(text: &str) -> Option<i64> {
    if text.len() != 10 {
        return None;
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis())
}

/// Year, month and day of a count of days since 1970-01-01 (Hinnant's `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn digits(out: &mut Vec<u8>, value: i64, width: u32) {
    for place in (0..width).rev() {
        let digit = value / 10_i64.pow(place) % 10;
        out.push(b'0' + u8::try_from(digit).unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use super::{date, iso, parse_date, parse_iso};

    #[test]
    fn writes_and_reads_the_same_moment() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_751_920_037_947, "2025-07-07T20:27:17.947Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(iso(ms), text);
            assert_eq!(parse_iso(text), Some(ms));
        }
        assert_eq!(parse_date("2026-03-31").map(date).as_deref(), Some("2026-03-31"));
        assert_eq!(parse_date("31.03.2026"), None);
    }
}

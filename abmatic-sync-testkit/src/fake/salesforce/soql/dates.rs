//! Dates, moments and date literals of conditions, as spans of time. All are in UTC.

use chrono::{DateTime, Datelike as _, Days, Months, NaiveDate};

use crate::fake::moment::{self, DAY_MS};
use crate::fake::salesforce::values::parse_moment;

/// From the first millisecond to the one behind the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

/// What an unquoted word means as a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Time {
    /// `2026-01-31`
    Date(Span),
    /// `2026-01-31T10:00:00Z`
    Moment(Span),
    /// `LAST_N_DAYS:30`
    Relative(Span),
}

/// Reads a time; `None` where the word means none.
pub(crate) fn parse(text: &str, now: i64) -> Option<Time> {
    if let Some(from) = moment::parse_date(text) {
        return Some(Time::Date(Span { from, to: from + DAY_MS }));
    }
    if let Some(from) = parse_moment(text) {
        return Some(Time::Moment(Span { from, to: from + 1000 }));
    }
    let today = DateTime::from_timestamp_millis(now)?.date_naive();
    let (first, behind) = relative(&text.to_ascii_uppercase(), today)?;
    Some(Time::Relative(Span { from: midnight(first), to: midnight(behind) }))
}

fn midnight(day: NaiveDate) -> i64 {
    i64::from(day.to_epoch_days()) * DAY_MS
}

/// A unit of the calendar.
#[derive(Clone, Copy)]
enum Unit {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Unit {
    fn parse(word: &str) -> Option<Self> {
        Some(match word.trim_end_matches('S') {
            "DAY" => Self::Day,
            "WEEK" => Self::Week,
            "MONTH" => Self::Month,
            "QUARTER" | "FISCAL_QUARTER" => Self::Quarter,
            "YEAR" | "FISCAL_YEAR" => Self::Year,
            _ => return None,
        })
    }

    /// The first day of the unit that holds `day`; weeks begin on Sunday.
    fn start(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Day => Some(day),
            Self::Week => day.checked_sub_days(Days::new(u64::from(day.weekday().num_days_from_sunday()))),
            Self::Month => day.with_day(1),
            Self::Quarter => NaiveDate::from_ymd_opt(day.year(), (day.month() - 1) / 3 * 3 + 1, 1),
            Self::Year => NaiveDate::from_ymd_opt(day.year(), 1, 1),
        }
    }

    fn shifted(self, day: NaiveDate, by: i64) -> Option<NaiveDate> {
        let steps = by.unsigned_abs();
        let days = |each: u64| {
            let days = Days::new(steps.checked_mul(each)?);
            if by < 0 { day.checked_sub_days(days) } else { day.checked_add_days(days) }
        };
        let months = |each: u32| {
            let months = Months::new(u32::try_from(steps).ok()?.checked_mul(each)?);
            if by < 0 { day.checked_sub_months(months) } else { day.checked_add_months(months) }
        };
        match self {
            Self::Day => days(1),
            Self::Week => days(7),
            Self::Month => months(1),
            Self::Quarter => months(3),
            Self::Year => months(12),
        }
    }
}

/// The first day and the day behind the last one.
fn relative(word: &str, today: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
    let tomorrow = today.succ_opt()?;
    match word {
        "TODAY" => return Some((today, tomorrow)),
        "YESTERDAY" => return Some((today.pred_opt()?, today)),
        "TOMORROW" => return Some((tomorrow, tomorrow.succ_opt()?)),
        "LAST_90_DAYS" => return Some((Unit::Day.shifted(today, -90)?, tomorrow)),
        "NEXT_90_DAYS" => return Some((tomorrow, Unit::Day.shifted(tomorrow, 90)?)),
        _ => {}
    }
    if let Some((word, count)) = word.split_once(':') {
        return counted(word, count.parse().ok()?, today);
    }
    let (which, unit) = word.split_once('_')?;
    let unit = Unit::parse(unit)?;
    let start = unit.start(today)?;
    let first = match which {
        "LAST" => unit.shifted(start, -1)?,
        "THIS" => start,
        "NEXT" => unit.shifted(start, 1)?,
        _ => return None,
    };
    Some((first, unit.shifted(first, 1)?))
}

/// `LAST_N_DAYS:3` has today in it; other units end before the present one.
fn counted(word: &str, count: i64, today: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
    if let Some(unit) = word.strip_prefix("N_").and_then(|rest| rest.strip_suffix("_AGO")) {
        let unit = Unit::parse(unit)?;
        let first = unit.shifted(unit.start(today)?, -count)?;
        return Some((first, unit.shifted(first, 1)?));
    }
    let (which, unit) = word.split_once("_N_")?;
    let unit = Unit::parse(unit)?;
    let start = unit.start(today)?;
    match (which, unit) {
        ("LAST", Unit::Day) => Some((unit.shifted(today, -count)?, today.succ_opt()?)),
        ("LAST", _) => Some((unit.shifted(start, -count)?, start)),
        ("NEXT", _) => Some((unit.shifted(start, 1)?, unit.shifted(start, count.checked_add(1)?)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Time, parse};
    use crate::fake::moment::date;

    #[test]
    fn date_literals_are_spans() {
        // A Tuesday.
        let now = 1_795_536_000_000;
        for (word, from, to) in [
            ("TODAY", "2026-11-24", "2026-11-25"),
            ("yesterday", "2026-11-23", "2026-11-24"),
            ("THIS_WEEK", "2026-11-22", "2026-11-29"),
            ("LAST_MONTH", "2026-10-01", "2026-11-01"),
            ("THIS_QUARTER", "2026-10-01", "2027-01-01"),
            ("NEXT_YEAR", "2027-01-01", "2028-01-01"),
            ("THIS_FISCAL_YEAR", "2026-01-01", "2027-01-01"),
            ("LAST_N_DAYS:3", "2026-11-21", "2026-11-25"),
            ("NEXT_N_MONTHS:2", "2026-12-01", "2027-02-01"),
            ("LAST_N_WEEKS:1", "2026-11-15", "2026-11-22"),
            ("N_DAYS_AGO:7", "2026-11-17", "2026-11-18"),
            ("LAST_90_DAYS", "2026-08-26", "2026-11-25"),
        ] {
            let Some(Time::Relative(span)) = parse(word, now) else { panic!("{word}") };
            assert_eq!((date(span.from).as_str(), date(span.to).as_str()), (from, to), "{word}");
        }
        assert_eq!(parse("LAST_N_SECONDS:3", now), None);
        assert_eq!(parse("12", now), None);
    }
}

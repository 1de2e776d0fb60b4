//! What an answer tells of the org's calls in the last 24 hours.

use abmatic_sync_core::model::quota::Quota;
use chrono::{DateTime, Utc};
use http::HeaderMap;

/// On every REST answer: `api-usage=25/5000; per-app-api-usage=17/250(appName=sample-app)`.
const LIMIT_INFO: &str = "sforce-limit-info";

/// The limit that is nearest to being used up.
pub(crate) fn told(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Quota> {
    let (used, max) = fullest(headers.get(LIMIT_INFO)?.to_str().ok()?)?;
    Some(Quota::new(max, max.saturating_sub(used), now))
}

/// Used, and allowed.
fn fullest(text: &str) -> Option<(u64, u64)> {
    let usages = text.split(';').filter_map(|part| {
        let (used, rest) = part.split_once('=')?.1.split_once('/')?;
        let max: String = rest.trim().chars().take_while(char::is_ascii_digit).collect();
        Some((used.trim().parse::<u64>().ok()?, max.parse::<u64>().ok().filter(|max| *max > 0)?))
    });
    usages.max_by(|a, b| (u128::from(a.0) * u128::from(b.1)).cmp(&(u128::from(b.0) * u128::from(a.1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_say_what_is_used() {
        let table = [
            ("api-usage=10018/100000", Some((10_018, 100_000))),
            ("api-usage=25/5000; per-app-api-usage=17/250(appName=sample-app)", Some((17, 250))),
            ("api-usage=", None),
            ("api-usage=18446744073709551615/18446744073709551615; x=1/2", Some((u64::MAX, u64::MAX))),
        ];
        for (text, expected) in table {
            assert_eq!(fullest(text), expected, "{text}");
        }
    }
}

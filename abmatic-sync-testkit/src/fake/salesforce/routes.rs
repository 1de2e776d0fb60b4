//! Paths: which part of the API, which version, and what follows.

use crate::fake::exchange::decoded;
use crate::fake::salesforce::kind::Kind;

/// A part of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Area {
    /// `/services/data/vXX.X/…`
    Data(u16),
    /// `/id/{org}/{user}`
    Identity,
    /// `/services/oauth2/…`
    OAuth,
    /// `/services/data`
    Versions,
    /// Nothing is there.
    Nowhere,
}

/// A path, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) area: Area,
    /// What follows, decoded.
    pub(crate) rest: Vec<String>,
    /// The path with `{v}`, `{id}` and `{value}`, for counting.
    pub(crate) template: String,
}

/// Segments that are words of the API; anything else is an id, a name or a value.
const WORDS: &[&str] = &[
    "authorize",
    "batch",
    "batches",
    "composite",
    "deleted",
    "describe",
    "failedResults",
    "ingest",
    "introspect",
    "jobs",
    "limits",
    "listviews",
    "query",
    "queryAll",
    "recordCount",
    "resultPages",
    "results",
    "revoke",
    "sobjects",
    "successfulResults",
    "token",
    "tree",
    "unprocessedrecords",
    "updated",
    "userinfo",
];

/// Takes a path apart.
pub(crate) fn parse(path: &str) -> Route {
    let trimmed = path.strip_prefix('/').unwrap_or(path);
    let trimmed = trimmed.strip_suffix('/').unwrap_or(trimmed);
    let segments: Vec<&str> = trimmed.split('/').collect();
    let (area, prefix, rest) = match segments.as_slice() {
        // An empty segment is no segment: `//` leads nowhere.
        all if all.iter().any(|segment| segment.is_empty()) => (Area::Nowhere, "", [].as_slice()),
        ["services", "data"] => (Area::Versions, "/services/data", [].as_slice()),
        ["services", "data", version, rest @ ..] => match version_of(version) {
            Some(version) => (Area::Data(version), "/services/data/{v}", rest),
            None => (Area::Nowhere, "", [].as_slice()),
        },
        ["services", "oauth2", rest @ ..] => (Area::OAuth, "/services/oauth2", rest),
        ["id", rest @ ..] => (Area::Identity, "/id", rest),
        _ => (Area::Nowhere, "", [].as_slice()),
    };
    let rest: Vec<String> = rest.iter().map(|segment| decoded(segment, false)).collect();
    let template = if area == Area::Nowhere { "{unknown}".to_owned() } else { template(prefix, &rest) };
    Route { area, rest, template }
}

/// `v62.0` → 62.
pub(crate) fn version_of(segment: &str) -> Option<u16> {
    segment.strip_prefix('v')?.strip_suffix(".0")?.parse().ok()
}

fn template(prefix: &str, rest: &[String]) -> String {
    let mut text = prefix.to_owned();
    let mut before = "";
    for (at, segment) in rest.iter().enumerate() {
        text.push('/');
        let object = Kind::parse(segment).filter(|_| matches!(before, "sobjects" | "tree"));
        let shown = match object {
            Some(kind) => kind.name(),
            None if WORDS.contains(&segment.as_str()) => segment,
            // The field of an external id: a value follows it.
            None if at + 2 == rest.len() && rest.get(at + 1).is_some_and(|next| !WORDS.contains(&next.as_str())) => {
                segment
            }
            None => "{id}",
        };
        text.push_str(shown);
        before = segment;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Area, parse};

    #[test]
    fn paths_are_counted_by_template() {
        for (path, template) in [
            ("/services/data", "/services/data"),
            ("/services/data/", "/services/data"),
            ("/services/data/v62.0/query/", "/services/data/{v}/query"),
            ("/services/data/v62.0/query/0r8x-2000", "/services/data/{v}/query/{id}"),
            ("/services/data/v62.0/sobjects/account/001xx", "/services/data/{v}/sobjects/Account/{id}"),
            ("/services/data/v62.0/sobjects/Account/Ext__c/h-42", "/services/data/{v}/sobjects/Account/Ext__c/{id}"),
            ("/services/data/v62.0/composite/sobjects/Lead/Ext__c", "/services/data/{v}/composite/sobjects/Lead/{id}"),
            ("/services/data/v62.0/jobs/ingest/750x/batches", "/services/data/{v}/jobs/ingest/{id}/batches"),
            ("/services/data/v62.0//jobs/ingest", "{unknown}"),
            ("/services/oauth2/token", "/services/oauth2/token"),
        ] {
            assert_eq!(parse(path).template, template, "{path}");
        }
        assert_eq!(parse("/services/data/v61.0/limits").area, Area::Data(61));
        assert_eq!(parse("/services/data/62.0/limits").area, Area::Nowhere);
    }
}

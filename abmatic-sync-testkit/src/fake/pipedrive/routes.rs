//! Paths: which version of the API, and what follows.

use crate::fake::exchange::decoded;

/// A part of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Area {
    Nowhere,
    OAuth,
    /// `/v1/…` or `/api/v1/…`
    V1,
    /// `/api/v2/…`
    V2,
}

/// A path, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) area: Area,
    pub(crate) rest: Vec<String>,
    /// The path with `{id}` and `{code}`, for counting.
    pub(crate) template: String,
}

/// Takes a path apart.
pub(crate) fn parse(path: &str) -> Route {
    let trimmed = path.strip_prefix('/').unwrap_or(path);
    let segments: Vec<&str> = trimmed.split('/').collect();
    let (area, prefix, rest) = match segments.as_slice() {
        all if all.iter().any(|segment| segment.is_empty()) => (Area::Nowhere, "", [].as_slice()),
        ["api", "v2", rest @ ..] => (Area::V2, "/api/v2", rest),
        ["api", "v1", rest @ ..] | ["v1", rest @ ..] => (Area::V1, "/api/v1", rest),
        ["oauth", rest @ ..] => (Area::OAuth, "/oauth", rest),
        _ => (Area::Nowhere, "", [].as_slice()),
    };
    let rest: Vec<String> = rest.iter().map(|segment| decoded(segment, false)).collect();
    let template = if area == Area::Nowhere { "{unknown}".to_owned() } else { template(prefix, &rest) };
    Route { area, rest, template }
}

fn template(prefix: &str, rest: &[String]) -> String {
    let mut text = prefix.to_owned();
    let mut before = "";
    for segment in rest {
        let shown = match segment.as_str() {
            id if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) => "{id}",
            _ if before.ends_with("Fields") => "{code}",
            word => word,
        };
        text.push('/');
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
        for (path, area, template) in [
            ("/api/v2/persons", Area::V2, "/api/v2/persons"),
            ("/api/v2/persons/7", Area::V2, "/api/v2/persons/{id}"),
            ("/api/v2/persons/search", Area::V2, "/api/v2/persons/search"),
            ("/api/v2/dealFields/9dc8/options", Area::V2, "/api/v2/dealFields/{code}/options"),
            ("/v1/filters/901", Area::V1, "/api/v1/filters/{id}"),
            ("/api/v1/organizations/7/merge", Area::V1, "/api/v1/organizations/{id}/merge"),
            ("/v2/persons", Area::Nowhere, "{unknown}"),
            ("/api/v2/persons/", Area::Nowhere, "{unknown}"),
        ] {
            let route = parse(path);
            assert_eq!((route.area, route.template.as_str()), (area, template), "{path}");
        }
    }
}

//! Paths: which area of the API, which version, and what follows, for dated and for older path families.

use crate::fake::exchange::decoded;
use crate::fake::hubspot::kind::Kind;
use crate::fake::hubspot::outcome::Version;

/// A part of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Area {
    AccountInfo,
    Associations,
    Journal,
    JournalSubscriptions,
    Limits,
    Lists,
    OAuth,
    Objects,
    Owners,
    Pipelines,
    Properties,
    PropertyValidations,
}

/// A path, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) area: Area,
    pub(crate) version: Version,
    /// What follows, decoded.
    pub(crate) rest: Vec<String>,
    /// The path with `{v}` and `{id}`, for counting.
    pub(crate) template: String,
}

const AREAS: &[(&str, Area)] = &[
    ("associations", Area::Associations),
    ("limits", Area::Limits),
    ("lists", Area::Lists),
    ("objects", Area::Objects),
    ("owners", Area::Owners),
    ("pipelines", Area::Pipelines),
    ("properties", Area::Properties),
    ("property-validations", Area::PropertyValidations),
];

/// Segments that are words of the API; anything else is an id or a name.
const WORDS: &[&str] = &[
    "access-tokens",
    "add",
    "add-and-remove",
    "all",
    "api-usage",
    "archive",
    "associate",
    "associations",
    "batch",
    "create",
    "custom-properties",
    "daily",
    "default",
    "details",
    "earliest",
    "gdpr-delete",
    "groups",
    "introspect",
    "join-order",
    "labels",
    "latest",
    "memberships",
    "merge",
    "name",
    "next",
    "object-type-id",
    "offset",
    "private-apps",
    "read",
    "records",
    "refresh-tokens",
    "remove",
    "restore",
    "revoke",
    "search",
    "stages",
    "token",
    "update",
    "upsert",
];

/// Takes a path apart; `None` where it belongs to no area or no version.
pub(crate) fn parse(path: &str) -> Option<Route> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let (area, name, version, rest) = match segments.as_slice() {
        ["crm", first, second, rest @ ..] => {
            // `/crm/{area}/{version}` or `/crm/{version}/{area}`.
            let dated = area_of(first).zip(Version::parse(second)).map(|(area, version)| (area, first, version));
            let older = || Version::parse(first).zip(area_of(second)).map(|(version, area)| (area, second, version));
            let (area, name, version) = dated.or_else(older)?;
            (area, format!("/crm/{name}"), version, rest)
        }
        ["account-info", version, rest @ ..] => {
            (Area::AccountInfo, "/account-info".to_owned(), Version::parse(version)?, rest)
        }
        ["webhooks-journal", "journal", version, rest @ ..] => {
            (Area::Journal, "/webhooks-journal/journal".to_owned(), Version::parse(version)?, rest)
        }
        ["webhooks-journal", "subscriptions", version, rest @ ..] => {
            (Area::JournalSubscriptions, "/webhooks-journal/subscriptions".to_owned(), Version::parse(version)?, rest)
        }
        ["oauth", version, rest @ ..] => (Area::OAuth, "/oauth".to_owned(), Version::parse(version)?, rest),
        _ => return None,
    };
    let rest: Vec<String> = rest.iter().map(|segment| decoded(segment, false)).collect();
    let template = template(&name, area, &rest);
    Some(Route { area, version, rest, template })
}

fn area_of(segment: &str) -> Option<Area> {
    AREAS.iter().find(|(name, _)| *name == segment).map(|(_, area)| *area)
}

fn template(name: &str, area: Area, rest: &[String]) -> String {
    let mut text = String::with_capacity(64);
    text.push_str(name);
    text.push_str("/{v}");
    let mut names_a_type = matches!(area, Area::Objects | Area::Associations | Area::Properties | Area::Pipelines);
    for (at, segment) in rest.iter().enumerate() {
        text.push('/');
        let kind = Kind::parse(segment).filter(|_| names_a_type);
        let shown = match kind {
            Some(kind) => kind.plural(),
            None if WORDS.contains(&segment.as_str()) => segment,
            None => "{id}",
        };
        text.push_str(shown);
        // A second type follows in associations only: at once, or behind the word.
        names_a_type = matches!((area, at), (Area::Associations, 0)) || matches!(shown, "associations" | "default");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn both_path_families_count_as_one_route() {
        for (path, template) in [
            ("/crm/objects/2026-09/contacts/batch/read", "/crm/objects/{v}/contacts/batch/read"),
            ("/crm/v3/objects/0-1/12", "/crm/objects/{v}/contacts/{id}"),
            (
                "/crm/v4/objects/contact/1/associations/companies/2",
                "/crm/objects/{v}/contacts/{id}/associations/companies/{id}",
            ),
            ("/crm/v4/associations/contacts/company/batch/read", "/crm/associations/{v}/contacts/companies/batch/read"),
            ("/crm/associations/v4/contacts/company/labels", "/crm/associations/{v}/contacts/companies/labels"),
            ("/crm/v3/owners/", "/crm/owners/{v}"),
            ("/crm/v3/properties/deals/dealname", "/crm/properties/{v}/deals/{id}"),
            ("/oauth/v1/token", "/oauth/{v}/token"),
        ] {
            assert_eq!(parse(path).map(|route| route.template).as_deref(), Some(template));
        }
        assert_eq!(parse("/crm/v9/objects/contacts"), None);
        assert_eq!(parse("/nothing"), None);
    }
}

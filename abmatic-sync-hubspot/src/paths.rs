//! Where HubSpot's endpoints are, in every version: the one place that spells a path.

use std::fmt::Write as _;

use crate::object::Object;

/// A version of HubSpot's API. Bodies are the same in all of them; paths and the strictness of writes are not.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ApiVersion {
    /// v3, with v4 for associations: supported until September 2027 (v4: 2027-03-30).
    Legacy,
    /// Supported until about September 2027; does not enforce an account's own rules on writes.
    V2026_03,
    /// Current since 2026-09-08. Enforces an account's own required fields.
    #[default]
    V2026_09,
}

impl ApiVersion {
    fn dated(self) -> Option<&'static str> {
        match self {
            Self::Legacy => None,
            Self::V2026_03 => Some("2026-03"),
            Self::V2026_09 => Some("2026-09"),
        }
    }

    fn api(self, name: &str) -> String {
        match self.dated() {
            Some(date) => format!("/crm/{name}/{date}"),
            None => format!("/crm/v3/{name}"),
        }
    }

    /// All records of one object.
    pub(crate) fn records(self, object: Object) -> String {
        format!("{}/{}", self.api("objects"), object.name())
    }

    /// One record.
    pub(crate) fn record(self, object: Object, id: &str) -> String {
        format!("{}/{}", self.records(object), segment(id))
    }

    /// `batch/read`, `batch/upsert`, … of records.
    pub(crate) fn record_batch(self, object: Object, verb: &str) -> String {
        format!("{}/batch/{verb}", self.records(object))
    }

    /// The search of one object.
    pub(crate) fn search(self, object: Object) -> String {
        format!("{}/search", self.records(object))
    }

    /// `batch/read`, `batch/create`, `batch/archive` of the associations between two objects.
    pub(crate) fn association_batch(self, from: Object, to: Object, verb: &str) -> String {
        let root = match self.dated() {
            Some(date) => format!("/crm/associations/{date}"),
            None => "/crm/v4/associations".to_owned(),
        };
        format!("{root}/{}/{}/batch/{verb}", from.name(), to.name())
    }

    /// The property definitions of one object.
    pub(crate) fn properties(self, object: Object) -> String {
        format!("{}/{}", self.api("properties"), object.name())
    }

    /// The property groups of one object.
    pub(crate) fn property_groups(self, object: Object) -> String {
        format!("{}/groups", self.properties(object))
    }

    /// The pipelines of one object.
    pub(crate) fn pipelines(self, object: Object) -> String {
        format!("{}/{}", self.api("pipelines"), object.name())
    }

    /// Settings and subscriptions of an app's webhooks.
    pub(crate) fn app_webhooks(self, app_id: u64, rest: &str) -> String {
        match self {
            Self::Legacy => format!("/webhooks/v3/{app_id}/{rest}"),
            Self::V2026_03 => format!("/webhooks/2026-03/{app_id}/{rest}"),
            Self::V2026_09 => format!("/app-webhooks/2026-09/{app_id}/{rest}"),
        }
    }

    /// The first file that an app's webhooks journal keeps.
    pub(crate) fn journal_earliest(self) -> String {
        format!("/webhooks-journal/journal/{}/earliest", self.dated().unwrap_or("v4"))
    }

    /// The file after the one with that offset.
    pub(crate) fn journal_after(self, offset: &str) -> String {
        format!("/webhooks-journal/journal/{}/offset/{}/next", self.dated().unwrap_or("v4"), segment(offset))
    }

    /// What the journal tells of.
    pub(crate) fn journal_subscriptions(self) -> String {
        format!("/webhooks-journal/subscriptions/{}", self.dated().unwrap_or("v4"))
    }

    /// `token` and `token/revoke` of the authorization server.
    pub(crate) fn oauth(self, call: &str) -> String {
        match self.dated() {
            Some(date) => format!("/oauth/{date}/{call}"),
            None => format!("/oauth/v3/{call}"),
        }
    }

    /// Which account a token is for.
    pub(crate) fn account_details(self) -> String {
        format!("/account-info/{}/details", self.dated().unwrap_or("v3"))
    }

    /// One list ("segment").
    pub(crate) fn list(self, id: &str) -> String {
        format!("{}/{}", self.api("lists"), segment(id))
    }

    /// The members of a list.
    pub(crate) fn list_members(self, id: &str) -> String {
        format!("{}/memberships", self.list(id))
    }
}

/// A text as one segment of a path: it can neither end the segment nor leave the folder.
fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'@') || (byte == b'.' && text.len() > 2) {
            out.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_spells_its_own_paths() {
        let spelled = |version: ApiVersion| {
            (version.search(Object::Contacts), version.association_batch(Object::Deals, Object::Companies, "read"))
        };
        assert_eq!(
            spelled(ApiVersion::V2026_09),
            (
                "/crm/objects/2026-09/contacts/search".to_owned(),
                "/crm/associations/2026-09/deals/companies/batch/read".to_owned()
            )
        );
        assert_eq!(
            spelled(ApiVersion::Legacy),
            (
                "/crm/v3/objects/contacts/search".to_owned(),
                "/crm/v4/associations/deals/companies/batch/read".to_owned()
            )
        );
        assert_eq!(ApiVersion::V2026_03.list_members("7"), "/crm/lists/2026-03/7/memberships");
    }

    #[test]
    fn no_id_leaves_its_segment() {
        for (id, expected) in
            [("12", "12"), ("a@b.co", "a@b.co"), ("..", "%2E%2E"), ("1/../x?y#z", "1%2F..%2Fx%3Fy%23z")]
        {
            assert_eq!(segment(id), expected);
        }
    }
}

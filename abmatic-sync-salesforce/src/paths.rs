//! Where things are under `/services/data`.

use std::fmt;

use crate::object::Object;

/// The version of Salesforce's REST API. Pinned, since behaviour is versioned; never "the latest".
///
/// ```
/// use abmatic_sync_salesforce::ApiVersion;
/// assert_eq!(ApiVersion::new(65).to_string(), "v65.0");
/// assert_eq!(ApiVersion::default().to_string(), "v62.0");
/// ```
///
/// Supported are 41 to 68 (developer.salesforce.com, "API End-of-Life Policy"); this connector needs 58, since when results
/// of Bulk queries come in parallel and column order is that of the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion(u16);

impl ApiVersion {
    /// A version by its number: 62 is `v62.0`.
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    fn data(self, rest: &str) -> String {
        format!("/services/data/{self}/{rest}")
    }

    pub(crate) fn describe(self, object: Object) -> String {
        self.data(&format!("sobjects/{}/describe", object.name()))
    }

    pub(crate) fn records(self, object: Object) -> String {
        self.data(&format!("sobjects/{}", object.name()))
    }

    pub(crate) fn record(self, object: Object, id: &str) -> String {
        self.data(&format!("sobjects/{}/{id}", object.name()))
    }

    /// The record with that value of an external id. The value is one of ours: letters, digits and hyphens.
    pub(crate) fn by_external_id(self, object: Object, field: &str, value: &str) -> String {
        self.data(&format!("sobjects/{}/{field}/{value}", object.name()))
    }

    pub(crate) fn query(self) -> String {
        self.data("query")
    }

    pub(crate) fn query_all(self) -> String {
        self.data("queryAll")
    }

    pub(crate) fn composite(self) -> String {
        self.data("composite")
    }

    pub(crate) fn collections(self) -> String {
        self.data("composite/sobjects")
    }

    /// Retrieves by id.
    pub(crate) fn collection(self, object: Object) -> String {
        self.data(&format!("composite/sobjects/{}", object.name()))
    }

    /// Upserts by an external id.
    pub(crate) fn collection_upsert(self, object: Object, field: &str) -> String {
        self.data(&format!("composite/sobjects/{}/{field}", object.name()))
    }

    pub(crate) fn list_views(self, object: Object) -> String {
        self.data(&format!("sobjects/{}/listviews", object.name()))
    }

    pub(crate) fn list_view(self, object: Object, id: &str, part: &str) -> String {
        self.data(&format!("sobjects/{}/listviews/{id}/{part}", object.name()))
    }

    pub(crate) fn query_jobs(self) -> String {
        self.data("jobs/query")
    }

    /// A job of its own, or with `part` what belongs to it.
    pub(crate) fn query_job(self, id: &str, part: &str) -> String {
        self.data(&format!("jobs/query/{id}{part}"))
    }

    pub(crate) fn ingest_jobs(self) -> String {
        self.data("jobs/ingest")
    }

    /// A job of its own, or with `part` what belongs to it.
    pub(crate) fn ingest_job(self, id: &str, part: &str) -> String {
        self.data(&format!("jobs/ingest/{id}{part}"))
    }
}

impl Default for ApiVersion {
    /// 62.0.
    fn default() -> Self {
        Self(62)
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.0", self.0)
    }
}

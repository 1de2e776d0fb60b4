//! Bulk API 2.0: jobs that read and write any number of records as CSV.

pub(crate) mod csv;
pub(crate) mod ingest;
pub(crate) mod job;
pub(crate) mod load;
pub(crate) mod query;

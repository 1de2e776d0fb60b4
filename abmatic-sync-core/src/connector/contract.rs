//! What a CRM must be able to do: the trait that a third party reads first.

use std::fmt;

use async_trait::async_trait;

use crate::connector::capabilities::Descriptor;
use crate::connector::request::{FindRequest, Page, Pushdown, Read, ReadRequest, VerifyRequest, Write, WriteOutcome};
use crate::error::Result;
use crate::filter::expr::Expr;
use crate::model::connection::Connection;
use crate::model::quota::Quota;
use crate::model::record::RemoteRecord;
use crate::model::resource::Resource;
use crate::model::schema::Schema;

/// One kind of CRM. Registered once, serves any number of connections: each call names its [`Connection`].
///
/// # Contract
/// - `write` answers one outcome for each write, in their order, however the CRM ordered its own. A record's failure is
///   an outcome; an `Err` means that nothing was written, or with [`crate::error::ErrorKind::Ambiguous`] that nobody knows.
/// - `write` of a create whose intent was written before, where the CRM has an own unique property, answers with the
///   record of then.
/// - `read` may give a record again, never skip one: the engine drops what equals the base.
/// - Whoever cannot tell whether the CRM acted says [`crate::error::ErrorKind::Ambiguous`]; the engine then looks before
///   it sends again.
/// - Whoever is told the CRM's time by its answers notes it in the connection's
///   [`crate::model::connection::Connection::server_clock`], as `abmatic-sync-http` does for every `Date`. Windows of changes
///   end by it, and conflicts are judged by it; else the host's clock is taken for the CRM's.
/// - A connector keeps nothing between calls that another process would miss.
#[async_trait]
pub trait CrmConnector: fmt::Debug + Send + Sync + 'static {
    /// What it is and can do.
    fn descriptor(&self) -> &Descriptor;

    /// Gets an account ready for exactly-once creates, such as by making the own unique property. Called at the start of
    /// a run that may write there; cheap when nothing is to be done. Lacking the permission is not an error.
    async fn prepare(&self, on: &Connection, resource: Resource) -> Result<()>;

    /// The CRM's fields.
    async fn describe(&self, on: &Connection, resource: Resource) -> Result<Schema>;

    /// One page of records.
    async fn read(&self, on: &Connection, request: ReadRequest) -> Result<Page>;

    /// Live records by key, in one call where the CRM can. A key may have several records, or none. The engine compares
    /// keys itself, so more may come than was asked for.
    async fn find(&self, on: &Connection, request: FindRequest) -> Result<Vec<RemoteRecord>>;

    /// Writes records, in as few calls as the CRM allows.
    async fn write(&self, on: &Connection, resource: Resource, writes: Vec<Write>) -> Result<Vec<WriteOutcome>>;

    /// For each create in doubt the record it made, or `None` when it surely did not happen.
    async fn verify(&self, on: &Connection, request: VerifyRequest) -> Result<Vec<Option<RemoteRecord>>>;

    /// Whether the CRM can evaluate `filter`, given its schema.
    fn pushdown(&self, resource: Resource, filter: &Expr, schema: &Schema) -> Pushdown;

    /// How many records `read` holds; `None` where the CRM cannot say without reading them.
    async fn count(&self, _on: &Connection, _resource: Resource, _read: &Read) -> Result<Option<u64>> {
        Ok(None)
    }

    /// Whether the token may write records of `resource`, found out without writing any. A CRM that cannot tell says nothing.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Forbidden`] with the permission that is missing.
    async fn may_write(&self, _on: &Connection, _resource: Resource) -> Result<()> {
        Ok(())
    }

    /// What is left of the account's calls a day, as its last answer told this process.
    fn quota(&self, _on: &Connection) -> Option<Quota> {
        None
    }
}

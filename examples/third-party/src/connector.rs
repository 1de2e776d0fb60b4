//! The connector: what Tiny CRM can do, and how.

use std::sync::Arc;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::connector::capabilities::{Descriptor, ResourceCapabilities};
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{
    FindRequest, Page, PageCursor, Pushdown, Read, ReadRequest, VerifyRequest, Write, WriteOutcome, Written,
};
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::filter::expr::Expr;
use abmatic_sync_core::ids::{FieldName, RemoteId};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::mapping::{FieldMapping, Mapping, Transform};
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::Schema;
use abmatic_sync_http::client::{Answer, Call, Client, Dialect};
use abmatic_sync_http::host::Hosts;
use abmatic_sync_http::retry::Resend;
use abmatic_sync_http::transport::ReqwestTransport;
use async_trait::async_trait;
use chrono::SecondsFormat;
use serde_json::{Value as Json, json};

use crate::wire::{FieldInfo, Op, OpResult, Results, Row, Rows, encode, schema};

/// Where a token may be sent.
const HOSTS: Hosts = Hosts::of("Tiny CRM", &["tinycrm.example"]);

/// Keeps companies and people of Tiny CRM.
#[derive(Debug)]
pub struct TinyConnector {
    descriptor: Descriptor,
    client: Client,
}

impl TinyConnector {
    /// A connector on this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let mut descriptor = Descriptor::new("tiny", "Tiny CRM", vec![companies(), people()]);
        descriptor.visibility_lag_seconds = 5;
        Self { descriptor, client: Client::new(Arc::new(ReqwestTransport::default()), clock, Arc::new(TinyDialect)) }
    }

    async fn send(
        &self,
        on: &Connection,
        operation: String,
        path: &str,
        body: Option<Json>,
        again: Resend,
    ) -> Result<Answer> {
        let missing = || Error::invalid(ErrorCode::InvalidSettings, "Tiny CRM needs a base URL");
        let address = HOSTS.address(on.base_url.as_ref().ok_or_else(missing)?, path)?;
        let call = match body {
            Some(body) => Call::post(operation, address, &body)?,
            None => Call::get(operation, address),
        };
        self.client.send(on, call, again).await
    }

    /// Rows of a call that changes nothing.
    async fn rows(
        &self,
        on: &Connection,
        resource: Resource,
        verb: &str,
        path: &str,
        body: Option<Json>,
    ) -> Result<Rows> {
        let object = object(resource)?;
        let operation = format!("tiny {verb} {object}");
        self.send(on, operation, &format!("/{object}{path}"), body, Resend::Read).await?.json()
    }
}

fn companies() -> ResourceCapabilities {
    let mapping = Mapping::new(vec![
        FieldMapping::new("name", "name"),
        FieldMapping::new("website", "domain").with_transform(Transform::Domain),
        FieldMapping::new("employee_count", "employees"),
    ]);
    let mut offered = ResourceCapabilities::new(Resource::Account, "companies", mapping);
    offered.key_field = Some("domain");
    offered.incremental = true;
    limited(offered)
}

fn people() -> ResourceCapabilities {
    let mapping = Mapping::new(vec![
        FieldMapping::new("work_email", "email"),
        FieldMapping::new("last_name", "name"),
        FieldMapping::new("job_title", "title"),
    ]);
    let mut offered = ResourceCapabilities::new(Resource::Contact, "people", mapping);
    offered.key_field = Some("email");
    offered.incremental = true;
    offered.relations = &["account"];
    limited(offered)
}

/// Tiny CRM's limits: 100 rows on a page, 50 writes and 50 keys or ids in a call.
fn limited(mut offered: ResourceCapabilities) -> ResourceCapabilities {
    (offered.page_max, offered.batch_max, offered.find_max) = (100, 50, 50);
    offered
}

fn object(resource: Resource) -> Result<&'static str> {
    match resource {
        Resource::Account => Ok("companies"),
        Resource::Contact => Ok("people"),
        other => Err(Error::invalid(ErrorCode::Unsupported, format!("Tiny CRM has no {other}"))),
    }
}

#[async_trait]
impl CrmConnector for TinyConnector {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Nothing: every record has a unique `key` already.
    async fn prepare(&self, _: &Connection, resource: Resource) -> Result<()> {
        object(resource).map(|_| ())
    }

    async fn describe(&self, on: &Connection, resource: Resource) -> Result<Schema> {
        let object = object(resource)?;
        let operation = format!("tiny describe {object}");
        let answer = self.send(on, operation, &format!("/fields/{object}"), None, Resend::Read).await?;
        let infos: Vec<FieldInfo> = answer.json()?;
        let relations = self.descriptor.resource(resource).map(|offered| offered.relations).unwrap_or_default();
        Ok(schema(infos, &relations.iter().copied().collect()))
    }

    async fn read(&self, on: &Connection, request: ReadRequest) -> Result<Page> {
        let after = request.cursor.as_ref().map(|cursor| format!("&after={}", cursor.as_str())).unwrap_or_default();
        let (path, body) = match &request.read {
            Read::All => (format!("?limit=100{after}"), None),
            Read::Changed { since, until, filter: None } => {
                let [since, until] = [since, until].map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true));
                (format!("?limit=100&since={since}&until={until}{after}"), None)
            }
            Read::Ids(ids) if ids.is_empty() => return Ok(Page::default()),
            Read::Ids(ids) => {
                let ids: Vec<&str> = ids.iter().map(RemoteId::as_str).collect();
                ("/get".to_owned(), Some(json!({"ids": ids})))
            }
            _ => return Err(Error::invalid(ErrorCode::Unsupported, "Tiny CRM has no such read")),
        };
        let found = self.rows(on, request.resource, "read", &path, body).await?;
        let names: Vec<&FieldName> = request.fields.iter().chain(&request.relations).collect();
        let records = found.rows.iter().map(|row| row.decode(names.iter().copied())).collect();
        Ok(Page::new(records, found.next.map(PageCursor::new)))
    }

    async fn find(&self, on: &Connection, request: FindRequest) -> Result<Vec<RemoteRecord>> {
        if request.keys.is_empty() {
            return Ok(Vec::new());
        }
        let key = if request.resource == Resource::Account { "domain" } else { "email" };
        let body = json!({"field": key, "values": request.keys});
        let found = self.rows(on, request.resource, "find", "/find", Some(body)).await?;
        let names: Vec<&FieldName> = request.fields.iter().chain(&request.relations).collect();
        Ok(found.rows.iter().map(|row| row.decode(names.iter().copied())).collect())
    }

    async fn write(&self, on: &Connection, resource: Resource, writes: Vec<Write>) -> Result<Vec<WriteOutcome>> {
        if writes.is_empty() {
            return Ok(Vec::new());
        }
        let object = object(resource)?;
        let operation = format!("tiny write {object}");
        let ops = writes.iter().map(op).collect::<Result<Vec<Op>>>()?;
        let (path, body) = (format!("/{object}/write"), json!({"rows": ops}));
        // Creates have a key, updates and deletes an id: twice is as good as once.
        let answer = self.send(on, operation.clone(), &path, Some(body), Resend::Safe).await?;
        let results: Results = answer.json()?;
        let outcomes = writes.iter().zip(results.results).map(|(write, result)| outcome(write, result, &operation));
        Ok(outcomes.collect())
    }

    async fn verify(&self, on: &Connection, request: VerifyRequest) -> Result<Vec<Option<RemoteRecord>>> {
        let keys: Vec<&str> = request.creates.iter().map(|create| create.intent.as_str()).collect();
        let found = self.rows(on, request.resource, "verify", "/keys", Some(json!({"keys": keys}))).await?;
        let of = |key: &&str| found.rows.iter().find(|row| row.key.as_deref() == Some(*key));
        Ok(keys.iter().map(|key| of(key).map(|row| row.decode(&request.fields))).collect())
    }

    fn pushdown(&self, _: Resource, _: &Expr, _: &Schema) -> Pushdown {
        Pushdown::Here("Tiny CRM has no filters".to_owned())
    }
}

fn op(write: &Write) -> Result<Op> {
    Ok(match write {
        Write::Archive { id } => Op::Delete { id: id.to_string() },
        Write::Create { intent, fields } => Op::Create { key: intent.to_string(), fields: encode(fields) },
        Write::Update { id, fields, .. } => Op::Update { id: id.to_string(), fields: encode(fields) },
        _ => return Err(Error::invalid(ErrorCode::Unsupported, "Tiny CRM has no such write")),
    })
}

/// What became of one write: the record as Tiny CRM keeps it now, or why it does not.
fn outcome(write: &Write, result: OpResult, operation: &str) -> WriteOutcome {
    let names = || write.fields().into_iter().flat_map(|fields| fields.iter().map(|(name, _)| name));
    let OpResult { status, id, row, error, field } = result;
    match (status, id) {
        (200..=299, Some(id)) => {
            let mut written = Written::new(id);
            written.fields = row.as_ref().map(|row: &Row| row.values(names())).unwrap_or_default();
            written.modified_at = row.map(|row| row.changed);
            WriteOutcome::Written(written)
        }
        (_, existing) => {
            let word = error.unwrap_or_default();
            let (kind, code) = meaning(status, &word);
            let message = format!("{word} {}", field.as_deref().unwrap_or_default());
            let error = Error::new(kind, code, message.trim()).at(operation).with_fields(field.into_iter().collect());
            WriteOutcome::Failed(match existing {
                Some(id) if kind == ErrorKind::Duplicate => error.with_existing_id(RemoteId::from(id)),
                _ => error,
            })
        }
    }
}

/// What a status and its word mean, for a call and for a row.
fn meaning(status: u16, word: &str) -> (ErrorKind, ErrorCode) {
    match (status, word) {
        (401, _) => (ErrorKind::Unauthorized, ErrorCode::InvalidSession),
        (403, _) => (ErrorKind::Forbidden, ErrorCode::InsufficientAccess),
        (404, _) => (ErrorKind::NotFound, ErrorCode::RecordGone),
        (409, _) => (ErrorKind::Duplicate, ErrorCode::DuplicateValue),
        (422, "missing") => (ErrorKind::Invalid, ErrorCode::RequiredFieldMissing),
        (422, "reference") => (ErrorKind::Invalid, ErrorCode::InvalidReference),
        (422, _) => (ErrorKind::Invalid, ErrorCode::InvalidField),
        (429, _) => (ErrorKind::RateLimited, ErrorCode::RequestLimitExceeded),
        (500..=599, _) => (ErrorKind::Unavailable, ErrorCode::ServerUnavailable),
        _ => (ErrorKind::Undocumented, ErrorCode::UnknownError),
    }
}

/// How Tiny CRM refuses.
#[derive(Debug)]
struct TinyDialect;

impl Dialect for TinyDialect {
    fn refusal(&self, answer: &Answer) -> Error {
        let status = answer.status().as_u16();
        let (kind, code) = meaning(status, "");
        let error = Error::new(kind, code, format!("Tiny CRM answered {status}"));
        match answer.retry_after() {
            Some(wait) => error.with_retry_after(wait),
            None => error,
        }
    }
}

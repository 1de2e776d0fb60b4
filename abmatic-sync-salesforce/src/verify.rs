//! Did a create in doubt happen? Asked by the external id, or by what was sent once the create must have ended.

use std::collections::HashMap;
use std::time::Duration;

use abmatic_sync_core::connector::request::{CreateInDoubt, VerifyRequest};
use abmatic_sync_core::error::Result;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::steps::recognise::{SKEW_MINUTES, Telling, recognise};
use chrono::{DateTime, TimeDelta, Utc};

use crate::api::Api;
use crate::describe::described;
use crate::layout::Layout;
use crate::object::{CREATED, Object};
use crate::reader::{Bin, Reader};
use crate::soql::{QUERY_BYTES_MAX, Query, encoded_len, moment, one_of, parts, quoted};

/// The first wait for a create that may still be at work; each further one is twice as long.
const WAIT_MIN: Duration = Duration::from_secs(2);

/// For each create the record it made, `None` where it surely did not happen.
pub(crate) async fn verify(api: &Api, on: &Connection, request: VerifyRequest) -> Result<Vec<Option<RemoteRecord>>> {
    let object = Object::of(request.resource)?;
    let described = described(api, on, object).await?;
    let external_id = described.external_id.clone();
    let mut layout = Layout::new(object, &request.fields, &Default::default(), &described);
    for name in telling(object).iter().copied().chain(external_id.as_deref()) {
        layout = layout.with(name, described.field_type(name));
    }
    let verifier = Verifier { reader: Reader::new(api, on, object, described, "verify"), layout };
    let mut found: Vec<Option<RemoteRecord>> = request.creates.iter().map(|_| None).collect();
    match external_id {
        Some(field) => verifier.by_external_id(&field, &request.creates, &mut found).await?,
        None => verifier.by_content(&request, &mut found).await?,
    }
    Ok(found)
}

/// The fields by which a record is recognised: all that were sent have to be held.
fn telling(object: Object) -> &'static [&'static str] {
    match object {
        Object::Account => &["Name", "Website"],
        Object::CampaignMember => &[],
        Object::Contact => &["Email", "FirstName", "LastName"],
        Object::Lead => &["Company", "Email", "FirstName", "LastName"],
        Object::Opportunity => &["CloseDate", "Name", "StageName"],
        Object::Task => &["ActivityDate", "Subject"],
    }
}

/// The field whose values choose what is looked at.
fn chief(object: Object) -> Option<&'static str> {
    match object {
        Object::Account | Object::Opportunity => Some("Name"),
        Object::Contact | Object::Lead => Some("LastName"),
        Object::Task => Some("Subject"),
        Object::CampaignMember => None,
    }
}

struct Verifier<'a> {
    reader: Reader<'a>,
    layout: Layout,
}

impl Verifier<'_> {
    async fn by_external_id(
        &self,
        field: &str,
        creates: &[CreateInDoubt],
        found: &mut [Option<RemoteRecord>],
    ) -> Result<()> {
        let key_of = |create: &CreateInDoubt| {
            let mapped = create.fields.iter().find(|(name, _)| name.as_str().eq_ignore_ascii_case(field));
            let own = mapped.filter(|(_, value)| !value.is_blank()).map(|(_, value)| value.to_string());
            own.unwrap_or_else(|| create.intent.as_str().to_owned())
        };
        // First: what a job still makes would come after the look.
        self.reader.await_jobs(field).await?;
        let keys = creates.iter().map(key_of).collect();
        let mut records = self.records(field, keys, None, Bin::Included).await?;
        // What somebody deleted meanwhile did happen, and is not to be made again; a live one of that key stands before it.
        records.sort_by_key(|record| !record.deleted);
        let held = |record: RemoteRecord| {
            let key = record.fields.get(field).and_then(Value::as_text)?.to_ascii_lowercase();
            Some((key, record))
        };
        let by_key: HashMap<String, RemoteRecord> = records.into_iter().filter_map(held).collect();
        for (create, place) in creates.iter().zip(found) {
            *place = by_key.get(&key_of(create).to_ascii_lowercase()).cloned();
        }
        Ok(())
    }

    /// Looks until everything is found or every create must have ended: one that lost its caller may still be at work.
    async fn by_content(&self, request: &VerifyRequest, found: &mut [Option<RemoteRecord>]) -> Result<()> {
        let Some(chief) = chief(self.reader.object) else { return Ok(()) };
        let settle = TimeDelta::from_std(self.reader.api.options.settle).unwrap_or(TimeDelta::MAX);
        let clock = self.reader.api.clock();
        let mut wait = WAIT_MIN;
        loop {
            // Read before the query: what it does not show was not there by then.
            let now = clock.now();
            self.look(chief, request, found).await?;
            let open = request.creates.iter().zip(&*found).filter(|(_, found)| found.is_none());
            if open.map(|(create, _)| create.announced_at + settle).all(|ends| ends <= now) {
                return Ok(());
            }
            clock.sleep(wait).await;
            wait = wait.saturating_mul(2).min(self.reader.api.options.settle.max(WAIT_MIN));
        }
    }

    async fn look(&self, chief: &str, request: &VerifyRequest, found: &mut [Option<RemoteRecord>]) -> Result<()> {
        let open =
            || request.creates.iter().zip(&*found).filter(|(_, found)| found.is_none()).map(|(create, _)| create);
        let Some(since) = open().map(|create| create.announced_at).min() else { return Ok(()) };
        let keys: Vec<String> = open().filter_map(|create| Some(create.fields.get(chief)?.to_string())).collect();
        let records = self.records(chief, keys, Some(since - TimeDelta::minutes(SKEW_MINUTES)), Bin::LeftOut).await?;
        recognise(request, Telling::new(telling(self.reader.object)), records, found);
        Ok(())
    }

    async fn records(
        &self,
        field: &str,
        keys: Vec<String>,
        since: Option<DateTime<Utc>>,
        bin: Bin,
    ) -> Result<Vec<RemoteRecord>> {
        let layout = match bin {
            Bin::Included => self.layout.clone().with_bin(self.reader.object),
            Bin::LeftOut => self.layout.clone(),
        };
        let select = layout.select();
        let room = QUERY_BYTES_MAX.saturating_sub(encoded_len(&select) + 200).max(2_000);
        let query = |part: &Vec<String>| {
            let query = Query::new(select.as_str(), self.reader.object.name()).filtered(one_of(field, part));
            match since {
                Some(since) => query.filtered(format!("{CREATED} >= {}", moment(since))),
                None => query,
            }
        };
        let queries: Vec<Query> = parts(keys, |key| quoted(key), ",", room).iter().map(query).collect();
        let found = self.reader.collect_all(&layout, &queries, bin).await?;
        Ok(found.records.into_iter().map(|one| one.record).collect())
    }
}

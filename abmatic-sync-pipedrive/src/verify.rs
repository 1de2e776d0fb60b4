//! Did a create in doubt happen? Asked of what changed since it was announced, by what was sent: the list is no index that
//! lags, and one page answers for all.

use std::collections::BTreeSet;
use std::time::Duration;

use abmatic_sync_core::connector::request::VerifyRequest;
use abmatic_sync_core::error::Result;
use abmatic_sync_core::ids::FieldName;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::steps::recognise::{SKEW_MINUTES, Telling, recognise};
use abmatic_sync_http::paging::{Trail, advance};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use crate::api::Api;
use crate::object::Object;
use crate::reader::Reader;

/// The first wait for a create that may still be at work; each further one is twice as long.
const WAIT_MIN: Duration = Duration::from_secs(2);

/// For each create the record it made, `None` where it surely did not happen.
pub(crate) async fn verify(api: &Api, on: &Connection, request: VerifyRequest) -> Result<Vec<Option<RemoteRecord>>> {
    let object = Object::of(request.resource)?;
    let telling = object.telling().iter().map(|name| FieldName::from(*name));
    let reader = Reader::new(api, on, object, "verify").await?;
    let relations = object.relations().iter().map(|name| FieldName::from(*name)).collect::<BTreeSet<_>>();
    let reader = reader.of(request.fields.iter().cloned().chain(telling), &relations);
    let mut found: Vec<Option<RemoteRecord>> = request.creates.iter().map(|_| None).collect();
    let settle = TimeDelta::from_std(api.options.settle).unwrap_or(TimeDelta::MAX);
    let mut wait = WAIT_MIN;
    loop {
        // Read before the list: what it does not show was not there by then.
        let now = api.clock().now();
        look(&reader, &request, &mut found).await?;
        let open = request.creates.iter().zip(&found).filter(|(_, found)| found.is_none());
        if open.map(|(create, _)| create.announced_at + settle).all(|ends| ends <= now) {
            return Ok(found);
        }
        api.clock().sleep(wait).await;
        wait = wait.saturating_mul(2).min(api.options.settle.max(WAIT_MIN));
    }
}

async fn look(reader: &Reader<'_>, request: &VerifyRequest, found: &mut [Option<RemoteRecord>]) -> Result<()> {
    let open = request.creates.iter().zip(&*found).filter(|(_, found)| found.is_none());
    let Some(since) = open.map(|(create, _)| create.announced_at).min() else { return Ok(()) };
    let mut records = changed_since(reader, since - TimeDelta::minutes(SKEW_MINUTES)).await?;
    records.retain(|record| !record.deleted);
    let telling: Vec<&str> = reader.object.telling().iter().chain(reader.object.relations()).copied().collect();
    recognise(request, Telling::new(&telling), records, found);
    Ok(())
}

async fn changed_since(reader: &Reader<'_>, since: DateTime<Utc>) -> Result<Vec<RemoteRecord>> {
    let since = since.to_rfc3339_opts(SecondsFormat::Secs, true);
    let query = [("updated_since", since.as_str()), ("sort_by", "update_time"), ("sort_direction", "asc")];
    let (mut found, mut trail) = (Vec::new(), None);
    loop {
        let cursor = trail.as_ref().map(|trail: &Trail| trail.after().to_owned());
        let page = reader.list(&query, cursor.as_deref()).await?;
        found.extend(page.records);
        trail = advance(trail, page.next).map_err(|error| error.at(reader.operation()))?;
        if trail.is_none() {
            return Ok(found);
        }
    }
}

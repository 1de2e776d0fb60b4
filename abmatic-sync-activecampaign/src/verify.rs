//! Did a create in doubt happen? Contacts are asked for by their address, accounts by their name: both are unique there; deals
//! by what was sent.

use std::collections::BTreeSet;
use std::time::Duration;

use abmatic_sync_core::connector::request::{CreateInDoubt, VerifyRequest};
use abmatic_sync_core::error::Result;
use abmatic_sync_core::ids::FieldName;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::value::Value;
use chrono::TimeDelta;
use serde_json::Value as Json;

use crate::api::Api;
use crate::find::by_email;
use crate::import::{email_of, wait_for_all};
use crate::object::Object;
use crate::reader::Reader;
use crate::walk;
use crate::wire::rows;

/// How far apart the two clocks may be.
const SKEW_MINUTES: i64 = 5;
/// The first wait between two looks; it doubles.
const WAIT_MIN: Duration = Duration::from_secs(2);

/// The record of each create, or none where it surely did not happen.
pub(crate) async fn verify(api: &Api, on: &Connection, request: VerifyRequest) -> Result<Vec<Option<RemoteRecord>>> {
    let object = Object::of(request.resource)?;
    let telling: &[&str] = match object {
        Object::Account => &["name"],
        Object::Contact => &["email"],
        Object::Deal => &["title", "value"],
        // Nothing tells one note from another, and nothing finds an event: a note too many is less than none.
        Object::Note => return Ok(request.creates.iter().map(|_| None).collect()),
    };
    let reader = Reader::new(api, on, object, "verify").await?;
    let relations: BTreeSet<FieldName> = object.relations().iter().map(|name| FieldName::from(*name)).collect();
    let telling = telling.iter().map(|name| FieldName::from(*name));
    let reader = reader.of(request.fields.iter().cloned().chain(telling), &relations);
    if object == Object::Contact {
        wait_for_all(api, on).await?;
    }
    let mut found: Vec<Option<RemoteRecord>> = request.creates.iter().map(|_| None).collect();
    let settle = TimeDelta::from_std(api.options.settle).unwrap_or(TimeDelta::MAX);
    let mut wait = WAIT_MIN;
    loop {
        // Read before the look: what it does not show was not there by then.
        let now = api.clock().now();
        look(&reader, &request.creates, &mut found).await?;
        let open = request.creates.iter().zip(&found).filter(|(_, found)| found.is_none());
        if open.map(|(create, _)| create.announced_at + settle).all(|ends| ends <= now) {
            return Ok(found);
        }
        api.clock().sleep(wait).await;
        wait = wait.saturating_mul(2).min(api.options.settle.max(WAIT_MIN));
    }
}

/// Looks once for all that is not found yet.
async fn look(reader: &Reader<'_>, creates: &[CreateInDoubt], found: &mut [Option<RemoteRecord>]) -> Result<()> {
    let open: Vec<&CreateInDoubt> =
        creates.iter().zip(&*found).filter(|(_, found)| found.is_none()).map(|(create, _)| create).collect();
    if open.is_empty() {
        return Ok(());
    }
    let mut records = match reader.object {
        Object::Contact => {
            let emails = open.iter().filter_map(|create| email_of(&create.fields)).collect();
            by_email(reader, &emails).await?
        }
        Object::Account => by_name(reader, &open).await?,
        Object::Deal | Object::Note => made_since(reader, &open).await?,
    };
    let taken: BTreeSet<_> = found.iter().flatten().map(|record| record.id.clone()).collect();
    records.retain(|record| !taken.contains(&record.id));
    records.sort_by_key(|record| (record.created_at, record.id.as_str().parse::<u64>().unwrap_or(u64::MAX)));
    for (create, place) in creates.iter().zip(found) {
        if place.is_none() {
            // One record is the outcome of one create.
            let at = records.iter().position(|record| is_of(reader.object, create, record));
            *place = at.map(|at| records.remove(at));
        }
    }
    Ok(())
}

async fn by_name(reader: &Reader<'_>, creates: &[&CreateInDoubt]) -> Result<Vec<RemoteRecord>> {
    let mut found = Vec::new();
    for create in creates {
        let Some(name) = create.fields.get("name").map(Value::to_string) else { continue };
        let query = [("search", name.as_str()), ("limit", "100")];
        let answer = reader.api.get(reader.on, reader.operation().to_owned(), "accounts", &query).await?;
        let mut body: Json = answer.json()?;
        let rows = rows(&answer, &mut body, "accounts")?;
        found.extend(reader.records(&body, rows, None).await?.records);
    }
    Ok(found)
}

/// Deals that were made since the first of the creates was announced.
async fn made_since(reader: &Reader<'_>, creates: &[&CreateInDoubt]) -> Result<Vec<RemoteRecord>> {
    let Some(since) = creates.iter().map(|create| create.announced_at).min() else { return Ok(Vec::new()) };
    // Windows go by the day of a server whose zone is not told.
    let day = (since - TimeDelta::hours(26)).format("%Y-%m-%d").to_string();
    let query = [("filters[created_after]", day.as_str())];
    let (mut found, mut place) = (Vec::new(), None);
    loop {
        let page = walk::page(reader, &query, place).await?;
        found.extend(reader.records(&page.body, page.rows, Some(page.part)).await?.records);
        match page.next {
            Some(next) => place = Some(next),
            None => return Ok(found),
        }
    }
}

/// Whether a record may be what a create has made.
fn is_of(object: Object, create: &CreateInDoubt, record: &RemoteRecord) -> bool {
    let same = |name: &str| match (create.fields.get(name), record.fields.get(name)) {
        (Some(sent), Some(held)) => alike(sent, held),
        (None, _) | (_, None) => true,
    };
    let earliest = create.announced_at - TimeDelta::minutes(SKEW_MINUTES);
    let is_new = record.created_at.is_none_or(|made| made >= earliest);
    match object {
        Object::Account => is_new && same("name"),
        Object::Contact => same("email"),
        Object::Deal => is_new && same("title") && same("value") && same("contacts") && same("account"),
        Object::Note => false,
    }
}

fn alike(sent: &Value, held: &Value) -> bool {
    match (sent, held) {
        (Value::Reference(sent), Value::Reference(held)) => held.is_subset(sent),
        _ => match (sent.as_text(), held.as_text()) {
            (Some(sent), Some(held)) => sent.trim().to_lowercase() == held.trim().to_lowercase(),
            _ => sent.same_as(held),
        },
    }
}

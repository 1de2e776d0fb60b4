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
use abmatic_sync_core::steps::recognise::{Telling, recognise};
use chrono::TimeDelta;
use serde_json::Value as Json;

use crate::api::Api;
use crate::find::by_email;
use crate::import::{email_of, wait_for_all};
use crate::object::Object;
use crate::reader::Reader;
use crate::walk;
use crate::wire::rows;

/// The first wait between two looks; it doubles.
const WAIT_MIN: Duration = Duration::from_secs(2);

/// The record of each create, or none where it surely did not happen.
pub(crate) async fn verify(api: &Api, on: &Connection, request: VerifyRequest) -> Result<Vec<Option<RemoteRecord>>> {
    let object = Object::of(request.resource)?;
    if object == Object::Note {
        // Nothing tells one note from another, and nothing finds an event: a note too many is less than none.
        return Ok(request.creates.iter().map(|_| None).collect());
    }
    let reader = Reader::new(api, on, object, "verify").await?;
    let relations: BTreeSet<FieldName> = object.relations().iter().map(|name| FieldName::from(*name)).collect();
    let fields = telling(object).fields.iter().filter(|name| !object.relations().contains(name));
    let reader = reader.of(request.fields.iter().cloned().chain(fields.map(|name| FieldName::from(*name))), &relations);
    if object == Object::Contact {
        wait_for_all(api, on).await?;
    }
    let mut found: Vec<Option<RemoteRecord>> = request.creates.iter().map(|_| None).collect();
    let settle = TimeDelta::from_std(api.options.settle).unwrap_or(TimeDelta::MAX);
    let mut wait = WAIT_MIN;
    loop {
        // Read before the look: what it does not show was not there by then.
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

/// Looks once for all that is not found yet.
async fn look(reader: &Reader<'_>, request: &VerifyRequest, found: &mut [Option<RemoteRecord>]) -> Result<()> {
    let open: Vec<&CreateInDoubt> =
        request.creates.iter().zip(&*found).filter(|(_, found)| found.is_none()).map(|(create, _)| create).collect();
    if open.is_empty() {
        return Ok(());
    }
    let records = match reader.object {
        Object::Contact => {
            let emails = open.iter().filter_map(|create| email_of(&create.fields)).collect();
            by_email(reader, &emails).await?
        }
        Object::Account => by_name(reader, &open).await?,
        Object::Deal | Object::Note => made_since(reader, &open).await?,
    };
    recognise(request, telling(reader.object), records, found);
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

/// What tells a record from others: contacts have an address of their own.
fn telling(object: Object) -> Telling<'static> {
    match object {
        Object::Account => Telling::new(&["name"]),
        Object::Contact => Telling::new(&["email"]).of_any_age(),
        Object::Deal => Telling::new(&["title", "value", "contacts", "account"]),
        Object::Note => Telling::new(&[]),
    }
}

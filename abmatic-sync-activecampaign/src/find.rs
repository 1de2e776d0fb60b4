//! Live records by address: one call a key, or the whole list where that takes fewer calls.

use std::collections::BTreeSet;

use abmatic_sync_core::connector::request::{FindRequest, Read};
use abmatic_sync_core::error::Result;
use abmatic_sync_core::ids::FieldName;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::steps::coerce::web_host;
use serde_json::Value as Json;

use crate::api::Api;
use crate::object::Object;
use crate::read::count;
use crate::reader::{Found, Reader};
use crate::walk;
use crate::wire::rows;

/// Rows on a page.
const PAGE_MAX: u64 = 100;

/// Records under one of the keys.
pub(crate) async fn find(api: &Api, on: &Connection, request: FindRequest) -> Result<Vec<RemoteRecord>> {
    let object = Object::of(request.resource)?;
    let Some(key_field) = object.key_field().filter(|_| !request.keys.is_empty()) else { return Ok(Vec::new()) };
    let reader = Reader::new(api, on, object, "find").await?;
    let fields = request.fields.iter().cloned().chain([FieldName::from(key_field)]);
    let reader = reader.of(fields, &request.relations);
    let keys: BTreeSet<String> = request.keys.iter().map(|key| key.to_lowercase()).collect();
    // Accounts are found by their names and by nothing else.
    if object == Object::Contact {
        let whole = count(api, on, object, &Read::All);
        let pages = if keys.len() > 1 { whole.await?.unwrap_or(u64::MAX).div_ceil(PAGE_MAX) } else { u64::MAX };
        if keys.len() as u64 <= pages {
            return by_email(&reader, &keys).await;
        }
    }
    let is_wanted =
        |row: &Json| row.get(key_field).and_then(Json::as_str).is_some_and(|held| is_under(object, held, &keys));
    let (mut found, mut wanted, mut place) = (Vec::new(), Vec::new(), None);
    loop {
        let mut page = walk::page(&reader, &[], place).await?;
        page.rows.retain(is_wanted);
        if object == Object::Contact {
            found.extend(reader.records(&page.body, page.rows, None).await?.records);
        } else {
            wanted.extend(page.rows);
        }
        match page.next {
            Some(next) => place = Some(next),
            None => break,
        }
    }
    // What does not stand beside a page is asked for at once.
    found.extend(reader.records(&Json::Null, wanted, None).await?.records);
    Ok(found)
}

/// The contacts with these addresses, some calls at once.
pub(crate) async fn by_email(reader: &Reader<'_>, emails: &BTreeSet<String>) -> Result<Vec<RemoteRecord>> {
    let mut calls = Vec::with_capacity(emails.len());
    for email in emails {
        calls.push(with_email(reader, email));
    }
    let found = reader.some_at_once(calls).await?;
    Ok(found.into_iter().flat_map(|found| found.records).collect())
}

async fn with_email(reader: &Reader<'_>, email: &str) -> Result<Found> {
    let beside = reader.beside();
    let mut query = vec![("email", email), ("limit", "100")];
    query.extend(beside.as_deref().map(|beside| ("include", beside)));
    let answer = reader.api.get(reader.on, reader.operation().to_owned(), "contacts", &query).await?;
    let mut body: Json = answer.json()?;
    let mut page = rows(&answer, &mut body, "contacts")?;
    // A parameter that is not known is ignored.
    page.retain(|row| row.get("email").and_then(Json::as_str).is_some_and(|held| held.eq_ignore_ascii_case(email)));
    reader.records(&body, page, None).await
}

fn is_under(object: Object, held: &str, keys: &BTreeSet<String>) -> bool {
    if object == Object::Contact {
        return keys.contains(&held.trim().to_lowercase());
    }
    let host = web_host(held).unwrap_or_else(|| held.trim().to_lowercase());
    // A domain of an address that is not written in ASCII can only be told by whoever knows the rules.
    let suffixes = std::iter::successors(Some(host.as_str()), |host| Some(host.split_once('.')?.1));
    !host.is_ascii() || suffixes.into_iter().any(|suffix| keys.contains(suffix))
}

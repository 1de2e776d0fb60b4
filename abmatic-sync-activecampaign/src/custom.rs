//! Values of custom fields, which stand apart from their records: beside a page, among all values, or alone.
//!
//! Accounts and deals come without them. A walk through a list reads all values at its beginning where that takes fewer calls
//! than to ask for each record's; they are kept while the walk lasts, and what has changed since is asked for alone.

use std::collections::{BTreeMap, BTreeSet};

use abmatic_sync_core::error::Result;
use abmatic_sync_core::model::connection::Connection;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value as Json;

use crate::api::Api;
use crate::object::Object;
use crate::wire::{id, rows, total};

/// Values on a page ("Pagination": the most).
const PAGE_MAX: u64 = 100;
/// So many values are kept in memory, and no more.
const KEPT_MAX: usize = 250_000;
/// After so long they are read again.
const KEPT_MINUTES: i64 = 15;
/// How far the CRM's clock may be behind ours where it does not say.
const BEHIND: TimeDelta = TimeDelta::minutes(5);

/// The values of one record, by the number of their field.
pub(crate) type Values = Vec<(u64, Json)>;

/// The values of all records, as they were at one time; nothing where to read them is too dear.
#[derive(Debug, Default)]
pub(crate) struct AllValues {
    /// By our clock.
    read_at: DateTime<Utc>,
    /// By the CRM's, at the earliest.
    true_at: DateTime<Utc>,
    /// Whose values they are.
    fields: BTreeSet<u64>,
    held: Option<BTreeMap<u64, Values>>,
}

/// Whoever reads the values of one object's custom fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CustomValues<'a> {
    pub(crate) api: &'a Api,
    pub(crate) on: &'a Connection,
    pub(crate) object: Object,
    pub(crate) operation: &'a str,
}

impl CustomValues<'_> {
    /// The values of one record.
    pub(crate) async fn of(&self, number: &str) -> Result<Values> {
        let page = self.rows_of(number).await?;
        Ok(page.iter().filter_map(|row| value(self.object, row)).collect())
    }

    /// The currencies of a record's amounts, by the number of their field.
    pub(crate) async fn currencies_of(&self, number: &str) -> Result<BTreeMap<u64, String>> {
        let page = self.rows_of(number).await?;
        let currency =
            |row: &Json| Some((field(self.object, row)?, row.get("fieldCurrency")?.as_str()?.to_lowercase()));
        Ok(page.iter().filter_map(currency).collect())
    }

    async fn rows_of(&self, number: &str) -> Result<Vec<Json>> {
        let Some((_, data, owner)) = self.object.custom() else {
            // The rows of one contact are not paged.
            let path = format!("contacts/{number}/fieldValues");
            let query = [("limit", "100")];
            let answer = self.api.get(self.on, self.operation.to_owned(), &path, &query).await?;
            return rows(&answer, &mut answer.json()?, "fieldValues");
        };
        let filter = format!("filters[{owner}]");
        let mut found = Vec::new();
        loop {
            let (page, _) = self.page(data, Some((&filter, number)), found.len() as u64).await?;
            let is_last = (page.len() as u64) < PAGE_MAX;
            found.extend(page);
            if is_last {
                return Ok(found);
            }
        }
    }

    async fn page(&self, data: &str, filter: Option<(&str, &str)>, from: u64) -> Result<(Vec<Json>, Option<u64>)> {
        let offset = from.to_string();
        let mut query = vec![("limit", "100"), ("offset", offset.as_str())];
        query.extend(filter);
        let answer = self.api.get(self.on, self.operation.to_owned(), data, &query).await?;
        let mut body: Json = answer.json()?;
        let page = rows(&answer, &mut body, data)?;
        Ok((page, total(&body)))
    }

    /// All values of these fields, where no more than `calls_max` calls are needed; the first call tells.
    pub(crate) async fn all(&self, fields: &BTreeSet<u64>, calls_max: u64) -> Result<AllValues> {
        let read_at = self.api.clock().now();
        let true_at = self.on.server_clock.ahead().map_or(read_at - BEHIND, |ahead| ahead.earliest(read_at));
        let held = self.collect(fields, calls_max).await?;
        Ok(AllValues { read_at, true_at, fields: fields.clone(), held })
    }

    async fn collect(&self, fields: &BTreeSet<u64>, calls_max: u64) -> Result<Option<BTreeMap<u64, Values>>> {
        let Some((_, data, owner)) = self.object.custom() else { return Ok(None) };
        // Written as `customerAccountId`, read as `accountId`.
        let owner = if owner == "customerAccountId" { "accountId" } else { owner };
        let mut held: BTreeMap<u64, Values> = BTreeMap::new();
        let (mut read, mut kept, mut last) = (0_u64, 0, None);
        loop {
            let from = read.saturating_sub(u64::from(last.is_some()));
            let (mut page, total) = self.page(data, None, from).await?;
            if read == 0 && total.is_none_or(|total| total.div_ceil(PAGE_MAX) > calls_max) {
                return Ok(None);
            }
            if let Some(before) = &last {
                // Values that vanish move others up: what was passed over is not known, so that all are asked for alone.
                if page.first().and_then(|row| id(row, "id")).as_ref() != Some(before) {
                    return Ok(None);
                }
                page.remove(0);
            }
            read += page.len() as u64;
            last = page.last().and_then(|row| id(row, "id")).or(last);
            let is_last = page.is_empty() || total.is_some_and(|total| read >= total);
            for row in &page {
                let whose = id(row, owner).and_then(|of| of.parse().ok());
                if let (Some(of), Some(one)) =
                    (whose, value(self.object, row).filter(|(field, _)| fields.contains(field)))
                {
                    held.entry(of).or_default().push(one);
                    kept += 1;
                }
            }
            if kept > KEPT_MAX {
                return Ok(None);
            }
            if is_last {
                return Ok(Some(held));
            }
        }
    }
}

impl AllValues {
    /// Whether they may still be used.
    pub(crate) fn serve(&self, fields: &BTreeSet<u64>, now: DateTime<Utc>) -> bool {
        self.fields.is_superset(fields) && now - self.read_at < TimeDelta::minutes(KEPT_MINUTES)
    }

    /// The values of a record.
    pub(crate) fn of(&self, number: &str) -> Option<Values> {
        let held = self.held.as_ref()?;
        Some(held.get(&number.parse::<u64>().ok()?).cloned().unwrap_or_default())
    }

    /// The values of a record whose row was read later: only where it had not changed meanwhile.
    pub(crate) fn of_unchanged(&self, number: &str, changed_at: Option<DateTime<Utc>>) -> Option<Values> {
        self.of(number).filter(|_| changed_at.is_some_and(|at| at < self.true_at))
    }
}

/// The values that stand beside a page of contacts.
pub(crate) fn beside(page: &Json) -> Option<BTreeMap<String, Values>> {
    let mut values: BTreeMap<String, Values> = BTreeMap::new();
    for row in page.get("fieldValues")?.as_array()? {
        let Some(contact) = id(row, "contact") else { continue };
        values.entry(contact).or_default().extend(value(Object::Contact, row));
    }
    Some(values)
}

fn field(object: Object, row: &Json) -> Option<u64> {
    id(row, if object == Object::Contact { "field" } else { "customFieldId" })?.parse().ok()
}

fn value(object: Object, row: &Json) -> Option<(u64, Json)> {
    let held = row.get(if object == Object::Contact { "value" } else { "fieldValue" })?;
    Some((field(object, row)?, held.clone()))
}

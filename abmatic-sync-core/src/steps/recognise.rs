//! Which records did creates in doubt make? Told by what was sent, for CRMs that keep no key of ours.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::connector::request::{CreateInDoubt, VerifyRequest};
use crate::ids::RemoteId;
use crate::model::record::RemoteRecord;
use crate::model::schema::FieldType;
use crate::model::value::Value;
use crate::steps::coerce::coerce;
use crate::steps::form::is_form_of;

/// Clocks may differ by so many minutes: a record may seem older than its announcement.
pub const SKEW_MINUTES: i64 = 5;

/// What tells a create's record from others.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub struct Telling<'a> {
    /// Fields and relations in which a record has to be as it was sent, where both have a value.
    pub fields: &'a [&'a str],
    /// Whether a record that is older than the announcement may be it: where one of these fields is unique in the CRM.
    pub any_age: bool,
}

impl<'a> Telling<'a> {
    /// These fields, of records that are no older than the announcement.
    pub fn new(fields: &'a [&'a str]) -> Self {
        Self { fields, any_age: false }
    }

    /// Of records of any age.
    #[must_use]
    pub fn of_any_age(mut self) -> Self {
        self.any_age = true;
        self
    }
}

/// Gives each create that is not found yet, in the order of `request.creates`, the one of `records` that it made, if any.
///
/// One record is the outcome of one create. Of several that may be it, it is the one that holds most of what was sent, and of
/// those the oldest. Records that are [known to be others'](VerifyRequest::except) are nobody's.
pub fn recognise(
    request: &VerifyRequest,
    telling: Telling<'_>,
    records: Vec<RemoteRecord>,
    found: &mut [Option<RemoteRecord>],
) {
    let taken: BTreeSet<RemoteId> = found.iter().flatten().map(|record| record.id.clone()).collect();
    let mut records: Vec<Option<RemoteRecord>> = records.into_iter().map(Some).collect();
    let mut fits = Vec::new();
    for (create_at, create) in request.creates.iter().enumerate() {
        if !matches!(found.get(create_at), Some(None)) {
            continue;
        }
        for (record_at, record) in records.iter().enumerate() {
            let Some(record) = record else { continue };
            let is_free = !taken.contains(&record.id) && !request.except.contains(&record.id);
            if is_free && may_be_of(create, record, telling) {
                let age = (record.created_at, record.id.as_str().len(), record.id.clone());
                fits.push((std::cmp::Reverse(likeness(create, record)), age, create_at, record_at));
            }
        }
    }
    fits.sort();
    let mut given = BTreeSet::new();
    for (_, (_, _, id), create_at, record_at) in fits {
        let (Some(place @ None), Some(record)) = (found.get_mut(create_at), records.get_mut(record_at)) else {
            continue;
        };
        if given.insert(id) {
            *place = record.take();
        }
    }
}

fn may_be_of(create: &CreateInDoubt, record: &RemoteRecord, telling: Telling<'_>) -> bool {
    let earliest = create.announced_at - TimeDelta::minutes(SKEW_MINUTES);
    (telling.any_age || record.created_at.is_none_or(|made| made >= earliest))
        && telling.fields.iter().all(|name| match (create.fields.get(name), record.fields.get(name)) {
            (Some(sent), Some(held)) => alike(sent, held),
            (None, _) | (_, None) => true,
        })
}

/// In how many fields a record is as it was sent.
fn likeness(create: &CreateInDoubt, record: &RemoteRecord) -> usize {
    let held = |name: &str| record.fields.get(name);
    create.fields.iter().filter(|(name, sent)| held(name.as_str()).is_some_and(|held| alike(sent, held))).count()
}

/// Whether a record may hold what was sent. Of several references some CRMs keep one.
fn alike(sent: &Value, held: &Value) -> bool {
    match (sent, held) {
        (Value::Reference(sent), Value::Reference(held)) => held.is_subset(sent),
        _ => is_form_of(held, sent) || coerce(sent, type_of(held)).is_some_and(|sent| sent.same_as(held)),
    }
}

fn type_of(value: &Value) -> FieldType {
    match value {
        Value::Date(_) => FieldType::Date,
        Value::Instant(_) => FieldType::Instant,
        _ => FieldType::Any,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::IntentId;
    use crate::model::fields::Fields;
    use crate::model::resource::Resource;

    fn create(fields: &[(&str, &str)]) -> CreateInDoubt {
        let announced = "2026-03-01T10:00:00Z".parse().unwrap();
        CreateInDoubt::new(IntentId::new("i"), announced, fields_of(fields))
    }

    fn fields_of(fields: &[(&str, &str)]) -> Fields {
        fields.iter().map(|(name, text)| (*name, Value::text(*text))).collect()
    }

    fn record(id: &str, made: &str, fields: &[(&str, &str)]) -> RemoteRecord {
        let mut record = RemoteRecord::new(id, fields_of(fields));
        record.created_at = Some(format!("2026-03-01T{made}Z").parse().unwrap());
        record
    }

    fn ids(creates: Vec<CreateInDoubt>, except: &[&str], records: Vec<RemoteRecord>) -> Vec<Option<String>> {
        let mut found = creates.iter().map(|_| None).collect::<Vec<_>>();
        let mut request = VerifyRequest::new(Resource::Account, creates);
        request.except = except.iter().map(|id| RemoteId::from(*id)).collect();
        recognise(&request, Telling::new(&["name"]), records, &mut found);
        found.into_iter().map(|record| record.map(|record| record.id.to_string())).collect()
    }

    #[test]
    fn the_record_that_holds_most_of_what_was_sent_is_it_and_no_other_create_s() {
        let records = || {
            vec![
                record("1", "10:00:01", &[("name", "Acme"), ("tag", "b")]),
                record("2", "10:00:02", &[("name", "ACME "), ("tag", "a")]),
                record("3", "09:00:00", &[("name", "Acme"), ("tag", "a")]),
                record("4", "10:00:00", &[("name", "Bolt"), ("tag", "a")]),
            ]
        };
        let (a, c) = (create(&[("name", "Acme"), ("tag", "a")]), create(&[("name", "Acme"), ("tag", "c")]));
        let some = |id: &str| Some(id.to_owned());
        assert_eq!(ids(vec![c.clone(), a.clone()], &[], records()), [some("1"), some("2")]);
        assert_eq!(ids(vec![c.clone(), a.clone()], &["1"], records()), [None, some("2")]);
        assert_eq!(ids(vec![a.clone(), a.clone(), a], &[], records()), [some("2"), some("1"), None]);
    }
}

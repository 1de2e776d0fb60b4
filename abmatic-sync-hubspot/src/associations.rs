//! Associations: which of them are our relations, how they are read in batches, and how they are changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use abmatic_sync_core::error::Result;
use abmatic_sync_core::ids::FieldName;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_http::paging::repeated;
use abmatic_sync_http::retry::Resend;
use serde_json::json;

use crate::api::Api;
use crate::errors::row_error;
use crate::object::Object;
use crate::wire::{AssociatedTo, AssociationType, AssociationsOfOne, Batch, InlineAssociation, Refusal, WithId};

/// Ids in one batch read ("associations").
const READ_MAX: usize = 1000;
/// Pairs in one batch create or archive; 2,000 are allowed, fewer keep a refused batch small.
const CHANGE_MAX: usize = 500;

/// One of our relations, and the association types that carry it ("association type ids").
#[derive(Debug)]
pub(crate) struct Relation {
    /// The name under which it stands among a record's fields.
    pub(crate) name: FieldName,
    pub(crate) from: Object,
    pub(crate) to: Object,
    /// The type that is written. A primary one brings the unlabeled one with it, and primacy moves.
    type_id: u32,
    /// The label of the primary one in list reads, where there is a primary one and no more than that is our relation.
    primary: Option<&'static str>,
}

/// Our relations.
static RELATIONS: LazyLock<[Relation; 3]> = LazyLock::new(|| {
    [
        Relation {
            name: FieldName::from("account"),
            from: Object::Contacts,
            to: Object::Companies,
            type_id: 1,
            primary: Some("contact_to_company"),
        },
        Relation {
            name: FieldName::from("account"),
            from: Object::Deals,
            to: Object::Companies,
            type_id: 5,
            primary: Some("deal_to_company"),
        },
        Relation {
            name: FieldName::from("contacts"),
            from: Object::Deals,
            to: Object::Contacts,
            type_id: 3,
            primary: None,
        },
    ]
});

impl Relation {
    /// The relation of that name.
    pub(crate) fn find(from: Object, name: &str) -> Option<&'static Self> {
        RELATIONS.iter().find(|relation| relation.from == from && relation.name.as_str() == name)
    }

    /// The relations among `names`.
    pub(crate) fn among(from: Object, names: &BTreeSet<FieldName>) -> Vec<&'static Self> {
        names.iter().filter_map(|name| Self::find(from, name.as_str())).collect()
    }

    /// How a write names it.
    pub(crate) fn association_type(&self) -> AssociationType {
        AssociationType::hubspot(self.type_id)
    }

    /// The value of the relation: of a many-to-one relation only the primary record, without one the oldest.
    fn value(&self, all: BTreeSet<String>, primary: Option<String>) -> Value {
        let kept = match self.primary {
            None => all,
            Some(_) => primary.or_else(|| oldest(all)).into_iter().collect(),
        };
        if kept.is_empty() { Value::Null } else { Value::Reference(kept) }
    }
}

/// The lowest id by number.
fn oldest(ids: BTreeSet<String>) -> Option<String> {
    ids.into_iter().min_by_key(|id| (id.len(), id.clone()))
}

/// A relation's value from a list read, where a primary record comes twice: `contact_to_company` and `…_unlabeled`.
pub(crate) fn pick_inline(relation: &Relation, associated: &[InlineAssociation]) -> Value {
    let is_primary = |one: &&InlineAssociation| relation.primary.is_some() && one.label.as_deref() == relation.primary;
    let primary = associated.iter().find(is_primary).map(|one| one.id.0.clone());
    relation.value(associated.iter().map(|one| one.id.0.clone()).collect(), primary)
}

fn pick(relation: &Relation, associated: &[AssociatedTo]) -> Value {
    let is_primary = |one: &&AssociatedTo| {
        relation.primary.is_some()
            && one.association_types.iter().any(|label| {
                label.type_id == Some(relation.type_id)
                    && label.category.as_deref().is_none_or(|c| c == "HUBSPOT_DEFINED")
            })
    };
    let primary = associated.iter().find(is_primary).map(|one| one.to_object_id.0.clone());
    relation.value(associated.iter().map(|one| one.to_object_id.0.clone()).collect(), primary)
}

/// Reads the relations of `records`, as few calls as there are, and puts them among their fields.
pub(crate) async fn attach(
    api: &Api,
    on: &Connection,
    relations: &[&'static Relation],
    records: &mut [&mut RemoteRecord],
) -> Result<()> {
    for relation in relations {
        let ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).collect();
        let mut held = read(api, on, relation, &ids).await?;
        for record in records.iter_mut() {
            let associated = held.remove(record.id.as_str()).unwrap_or_default();
            record.fields.insert(relation.name.clone(), pick(relation, &associated));
        }
    }
    Ok(())
}

async fn read(
    api: &Api,
    on: &Connection,
    relation: &Relation,
    ids: &[&str],
) -> Result<BTreeMap<String, Vec<AssociatedTo>>> {
    let path = api.version.association_batch(relation.from, relation.to, "read");
    let operation = format!("hubspot read {} of {}", relation.to.name(), relation.from.name());
    let mut held: BTreeMap<String, Vec<AssociatedTo>> = BTreeMap::new();
    let mut places = BTreeSet::new();
    let mut inputs: Vec<(String, Option<String>)> = ids.iter().map(|id| ((*id).to_owned(), None)).collect();
    while !inputs.is_empty() {
        let rest = inputs.split_off(inputs.len().min(READ_MAX));
        let asked: Vec<_> = std::mem::replace(&mut inputs, rest).into_iter().map(input).collect();
        let answer = api.post(on, operation.clone(), &path, &json!({"inputs": asked}), Resend::Read).await?;
        let batch: Batch<AssociationsOfOne> = answer.json()?;
        refuse_all_but_none_found(&batch.errors).map_err(|error| error.at(&operation))?;
        for one in batch.results {
            let id = one.from.id.0;
            if let Some(after) = one.paging.and_then(crate::wire::Paging::after) {
                if !places.insert((id.clone(), after.clone())) {
                    return Err(repeated(&after).at(&operation));
                }
                inputs.push((id.clone(), Some(after)));
            }
            held.entry(id).or_default().extend(one.to);
        }
    }
    Ok(held)
}

fn input((id, after): (String, Option<String>)) -> serde_json::Value {
    match after {
        Some(after) => json!({"id": id, "after": after}),
        None => json!({"id": id}),
    }
}

/// A record without associations is told as an error; every other error is one.
fn refuse_all_but_none_found(errors: &[Refusal]) -> Result<()> {
    let harmless = |refusal: &&Refusal| refusal.category.as_deref() != Some("OBJECT_NOT_FOUND");
    errors.iter().find(harmless).map_or(Ok(()), |refusal| Err(row_error(refusal)))
}

/// What is to be done to one association.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    Add,
    Remove,
}

/// One association to change after its record was written.
#[derive(Clone, Debug)]
pub(crate) struct LinkChange {
    pub(crate) relation: &'static Relation,
    pub(crate) change: Change,
    /// The record on this end.
    pub(crate) from: String,
    /// The record on the other end.
    pub(crate) to: String,
}

/// Changes associations and says of each that failed why.
pub(crate) async fn change(api: &Api, on: &Connection, changes: Vec<LinkChange>) -> Vec<(LinkChange, String)> {
    let mut failed = Vec::new();
    // Added before removed, so that a contact is at no time without its company.
    for step in [Change::Add, Change::Remove] {
        for relation in RELATIONS.iter() {
            let of_step = |link: &&LinkChange| link.change == step && std::ptr::eq(link.relation, relation);
            let links: Vec<LinkChange> = changes.iter().filter(of_step).cloned().collect();
            let mut pending: Vec<Vec<LinkChange>> = links.chunks(CHANGE_MAX).rev().map(<[_]>::to_vec).collect();
            while let Some(mut part) = pending.pop() {
                match send(api, on, relation, step, &part).await {
                    Ok(errors) => failed.extend(blame(part, &errors)),
                    Err(error) if part.len() > 1 && !error.stops_run() => {
                        let half = part.split_off(part.len() / 2);
                        pending.extend([half, part]);
                    }
                    Err(error) => failed.extend(part.into_iter().map(|link| (link, error.to_string()))),
                }
            }
        }
    }
    failed
}

/// Repeating an association, or removing one that is gone, is a success: safe to send again.
async fn send(
    api: &Api,
    on: &Connection,
    relation: &Relation,
    step: Change,
    links: &[LinkChange],
) -> Result<Vec<Refusal>> {
    let operation = format!("hubspot associate {} with {}", relation.from.name(), relation.to.name());
    let (verb, inputs): (_, Vec<_>) = match step {
        Change::Add => {
            let types = [relation.association_type()];
            let input = |link: &LinkChange| json!({"from": WithId::new(&link.from), "to": WithId::new(&link.to), "types": types});
            ("create", links.iter().map(input).collect())
        }
        Change::Remove => {
            let input = |link: &LinkChange| json!({"from": WithId::new(&link.from), "to": [WithId::new(&link.to)]});
            ("archive", links.iter().map(input).collect())
        }
    };
    let path = api.version.association_batch(relation.from, relation.to, verb);
    let answer = api.post(on, operation, &path, &json!({"inputs": inputs}), Resend::Safe).await?;
    if answer.body().is_empty() {
        return Ok(Vec::new());
    }
    answer.json::<ChangeAnswer>().map(|answer| answer.errors)
}

/// What the answer to a change is read for.
#[derive(serde::Deserialize)]
struct ChangeAnswer {
    #[serde(default)]
    errors: Vec<Refusal>,
}

/// Finds the links that each error is about: by the ids in its context or its message; one about none is about all.
fn blame(links: Vec<LinkChange>, errors: &[Refusal]) -> Vec<(LinkChange, String)> {
    let mut failed = Vec::new();
    for refusal in errors {
        let message = row_error(refusal).to_string();
        let context: Vec<&String> = refusal.context.values().flat_map(|words| &words.0).collect();
        let words: Vec<&str> = message.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
        let named = |id: &String| context.contains(&id) || words.contains(&id.as_str());
        let strictly: Vec<&LinkChange> = links.iter().filter(|link| named(&link.from) && named(&link.to)).collect();
        let loosely = || links.iter().filter(|link| named(&link.from) || named(&link.to)).collect::<Vec<_>>();
        let mut blamed = if strictly.is_empty() { loosely() } else { strictly };
        if blamed.is_empty() {
            blamed = links.iter().collect();
        }
        failed.extend(blamed.into_iter().map(|link| (link.clone(), message.clone())));
    }
    failed
}

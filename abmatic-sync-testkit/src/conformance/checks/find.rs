//! Lookups by key, from which it follows whether a record is made or matched.

use std::collections::BTreeSet;

use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::record::RemoteRecord;

use crate::conformance::check::{Check, Judgement, check, ensure, not_applicable};
use crate::conformance::probe::{Made, Probe, eventually, value};

const DUPLICATE: &str = "a record that a lookup does not find is made a second time";

pub(crate) const CHECKS: &[Check] = &[
    check!(
        Find,
        Resource,
        a_record_is_found_by_its_key,
        DUPLICATE,
        "look for the key in the field that `key_field` names"
    ),
    check!(
        Find,
        Resource,
        what_is_found_comes_with_its_fields,
        "a match is merged with what the lookup brought",
        "read the fields that the request names"
    ),
    check!(
        Find,
        Resource,
        keys_have_no_case,
        DUPLICATE,
        "compare without case, or ask for the CRM's own spellings too"
    ),
    check!(Find, Resource, several_keys_find_all, DUPLICATE, "ask for every key, and page through the answer"),
    check!(
        Find,
        Resource,
        an_unknown_key_finds_nothing,
        "an error would stop the run over a new record",
        "answer an empty list where the CRM finds nothing"
    ),
    check!(
        Find,
        Resource,
        as_many_keys_as_claimed_go_at_once,
        DUPLICATE,
        "split what the CRM takes less of, or claim a lower `find_max`"
    ),
    check!(
        Find,
        Resource,
        every_record_of_a_key_comes,
        "one of several is chosen at random, and another one the next time",
        "give every record of a key, not the first"
    ),
    check!(
        Find,
        Resource,
        a_strange_key_is_only_text,
        "a key that becomes part of a query finds the wrong record",
        "escape keys as the CRM's query language wants it"
    ),
    check!(
        Find,
        Resource,
        no_keys_find_nothing,
        "a page without keys must not read everything",
        "answer an empty request with an empty list, without a call"
    ),
    check!(
        Find,
        Resource,
        a_deleted_record_is_not_found,
        "a record would be linked to one in the recycle bin",
        "leave out what is deleted"
    ),
];

/// The normalised key of a record that the suite made.
fn key_of(probe: Probe<'_>, fields: &Fields) -> Judgement<String> {
    let key = probe.key_field()?;
    let Some(held) = fields.get(key.name.as_str()) else { return not_applicable("records are made without a key") };
    Ok(held.to_string().to_lowercase())
}

/// A record with a key, and that key.
async fn keyed(probe: Probe<'_>) -> Judgement<(Made, String)> {
    probe.key_field()?;
    let made = probe.make().await?;
    let key = key_of(probe, &made.fields)?;
    Ok((made, key))
}

/// Whether a lookup gives a record, once that shows.
async fn finds(probe: Probe<'_>, keys: &[String], wanted: &[RemoteId]) -> Judgement {
    eventually!(probe, {
        let found: BTreeSet<RemoteId> = probe.find(keys.to_vec()).await?.into_iter().map(|record| record.id).collect();
        let missing = wanted.iter().filter(|id| !found.contains(*id)).count();
        ensure!(missing == 0, "{missing} of {} records are not found by their keys, such as {}", wanted.len(), keys[0]);
        Ok(())
    })
}

async fn a_record_is_found_by_its_key(probe: Probe<'_>) -> Judgement {
    let (made, key) = keyed(probe).await?;
    finds(probe, &[key], &[made.id]).await
}

async fn what_is_found_comes_with_its_fields(probe: Probe<'_>) -> Judgement {
    let (made, key) = keyed(probe).await?;
    finds(probe, std::slice::from_ref(&key), std::slice::from_ref(&made.id)).await?;
    let found = probe.find(vec![key]).await?;
    let text = &probe.text_field()?.name;
    let held = found.iter().find(|record| record.id == made.id).map(|record| value(record, text));
    let sent = made.fields.get(text.as_str());
    ensure!(held == sent, "{:?} holds {held:?}, not {sent:?}", text.as_str());
    Ok(())
}

async fn keys_have_no_case(probe: Probe<'_>) -> Judgement {
    let key = probe.key_field()?.name.clone();
    let mut fields = probe.full_sample().await?;
    let normal = key_of(probe, &fields)?;
    fields.insert(key, normal.to_uppercase().into());
    let made = probe.make_with(fields).await?;
    finds(probe, &[normal], &[made.id]).await
}

async fn several_keys_find_all(probe: Probe<'_>) -> Judgement {
    probe.key_field()?;
    let made = probe.make_many(5).await?;
    let mut keys = made.iter().map(|made| key_of(probe, &made.fields)).collect::<Judgement<Vec<String>>>()?;
    keys.insert(2, probe.key_value(&probe.sample().1).to_string());
    let ids: Vec<RemoteId> = made.into_iter().map(|made| made.id).collect();
    finds(probe, &keys, &ids).await
}

async fn an_unknown_key_finds_nothing(probe: Probe<'_>) -> Judgement {
    let (_, known) = keyed(probe).await?;
    let key = probe.key_value(&probe.sample().1).to_string();
    // More may come than was asked for, but nothing with this key.
    let found = probe.find(vec![key.clone()]).await?;
    ensure!(
        !found.iter().any(|record| has_key(probe, record, &key)),
        "a record has the key {key} that nobody gave one"
    );
    ensure!(!found.iter().any(|record| has_key(probe, record, &known)), "{key} finds the record of {known}");
    Ok(())
}

fn has_key(probe: Probe<'_>, record: &RemoteRecord, key: &str) -> bool {
    probe.key().is_some_and(|name| value(record, &name).to_string().eq_ignore_ascii_case(key))
}

async fn as_many_keys_as_claimed_go_at_once(probe: Probe<'_>) -> Judgement {
    let (made, key) = keyed(probe).await?;
    let others = 1..probe.offer.capabilities.find_max;
    let mut keys: Vec<String> = others.map(|_| probe.key_value(&probe.sample().1).to_string()).collect();
    keys.push(key);
    finds(probe, &keys, &[made.id]).await
}

async fn every_record_of_a_key_comes(probe: Probe<'_>) -> Judgement {
    let key = probe.key_field()?;
    if key.unique {
        return not_applicable("keys are unique");
    }
    let (first, normal) = keyed(probe).await?;
    let mut ids = vec![first.id];
    for _ in 0..2 {
        let mut fields = probe.full_sample().await?;
        fields.insert(key.name.clone(), normal.as_str().into());
        ids.push(probe.make_with(fields).await?.id);
    }
    finds(probe, &[normal], &ids).await
}

async fn a_strange_key_is_only_text(probe: Probe<'_>) -> Judgement {
    let (made, key) = keyed(probe).await?;
    for strange in
        ["o'neil+x@example.com", "x\\@example.com", "%@example.com", "' or '1'='1", "*.example", "a&b=c@example.com"]
    {
        let found = probe.find(vec![strange.to_owned()]).await?;
        ensure!(!found.iter().any(|record| has_key(probe, record, &key)), "{strange} finds the record of {key}");
    }
    finds(probe, &["o'neil+x@example.com".to_owned(), key], &[made.id]).await
}

async fn no_keys_find_nothing(probe: Probe<'_>) -> Judgement {
    keyed(probe).await?;
    let found = probe.find(Vec::new()).await?;
    ensure!(found.is_empty(), "{} records came", found.len());
    Ok(())
}

async fn a_deleted_record_is_not_found(probe: Probe<'_>) -> Judgement {
    let (made, key) = keyed(probe).await?;
    finds(probe, std::slice::from_ref(&key), std::slice::from_ref(&made.id)).await?;
    probe.delete(&made.id).await?;
    eventually!(probe, {
        let found = probe.find(vec![key.clone()]).await?;
        ensure!(!found.iter().any(|record| record.id == made.id), "{} is deleted and found", made.id);
        Ok(())
    })
}

//! Reads by id, by list and of chosen fields, and what is counted.

use std::collections::BTreeSet;

use abmatic_sync_core::connector::request::{Read, ReadRequest};
use abmatic_sync_core::error::ErrorKind;
use abmatic_sync_core::filter::expr::field;
use abmatic_sync_core::ids::{FieldName, RemoteId};

use crate::conformance::check::{Check, Judgement, check, ensure, fault, not_applicable};
use crate::conformance::probe::{Probe, by_id, eventually, value};

const ABSENT: &str =
    "a record that is gone is left out of a read by id: an error, or another record, would undo a whole page";

pub(crate) const CHECKS: &[Check] = &[
    check!(
        Read,
        Resource,
        a_record_is_read_by_its_id,
        "before a write the engine reads again what it is about to change",
        "answer `Read::Ids` with the records of these ids, with the fields that were asked for"
    ),
    check!(Read, Resource, an_unknown_id_is_left_out, ABSENT, "leave out what the CRM does not know"),
    check!(
        Read,
        Resource,
        known_ids_come_beside_unknown_ones,
        ABSENT,
        "ask again without the unknown ones where the CRM refuses the whole call"
    ),
    check!(
        Read,
        Resource,
        no_ids_are_no_records,
        "a block without links asks for nothing, and must not get everything",
        "answer an empty `Read::Ids` with an empty page, without a call"
    ),
    check!(
        Read,
        Resource,
        an_id_named_twice_does_no_harm,
        "two links of one block may lead to one record after a merge",
        "name each id once in the call"
    ),
    check!(
        Read,
        Resource,
        only_fields_that_were_asked_for_are_needed,
        "a sweep reads ids alone, and must not fail or lose records for it",
        "read ids and times where no field is named"
    ),
    check!(
        Read,
        Resource,
        an_unknown_field_is_an_error_or_blank,
        "a field that an admin deleted must not look as if it held something",
        "map the CRM's refusal to `ErrorKind::Invalid`, or leave the field blank"
    ),
    check!(
        Read,
        Resource,
        edit_times_change_no_value,
        "asking when a field was edited must not change what it holds",
        "read values in the same way with and without `edit_times`"
    ),
    check!(
        Read,
        Resource,
        a_count_is_what_a_full_read_holds,
        "caps and progress are reckoned by counts",
        "count live records of this resource only, or answer `None`"
    ),
    check!(
        Read,
        Resource,
        a_count_of_a_filter_is_what_its_read_holds,
        "caps and progress are reckoned by counts",
        "count by the same condition as the read, or answer `None`"
    ),
    check!(
        Read,
        Resource,
        a_list_holds_its_members,
        "a scope that is a list must be that list, no more and no less",
        "page through the members, and read those that are of this resource"
    ),
    check!(
        Read,
        Resource,
        an_unknown_list_is_an_error,
        "a deleted list that reads as empty would put all its records out of scope",
        "answer `ErrorKind::NotFound` or `Invalid` where the CRM knows no such list"
    ),
];

/// An id of the CRM's own kind that no record has: that of a record which was deleted.
pub(crate) async fn unknown_id(probe: Probe<'_>) -> Judgement<RemoteId> {
    let made = probe.make().await?;
    probe.delete(&made.id).await?;
    Ok(made.id)
}

async fn a_record_is_read_by_its_id(probe: Probe<'_>) -> Judgement {
    let made = probe.make().await?;
    let text = probe.text_field()?;
    let record = probe.held(&made.id).await?;
    let (held, sent) = (value(&record, &text.name), made.fields.get(text.name.as_str()));
    ensure!(sent == Some(held), "{:?} holds {held:?}, not {sent:?}", text.name.as_str());
    Ok(())
}

async fn an_unknown_id_is_left_out(probe: Probe<'_>) -> Judgement {
    let gone = unknown_id(probe).await?;
    let records = probe.read_all(Read::Ids(vec![gone.clone()])).await?;
    ensure!(records.iter().all(|record| record.deleted), "{gone} was deleted and came with {} records", records.len());
    Ok(())
}

async fn known_ids_come_beside_unknown_ones(probe: Probe<'_>) -> Judgement {
    let gone = unknown_id(probe).await?;
    let (first, last) = (probe.make().await?.id, probe.make().await?.id);
    let records = probe.read_all(Read::Ids(vec![first.clone(), gone, last.clone()])).await?;
    let live: BTreeSet<&RemoteId> = records.iter().filter(|record| !record.deleted).map(|record| &record.id).collect();
    ensure!(live == BTreeSet::from([&first, &last]), "{first} and {last} were asked for, {live:?} came");
    Ok(())
}

async fn no_ids_are_no_records(probe: Probe<'_>) -> Judgement {
    probe.make().await?;
    let records = probe.read_all(Read::Ids(Vec::new())).await?;
    ensure!(records.is_empty(), "{} records came", records.len());
    Ok(())
}

async fn an_id_named_twice_does_no_harm(probe: Probe<'_>) -> Judgement {
    let id = probe.make().await?.id;
    let records = probe.read_all(Read::Ids(vec![id.clone(), id.clone()])).await?;
    ensure!(!records.is_empty() && records.iter().all(|record| record.id == id), "{} records came", records.len());
    Ok(())
}

async fn only_fields_that_were_asked_for_are_needed(probe: Probe<'_>) -> Judgement {
    let made = probe.make().await?;
    let read = Read::Ids(vec![made.id.clone()]);
    let bare = probe.read(ReadRequest::new(probe.resource(), read.clone())).await?;
    ensure!(by_id(&bare).contains_key(made.id.as_str()), "without fields the record does not come");
    let name = probe.text_field()?.name.clone();
    let one = probe.read(ReadRequest::new(probe.resource(), read).with_fields([name.clone()])).await?;
    let held = by_id(&one).get(made.id.as_str()).map(|record| value(record, &name));
    ensure!(held == made.fields.get(name.as_str()), "alone {:?} holds {held:?}", name.as_str());
    Ok(())
}

async fn an_unknown_field_is_an_error_or_blank(probe: Probe<'_>) -> Judgement {
    let id = probe.make().await?.id;
    let name = FieldName::from("Conformance_No_Such_Field");
    let request = probe.request(Read::Ids(vec![id.clone()])).with_fields([name.clone()]);
    match probe.subject().connector.read(&probe.subject().on, request).await {
        Ok(page) => {
            let held = page.records.iter().find(|record| record.id == id).map(|record| value(record, &name).is_blank());
            ensure!(held == Some(true), "the record does not come, or the field holds something");
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::Invalid => Ok(()),
        Err(error) => fault(format!("the error is {:?}: {error}", error.kind())),
    }
}

async fn edit_times_change_no_value(probe: Probe<'_>) -> Judgement {
    let id = probe.make().await?.id;
    let plain = probe.held(&id).await?;
    let records = probe.read(probe.request(Read::Ids(vec![id.clone()])).with_edit_times()).await?;
    let timed = by_id(&records).get(id.as_str()).map(|record| &record.fields);
    ensure!(timed == Some(&plain.fields), "with edit times the record holds {timed:?}, without {:?}", plain.fields);
    Ok(())
}

async fn a_count_is_what_a_full_read_holds(probe: Probe<'_>) -> Judgement {
    probe.make().await?;
    same_count(probe, Read::All).await
}

async fn a_count_of_a_filter_is_what_its_read_holds(probe: Probe<'_>) -> Judgement {
    let made = probe.make().await?;
    let text = probe.text_field()?.name.clone();
    let tag = made.fields.get(text.as_str()).cloned().unwrap_or_default();
    let filter = super::filters::on_the_server(probe, &field(text).equals(tag))?;
    same_count(probe, Read::Filter(filter)).await
}

async fn same_count(probe: Probe<'_>, read: Read) -> Judgement {
    let count = || probe.subject().connector.count(&probe.subject().on, probe.resource(), &read);
    if count().await?.is_none() {
        return not_applicable("it cannot be counted without reading");
    }
    eventually!(probe, {
        let held = probe.read_all(read.clone()).await?.len();
        let counted = count().await?;
        ensure!(counted == u64::try_from(held).ok(), "{counted:?} are counted, {held} are read");
        Ok(())
    })
}

async fn a_list_holds_its_members(probe: Probe<'_>) -> Judgement {
    let Some((list, members)) = probe.subject().lists.get(&probe.resource()) else {
        return not_applicable("no list is given");
    };
    let records = probe.read_all(Read::List(list.clone())).await?;
    let came: BTreeSet<RemoteId> = records.into_iter().map(|record| record.id).collect();
    ensure!(came == *members, "{} members came, not {}", came.len(), members.len());
    Ok(())
}

async fn an_unknown_list_is_an_error(probe: Probe<'_>) -> Judgement {
    if !probe.offer.capabilities.lists {
        return not_applicable("lists are not offered");
    }
    let request = probe.request(Read::List("987654321".to_owned()));
    match probe.subject().connector.read(&probe.subject().on, request).await {
        Ok(page) => fault(format!("it holds {} records", page.records.len())),
        Err(error) => {
            let says_so = matches!(error.kind(), ErrorKind::Invalid | ErrorKind::NotFound);
            ensure!(says_so, "the error is {:?}: {error}", error.kind());
            Ok(())
        }
    }
}

//! References to other records, as sets of ids under a relation's name.

use std::collections::BTreeSet;

use abmatic_sync_core::connector::request::{Write, WriteOutcome};
use abmatic_sync_core::error::ErrorKind;
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::resource::Relation;
use abmatic_sync_core::model::value::Value;

use crate::conformance::check::{Check, Judgement, check, ensure, fault, not_applicable};
use crate::conformance::checks::read::unknown_id;
use crate::conformance::probe::{Made, Probe, eventually, written};

const SETS: &str = "a reference is merged as a set of ids; what is left over or missing there looks like an edit";
const REPLACE: &str = "work out from `references_before` what to add and what to take away";

pub(crate) const CHECKS: &[Check] = &[
    check!(
        Associations,
        Resource,
        a_create_brings_its_account,
        SETS,
        "associate a new record with what its relation names"
    ),
    check!(Associations, Resource, an_account_is_set_replaced_and_cleared, SETS, REPLACE),
    check!(
        Associations,
        Resource,
        a_create_brings_its_contacts,
        SETS,
        "associate a new record with what its relation names"
    ),
    check!(Associations, Resource, contacts_are_set_replaced_and_cleared, SETS, REPLACE),
    check!(Associations, Resource, of_several_contacts_one_goes_and_the_rest_stay, SETS, REPLACE),
    check!(
        Associations,
        Resource,
        an_unknown_account_is_told,
        "a reference that is not there is deferred and tried again, where it is told",
        "fail the record with `ErrorKind::Invalid` or `NotFound`, or name the relation in `Written.unwritten`"
    ),
    check!(
        Associations,
        Resource,
        an_update_of_a_field_keeps_associations,
        "an edit of a name would take an account away",
        "touch only the relations that the update names"
    ),
];

/// Whether every record of the suite's has this relation, so that it cannot be without.
fn is_bound(probe: Probe<'_>, relation: Relation) -> bool {
    let wanted = (probe.resource(), relation.field.into());
    probe.subject().sample_relations.contains(&wanted)
}

async fn make_with(probe: Probe<'_>, relation: Relation, ids: &[&RemoteId]) -> Judgement<Made> {
    let mut fields = probe.full_sample().await?;
    fields.insert(relation.field, set(ids));
    probe.make_with(fields).await
}

fn set(ids: &[&RemoteId]) -> Value {
    if ids.is_empty() { Value::Null } else { Value::Reference(ids.iter().map(|id| id.as_str().to_owned()).collect()) }
}

/// Writes the whole new set, with what was there before, and looks.
async fn change(
    probe: Probe<'_>,
    id: &RemoteId,
    relation: Relation,
    before: &[&RemoteId],
    after: &[&RemoteId],
) -> Judgement {
    let write = Write::Update {
        id: id.clone(),
        fields: Fields::from_iter([(relation.field, set(after))]),
        references_before: Fields::from_iter([(relation.field, set(before))]),
        unmodified_since: None,
    };
    let outcome = written(probe.write_one(write).await?)?;
    ensure!(outcome.unwritten.is_empty(), "{:?} could not be written: {:?}", outcome.unwritten, outcome.warnings);
    refers(probe, id, relation, after).await
}

async fn refers(probe: Probe<'_>, id: &RemoteId, relation: Relation, wanted: &[&RemoteId]) -> Judgement {
    let wanted: BTreeSet<String> = wanted.iter().map(|id| id.as_str().to_owned()).collect();
    eventually!(probe, {
        let held = probe.references(id, relation.field).await?;
        ensure!(held == wanted, "{:?} holds {held:?}, not {wanted:?}", relation.field);
        Ok(())
    })
}

async fn a_create_brings_its_account(probe: Probe<'_>) -> Judgement {
    create_brings(probe, "account").await
}

async fn a_create_brings_its_contacts(probe: Probe<'_>) -> Judgement {
    create_brings(probe, "contacts").await
}

async fn create_brings(probe: Probe<'_>, name: &str) -> Judgement {
    let relation = probe.relation(name)?;
    let target = probe.of(relation.target)?.make().await?.id;
    let made = make_with(probe, relation, &[&target]).await?;
    refers(probe, &made.id, relation, &[&target]).await
}

async fn an_account_is_set_replaced_and_cleared(probe: Probe<'_>) -> Judgement {
    set_replaced_and_cleared(probe, "account").await
}

async fn contacts_are_set_replaced_and_cleared(probe: Probe<'_>) -> Judgement {
    set_replaced_and_cleared(probe, "contacts").await
}

async fn set_replaced_and_cleared(probe: Probe<'_>, name: &str) -> Judgement {
    let relation = probe.relation(name)?;
    let targets = probe.of(relation.target)?.make_many(2).await?;
    let (first, second) = (&targets[0].id, &targets[1].id);
    if is_bound(probe, relation) {
        let id = make_with(probe, relation, &[first]).await?.id;
        return change(probe, &id, relation, &[first], &[second]).await;
    }
    let id = probe.make().await?.id;
    change(probe, &id, relation, &[], &[first]).await?;
    change(probe, &id, relation, &[first], &[second]).await?;
    change(probe, &id, relation, &[second], &[]).await
}

async fn of_several_contacts_one_goes_and_the_rest_stay(probe: Probe<'_>) -> Judgement {
    let relation = probe.relation("contacts")?;
    if probe.offer.capabilities.single_relations.contains(&relation.field) {
        return not_applicable("the CRM keeps one");
    }
    let targets = probe.of(relation.target)?.make_many(3).await?;
    let [first, second, third] = [&targets[0].id, &targets[1].id, &targets[2].id];
    let id = make_with(probe, relation, &[first, second]).await?.id;
    refers(probe, &id, relation, &[first, second]).await?;
    change(probe, &id, relation, &[first, second], &[second, third]).await
}

async fn an_unknown_account_is_told(probe: Probe<'_>) -> Judgement {
    let relation = probe.relation("account")?;
    let gone = unknown_id(probe.of(relation.target)?).await?;
    let mut fields = probe.full_sample().await?;
    fields.insert(relation.field, set(&[&gone]));
    match probe.write_one(probe.create(fields)).await? {
        WriteOutcome::Failed(error) => {
            let says_so = matches!(error.kind(), ErrorKind::Invalid | ErrorKind::NotFound);
            ensure!(says_so, "the error is {:?}: {error}", error.kind());
            Ok(())
        }
        WriteOutcome::Written(written) => {
            let told = written.unwritten.iter().any(|name| name.as_str() == relation.field);
            ensure!(told, "a reference to a deleted account is said to be written");
            Ok(())
        }
        other => fault(format!("the outcome is {other:?}")),
    }
}

async fn an_update_of_a_field_keeps_associations(probe: Probe<'_>) -> Judgement {
    let relation = probe.relation("account")?;
    let target = probe.of(relation.target)?.make().await?.id;
    let made = make_with(probe, relation, &[&target]).await?;
    refers(probe, &made.id, relation, &[&target]).await?;
    probe.set(&made.id, &probe.text_field()?.name, probe.sample().1.into()).await?;
    refers(probe, &made.id, relation, &[&target]).await
}

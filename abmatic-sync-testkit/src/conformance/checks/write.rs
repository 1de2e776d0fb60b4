//! What is said of a batch: one outcome for each write, in their order, and each true.

use std::collections::BTreeSet;

use abmatic_sync_core::connector::request::{CreateInDoubt, VerifyRequest, Write, WriteOutcome};
use abmatic_sync_core::error::ErrorKind;
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::fields::Fields;

use crate::conformance::check::{Check, Judgement, check, ensure, fault, not_applicable};
use crate::conformance::checks::read::unknown_id;
use crate::conformance::probe::{Probe, eventually, failed, update, value, written};

const MIXED_UP: &str = "an outcome at the wrong place links a record to a stranger, or sets aside the wrong one";
const TWICE: &str = "after a crash the same create is sent again, and must make nothing new";

pub(crate) const CHECKS: &[Check] = &[
    check!(
        Write,
        Resource,
        no_writes_have_no_outcomes,
        "a block with nothing to write must cost nothing",
        "answer an empty batch with an empty list"
    ),
    check!(
        Write,
        Resource,
        a_full_batch_is_written,
        "the engine sends `batch_max` at once",
        "split what the CRM takes less of, or claim a lower `batch_max`"
    ),
    check!(
        Write,
        Resource,
        outcomes_stand_in_the_order_of_their_writes,
        MIXED_UP,
        "put the CRM's answers back into the order of the batch"
    ),
    check!(
        Write,
        Resource,
        a_bad_write_spoils_no_other,
        "one bad record would stop a hundred",
        "send the rest again without what the CRM refused, where it refuses a batch as a whole"
    ),
    check!(
        Write,
        Resource,
        creates_updates_and_deletes_go_together,
        MIXED_UP,
        "sort a batch by kind, and the outcomes back"
    ),
    check!(
        Write,
        Resource,
        what_is_said_to_be_kept_is_kept,
        "the base takes what `Written.fields` says; a lie there is an echo or a lost edit",
        "take `Written.fields` from the CRM's answer, not from the request"
    ),
    check!(
        Write,
        Resource,
        a_create_that_comes_again_makes_one,
        TWICE,
        "upsert by the own unique property, or answer with the record that holds the intent"
    ),
    check!(
        Write,
        Resource,
        verify_finds_what_was_made,
        TWICE,
        "look for the intent, or for what was sent, and answer in the order of the creates"
    ),
    check!(
        Write,
        Resource,
        verify_does_not_find_what_was_not_made,
        "a create that never happened would be taken for done, and be lost",
        "answer `None` where the CRM surely has no such record"
    ),
    check!(
        Write,
        Resource,
        a_taken_key_is_a_duplicate,
        "the engine links to the record that is there, where it is told so",
        "map the refusal to `ErrorKind::Duplicate`, with the id where the CRM names it"
    ),
    check!(
        Write,
        Resource,
        a_bulk_write_is_told_row_by_row,
        MIXED_UP,
        "map each row of the job's results to its write, by a key in the row"
    ),
];

async fn no_writes_have_no_outcomes(probe: Probe<'_>) -> Judgement {
    let outcomes = probe.subject().connector.write(&probe.subject().on, probe.resource(), Vec::new()).await?;
    ensure!(outcomes.is_empty(), "{} outcomes came", outcomes.len());
    Ok(())
}

async fn a_full_batch_is_written(probe: Probe<'_>) -> Judgement {
    let count = probe.offer.capabilities.batch_max;
    if count > probe.subject().records_max {
        return not_applicable(format!(
            "a batch holds {count}, and no more than {} may be made",
            probe.subject().records_max
        ));
    }
    let made = probe.make_many(count).await?;
    let ids: BTreeSet<&RemoteId> = made.iter().map(|made| &made.id).collect();
    ensure!(ids.len() == count, "{count} creates made {} records", ids.len());
    for made in [made.first(), made.last()].into_iter().flatten() {
        probe.held(&made.id).await?;
    }
    Ok(())
}

async fn outcomes_stand_in_the_order_of_their_writes(probe: Probe<'_>) -> Judgement {
    let text = &probe.text_field()?.name;
    for made in probe.make_many(4).await? {
        let record = probe.held(&made.id).await?;
        let (held, sent) = (value(&record, text), made.fields.get(text.as_str()));
        ensure!(sent == Some(held), "the outcome of {sent:?} leads to the record of {held:?}");
    }
    Ok(())
}

async fn a_bad_write_spoils_no_other(probe: Probe<'_>) -> Judgement {
    let text = &probe.text_field()?.name;
    let gone = unknown_id(probe).await?;
    let made = probe.make_many(2).await?;
    let (first, last) = (probe.sample().1, probe.sample().1);
    let writes = vec![
        update(&made[0].id, [(text.clone(), first.as_str().into())]),
        update(&gone, [(text.clone(), "bad".into())]),
        update(&made[1].id, [(text.clone(), last.as_str().into())]),
    ];
    let mut outcomes = probe.write(writes).await?.into_iter();
    let mut next = || outcomes.next().map_or_else(|| fault("an outcome is missing"), Ok);
    let (good, bad, other) = (written(next()?)?, failed(next()?, "an update of a deleted record")?, written(next()?)?);
    ensure!(bad.kind() == ErrorKind::NotFound, "the error is {:?}: {bad}", bad.kind());
    ensure!(good.id == made[0].id && other.id == made[1].id, "the outcomes name {} and {}", good.id, other.id);
    for (made, sent) in made.iter().zip([first, last]) {
        let record = probe.held(&made.id).await?;
        ensure!(value(&record, text).to_string() == sent, "{} holds {:?}, not {sent:?}", made.id, value(&record, text));
    }
    Ok(())
}

async fn creates_updates_and_deletes_go_together(probe: Probe<'_>) -> Judgement {
    let text = &probe.text_field()?.name;
    let made = probe.make_many(3).await?;
    let fields = [probe.full_sample().await?, probe.full_sample().await?];
    let tag = probe.sample().1;
    let [first, last] = fields.clone();
    let writes = vec![
        Write::Archive { id: made[0].id.clone() },
        probe.create(first),
        update(&made[1].id, [(text.clone(), tag.as_str().into())]),
        probe.create(last),
        Write::Archive { id: made[2].id.clone() },
    ];
    let outcomes = probe.write(writes).await?.into_iter().map(written).collect::<Judgement<Vec<_>>>()?;
    let named = |place: usize, id: &RemoteId| outcomes[place].id == *id;
    let in_order = named(0, &made[0].id) && named(2, &made[1].id) && named(4, &made[2].id);
    ensure!(in_order, "the outcomes name other records than the writes");
    for (place, fields) in [(1, &fields[0]), (3, &fields[1])] {
        let record = probe.held(&outcomes[place].id).await?;
        ensure!(Some(value(&record, text)) == fields.get(text.as_str()), "outcome {place} leads to another record");
    }
    ensure!(value(&probe.held(&made[1].id).await?, text).to_string() == tag, "the update is not there");
    for gone in [&made[0].id, &made[2].id] {
        ensure!(probe.one(gone).await?.is_none_or(|record| record.deleted), "{gone} is still there");
    }
    Ok(())
}

async fn what_is_said_to_be_kept_is_kept(probe: Probe<'_>) -> Judgement {
    let text = &probe.text_field()?.name;
    let outcome = written(probe.write_one(probe.create(probe.full_sample().await?)).await?)?;
    same_as_kept(probe, &outcome.id, &outcome.fields).await?;
    let changed = probe.set(&outcome.id, text, probe.sample().1.into()).await?;
    same_as_kept(probe, &outcome.id, &changed.fields).await
}

async fn same_as_kept(probe: Probe<'_>, id: &RemoteId, said: &Fields) -> Judgement {
    let record = probe.held(id).await?;
    for field in probe.exercised() {
        let Some(said) = said.get(field.name.as_str()) else { continue };
        let kept = value(&record, &field.name);
        ensure!(kept.same_as(said), "{:?} is said to be {said:?} and is {kept:?}", field.name.as_str());
    }
    Ok(())
}

async fn a_create_that_comes_again_makes_one(probe: Probe<'_>) -> Judgement {
    if !probe.subject().exactly_once.contains(&probe.resource()) {
        return not_applicable("no own unique property is claimed");
    }
    let create = probe.create(probe.full_sample().await?);
    let first = written(probe.write_one(create.clone()).await?)?.id;
    let again = match probe.write_one(create).await? {
        WriteOutcome::Written(written) => Some(written.id),
        WriteOutcome::Failed(error) => error.existing_id().cloned(),
        _ => None,
    };
    ensure!(again.as_ref() == Some(&first), "the first time made {first}, the second {again:?}");
    Ok(())
}

async fn verify_finds_what_was_made(probe: Probe<'_>) -> Judgement {
    let announced = probe.subject().clock.now();
    let (fields, other) = (probe.full_sample().await?, probe.full_sample().await?);
    let (intent, unknown) = (probe.intent(), probe.intent());
    let create = Write::Create { intent: intent.clone(), fields: fields.clone() };
    let made = written(probe.write_one(create).await?)?.id;
    eventually!(probe, {
        let doubts = vec![
            CreateInDoubt::new(unknown.clone(), announced, other.clone()),
            CreateInDoubt::new(intent.clone(), announced, fields.clone()),
        ];
        let request = VerifyRequest::new(probe.resource(), doubts);
        let found = probe.subject().connector.verify(&probe.subject().on, request).await?;
        let ids: Vec<Option<&RemoteId>> = found.iter().map(|one| one.as_ref().map(|one| &one.id)).collect();
        ensure!(ids == [None, Some(&made)], "{ids:?} came for one that was not made and {made}");
        Ok(())
    })
}

async fn verify_does_not_find_what_was_not_made(probe: Probe<'_>) -> Judgement {
    probe.make().await?;
    let doubt = CreateInDoubt::new(probe.intent(), probe.subject().clock.now(), probe.full_sample().await?);
    let request = VerifyRequest::new(probe.resource(), vec![doubt]);
    let found = probe.subject().connector.verify(&probe.subject().on, request).await?;
    ensure!(found.len() == 1, "one create was asked about, {} answers came", found.len());
    let id = found[0].as_ref().map(|record| &record.id);
    ensure!(id.is_none(), "record {id:?} came for a create that was never sent");
    Ok(())
}

async fn a_taken_key_is_a_duplicate(probe: Probe<'_>) -> Judgement {
    let key = probe.key_field()?;
    if !key.unique {
        return not_applicable("keys are not unique");
    }
    let first = probe.make().await?;
    let Some(taken) = first.fields.get(key.name.as_str()).cloned() else {
        return not_applicable("records are made without a key");
    };
    let mut fields = probe.full_sample().await?;
    fields.insert(key.name.clone(), taken);
    let error = failed(probe.write_one(probe.create(fields)).await?, "a create with a taken key")?;
    ensure!(error.kind() == ErrorKind::Duplicate, "the error is {:?}: {error}", error.kind());
    let named = error.existing_id();
    ensure!(named.is_none_or(|id| *id == first.id), "{named:?} is named, {} has the key", first.id);
    Ok(())
}

async fn a_bulk_write_is_told_row_by_row(probe: Probe<'_>) -> Judgement {
    let Some(bulk) = probe.offer.capabilities.bulk else {
        return not_applicable("no jobs for large pushes are offered");
    };
    let most = probe.subject().records_max;
    if bulk.min > most {
        return not_applicable(format!("a job begins at {}, and no more than {most} may be made", bulk.min));
    }
    let mut drafts = Vec::new();
    for _ in 0..bulk.min {
        drafts.push(probe.full_sample().await?);
    }
    let writes = drafts.iter().map(|fields| probe.create(fields.clone())).collect();
    let outcomes = probe.write(writes).await?.into_iter().map(written).collect::<Judgement<Vec<_>>>()?;
    let text = &probe.text_field()?.name;
    for place in [0, 1, bulk.min / 2, bulk.min - 1] {
        let record = probe.held(&outcomes[place].id).await?;
        let (held, sent) = (value(&record, text), drafts[place].get(text.as_str()));
        ensure!(
            sent == Some(held),
            "row {place} of {}: the outcome of {sent:?} leads to the record of {held:?}",
            bulk.min
        );
    }
    Ok(())
}

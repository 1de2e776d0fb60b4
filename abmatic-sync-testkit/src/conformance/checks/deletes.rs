//! Deleted records: gone for every read, told where that is offered, and deleted again without harm.

use abmatic_sync_core::connector::request::{Read, Write, WriteOutcome};
use abmatic_sync_core::error::ErrorKind;

use crate::conformance::check::{Check, Judgement, check, ensure, fault, not_applicable};
use crate::conformance::checks::read::unknown_id;
use crate::conformance::probe::{Probe, eventually, failed, update, written};

pub(crate) const CHECKS: &[Check] = &[
    check!(
        Deletes,
        Resource,
        a_deleted_record_is_gone,
        "a deletion that does not happen comes back as a new record",
        "delete it, or move it to the recycle bin, before answering"
    ),
    check!(
        Deletes,
        Resource,
        a_read_of_all_leaves_deleted_records_out,
        "a record in the recycle bin would be imported",
        "leave out what is deleted"
    ),
    check!(
        Deletes,
        Resource,
        deleting_again_is_written_or_not_found,
        "a run that goes on after a crash deletes again",
        "map the refusal to `ErrorKind::NotFound`, or answer that it is written"
    ),
    check!(
        Deletes,
        Resource,
        an_update_brings_nothing_back,
        "an edit must not make a deleted record live",
        "map the refusal to `ErrorKind::NotFound`"
    ),
    check!(
        Deletes,
        Resource,
        the_archive_tells_what_was_deleted,
        "deletions are seen by it",
        "read the recycle bin, with `deleted` set on each record"
    ),
    check!(
        Deletes,
        Resource,
        the_archive_tells_of_no_live_record,
        "a live record would be unlinked, or deleted here",
        "read only what is deleted"
    ),
];

async fn a_deleted_record_is_gone(probe: Probe<'_>) -> Judgement {
    let id = probe.make().await?.id;
    let outcome = written(probe.write_one(Write::Archive { id: id.clone() }).await?)?;
    ensure!(outcome.id == id, "the outcome names {}, not {id}", outcome.id);
    let still_there = probe.one(&id).await?.is_some_and(|record| !record.deleted);
    ensure!(!still_there, "record {id} is still read by its id");
    Ok(())
}

async fn a_read_of_all_leaves_deleted_records_out(probe: Probe<'_>) -> Judgement {
    let made = probe.make_many(2).await?;
    probe.delete(&made[0].id).await?;
    eventually!(probe, {
        let records = probe.read_all(Read::All).await?;
        let is_read = |place: usize| records.iter().any(|record| record.id == made[place].id);
        ensure!(!is_read(0), "the deleted record is among all");
        ensure!(is_read(1), "a live record is not among all");
        Ok(())
    })
}

async fn deleting_again_is_written_or_not_found(probe: Probe<'_>) -> Judgement {
    let gone = unknown_id(probe).await?;
    let other = probe.make().await?.id;
    let writes = vec![Write::Archive { id: gone }, Write::Archive { id: other.clone() }];
    let mut outcomes = probe.write(writes).await?.into_iter();
    match outcomes.next() {
        Some(WriteOutcome::Written(_)) => {}
        Some(WriteOutcome::Failed(error)) => {
            ensure!(error.kind() == ErrorKind::NotFound, "the error is {:?}: {error}", error.kind());
        }
        other => return fault(format!("the outcome is {other:?}")),
    }
    let next = outcomes.next().map_or_else(|| fault("the second outcome is missing"), written)?;
    ensure!(next.id == other, "the second outcome names {}", next.id);
    Ok(())
}

async fn an_update_brings_nothing_back(probe: Probe<'_>) -> Judgement {
    let gone = unknown_id(probe).await?;
    let write = update(&gone, [(probe.text_field()?.name.clone(), probe.sample().1.into())]);
    failed(probe.write_one(write).await?, "an update of a deleted record")?;
    let is_back = probe.one(&gone).await?.is_some_and(|record| !record.deleted);
    ensure!(!is_back, "record {gone} is live again");
    Ok(())
}

fn archived(probe: Probe<'_>) -> Judgement {
    if probe.offer.capabilities.archived { Ok(()) } else { not_applicable("deleted records are not told of") }
}

async fn the_archive_tells_what_was_deleted(probe: Probe<'_>) -> Judgement {
    archived(probe)?;
    let since = probe.subject().clock.now() - chrono::TimeDelta::hours(1);
    let id = unknown_id(probe).await?;
    eventually!(probe, {
        for since in [None, Some(since)] {
            let records = probe.read_all(Read::Archived { since }).await?;
            let told = records.iter().find(|record| record.id == id);
            ensure!(told.is_some_and(|record| record.deleted), "the archive since {since:?} does not tell of {id}");
        }
        Ok(())
    })
}

async fn the_archive_tells_of_no_live_record(probe: Probe<'_>) -> Judgement {
    archived(probe)?;
    let made = probe.make_many(2).await?;
    let records = probe.read_all(Read::Archived { since: None }).await?;
    let live = made.iter().find(|made| records.iter().any(|record| record.id == made.id));
    ensure!(live.is_none(), "the archive tells of a live record");
    Ok(())
}

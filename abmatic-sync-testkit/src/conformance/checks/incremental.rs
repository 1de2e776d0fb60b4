//! Reads by the time of the last change.

use std::collections::BTreeSet;
use std::time::Duration;

use abmatic_sync_core::connector::request::Read;
use abmatic_sync_core::filter::expr::field;
use abmatic_sync_core::ids::RemoteId;
use chrono::{DateTime, TimeDelta, Utc};

use crate::conformance::check::{Check, Judgement, check, ensure, fault, not_applicable};
use crate::conformance::probe::{Probe, eventually};

const LOST: &str = "a change that no window shows is never synced";

pub(crate) const CHECKS: &[Check] = &[
    check!(
        Read,
        Resource,
        a_record_tells_when_it_was_changed,
        "conflicts and cursors go by the time of change",
        "fill `modified_at`, and `created_at` where the CRM has it, from its own times"
    ),
    check!(
        Read,
        Resource,
        an_edit_moves_the_time_of_change,
        LOST,
        "take as `modified_at` the time that the CRM's windows go by"
    ),
    check!(
        Read,
        Resource,
        a_window_holds_what_was_made_in_it,
        LOST,
        "read by the time of change, not of creation, and page to the end"
    ),
    check!(
        Read,
        Resource,
        a_window_holds_what_was_edited_in_it,
        LOST,
        "read by the time of change, not of creation, and page to the end"
    ),
    check!(
        Read,
        Resource,
        a_window_includes_both_its_ends,
        LOST,
        "compare with >= and <=, in the precision that the CRM keeps"
    ),
    check!(
        Read,
        Resource,
        a_window_leaves_the_rest_out,
        "a window that holds everything makes each sync a full one",
        "send both ends to the CRM, or drop what lies outside"
    ),
    check!(
        Read,
        Resource,
        a_window_is_narrowed_by_its_filter,
        "records out of the host's scope would come in by their edits",
        "send the condition with the window, or hold it against what comes"
    ),
];

fn offered(probe: Probe<'_>) -> Judgement {
    if probe.offer.capabilities.incremental { Ok(()) } else { not_applicable("reads by time are not offered") }
}

async fn time_of(probe: Probe<'_>, id: &RemoteId) -> Judgement<DateTime<Utc>> {
    probe.held(id).await?.modified_at.map_or_else(|| fault("the record tells no time of change"), Ok)
}

async fn in_window(probe: Probe<'_>, since: DateTime<Utc>, until: DateTime<Utc>) -> Judgement<BTreeSet<RemoteId>> {
    let records = probe.read_all(Read::Changed { since, until, filter: None }).await?;
    Ok(records.into_iter().map(|record| record.id).collect())
}

async fn a_record_tells_when_it_was_changed(probe: Probe<'_>) -> Judgement {
    offered(probe)?;
    let id = probe.make().await?.id;
    let record = probe.held(&id).await?;
    let Some(modified) = record.modified_at else { return fault("the record tells no time of change") };
    ensure!(record.created_at.is_none_or(|created| created <= modified), "it was changed before it was made");
    Ok(())
}

async fn an_edit_moves_the_time_of_change(probe: Probe<'_>) -> Judgement {
    offered(probe)?;
    let id = probe.make().await?.id;
    let before = time_of(probe, &id).await?;
    probe.subject().clock.sleep(Duration::from_secs(2)).await;
    probe.set(&id, &probe.text_field()?.name, probe.sample().1.into()).await?;
    let after = time_of(probe, &id).await?;
    ensure!(after > before, "it was {before} before and is {after} two seconds later");
    Ok(())
}

async fn a_window_holds_what_was_made_in_it(probe: Probe<'_>) -> Judgement {
    offered(probe)?;
    let made = probe.make_many(3).await?;
    let time = time_of(probe, &made[0].id).await?;
    eventually!(probe, {
        let held = in_window(probe, time - TimeDelta::minutes(5), time + TimeDelta::minutes(5)).await?;
        let missing = made.iter().filter(|made| !held.contains(&made.id)).count();
        ensure!(missing == 0, "{missing} of 3 new records are not in the window of their creation");
        Ok(())
    })
}

async fn a_window_holds_what_was_edited_in_it(probe: Probe<'_>) -> Judgement {
    offered(probe)?;
    let id = probe.make().await?.id;
    probe.subject().clock.sleep(Duration::from_secs(5)).await;
    probe.set(&id, &probe.text_field()?.name, probe.sample().1.into()).await?;
    let edited = time_of(probe, &id).await?;
    eventually!(probe, {
        let held = in_window(probe, edited - TimeDelta::seconds(1), edited + TimeDelta::minutes(5)).await?;
        ensure!(held.contains(&id), "the record was made before the window, edited in it, and does not come");
        Ok(())
    })
}

async fn a_window_includes_both_its_ends(probe: Probe<'_>) -> Judgement {
    offered(probe)?;
    let id = probe.make().await?.id;
    let time = time_of(probe, &id).await?;
    eventually!(probe, {
        let held = in_window(probe, time, time).await?;
        ensure!(held.contains(&id), "the window from {time} to {time} does not hold what was changed then");
        Ok(())
    })
}

async fn a_window_leaves_the_rest_out(probe: Probe<'_>) -> Judgement {
    offered(probe)?;
    let id = probe.make().await?.id;
    let time = time_of(probe, &id).await?;
    let later = in_window(probe, time + TimeDelta::minutes(1), time + TimeDelta::minutes(9)).await?;
    ensure!(!later.contains(&id), "a later window holds the record");
    let before = in_window(probe, time - TimeDelta::minutes(9), time - TimeDelta::minutes(1)).await?;
    ensure!(!before.contains(&id), "an earlier window holds the record");
    Ok(())
}

async fn a_window_is_narrowed_by_its_filter(probe: Probe<'_>) -> Judgement {
    offered(probe)?;
    let made = probe.make_many(2).await?;
    let text = &probe.text_field()?.name;
    let wanted = made[0].fields.get(text.as_str()).cloned().unwrap_or_default();
    let filter = super::filters::on_the_server(probe, &field(text.clone()).equals(wanted))?;
    let time = time_of(probe, &made[0].id).await?;
    let (since, until) = (time - TimeDelta::minutes(5), time + TimeDelta::minutes(5));
    eventually!(probe, {
        let read = Read::Changed { since, until, filter: Some(filter.clone()) };
        let held: Vec<RemoteId> = probe.read_all(read).await?.into_iter().map(|record| record.id).collect();
        ensure!(held == [made[0].id.clone()], "{held:?} came for {}", made[0].id);
        Ok(())
    })
}

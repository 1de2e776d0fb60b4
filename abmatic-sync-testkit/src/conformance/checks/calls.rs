//! Calls that are dropped before they are done, and several at once.

use std::time::Duration;

use abmatic_sync_core::connector::request::Read;

use crate::conformance::check::{Check, Judgement, check, ensure, fault};
use crate::conformance::polls::abandon;
use crate::conformance::probe::{Probe, update, value, written};

/// What a usable connector needs at the most for a call of one record.
const ANSWER_MAX: Duration = Duration::from_secs(60);
const DROPPED: &str = "a host that cancels a run drops its calls, and the next run must work";
const LET_GO: &str = "hold no lock and no permit across an await that a dropped future would not give back";

pub(crate) const CHECKS: &[Check] = &[
    check!(Calls, Resource, a_dropped_read_leaves_it_usable, DROPPED, LET_GO),
    check!(Calls, Resource, a_dropped_write_leaves_it_usable, DROPPED, LET_GO),
    check!(
        Calls,
        Resource,
        calls_at_once_do_not_mix,
        "the next block is read while one is written",
        "keep the state of a call in the call"
    ),
    check!(
        Calls,
        Resource,
        a_call_is_metered,
        "call budgets are kept by the connection's meter",
        "count each call in `Connection::calls`"
    ),
];

/// Whether the connector still reads and writes.
async fn is_usable(probe: Probe<'_>) -> Judgement {
    let work = async {
        let made = probe.make().await?;
        probe.held(&made.id).await
    };
    match tokio::time::timeout(ANSWER_MAX, work).await {
        Ok(done) => done.map(|_| ()),
        Err(_) => fault(format!("it does not answer within {} seconds", ANSWER_MAX.as_secs())),
    }
}

async fn a_dropped_read_leaves_it_usable(probe: Probe<'_>) -> Judgement {
    let id = probe.make().await?.id;
    for polls in 1..=4 {
        abandon(probe.one(&id), polls).await;
        abandon(probe.read_all(Read::All), polls).await;
    }
    is_usable(probe).await
}

async fn a_dropped_write_leaves_it_usable(probe: Probe<'_>) -> Judgement {
    let id = probe.make().await?.id;
    let text = &probe.text_field()?.name;
    for polls in 1..=4 {
        abandon(probe.set(&id, text, probe.sample().1.into()), polls).await;
    }
    is_usable(probe).await
}

async fn calls_at_once_do_not_mix(probe: Probe<'_>) -> Judgement {
    let made = probe.make_many(3).await?;
    let text = &probe.text_field()?.name;
    let tag = probe.sample().1;
    let write = update(&made[2].id, [(text.clone(), tag.as_str().into())]);
    let (first, second, third) = tokio::join!(probe.held(&made[0].id), probe.held(&made[1].id), probe.write_one(write));
    written(third?)?;
    for (record, made) in [(first?, &made[0]), (second?, &made[1])] {
        let (held, sent) = (value(&record, text), made.fields.get(text.as_str()));
        ensure!(record.id == made.id && sent == Some(held), "a read at the same time holds {held:?}, not {sent:?}");
    }
    ensure!(value(&probe.held(&made[2].id).await?, text).to_string() == tag, "a write at the same time is not there");
    Ok(())
}

async fn a_call_is_metered(probe: Probe<'_>) -> Judgement {
    let id = probe.make().await?.id;
    let before = probe.subject().on.calls.total();
    probe.held(&id).await?;
    ensure!(probe.subject().on.calls.total() > before, "a read did not count");
    Ok(())
}

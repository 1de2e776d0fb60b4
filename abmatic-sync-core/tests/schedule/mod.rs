//! Runs that begin by themselves: rhythms, hints, pushes, and what failures mean for a connection.

mod desk;

use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::resource::Resource::Account;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::schedule::rhythm::Rhythm;
use abmatic_sync_core::store::connections::{ConnectionStatus, ConnectionStore};
use abmatic_sync_core::store::schedules::{Schedule, ScheduleStore};
use abmatic_sync_core::store::state::{RunStatus, StateStore};
use abmatic_sync_testkit::memory::crm::{Call, Failure};

use self::desk::Desk;
use crate::support::{fields, text};

fn company(desk: &Desk, name: &str) -> RemoteId {
    desk.crm.create(Account, fields([("name", name), ("domain", &format!("{name}.com"))]))
}

#[tokio::test]
async fn an_interval_begins_at_once_and_what_was_missed_is_made_up_for_once() {
    let desk = Desk::new().await;
    desk.schedule(Rhythm::every(600).unwrap()).await;
    assert_eq!(desk.runs().await.len(), 1);
    desk.pass(599).await;
    assert_eq!(desk.runs().await.len(), 1);
    desk.pass(1).await;
    assert_eq!(desk.runs().await.len(), 2);
    desk.pass(86_400).await;
    assert_eq!(desk.runs().await.len(), 3, "a day asleep is one run");
    desk.handle.sync_now(&desk.key).await.unwrap();
    desk.settle().await;
    assert_eq!(desk.runs().await.len(), 4);
}

#[tokio::test]
async fn a_manual_one_waits_until_it_is_asked_for() {
    let desk = Desk::new().await;
    desk.schedule(Rhythm::Manual).await;
    desk.pass(1_000_000).await;
    assert!(desk.runs().await.is_empty());
    company(&desk, "acme");
    desk.handle.sync_now(&desk.key).await.unwrap();
    desk.settle().await;
    assert_eq!(desk.runs().await[0].counts.created, 1);
    assert_eq!(desk.kept_schedule().await.next_at, None);
}

#[tokio::test]
async fn a_flood_of_repeated_hints_causes_each_change_once() {
    let desk = Desk::new().await;
    desk.schedule(Rhythm::Realtime { poll_seconds: 86_400 }).await;
    let ids: Vec<RemoteId> = (0..50).map(|number| company(&desk, &format!("name{number}"))).collect();
    for round in 0..200 {
        let shuffled: Vec<RemoteId> = (0..50).map(|place| ids[(place * 7 + round * 3) % 50].clone()).collect();
        desk.handle.changed(&desk.key, &shuffled).await.unwrap();
        if round % 37 == 0 {
            tokio::task::yield_now().await;
        }
    }
    desk.settle().await;
    let created: u64 = desk.runs().await.iter().map(|run| run.counts.created).sum();
    assert_eq!((created, desk.store.records_of(&desk.tenant(), Account).len()), (50, 50));
    assert!(desk.kept.marks(&desk.key, 10).await.unwrap().is_empty());
    let before = desk.runs().await.len();
    assert!(before < 20, "{before} runs for 200 hooks");
    desk.crm.edit(Account, &ids[3], &fields([("name", "Renamed")]));
    desk.handle.changed(&desk.key, &ids[3..4]).await.unwrap();
    desk.settle().await;
    let run = desk.runs().await.pop().unwrap();
    assert_eq!((run.counts.read, run.counts.updated), (1, 1));
}

#[tokio::test]
async fn new_records_of_the_host_are_gathered_and_pushed_together() {
    let desk = Desk::new().await;
    desk.schedule(Rhythm::Manual).await;
    for name in ["one", "two", "three"] {
        let new = [("name", Value::text(name)), ("website", Value::text(format!("{name}.com")))];
        desk.store.create(&desk.tenant(), Account, new.into_iter().collect(), "2026-11-25T08:00:00Z".parse().unwrap());
        desk.handle.created(&desk.key).await.unwrap();
        desk.settle().await;
    }
    assert!(desk.runs().await.is_empty());
    desk.pass(2).await;
    let runs = desk.runs().await;
    assert_eq!((runs.len(), runs[0].counts.created, desk.crm.records(Account).len()), (1, 3, 3));
    desk.pass(1_000).await;
    assert_eq!(desk.runs().await.len(), 1);
}

#[tokio::test]
async fn a_spent_day_pauses_the_run_which_goes_on_by_itself() {
    let desk = Desk::new().await;
    (0..30).for_each(|number| drop(company(&desk, &format!("name{number}"))));
    desk.crm.fail_next(Call::Read, Failure::LimitReached);
    desk.schedule(Rhythm::every(60).unwrap()).await;
    let ConnectionStatus::Paused { until, reason } = desk.status().await else { panic!("it is paused") };
    assert_eq!(until.to_rfc3339(), "2026-11-25T08:10:00+00:00");
    assert!(reason.contains("no calls are left today"), "{reason}");
    desk.pass(599).await;
    let paused = desk.runs().await;
    assert_eq!((paused.len(), paused[0].status), (1, RunStatus::Failed));
    desk.pass(1).await;
    let resumed = desk.runs().await;
    assert_eq!((resumed.len(), resumed[0].status, resumed[0].counts.created), (1, RunStatus::Completed, 30));
    assert_eq!(desk.status().await, ConnectionStatus::Active);
}

#[tokio::test]
async fn a_refused_token_stops_a_connection_until_it_is_authorised_again() {
    let desk = Desk::new().await;
    desk.crm.fail_next(Call::Read, Failure::Unauthorized);
    desk.schedule(Rhythm::every(60).unwrap()).await;
    let ConnectionStatus::NeedsReauthorisation { reason } = desk.status().await else { panic!("it needs that") };
    assert!(reason.contains("the token is refused"), "{reason}");
    desk.pass(100_000).await;
    assert_eq!(desk.runs().await.len(), 1);
    desk.kept.set_status(&desk.tenant(), &desk.key.connection, &ConnectionStatus::Active).await.unwrap();
    desk.handle.look();
    desk.settle().await;
    assert_eq!(desk.runs().await[0].status, RunStatus::Completed);
}

#[tokio::test]
async fn failures_wait_longer_each_time_and_hints_are_not_lost_by_them() {
    let desk = Desk::new().await;
    desk.schedule(Rhythm::Manual).await;
    let id = company(&desk, "acme");
    desk.crm.fail_next(Call::Read, Failure::Unavailable);
    desk.crm.fail_next(Call::Read, Failure::Unavailable);
    desk.handle.changed(&desk.key, &[id]).await.unwrap();
    desk.settle().await;
    for wait in [30, 60] {
        let before = desk.runs().await.len();
        desk.pass(wait - 1).await;
        assert_eq!(desk.runs().await.len(), before);
        desk.pass(1).await;
        assert_eq!(desk.runs().await.len(), before + 1);
    }
    assert_eq!(text(&desk.store.records_of(&desk.tenant(), Account)[0].fields, "name"), "acme");
    assert_eq!(desk.kept_schedule().await.failures, 0);
}

#[tokio::test]
async fn runs_that_come_to_no_end_give_the_connection_a_rest() {
    let desk = Desk::new().await;
    let mut schedule = Schedule::new(desk.key.clone(), Rhythm::every(60).unwrap());
    schedule.next_at = Some("2026-11-25T08:00:00Z".parse().unwrap());
    desk.kept.keep_schedule(&schedule).await.unwrap();
    for _ in 0..3 {
        desk.kept.began(&desk.key).await.unwrap();
    }
    desk.handle.look();
    desk.settle().await;
    assert!(desk.runs().await.is_empty());
    let ConnectionStatus::Paused { reason, .. } = desk.status().await else { panic!("it rests") };
    assert!(reason.contains("came to no end"), "{reason}");
    desk.pass(3_600).await;
    assert_eq!(desk.runs().await.len(), 1);
}

#[tokio::test]
async fn whoever_finds_the_connection_held_comes_again_soon() {
    let desk = Desk::new().await;
    let (now, until) = ("2026-11-25T08:00:00Z".parse().unwrap(), "2026-11-25T08:00:20Z".parse().unwrap());
    desk.store.acquire(&desk.tenant(), &desk.key.connection, &"other".into(), now, until).await.unwrap();
    desk.schedule(Rhythm::every(3_600).unwrap()).await;
    assert!(desk.runs().await.is_empty());
    desk.pass(15).await;
    desk.pass(15).await;
    assert_eq!(desk.runs().await[0].status, RunStatus::Completed);
    assert_eq!(desk.kept_schedule().await.failures, 0);
}

#[tokio::test]
async fn it_stops_when_told_and_begins_nothing_more() {
    let desk = Desk::new().await;
    desk.schedule(Rhythm::every(60).unwrap()).await;
    desk.handle.stop();
    desk.settle().await;
    assert!(desk.running.is_finished());
    desk.pass(600).await;
    assert_eq!(desk.runs().await.len(), 1);
}

#[tokio::test]
async fn hints_in_a_pause_do_not_make_the_sync_begin_anew() {
    let desk = Desk::new().await;
    let ids: Vec<RemoteId> = (0..30).map(|number| company(&desk, &format!("name{number}"))).collect();
    desk.crm.fail_next(Call::Read, Failure::LimitReached);
    desk.schedule(Rhythm::every(60).unwrap()).await;
    let paused = desk.runs().await.remove(0);
    assert_eq!(paused.status, RunStatus::Failed);
    desk.handle.changed(&desk.key, &ids[3..4]).await.unwrap();
    desk.pass(600).await;
    let runs = desk.runs().await;
    let resumed = runs.iter().find(|run| run.id == paused.id).unwrap();
    assert_eq!((runs.len(), resumed.status), (2, RunStatus::Completed), "the hint's run, and the first one to its end");
}

#[tokio::test]
async fn hints_that_cannot_be_looked_at_do_not_stop_the_sync() {
    let desk = Desk::new().await;
    let id = company(&desk, "acme");
    desk.schedule(Rhythm::every(60).unwrap()).await;
    desk.crm.edit(Account, &id, &fields([("name", "Acme Inc")]));
    desk.crm.fail_next(Call::Read, Failure::Unavailable);
    desk.clock.advance(60);
    desk.handle.changed(&desk.key, std::slice::from_ref(&id)).await.unwrap();
    desk.settle().await;
    let runs = desk.runs().await;
    let ended: Vec<RunStatus> = runs.iter().map(|run| run.status).collect();
    assert_eq!(ended, [RunStatus::Completed, RunStatus::Failed, RunStatus::Completed]);
    assert_eq!(runs[2].counts.updated, 1);
    assert!(desk.kept.marks(&desk.key, 10).await.unwrap().is_empty(), "the sync has seen what they told of");
    assert_eq!(desk.kept_schedule().await.failures, 0);
}

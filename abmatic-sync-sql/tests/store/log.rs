//! The log: asked by everything it has, and written out.

use abmatic_sync_core::error::ErrorCode;
use abmatic_sync_core::ids::{ConnectionId, RunId};
use abmatic_sync_core::model::change::{Direction, FieldChange, Reason};
use abmatic_sync_core::model::journal::{LogEntry, Status};
use abmatic_sync_core::model::link::LinkScope;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::store::page::StateCommit;
use abmatic_sync_core::store::state::{LogQuery, StateStore};
use abmatic_sync_sql::export::LogFormat;
use abmatic_sync_sql::store::SqliteStore;

use crate::support::{at, connection, lease, run, scope, store, tenant};

fn entry(run: &str, resource: Resource, status: Status, direction: Direction, seconds: i64) -> LogEntry {
    let mut entry = LogEntry::new(RunId::from(run), connection(), resource, status, direction, at(seconds));
    entry.local_id = Some(format!("l{seconds}").into());
    entry.remote_id = Some(format!("r{seconds}").into());
    entry.message = format!("entry {seconds}");
    entry
}

async fn log(store: &SqliteStore, entries: Vec<LogEntry>) {
    let lease = lease(store, "run-1").await;
    let mut commit = StateCommit::new(run("run-1"));
    commit.log = entries;
    store.commit(&scope(), &lease, &commit).await.unwrap();
}

async fn filled() -> SqliteStore {
    let store = store().await;
    let (to, from) = (Direction::ToAbmatic, Direction::FromAbmatic);
    let mut failed = entry("run-1", Resource::Contact, Status::Failed, to, 3);
    failed.code = Some(ErrorCode::RequiredFieldMissing);
    failed.local_id = None;
    let mut elsewhere = entry("run-1", Resource::Contact, Status::Skipped, to, 4);
    elsewhere.connection = ConnectionId::from("hubspot-other");
    log(
        &store,
        vec![
            entry("run-1", Resource::Contact, Status::Created, to, 1),
            entry("run-1", Resource::Account, Status::Updated, from, 2),
            failed,
            elsewhere,
        ],
    )
    .await;
    log(&store, vec![entry("run-2", Resource::Contact, Status::Updated, to, 5)]).await;
    log(&store, vec![entry("run-1", Resource::Contact, Status::Created, to, 6)]).await;
    store
}

#[tokio::test]
async fn entries_are_asked_for_by_everything_they_have() {
    let store = filled().await;
    let all = || LogQuery::new("tenant-1");
    let asked = |ask: &dyn Fn(&mut LogQuery)| {
        let mut query = all();
        ask(&mut query);
        query
    };
    let cases: Vec<(&str, LogQuery, &[i64])> = vec![
        ("all", all(), &[6, 5, 4, 3, 2, 1]),
        ("limit", all().with_limit(2), &[6, 5]),
        ("offset", asked(&|query| (query.offset, query.limit) = (2, 3)), &[4, 3, 2]),
        ("run", all().of_run("run-1".into()), &[6, 4, 3, 2, 1]),
        ("run 2", all().of_run("run-2".into()), &[5]),
        ("no run", all().of_run("run-9".into()), &[]),
        ("status", all().with_status(Status::Created), &[6, 1]),
        ("resource", asked(&|query| query.resource = Some(Resource::Account)), &[2]),
        ("direction", asked(&|query| query.direction = Some(Direction::FromAbmatic)), &[2]),
        ("code", asked(&|query| query.code = Some(ErrorCode::RequiredFieldMissing)), &[3]),
        ("connection", asked(&|query| query.connection = Some("hubspot-other".into())), &[4]),
        ("local id", asked(&|query| query.local_id = Some("l5".into())), &[5]),
        ("remote id", asked(&|query| query.remote_id = Some("r3".into())), &[3]),
        ("since", asked(&|query| query.since = Some(at(5))), &[6, 5]),
        ("until", asked(&|query| query.until = Some(at(3))), &[2, 1]),
        ("two", asked(&|query| (query.status, query.run) = (Some(Status::Created), Some("run-1".into()))), &[6, 1]),
        ("another tenant", LogQuery::new("tenant-2"), &[]),
    ];
    for (what, query, expected) in cases {
        let found = store.log(&query).await.unwrap();
        let seconds: Vec<i64> = found.iter().map(|entry| (entry.at - at(0)).num_seconds()).collect();
        assert_eq!(seconds, expected, "{what}");
    }
}

#[tokio::test]
async fn tenants_with_the_same_names_have_their_own_logs() {
    let store = filled().await;
    let theirs = LinkScope::new("tenant-2".into(), connection(), Resource::Contact);
    let run_id = RunId::from("run-1");
    let lease = store.acquire(&theirs.tenant, &connection(), &run_id, at(0), at(9)).await.unwrap();
    let mut their_run = run("run-1");
    their_run.tenant = theirs.tenant.clone();
    let mut commit = StateCommit::new(their_run);
    commit.log = vec![entry("run-1", Resource::Contact, Status::Created, Direction::ToAbmatic, 7)];
    store.commit(&theirs, &lease, &commit).await.unwrap();
    assert_eq!(store.log(&LogQuery::new("tenant-2").of_run(run_id.clone())).await.unwrap().len(), 1);
    assert_eq!(store.log(&LogQuery::new("tenant-1").of_run(run_id)).await.unwrap().len(), 5);
}

fn rich() -> LogEntry {
    let mut entry = entry("run-1", Resource::Contact, Status::Updated, Direction::ToAbmatic, 0);
    entry.message = "conflict, \"quoted\"\nsecond line".into();
    let (old, new) = (Value::text("a;b"), Value::text("c, d"));
    let to = Direction::ToAbmatic;
    entry.changes = vec![
        FieldChange::new("job_title".into(), to, old, new, Reason::ConflictLatestEdit),
        FieldChange::new("first_name".into(), to, Value::Null, Value::text("Ann"), Reason::FillsEmpty),
        FieldChange::new("last_name".into(), to, Value::text("Lee"), Value::Null, Reason::KeptBlank).not_written(),
    ];
    entry
}

#[tokio::test]
async fn entries_read_back_as_they_were() {
    let store = store().await;
    log(&store, vec![rich()]).await;
    assert_eq!(store.log(&LogQuery::new("tenant-1")).await.unwrap(), [rich()]);
}

#[tokio::test]
async fn the_log_is_written_out_oldest_first() {
    let store = store().await;
    log(&store, vec![rich(), entry("run-1", Resource::Contact, Status::Created, Direction::ToAbmatic, 1)]).await;
    let mut text = Vec::new();
    assert_eq!(store.export_log(&LogQuery::new("tenant-1"), LogFormat::Csv, &mut text).await.unwrap(), 2);
    let mut reader = csv::Reader::from_reader(text.as_slice());
    assert_eq!(
        reader.headers().unwrap().iter().collect::<Vec<_>>().join(","),
        "timestamp,run,connection,resource,status,direction,local_id,remote_id,code,message,changes"
    );
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
    let cells: Vec<&str> = rows[0].iter().take(10).collect();
    let expected = [
        "2026-11-24T10:00:00.000Z",
        "run-1",
        "hubspot-main",
        "contact",
        "Updated",
        "To Abmatic",
        "l0",
        "r0",
        "",
        "conflict, \"quoted\"\nsecond line",
    ];
    assert_eq!(cells, expected);
    let changes: Vec<FieldChange> = serde_json::from_str(&rows[0][10]).unwrap();
    assert_eq!(changes, rich().changes);

    let mut text = Vec::new();
    store.export_log(&LogQuery::new("tenant-1"), LogFormat::JsonLines, &mut text).await.unwrap();
    let lines: Vec<serde_json::Value> =
        String::from_utf8(text).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["direction"], "To Abmatic");
    assert_eq!(lines[0]["changes"][0]["old"], "a;b");
    assert_eq!(lines[1]["message"], "entry 1");
    assert!(lines[1]["code"].is_null());
}

#[tokio::test]
async fn a_long_log_is_written_out_in_pages() {
    let store = store().await;
    let entries = |from: i64| {
        (from..from + 1_250)
            .map(|number| entry("run-1", Resource::Contact, Status::Created, Direction::ToAbmatic, number))
    };
    log(&store, entries(0).collect()).await;
    log(&store, entries(1_250).collect()).await;
    let mut text = Vec::new();
    let query = LogQuery::new(tenant()).of_run("run-1".into());
    assert_eq!(store.export_log(&query, LogFormat::JsonLines, &mut text).await.unwrap(), 2_500);
    let text = String::from_utf8(text).unwrap();
    let numbers: Vec<usize> = text
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["local_id"].as_str().unwrap()[1..].parse().unwrap()
        })
        .collect();
    assert!(numbers.iter().copied().eq(0..2_500));
    let mut empty = Vec::new();
    assert_eq!(store.export_log(&LogQuery::new("tenant-9"), LogFormat::Csv, &mut empty).await.unwrap(), 0);
    assert!(String::from_utf8(empty).unwrap().starts_with("timestamp,"), "the header stands all the same");
}

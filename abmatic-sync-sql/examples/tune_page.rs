//! Pages of made-up contacts, as an import commits them.

use abmatic_sync_core::ids::{ConnectionId, FieldName, LocalId, RemoteId, RunId, TenantId};
use abmatic_sync_core::model::change::{Direction, FieldChange, Reason};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::journal::{LogEntry, Status};
use abmatic_sync_core::model::link::{Link, LinkScope};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::store::contract::Store;
use abmatic_sync_core::store::page::{PageCommit, PageItem};
use abmatic_sync_core::store::records::{LocalWrite, RecordStore};
use abmatic_sync_core::store::state::{Lease, LinkEnds, RunRecord, StateStore};
use abmatic_sync_sql::store::SqliteStore;
use chrono::{DateTime, Utc};

/// How many records a page has.
pub const SIZE: u64 = 500;

/// A run that imports contacts.
#[derive(Debug)]
pub struct Import {
    store: SqliteStore,
    scope: LinkScope,
    lease: Lease,
    run: RunRecord,
    names: Vec<FieldName>,
    next: u64,
}

/// A page, and what is looked up before it is committed.
#[derive(Debug)]
pub struct Page {
    keys: Vec<String>,
    remote_ids: Vec<RemoteId>,
    commit: PageCommit,
}

impl Import {
    /// Begins a run.
    pub async fn begin(store: SqliteStore) -> Self {
        let (tenant, connection) = (TenantId::from("tenant-1"), ConnectionId::from("hubspot-main"));
        let at = time(0);
        let run_id = RunId::from("0193a000-0000-7000-8000-000000000001");
        let lease = store.acquire(&tenant, &connection, &run_id, at, time(3_600)).await.unwrap();
        let run = RunRecord::new(run_id, tenant.clone(), connection.clone(), Resource::Contact, "{}".into(), at);
        let names = ["field_01", "field_02", "field_03", "first_name", "job_title", "last_name", "work_email"];
        let names = names.into_iter().chain(["account"]).map(FieldName::from).collect();
        let scope = LinkScope::new(tenant, connection, Resource::Contact);
        Self { store, scope, lease, run, names, next: 0 }
    }

    /// The next page.
    pub fn page(&mut self) -> Page {
        let first = self.next;
        self.next += SIZE;
        let records: Vec<Fields> = (first..self.next).map(|number| self.fields(number)).collect();
        let keys = records.iter().filter_map(|fields| fields.get("work_email")?.as_text().map(str::to_owned)).collect();
        let remote_ids = (first..self.next).map(remote_id).collect();
        let items = (first..self.next).zip(records).map(|(number, fields)| self.item(number, fields)).collect();
        let mut commit = PageCommit::new(items, self.run.clone());
        commit.cursors.push(("import".into(), self.next.to_string()));
        Page { keys, remote_ids, commit }
    }

    /// Looks up what a page needs and commits it.
    pub async fn take_old(&self, page: Page) {
        let links = self.store.links(&self.scope, &LinkEnds::Remote(page.remote_ids)).await.unwrap();
        let found = self.store.find(&self.scope.tenant, Resource::Contact, &page.keys).await.unwrap();
        assert!(links.is_empty() && found.is_empty());
        let outcomes = self.store.commit_page(&self.scope, &self.lease, page.commit).await.unwrap();
        assert_eq!(outcomes.len() as u64, SIZE);
    }

    fn fields(&self, number: u64) -> Fields {
        let chance = mix(number);
        let email = format!("{:08x}.person{}@company{}.example", chance >> 32, number % 97, chance % 7_000);
        let texts = [
            "Enterprise".to_owned(),
            format!("Stage {}", chance % 9),
            format!("{}", chance % 100_000),
            format!("First{}", chance % 500),
            "Head of Operations".to_owned(),
            format!("Lastname{}", chance % 5_000),
            email,
        ];
        let mut fields = Fields::with_capacity(self.names.len());
        for (name, text) in self.names.iter().zip(texts) {
            fields.insert(name.clone(), Value::text(text));
        }
        fields.insert(self.names[7].clone(), Value::reference(local_id(chance % 7_000).as_str()));
        fields
    }

    fn item(&self, number: u64, fields: Fields) -> PageItem {
        let (local_id, remote_id, at) = (local_id(number), remote_id(number), time(number));
        let mut link = Link::new(local_id.clone(), remote_id.clone());
        let mut log = LogEntry::new(
            self.run.id.clone(),
            self.scope.connection.clone(),
            Resource::Contact,
            Status::Created,
            Direction::ToAbmatic,
            at,
        );
        for (name, value) in fields.iter() {
            link.base.agree(name.clone(), value.clone(), value.clone());
            let (old, new) = (Value::Null, value.clone());
            log.changes.push(FieldChange::new(name.clone(), Direction::ToAbmatic, old, new, Reason::NewRecord));
        }
        link.remote_modified_at = Some(at);
        log.local_id = Some(local_id.clone());
        log.remote_id = Some(remote_id);
        log.message = "created".into();
        let mut item = PageItem::default();
        item.local_write = Some(LocalWrite::create(local_id, fields, at));
        item.link = Some(link);
        item.log.push(log);
        item
    }
}

fn time(seconds: u64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000 + i64::try_from(seconds).unwrap() / 500, 0).unwrap()
}

fn local_id(number: u64) -> LocalId {
    let chance = mix(number);
    let millis = 0x0193_a000_0000 + number / 100;
    LocalId::from(format!(
        "{:08x}-{:04x}-7{:03x}-8{:03x}-{:012x}",
        millis >> 16,
        millis & 0xffff,
        number % 100,
        chance & 0xfff,
        chance >> 16
    ))
}

fn remote_id(number: u64) -> RemoteId {
    RemoteId::from((100_000_000 + number * 51).to_string())
}

/// Spreads numbers as if by chance.
fn mix(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
pub static T: [std::sync::atomic::AtomicU64; 3] = [const { std::sync::atomic::AtomicU64::new(0) }; 3];
impl Import {
    pub async fn take(&self, page: Page) {
        use std::sync::atomic::Ordering::Relaxed;
        let t = std::time::Instant::now();
        let _links = self.store.links(&self.scope, &LinkEnds::Remote(page.remote_ids)).await.unwrap();
        T[0].fetch_add(t.elapsed().as_nanos() as u64, Relaxed);
        let t = std::time::Instant::now();
        let _found = self.store.find(&self.scope.tenant, Resource::Contact, &page.keys).await.unwrap();
        T[1].fetch_add(t.elapsed().as_nanos() as u64, Relaxed);
        let t = std::time::Instant::now();
        let _ = self.store.commit_page(&self.scope, &self.lease, page.commit).await.unwrap();
        T[2].fetch_add(t.elapsed().as_nanos() as u64, Relaxed);
    }
}

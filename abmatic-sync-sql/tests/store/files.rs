//! The database as a file: opened again, by two at once, by an older program, when it is none.

use abmatic_sync_core::error::ErrorKind;
use abmatic_sync_core::ids::TenantId;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::store::records::RecordStore;
use abmatic_sync_core::store::state::StateStore;
use abmatic_sync_sql::store::{SqliteOptions, SqliteStore};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Executor};

use crate::support::{at, fields, scope, tenant};

#[tokio::test]
async fn a_file_opened_again_holds_what_it_held() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sync.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let made = store.create(&tenant(), Resource::Account, fields([("website", "acme.com")]), at(0)).await.unwrap();
    store.save_settings(&scope(), "kept").await.unwrap();
    store.close().await;
    let store = SqliteStore::open_with(&path, SqliteOptions::new().with_readers(1)).await.unwrap();
    let found = store.find(&tenant(), Resource::Account, &["acme.com".to_owned()]).await.unwrap();
    assert_eq!(found[0].record, made);
    assert_eq!(store.settings(&scope()).await.unwrap().as_deref(), Some("kept"));
    let next = store.create(&tenant(), Resource::Account, fields([]), at(0)).await.unwrap();
    assert!(next.version > made.version && next.id > made.id);
}

#[tokio::test]
async fn two_stores_on_one_file_see_each_others_writes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sync.db");
    let few_keys = SqliteOptions::new().with_recent_keys_max(7);
    let one = SqliteStore::open(&path).await.unwrap();
    let two = SqliteStore::open_with(&path, few_keys).await.unwrap();
    for number in 0..20_i64 {
        let (writer, reader) = if number % 2 == 0 { (&one, &two) } else { (&two, &one) };
        let website = format!("acme{number}.com");
        let made =
            writer.create(&tenant(), Resource::Account, fields([("website", &website)]), at(number)).await.unwrap();
        for store in [writer, reader] {
            let found = store.find(&tenant(), Resource::Account, std::slice::from_ref(&website)).await.unwrap();
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].record, made);
        }
    }
    let (left, right) = tokio::join!(edits(&one, "left"), edits(&two, "right"));
    assert_eq!(left + right, 40);
    assert_eq!(one.count(&TenantId::from("race"), Resource::Contact).await.unwrap(), 40);
}

async fn edits(store: &SqliteStore, name: &str) -> usize {
    for number in 0..20 {
        let fields = fields([("first_name", name)]);
        store.create(&TenantId::from("race"), Resource::Contact, fields, at(number)).await.unwrap();
    }
    20
}

#[tokio::test]
async fn a_file_of_a_later_version_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sync.db");
    SqliteStore::open(&path).await.unwrap().close().await;
    let mut connection = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    let later = "INSERT INTO abmatic_migrations (version, description, success, checksum, execution_time)
                 VALUES (9999, 'later', 1, x'00', 0)";
    connection.execute(later).await.unwrap();
    drop(connection);
    let error = SqliteStore::open(&path).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(error.message().contains("later version") && error.message().contains("9999"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_opened_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("not.db");
    std::fs::write(&path, "this is text, and long enough to be taken for a database's header ".repeat(20)).unwrap();
    let error = SqliteStore::open(&path).await.unwrap_err();
    assert!(error.message().contains("no SQLite database"), "{error}");
    let error = SqliteStore::open(directory.path().join("missing/sync.db")).await.unwrap_err();
    assert!(error.message().contains("cannot be opened"), "{error}");
}

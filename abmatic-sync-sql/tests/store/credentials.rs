//! Secrets: sealed in the file, bound to their row, changed by one party at a time.

use abmatic_sync_core::error::ErrorCode;
use abmatic_sync_core::ids::ConnectionId;
use abmatic_sync_core::store::credentials::CredentialStore;
use abmatic_sync_sql::credentials::SqliteCredentials;
use abmatic_sync_sql::store::SqliteStore;
use abmatic_sync_sql::vault::Keyring;
use secrecy::ExposeSecret;

use crate::support::{at, connection, store, tenant};

const SECRET: &str = "refresh-token-5Aep861";

async fn secret(credentials: &SqliteCredentials) -> Option<String> {
    let kept = credentials.secret(&tenant(), &connection()).await.unwrap();
    kept.map(|kept| kept.secret.expose_secret().to_owned())
}

#[tokio::test]
async fn nothing_of_a_secret_is_in_the_file_and_a_moved_row_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("host.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let credentials = store.credentials(Keyring::new(1, [7; 32]));
    credentials.keep_secret(&tenant(), &connection(), &SECRET.into(), None).await.unwrap();
    credentials.keep_pending("state-1", &SECRET.into(), at(60)).await.unwrap();
    assert_eq!(secret(&credentials).await.as_deref(), Some(SECRET));
    store.close().await;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()));
    }
    let raw = sqlx::SqlitePool::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    sqlx::query("UPDATE abmatic_secret SET connection = 'other'").execute(&raw).await.unwrap();
    raw.close().await;
    let credentials = SqliteStore::open(&path).await.unwrap().credentials(Keyring::new(1, [7; 32]));
    let error = credentials.secret(&tenant(), &ConnectionId::from("other")).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::StoreFailed);
    assert!(!format!("{error:?} {credentials:?}").contains(SECRET));
}

#[tokio::test]
async fn keys_rotate() {
    let store = store().await;
    let old = store.credentials(Keyring::new(1, [1; 32]));
    old.keep_secret(&tenant(), &connection(), &SECRET.into(), None).await.unwrap();
    let both = store.credentials(Keyring::new(2, [2; 32]).with_old(1, [1; 32]));
    assert_eq!(secret(&both).await.as_deref(), Some(SECRET));
    let new = store.credentials(Keyring::new(2, [2; 32]));
    let missing = new.secret(&tenant(), &connection()).await.unwrap_err();
    assert!(missing.to_string().contains("needs key 1"), "{missing}");
    assert_eq!((both.reseal().await.unwrap(), both.reseal().await.unwrap()), (1, 0));
    assert_eq!(secret(&new).await.as_deref(), Some(SECRET));
    let wrong = store.credentials(Keyring::new(2, [9; 32]));
    assert!(wrong.secret(&tenant(), &connection()).await.is_err());
}

#[tokio::test]
async fn one_party_changes_a_secret_at_a_time() {
    let credentials = store().await.credentials(Keyring::new(1, [7; 32]));
    let (tenant, connection) = (tenant(), connection());
    assert!(!credentials.claim(&tenant, &connection, at(0), at(30)).await.unwrap(), "there is nothing to change");
    let first = credentials.keep_secret(&tenant, &connection, &"one".into(), None).await.unwrap();
    assert!(credentials.claim(&tenant, &connection, at(0), at(30)).await.unwrap());
    assert!(!credentials.claim(&tenant, &connection, at(29), at(60)).await.unwrap());
    credentials.unclaim(&tenant, &connection).await.unwrap();
    assert!(credentials.claim(&tenant, &connection, at(29), at(60)).await.unwrap());
    assert!(credentials.claim(&tenant, &connection, at(60), at(90)).await.unwrap(), "whoever held it took too long");
    let second = credentials.keep_secret(&tenant, &connection, &"two".into(), Some(first)).await.unwrap();
    assert!(second > first);
    assert!(credentials.claim(&tenant, &connection, at(61), at(90)).await.unwrap(), "a change ends the claim");
    let late = credentials.keep_secret(&tenant, &connection, &"late".into(), Some(first)).await.unwrap_err();
    assert_eq!(late.code(), ErrorCode::ConcurrentChange);
    assert_eq!(secret(&credentials).await.as_deref(), Some("two"));
    credentials.forget_secret(&tenant, &connection).await.unwrap();
    assert!(credentials.keep_secret(&tenant, &connection, &"late".into(), Some(second)).await.is_err());
    assert_eq!(secret(&credentials).await, None);
}

#[tokio::test]
async fn a_pending_secret_is_given_once_and_in_time() {
    let credentials = store().await.credentials(Keyring::new(1, [7; 32]));
    credentials.keep_pending("state-1", &"verifier".into(), at(60)).await.unwrap();
    credentials.keep_pending("state-2", &"verifier".into(), at(60)).await.unwrap();
    let taken = credentials.take_pending("state-1", at(59)).await.unwrap();
    assert_eq!(taken.unwrap().expose_secret(), "verifier");
    assert!(credentials.take_pending("state-1", at(59)).await.unwrap().is_none());
    assert!(credentials.take_pending("state-2", at(60)).await.unwrap().is_none());
    assert!(credentials.take_pending("state-2", at(0)).await.unwrap().is_none());
}

//! What a host does with its own records.

use abmatic_sync_core::error::ErrorCode;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::store::records::RecordStore;

use crate::support::{at, fields, store, tenant};

#[tokio::test]
async fn a_host_creates_edits_deletes_and_lists() {
    let store = store().await;
    let mut ids = Vec::new();
    for (number, name) in ["Acme", "Beta", "Core"].into_iter().enumerate() {
        let seconds = i64::try_from(number).unwrap();
        let record = store.create(&tenant(), Resource::Account, fields([("name", name)]), at(seconds)).await.unwrap();
        assert_eq!(record.fields.get("name"), Some(&Value::text(name)));
        ids.push(record.id);
    }
    assert!(ids.is_sorted());
    let edited = store.edit(&tenant(), Resource::Account, &ids[1], fields([("website", "beta.com")]), at(9)).await;
    let found = store.find(&tenant(), Resource::Account, &["beta.com".to_owned()]).await.unwrap();
    assert_eq!(found[0].record.version, edited.unwrap());
    assert_eq!(found[0].record.edited_at.get("website"), Some(&at(9)));
    let page = store.list(&tenant(), Resource::Account, 2, None).await.unwrap();
    assert_eq!(page.iter().map(|record| &record.id).collect::<Vec<_>>(), [&ids[0], &ids[1]]);
    store.delete(&tenant(), Resource::Account, &ids[2], at(10)).await.unwrap();
    assert!(store.list(&tenant(), Resource::Account, 2, Some(&ids[1])).await.unwrap().is_empty());
    let read = store.read(&tenant(), Resource::Account, &ids[2..]).await.unwrap();
    assert!(read[0].deleted && read[0].fields.get("name").is_some());
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let store = store().await;
    let error = store.create(&tenant(), Resource::Contact, fields([("emial", "x")]), at(0)).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (ErrorCode::InvalidField, "contact has no field \"emial\""));
    let error = store.edit(&tenant(), Resource::Contact, &"c1".into(), fields([]), at(0)).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (ErrorCode::RecordGone, "there is no contact c1"));
    let made = store.create(&tenant(), Resource::Contact, fields([]), at(0)).await.unwrap();
    store.delete(&tenant(), Resource::Contact, &made.id, at(1)).await.unwrap();
    let error = store.delete(&tenant(), Resource::Contact, &made.id, at(2)).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::RecordGone);
}

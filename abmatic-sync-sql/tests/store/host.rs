//! What a host does with its own records.

use abmatic_sync_core::error::ErrorCode;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::store::records::{LocalOutcome, LocalWrite, RecordStore};

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

#[tokio::test]
async fn a_deleted_record_comes_back_as_it_was() {
    let store = store().await;
    let made = store.create(&tenant(), Resource::Account, fields([("website", "acme.com")]), at(0)).await.unwrap();
    let error = store.restore(&tenant(), Resource::Account, &made.id, at(1)).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::RecordGone);
    let deleted = store.delete(&tenant(), Resource::Account, &made.id, at(1)).await.unwrap();
    let restored = store.restore(&tenant(), Resource::Account, &made.id, at(2)).await.unwrap();
    assert!(restored > deleted && deleted > made.version);
    let found = store.find(&tenant(), Resource::Account, &["acme.com".to_owned()]).await.unwrap();
    assert_eq!((&found[0].record.fields, found[0].record.deleted), (&made.fields, false));
}

#[tokio::test]
async fn the_engine_deletes_only_what_it_has_read() {
    let store = store().await;
    let made = store.create(&tenant(), Resource::Account, fields([("website", "acme.com")]), at(0)).await.unwrap();
    let read = made.version;
    let edited = store.edit(&tenant(), Resource::Account, &made.id, fields([("name", "Acme")]), at(1)).await.unwrap();
    let delete = |version| LocalWrite::delete(made.id.clone(), version, at(2));
    let outcomes = store.upsert(&tenant(), Resource::Account, &[delete(read), delete(edited)]).await.unwrap();
    assert_eq!(outcomes[0], LocalOutcome::Refused);
    let record = store.read(&tenant(), Resource::Account, std::slice::from_ref(&made.id)).await.unwrap().remove(0);
    assert!(record.deleted && outcomes[1] == LocalOutcome::Written(record.version));
    assert!(store.find(&tenant(), Resource::Account, &["acme.com".to_owned()]).await.unwrap().is_empty());
    let again = store.upsert(&tenant(), Resource::Account, &[delete(record.version)]).await.unwrap();
    assert_eq!(again, [LocalOutcome::Refused]);
}

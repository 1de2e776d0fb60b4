//! Bulk API 2.0: large reads, their ends and failures, and large writes.

use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{Read, ReadRequest};
use abmatic_sync_core::error::ErrorKind;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use serde_json::{Value as Json, json};
use wiremock::matchers::{body_string, header, method, path};
use wiremock::{Mock, ResponseTemplate};

use crate::org::{DATA, Key, Org, create, fields_of, ids, names, page, record, saved, shown};

const A: &str = "001000000000001AAA";
const B: &str = "001000000000002AAA";
const C: &str = "001000000000003AAA";
const JOB: &str = "750000000000001AAA";

async fn large_org() -> Org {
    let org = Org::with(Key::Absent, |builder| builder.bulk_read_min(3).bulk_page(1)).await;
    let first = json!({"totalSize": 3, "done": false, "nextRecordsUrl": format!("{DATA}/query/01g-1"),
        "records": [record("Account", A, json!({"Name": "A"}))]});
    org.query("query", "SELECT Name,Id,CreatedDate,SystemModstamp FROM Account ORDER BY Id", first).await;
    org
}

fn request() -> ReadRequest {
    ReadRequest::new(Resource::Account, Read::All).with_fields(names(["Name"]))
}

fn job(state: &str) -> Json {
    json!({"id": JOB, "state": state, "operation": "query"})
}

#[tokio::test]
async fn a_large_read_goes_on_by_bulk_page_by_page() {
    let org = large_org().await;
    let soql = format!("SELECT Name,Id,CreatedDate,SystemModstamp FROM Account WHERE Id > '{A}'");
    let body = json!({"operation": "query", "query": soql, "columnDelimiter": "COMMA", "lineEnding": "LF"});
    org.expect("POST", "jobs/query", body, job("UploadComplete")).await;
    let poll = Mock::given(method("GET")).and(path(format!("{DATA}/jobs/query/{JOB}")));
    let working = ResponseTemplate::new(200).set_body_json(job("InProgress"));
    poll.respond_with(working).up_to_n_times(5).mount(&org.server).await;
    org.answer("GET", &format!("jobs/query/{JOB}"), 200, job("JobComplete")).await;
    let results = format!("jobs/query/{JOB}/results");
    let csv = format!("\"Name\",\"Id\",\"SystemModstamp\"\n\"B\nline, two\",\"{B}\",\"2026-02-03T09:10:11.000Z\"\n");
    org.csv(&results, None, Some("MTAw"), &csv).await;
    let csv = format!("\"Name\",\"Id\",\"SystemModstamp\"\n\"\",\"{C}\",\"\"\n");
    org.csv(&results, Some("MTAw"), Some("null"), &csv).await;
    let mut cursor = org.read(request()).await.next;
    let mut found = Vec::new();
    while cursor.is_some() {
        let page = org.read(request().at(cursor)).await;
        found.extend(page.records);
        cursor = page.next;
    }
    assert_eq!(found.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), [B, C]);
    assert_eq!(found[0].fields, fields_of(&[("Name", "B\nline, two".into())]));
    assert_eq!(found[0].modified_at, Some("2026-02-03T09:10:11Z".parse().unwrap()));
    assert_eq!(found[1].fields, fields_of(&[("Name", Value::Null)]));
    assert!(org.clock.waited().num_seconds() > 10, "it is asked for ever more seldom");
}

#[tokio::test]
async fn where_bulk_is_not_to_be_had_or_fails_the_query_goes_on() {
    for refuse in [true, false] {
        let org = large_org().await;
        let refusal =
            json!([{"errorCode": "INVALIDENTITY", "message": "Entity 'Account' is not supported by the Bulk API."}]);
        match refuse {
            true => org.answer("POST", "jobs/query", 400, refusal).await,
            false => org.answer("POST", "jobs/query", 200, job("UploadComplete")).await,
        }
        org.answer("GET", &format!("jobs/query/{JOB}"), 200, job("Failed")).await;
        let soql = format!("SELECT Name,Id,CreatedDate,SystemModstamp FROM Account WHERE Id > '{A}' ORDER BY Id");
        org.query("query", &soql, page(vec![record("Account", B, json!({"Name": "B"}))])).await;
        let mut next = org.read(request()).await.next;
        let mut found = Vec::new();
        while next.is_some() {
            let page = org.read(request().at(next)).await;
            found.extend(ids(&page).into_iter().map(str::to_owned));
            next = page.next;
        }
        assert_eq!(found, [B]);
    }
}

#[tokio::test]
async fn a_large_push_is_one_job_and_its_results_find_their_rows() {
    let org = Org::with(Key::Present, |builder| builder.bulk_write_min(4)).await;
    let body = json!({"object": "Account", "operation": "upsert", "externalIdFieldName": "Abmatic_Id__c",
        "contentType": "CSV", "lineEnding": "LF", "columnDelimiter": "COMMA"});
    org.expect("POST", "jobs/ingest", body, json!({"id": JOB, "state": "Open"})).await;
    let csv = "Abmatic_Id__c,Name,Website\ni1,A,\ni2,B,b.com\ni3,C,\ni4,D,\n";
    let upload = Mock::given(method("PUT")).and(path(format!("{DATA}/jobs/ingest/{JOB}/batches")));
    let upload = upload.and(header("content-type", "text/csv")).and(body_string(csv));
    upload.respond_with(ResponseTemplate::new(201)).expect(1).mount(&org.server).await;
    org.expect(
        "PATCH",
        &format!("jobs/ingest/{JOB}"),
        json!({"state": "UploadComplete"}),
        json!({"id": JOB, "state": "UploadComplete"}),
    )
    .await;
    org.answer(
        "GET",
        &format!("jobs/ingest/{JOB}"),
        200,
        json!({"id": JOB, "state": "JobComplete", "numberRecordsFailed": 1}),
    )
    .await;
    let done = format!(
        "\"sf__Id\",\"sf__Created\",Abmatic_Id__c,Name,Website\n\"{B}\",\"true\",i3,C,\n\"{A}\",\"true\",i1,A,\n"
    );
    org.csv(&format!("jobs/ingest/{JOB}/successfulResults/"), None, None, &done).await;
    let failed = "\"sf__Id\",\"sf__Error\",Abmatic_Id__c,Name,Website\n\"\",\"STRING_TOO_LONG:Name: data value too large:Name --\",i2,B,b.com\n";
    org.csv(&format!("jobs/ingest/{JOB}/failedResults/"), None, None, failed).await;
    org.answer("PATCH", "composite/sobjects/Account/Abmatic_Id__c", 200, json!([saved(C)])).await;
    org.answer("POST", "composite/sobjects/Account", 200, json!([])).await;
    let write =
        |intent: &str, name: &str, site: &str| create(intent, &[("Name", name.into()), ("Website", site.into())]);
    let writes = vec![write("i1", "A", ""), write("i2", "B", "b.com"), write("i3", "C", ""), write("i4", "D", "")];
    assert_eq!(shown(&org.write(Resource::Account, writes).await), [A, "Invalid", B, C]);
    let again = org.sent("PATCH", "composite/sobjects/Account/Abmatic_Id__c").await;
    assert_eq!(again[0]["records"][0]["Abmatic_Id__c"], "i4", "what the job left goes by Collections");
}

#[tokio::test]
async fn a_job_whose_end_nobody_saw_is_in_doubt() {
    let org = Org::with(Key::Present, |builder| builder.bulk_write_min(1)).await;
    org.answer("POST", "jobs/ingest", 200, json!({"id": JOB, "state": "Open"})).await;
    org.answer("PUT", &format!("jobs/ingest/{JOB}/batches"), 201, json!(null)).await;
    org.answer("PATCH", &format!("jobs/ingest/{JOB}"), 200, json!({"id": JOB, "state": "UploadComplete"})).await;
    org.answer("GET", &format!("jobs/ingest/{JOB}"), 503, json!(null)).await;
    let writes = vec![create("i1", &[("Name", "A".into())])];
    let outcomes = org.connector.write(&org.on, Resource::Account, writes).await.unwrap();
    assert_eq!(shown(&outcomes), [format!("{:?}", ErrorKind::Ambiguous)]);
}

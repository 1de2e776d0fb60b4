//! Bulk API 2.0.

use abmatic_sync_testkit::fake::exchange::Response;
use serde_json::{Value, json};

use crate::desk::Desk;

fn start(desk: &Desk, soql: &str) -> String {
    let (status, job) = desk.post("/jobs/query", &json!({"operation": "query", "query": soql}));
    assert_eq!((status, &job["state"]), (200, &json!("UploadComplete")), "{job}");
    job["id"].as_str().unwrap().to_owned()
}

/// Polls until the job is over, and answers what it said.
fn states(desk: &Desk, path: &str) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        let (_, job) = desk.get(path);
        let state = job["state"].as_str().unwrap().to_owned();
        seen.push(state.clone());
        if !matches!(state.as_str(), "UploadComplete" | "InProgress") {
            return seen;
        }
    }
}

#[test]
fn query_results_are_read_page_by_page() {
    let desk = Desk::with(|builder| builder.seed_records(25).bulk_polls(2));
    let id = start(&desk, "SELECT Id, Account.Name, CreatedDate, HasOptedOutOfEmail FROM Contact");
    let path = format!("/jobs/query/{id}");
    assert_eq!(desk.get(&format!("{path}/results")).0, 400, "not yet");
    assert_eq!(states(&desk, &path), ["InProgress", "InProgress", "JobComplete"]);
    let (_, job) = desk.get(&path);
    assert_eq!(
        (&job["numberRecordsProcessed"], &job["jobType"], &job["apiVersion"]),
        (&json!(25), &json!("V2Query"), &json!(62.0))
    );
    let mut locator = String::new();
    let mut lines = Vec::new();
    let mut counts = Vec::new();
    while locator != "null" {
        let target =
            if locator.is_empty() { "maxRecords=10".to_owned() } else { format!("maxRecords=10&locator={locator}") };
        let page = desk.send("GET", &format!("{path}/results?{target}"), &Value::Null);
        let text = page.text().into_owned();
        assert!(
            text.starts_with("\"Id\",\"Account.Name\",\"CreatedDate\",\"HasOptedOutOfEmail\"\n"),
            "a header on every page"
        );
        lines.extend(text.lines().skip(1).map(str::to_owned));
        counts.push(page.header("Sforce-NumberOfRecords").unwrap().to_owned());
        page.header("Sforce-Locator").unwrap().clone_into(&mut locator);
    }
    assert_eq!((lines.len(), counts.join(",")), (25, "10,10,5".to_owned()));
    assert!(lines[0].contains(".000Z\",\"false\"") || lines[0].contains(".000Z\",\"true\""), "{}", lines[0]);
    let (status, body) = desk.get(&format!("/services/data/v61.0{path}/results"));
    assert_eq!((status, body.is_array()), (409, true), "another version than the job's");
    let (_, pages) = desk.get(&format!("{path}/resultPages?maxRecords=10"));
    assert_eq!((pages["resultPages"].as_array().unwrap().len(), &pages["done"]), (3, &json!(true)));
    assert_eq!(desk.call("DELETE", &path, &Value::Null).0, 204);
    assert_eq!(desk.get(&path).0, 404);
}

#[test]
fn query_jobs_can_be_aborted_and_have_their_limits() {
    let desk = Desk::new();
    let id = start(&desk, "SELECT Id FROM Account");
    let (status, job) = desk.patch(&format!("/jobs/query/{id}"), &json!({"state": "Aborted"}));
    assert_eq!((status, &job["state"]), (200, &json!("Aborted")));
    for (soql, code) in [
        ("SELECT COUNT() FROM Account", "API_ERROR"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "API_ERROR"),
        ("SELECT BillingAddress FROM Account", "API_ERROR"),
        ("SELECT Foo FROM Account", "INVALID_FIELD"),
        ("SELECT FROM", "MALFORMED_QUERY"),
    ] {
        let (status, body) = desk.post("/jobs/query", &json!({"operation": "query", "query": soql}));
        assert_eq!((status, &body[0]["errorCode"]), (400, &json!(code)), "{soql}");
    }
    assert_eq!(desk.get("/jobs/query").1["records"].as_array().unwrap().len(), 1);
}

fn load(desk: &Desk, job: &Value, csv: &str) -> String {
    let (status, made) = desk.post("/jobs/ingest", job);
    assert_eq!((status, &made["state"]), (200, &json!("Open")), "{made}");
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(made["contentUrl"], format!("services/data/v62.0/jobs/ingest/{id}/batches"));
    assert_eq!(put(desk, &id, csv).status, 201);
    assert_eq!(put(desk, &id, csv).status, 400, "once only");
    let (_, started) = desk.patch(&format!("/jobs/ingest/{id}"), &json!({"state": "UploadComplete"}));
    assert_eq!(started["state"], "UploadComplete");
    id
}

fn put(desk: &Desk, id: &str, csv: &str) -> Response {
    let mut request =
        desk.request("PUT", &format!("/jobs/ingest/{id}/batches")).with_header("Content-Type", "text/csv");
    request.body = csv.as_bytes().to_vec();
    desk.0.answer(&request)
}

fn lines(desk: &Desk, id: &str, which: &str) -> Vec<String> {
    let file = desk.send("GET", &format!("/jobs/ingest/{id}/{which}/"), &Value::Null).text().into_owned();
    let mut lines: Vec<String> = file.lines().map(str::to_owned).collect();
    lines.get_mut(1..).unwrap_or_default().sort();
    lines
}

#[test]
fn upserts_go_by_their_external_id() {
    let desk = Desk::new();
    let account = desk.make("Account", &json!({"Name": "Old", "Abmatic_Id__c": "h1", "Website": "a.test", "Fax": "1"}));
    let job = json!({"object": "Account", "operation": "upsert", "externalIdFieldName": "Abmatic_Id__c", "contentType": "CSV", "lineEnding": "LF"});
    let csv = "Abmatic_Id__c,Name,Website,Fax\nh1,New,,#N/A\nh2,\"Two, \"\"quoted\"\"\nlines\",b.test,\nh3,,c.test,\n,Nameless,,\n";
    let id = load(&desk, &job, csv);
    assert_eq!(states(&desk, &format!("/jobs/ingest/{id}")), ["InProgress", "JobComplete"]);
    let (_, done) = desk.get(&format!("/jobs/ingest/{id}"));
    assert_eq!((&done["numberRecordsProcessed"], &done["numberRecordsFailed"]), (&json!(4), &json!(2)));
    let good = desk.send("GET", &format!("/jobs/ingest/{id}/successfulResults"), &Value::Null).text().into_owned();
    assert!(good.starts_with("\"sf__Id\",\"sf__Created\",\"Abmatic_Id__c\",\"Name\",\"Website\",\"Fax\"\n"));
    assert!(good.contains(&format!("\"{account}\",\"false\",\"h1\",\"New\",\"\",\"#N/A\"\n")));
    assert!(good.contains("\"true\",\"h2\",\"Two, \"\"quoted\"\"\nlines\",\"b.test\",\"\"\n"));
    assert_eq!(
        lines(&desk, &id, "failedResults")[1..],
        [
            "\"\",\"MISSING_ARGUMENT:Abmatic_Id__c not specified: --\",\"\",\"Nameless\",\"\",\"\"",
            "\"\",\"REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --\",\"h3\",\"\",\"c.test\",\"\"",
        ]
    );
    let record = desk.0.user().record("Account", &account).unwrap();
    assert_eq!((record.get("Website"), record.get("Fax")), ("a.test", ""), "an empty cell leaves alone, #N/A clears");
    assert_eq!(lines(&desk, &id, "unprocessedrecords").len(), 1);
}

#[test]
fn updates_deletes_and_inserts_with_references() {
    let desk = Desk::new();
    let account = desk.make("Account", &json!({"Name": "A", "Abmatic_Id__c": "h1"}));
    let job = |operation: &str, object: &str| json!({"object": object, "operation": operation});
    let id = load(
        &desk,
        &job("insert", "Contact"),
        "LastName,Account.Abmatic_Id__c,Owner.Username,HasOptedOutOfEmail\nRoe,h1,jo.marsh@acme.test,1\nVoid,h9,,\n",
    );
    states(&desk, &format!("/jobs/ingest/{id}"));
    let contact = desk.0.user().records("Contact").remove(0);
    assert_eq!((contact.get("AccountId"), contact.get("HasOptedOutOfEmail")), (account.as_str(), "true"));
    assert!(
        lines(&desk, &id, "failedResults")[1]
            .contains("INVALID_FIELD:Foreign key external ID: h9 not found for field Abmatic_Id__c in entity Account")
    );
    let id = load(
        &desk,
        &job("update", "Account"),
        &format!("Id,Name,Renewal_Date__c\n{account},B,\n{account},C,soon\n001000000000000AAA,D,\n"),
    );
    states(&desk, &format!("/jobs/ingest/{id}"));
    let failed = lines(&desk, &id, "failedResults");
    assert!(failed[1].starts_with("\"\",\"INVALID_CROSS_REFERENCE_KEY:"), "{failed:?}");
    assert!(
        failed[2].contains(
            "INVALID_TYPE_ON_FIELD_IN_RECORD:Renewal Date: value not of required type: soon:Renewal_Date__c --"
        )
    );
    let id = load(&desk, &job("delete", "Account"), &format!("Id\n{account}\n"));
    states(&desk, &format!("/jobs/ingest/{id}"));
    assert!(desk.0.user().record("Account", &account).unwrap().deleted);
}

#[test]
fn files_that_do_not_fit_fail_their_job() {
    let desk = Desk::new();
    let job = json!({"object": "Account", "operation": "insert"});
    for (csv, words) in
        [("Nope\nx\n", "Field name not found : Nope"), ("Name\r\nx\r\n", "LineEnding is invalid on user data")]
    {
        let id = load(&desk, &job, csv);
        assert_eq!(states(&desk, &format!("/jobs/ingest/{id}")).last().unwrap(), "Failed");
        let (_, done) = desk.get(&format!("/jobs/ingest/{id}"));
        assert!(done["errorMessage"].as_str().unwrap().contains(words), "{done}");
        assert_eq!(lines(&desk, &id, "unprocessedrecords").len(), 2);
    }
    let (_, made) = desk.post("/jobs/ingest", &job);
    let path = format!("/jobs/ingest/{}", made["id"].as_str().unwrap());
    assert_eq!(desk.patch(&path, &json!({"state": "Aborted"})).1["state"], "Aborted");
    assert_eq!(desk.call("DELETE", &path, &Value::Null).0, 204);
    assert_eq!(
        desk.post("/jobs/ingest", &json!({"object": "X", "operation": "insert"})).1[0]["errorCode"],
        "INVALIDENTITY"
    );
    assert_eq!(
        desk.post("/jobs/ingest", &json!({"object": "Account", "operation": "upsert"})).1[0]["errorCode"],
        "INVALIDJOB"
    );
}

//! SOQL and the pages of its results.

use serde_json::{Value, json};

use crate::desk::Desk;

fn people() -> Desk {
    let desk = Desk::new();
    let acme = desk.make("Account", &json!({"Name": "Acme", "Industry": "Media", "AnnualRevenue": 100}));
    desk.make("Account", &json!({"Name": "beta", "Interests__c": "Security;Analytics", "Is_Target__c": true}));
    desk.make("Account", &json!({"Name": "50% Off_", "AnnualRevenue": 20.5, "Renewal_Date__c": "2026-12-24"}));
    desk.make(
        "Contact",
        &json!({"LastName": "O'Neil", "FirstName": "Ann", "Email": "Ann@Acme.com", "AccountId": acme}),
    );
    desk.make("Contact", &json!({"LastName": "Roe", "Email": "roe@beta.com"}));
    desk.make("Contact", &json!({"LastName": "Void"}));
    desk
}

#[test]
fn records_have_the_documented_shape() {
    let desk = people();
    let (status, body) =
        desk.query("select id, ACCOUNT.name, account.Owner.Name, LASTNAME from contact order by LastName limit 2");
    assert_eq!((status, &body["totalSize"], &body["done"]), (200, &json!(2), &json!(true)));
    let first = &body["records"][0];
    assert_eq!((&first["LastName"], &first["Account"]["Name"]), (&json!("O'Neil"), &json!("Acme")));
    assert_eq!(first["Account"]["Owner"]["Name"], "Integration");
    assert_eq!(first["Account"]["attributes"]["type"], "Account");
    assert_eq!(body["records"][1]["Account"], Value::Null);
    assert!(body.get("nextRecordsUrl").is_none());
    let raw = desk.send("GET", "/query?q=SELECT+Name,Id+FROM+Account+LIMIT+1", &Value::Null);
    let text = raw.text().into_owned();
    assert!(text.find("\"Name\"").unwrap() < text.find("\"Id\"").unwrap(), "keys in the order of the SELECT");
}

#[test]
fn conditions_find_what_they_say() {
    let desk = people();
    for (condition, names) in [
        ("Name = 'ACME'", vec!["Acme"]),
        ("Name != 'acme'", vec!["50% Off_", "beta"]),
        ("Name LIKE 'a%'", vec!["Acme"]),
        (r"Name LIKE '50\%%' ", vec!["50% Off_"]),
        (r"Name LIKE '%\_'", vec!["50% Off_"]),
        ("Industry = null", vec!["50% Off_", "beta"]),
        ("Industry != 'Media'", vec!["50% Off_", "beta"]),
        ("NOT Industry = 'Media'", vec!["50% Off_", "beta"]),
        ("Industry = ''", vec!["50% Off_", "beta"]),
        ("Industry IN ('media', 'x')", vec!["Acme"]),
        ("Name NOT IN ('beta')", vec!["50% Off_", "Acme"]),
        ("AnnualRevenue > 20.4 AND AnnualRevenue <= 100", vec!["50% Off_", "Acme"]),
        ("(AnnualRevenue = 100 OR Is_Target__c = TRUE) AND Name < 'b'", vec!["Acme"]),
        ("Is_Target__c = FALSE", vec!["50% Off_", "Acme"]),
        ("Interests__c INCLUDES ('Analytics;Security', 'Billing')", vec!["beta"]),
        ("Interests__c EXCLUDES ('Security')", vec!["50% Off_", "Acme"]),
        ("Interests__c = 'Analytics;Security'", vec!["beta"]),
        ("Renewal_Date__c > 2026-12-23", vec!["50% Off_"]),
        ("Renewal_Date__c = NEXT_MONTH", vec!["50% Off_"]),
        ("CreatedDate = TODAY AND CreatedDate >= 2026-11-24T16:00:00.000Z", vec!["50% Off_", "Acme", "beta"]),
        ("SystemModstamp > 2026-11-24T17:00:00+01:00", vec![]),
        ("Id IN (SELECT AccountId FROM Contact WHERE Email LIKE '%@acme.com')", vec!["Acme"]),
        ("Owner.Username = 'integration@acme.test' AND Owner.IsActive = TRUE", vec!["50% Off_", "Acme", "beta"]),
    ] {
        let found = desk.column(&format!("SELECT Name FROM Account WHERE {condition} ORDER BY Name"), "Name");
        assert_eq!(found, names, "{condition}");
    }
    let found = desk.column(r"SELECT Id, Email FROM Contact WHERE LastName = 'O\'Neil'", "Email");
    assert_eq!(found, ["Ann@Acme.com"]);
}

#[test]
fn orders_limits_and_counts() {
    let desk = people();
    let names = |tail: &str| desk.column(&format!("SELECT Name FROM Account {tail}"), "Name");
    assert_eq!(names("ORDER BY AnnualRevenue"), ["beta", "50% Off_", "Acme"]);
    assert_eq!(names("ORDER BY AnnualRevenue DESC"), ["Acme", "50% Off_", "beta"]);
    assert_eq!(names("ORDER BY AnnualRevenue ASC NULLS LAST, Name"), ["50% Off_", "Acme", "beta"]);
    assert_eq!(names("ORDER BY Name LIMIT 1 OFFSET 1"), ["Acme"]);
    let count = desk.query("SELECT COUNT() FROM Contact WHERE Email != null");
    assert_eq!(count, (200, json!({"totalSize": 2, "done": true, "records": []})));
    let (_, ids) = desk.query("SELECT COUNT(Email), MAX(LastName) last FROM Contact");
    assert_eq!(ids["records"][0], json!({"attributes": {"type": "AggregateResult"}, "expr0": 2, "last": "Void"}));
    let (_, groups) = desk.query("SELECT Industry, COUNT(Id) n FROM Account GROUP BY Industry ORDER BY COUNT(Id) DESC");
    assert_eq!((&groups["records"][0]["n"], &groups["records"][1]["Industry"]), (&json!(2), &json!("Media")));
    let (_, nested) = desk.query("SELECT Name, (SELECT LastName FROM Contacts) FROM Account ORDER BY Name");
    assert_eq!(nested["records"][1]["Contacts"]["records"][0]["LastName"], "O'Neil");
    assert_eq!(nested["records"][0]["Contacts"], Value::Null);
}

#[test]
fn mistakes_are_named_with_their_place() {
    let desk = people();
    let (status, body) = desk.query("SELECT Id, Foo FROM Account");
    assert_eq!(status, 400);
    assert_eq!(
        body,
        json!([{"errorCode": "INVALID_FIELD", "message":
        "\nSELECT Id, Foo FROM Account\n           ^\nERROR at Row:1:Column:12\nNo such column 'Foo' on entity 'Account'. \
         If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please \
         reference your WSDL or the describe call for the appropriate names."}])
    );
    for (soql, code, words) in [
        ("SELECT Id FROM Widget__c", "INVALID_TYPE", "sObject type 'Widget__c' is not supported."),
        ("SELECT Id FROM Account WHERE Foo.Name = 'x'", "INVALID_FIELD", "Didn't understand relationship 'Foo'"),
        (
            "SELECT Id FROM Account WHERE Name = 'x' AND Id = null OR Id != null",
            "MALFORMED_QUERY",
            "unexpected token: 'OR'",
        ),
        ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered in a query call"),
        (
            "SELECT Id FROM Account WHERE CreatedDate > 2026-01-01",
            "INVALID_FIELD",
            "must be of type dateTime and should not be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Account WHERE Renewal_Date__c > '2026-01-01'",
            "INVALID_FIELD",
            "must be of type date and should not",
        ),
        ("SELECT Id FROM Account WHERE Id = 'banana'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: banana"),
        (r"SELECT Id FROM Account WHERE Name = '\x'", "MALFORMED_QUERY", r"Illegal character sequence '\x'"),
        ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"),
        ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY", "must have a LIMIT of at most 200"),
        ("SELECT Id, Id FROM Account", "INVALID_FIELD", "duplicate field selected: Id"),
        ("", "MALFORMED_QUERY", "A query string has to be specified"),
    ] {
        let (status, body) = desk.query(soql);
        assert_eq!((status, &body[0]["errorCode"]), (400, &json!(code)), "{soql}: {body}");
        assert!(body[0]["message"].as_str().unwrap().contains(words), "{soql}: {body}");
    }
    assert_eq!(desk.post("/query", &json!({"q": "SELECT Id FROM Account"})).0, 405);
}

#[test]
fn pages_follow_their_locator() {
    let desk = Desk::with(|builder| builder.seed_records(450));
    let mut request = desk.request("GET", "/query").with_header("Sforce-Query-Options", "batchSize=200");
    request.query.push(("q".to_owned(), "SELECT Id FROM Contact".to_owned()));
    let mut page = desk.0.answer(&request).json();
    let mut ids: Vec<Value> = Vec::new();
    assert_eq!(page["totalSize"], 450);
    loop {
        ids.extend(page["records"].as_array().unwrap().iter().map(|record| record["Id"].clone()));
        let Some(next) = page["nextRecordsUrl"].as_str().map(str::to_owned) else { break };
        assert!(next.ends_with(&format!("-{}", ids.len())));
        page = desk.get(&next).1;
    }
    ids.dedup();
    assert_eq!((ids.len(), &page["done"]), (450, &json!(true)));
    let (status, body) = desk.get("/query/01gRO0000016PIAYA2-2000");
    assert_eq!(
        (status, body),
        (400, json!([{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}]))
    );
    let first = desk.0.answer(&request).json()["nextRecordsUrl"].as_str().unwrap().to_owned();
    desk.0.advance_ms(2 * 86_400_000);
    assert_eq!(desk.get(&first).1[0]["errorCode"], "INVALID_QUERY_LOCATOR", "two days later");
}

#[test]
fn a_keyset_walk_sees_every_record_once() {
    let desk = Desk::with(|builder| builder.seed_records(300));
    let mut seen: Vec<String> = Vec::new();
    let mut condition = String::new();
    loop {
        let soql =
            format!("SELECT SystemModstamp, Id FROM Contact {condition} ORDER BY SystemModstamp ASC, Id ASC LIMIT 70");
        let (_, body) = desk.query(&soql);
        let records = body["records"].as_array().unwrap();
        let Some(last) = records.last() else { break };
        seen.extend(records.iter().map(|record| record["Id"].as_str().unwrap().to_owned()));
        let stamp = last["SystemModstamp"].as_str().unwrap().replace("+0000", "Z");
        let id = last["Id"].as_str().unwrap();
        condition = format!("WHERE (SystemModstamp > {stamp} OR (SystemModstamp = {stamp} AND Id > '{id}'))");
    }
    let total = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!((total, seen.len()), (300, 300));
}

#[test]
fn one_seed_gives_one_org() {
    let all = |seed: u64| {
        let desk = Desk::with(|builder| builder.seed_records(50).rng_seed(seed));
        let objects = ["Account", "Contact", "Lead", "Opportunity", "OpportunityContactRole", "CampaignMember"];
        objects.map(|object| desk.query(&format!("SELECT FIELDS(ALL) FROM {object} LIMIT 200")))
    };
    assert!(all(1).iter().all(|(status, body)| *status == 200 && body["totalSize"].as_u64() > Some(0)));
    assert_eq!(all(1), all(1));
    assert_ne!(all(1), all(2));
}

//! Refusals word for word, and the headers of every answer, as Salesforce documents them or as others have met them.

use abmatic_sync_testkit::fake::exchange::{Request, Response};
use abmatic_sync_testkit::fake::fault::{Fault, FaultKind};
use abmatic_sync_testkit::fake::salesforce::OAUTH_CLIENT;
use serde_json::{Value, json};

use crate::desk::Desk;

/// The one error of an answer.
fn only(answer: &Response) -> Value {
    let told = answer.json();
    assert_eq!(told.as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(answer.header("Content-Type"), Some("application/json;charset=UTF-8"));
    told[0].clone()
}

fn error(code: &str, message: &str) -> Value {
    json!({"errorCode": code, "message": message})
}

fn of_fields(code: &str, message: &str, fields: &[&str]) -> Value {
    json!({"errorCode": code, "message": message, "fields": fields})
}

#[test]
fn rows_are_refused_word_for_word() {
    let desk = Desk::new();
    let contact = desk.make("Contact", &json!({"LastName": "Roe"}));
    let read_only = "Unable to create/update fields: Name. Please check the security settings of this field and verify that \
                     it is read/write for your profile or permission set.";
    for (object, sent, wanted) in [
        ("Account", json!({}), of_fields("REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", &["Name"])),
        (
            "Contact",
            json!({"LastName": "R", "Name": "x"}),
            of_fields("INVALID_FIELD_FOR_INSERT_UPDATE", read_only, &["Name"]),
        ),
        (
            "Account",
            json!({"Name": "A", "Tier__c": "Z"}),
            of_fields(
                "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                "Tier: bad value for restricted picklist field: Z",
                &["Tier__c"],
            ),
        ),
        (
            "Account",
            json!({"Name": "A", "NumberOfEmployees": 123_456_789}),
            of_fields(
                "NUMBER_OUTSIDE_VALID_RANGE",
                "Employees: value outside of valid range on numeric field: 123456789",
                &["NumberOfEmployees"],
            ),
        ),
        (
            "Contact",
            json!({"LastName": "R", "AccountId": contact}),
            of_fields(
                "FIELD_INTEGRITY_EXCEPTION",
                &format!("Account ID: id value of incorrect type: {contact}"),
                &["AccountId"],
            ),
        ),
        (
            "Contact",
            json!({"LastName": "R", "AccountId": "001D000000IqhSLIAZ"}),
            of_fields("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &["AccountId"]),
        ),
        (
            "Account",
            json!({"Name": "A", "Renewal_Date__c": "x"}),
            error(
                "JSON_PARSER_ERROR",
                "Cannot deserialize instance of date from VALUE_STRING value x or request may be missing a required field at \
                 [line:1, column:2]",
            ),
        ),
    ] {
        let answer = desk.send("POST", &format!("/sobjects/{object}"), &sent);
        assert_eq!((answer.status, only(&answer)), (400, wanted), "{object} {sent}");
    }
    let row = json!({"attributes": {"type": "Account"}, "Id": contact, "Name": "B"});
    let (_, results) = desk.call("PATCH", "/composite/sobjects", &json!({"records": [row]}));
    let wanted = json!({
        "statusCode": "MALFORMED_ID", "fields": ["Id"],
        "message": format!("Account ID: id value of incorrect type: {contact}"),
    });
    assert_eq!(results[0]["errors"], json!([wanted]));
    let user = desk.column("SELECT Id FROM User WHERE IsActive = FALSE", "Id")[0].as_str().unwrap().to_owned();
    let answer = desk.send("POST", "/sobjects/Account", &json!({"Name": "A", "OwnerId": user}));
    let message = format!("operation performed with inactive user [{user}] as owner of account");
    assert_eq!((only(&answer)["message"].as_str(), answer.status), (Some(message.as_str()), 400));
}

#[test]
fn what_nobody_can_bring_about_is_a_fault_of_that_name() {
    let desk = Desk::new();
    let security =
        "We can't complete the action because enabled transaction security policies took too long to complete.";
    for (code, status, message) in [
        ("API_DISABLED_FOR_ORG", 403, "The REST API is not enabled for this Organization."),
        ("API_CURRENTLY_DISABLED", 403, "The REST API is not enabled for this Organization."),
        ("CLIENT_NOT_ACCESSIBLE_FOR_USER", 403, "The REST API is not enabled for this Organization."),
        ("CANNOT_EXECUTE_FLOW_TRIGGER", 400, "We can't save this record because the “Sync” process failed."),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", 400, "AccTrigger: execution of BeforeUpdate\n\ncaused by: System."),
        ("DELETE_FAILED", 400, "Your attempt to delete X could not be completed because it is associated with"),
        ("ENTITY_IS_LOCKED", 400, "This record is locked. If you need to edit it, contact your admin."),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", 400, ""),
        ("FUNCTIONALITY_NOT_ENABLED", 403, ""),
        ("INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", 503, ""),
        (
            "INSUFFICIENT_ACCESS",
            403,
            "You do not have the level of access necessary to perform the operation you requested.",
        ),
        ("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", 400, "insufficient access rights on cross-reference id: 001"),
        ("INSUFFICIENT_ACCESS_OR_READONLY", 400, "insufficient access rights on object id"),
        ("INVALID_OPERATION_WITH_EXPIRED_PASSWORD", 403, ""),
        ("INVALID_SESSION_ID", 401, "This session is not valid for use with the REST API"),
        ("OPERATION_TOO_LARGE", 400, ""),
        ("QUERY_TIMEOUT", 400, "Your query request was running for too long."),
        ("QUERY_TOO_COMPLICATED", 400, ""),
        ("REQUEST_RUNNING_TOO_LONG", 400, "Your request was running for too long, and has been stopped."),
        ("STORAGE_LIMIT_EXCEEDED", 400, "storage limit exceeded"),
        ("TXN_SECURITY_END_A_SESSION", 403, security),
        ("TXN_SECURITY_METERING_ERROR", 400, security),
        ("TXN_SECURITY_NO_ACCESS", 403, security),
        ("UNABLE_TO_LOCK_ROW", 500, "unable to obtain exclusive access to this record"),
    ] {
        desk.0.inject(Fault::new(FaultKind::ServerError).with_policy(code));
        let answer = desk.send("POST", "/sobjects/Account", &json!({"Name": "A"}));
        let told = only(&answer);
        assert_eq!((answer.status, &told["errorCode"]), (status, &json!(code)));
        assert!(told["message"].as_str().unwrap().starts_with(message), "{told}");
    }
    for (status, code, message) in [
        (503, "SERVER_UNAVAILABLE", "Server too busy"),
        (
            500,
            "UNKNOWN_EXCEPTION",
            "An unexpected error occurred. Please include this ErrorId if you contact support: 123-456 (789)",
        ),
    ] {
        desk.0.inject(Fault::new(FaultKind::ServerError).with_status(status));
        let answer = desk.send("GET", "/limits", &Value::Null);
        assert_eq!((answer.status, only(&answer)), (status, error(code, message)));
    }
    desk.0.inject(Fault::new(FaultKind::ServerError).with_status(420).as_html());
    let edge = desk.send("GET", "/limits", &Value::Null);
    assert!(edge.status == 420 && edge.text().contains("We are setting things up"), "{edge:?}");
    assert_eq!(desk.0.user().count("Account"), 0);
}

#[test]
fn limits_are_refused_without_a_time_to_wait() {
    let desk = Desk::new();
    for (policy, message) in [
        ("", "TotalRequests Limit exceeded."),
        ("CONCURRENT", "ConcurrentPerOrgLongTxn Limit exceeded."),
        ("CONCURRENT_REQUESTS", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
    ] {
        desk.0.inject(Fault::new(FaultKind::RateLimited).with_policy(policy));
        let answer = desk.send("GET", "/limits", &Value::Null);
        assert_eq!((answer.status, only(&answer)), (403, error("REQUEST_LIMIT_EXCEEDED", message)));
        assert_eq!(answer.header("Retry-After"), None);
    }
}

#[test]
fn paths_versions_and_conditions_are_refused_word_for_word() {
    let desk = Desk::new();
    let account = desk.make("Account", &json!({"Name": "A"}));
    let row = format!("/sobjects/Account/{account}");
    let nothing = error("NOT_FOUND", "The requested resource does not exist");
    for (method, target, status, wanted) in [
        ("GET", "/services/data/v69.0/limits".to_owned(), 404, nothing.clone()),
        ("GET", "/sobjects/Widget__c".to_owned(), 404, nothing.clone()),
        ("GET", "/sobjects/Account/001D000000IqhSLIAZ".to_owned(), 404, nothing),
        (
            "GET",
            "/services/data/v30.0/limits".to_owned(),
            410,
            error("UNSUPPORTED_API_VERSION", "The requested API version has been retired or is not supported."),
        ),
        (
            "PUT",
            row.clone(),
            405,
            error("METHOD_NOT_ALLOWED", "HTTP Method 'PUT' not allowed. Allowed are HEAD,GET,PATCH,DELETE"),
        ),
    ] {
        let answer = desk.send(method, &target, &Value::Null);
        assert_eq!((answer.status, only(&answer)), (status, wanted), "{method} {target}");
    }
    let mut text = desk.request("POST", "/sobjects/Account").with_header("Content-Type", "text/plain");
    text.body = b"Name=A".to_vec();
    let answer = desk.0.answer(&text);
    assert_eq!((answer.status, &only(&answer)["errorCode"]), (415, &json!("UNSUPPORTED_MEDIA_TYPE")));
    desk.0.advance_ms(60_000);
    desk.patch(&row, &json!({"Name": "B"}));
    let late = desk.request("PATCH", &row).with_header("If-Unmodified-Since", "Tue, 24 Nov 2026 16:00:00 GMT");
    let answer = desk.0.answer(&late.json(&json!({"Name": "C"})));
    let wanted = error(
        "PRECONDITION_FAILED",
        "One or more conditions specified in the conditional header(s) evaluated to false.",
    );
    assert_eq!((answer.status, only(&answer)), (412, wanted));
    let seen = desk.request("GET", &row).with_header("If-Modified-Since", "Tue, 24 Nov 2026 16:02:00 GMT");
    let answer = desk.0.answer(&seen);
    assert_eq!((answer.status, answer.body.len()), (304, 0));
}

#[test]
fn calls_for_many_are_refused_word_for_word() {
    let desk = Desk::new();
    let row = |fields: Value| {
        let mut row = json!({"attributes": {"type": "Account"}});
        row.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        row
    };
    let sent = json!({"allOrNone": true, "records": [row(json!({"Name": "A"})), row(json!({}))]});
    let (status, results) = desk.post("/composite/sobjects", &sent);
    let rolled_back = json!({"success": false, "errors": [{
        "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK", "fields": [],
        "message": "Record rolled back because not all records were valid and the request was using AllOrNone header",
    }]});
    assert_eq!((status, &results[0]), (200, &rolled_back));
    let many = json!({"records": vec![row(json!({"Name": "A"})); 201]});
    let answer = desk.send("POST", "/composite/sobjects", &many);
    let limit = "record limit reached. cannot submit more than 200 records in this request";
    assert_eq!((answer.status, only(&answer)), (400, error("EXCEEDED_MAX_SIZE_REQUEST", limit)));

    let call = |id: &str, body: Value| json!({"method": "POST", "url": "/services/data/v62.0/sobjects/Account", "referenceId": id, "body": body});
    let calls = json!({"allOrNone": true, "compositeRequest": [call("a", json!({"Name": "A"})), call("b", json!({}))]});
    let (_, halted) = desk.post("/composite", &calls);
    let wanted = json!([{
        "errorCode": "PROCESSING_HALTED",
        "message": "The transaction was rolled back since another operation in the same transaction failed.",
    }]);
    let first = &halted["compositeResponse"][0];
    assert_eq!((&first["httpStatusCode"], &first["body"]), (&json!(400), &wanted));
    let answer = desk.send("POST", "/composite", &json!({"compositeRequest": [call("x[1]", json!({"Name": "A"}))]}));
    let wanted = error(
        "JSON_PARSER_ERROR",
        "Provided referenceId ('x[1]') must start with a letter or a number, and it can contain only letters, numbers and \
         underscores ('_').",
    );
    assert_eq!((answer.status, only(&answer)), (400, wanted));
    let job = desk.send("POST", "/jobs/query", &json!({"operation": "query", "query": "SELECT Id FROM Widget__c"}));
    assert_eq!(job.status, 400, "{}", job.text());
    let load = desk.send("POST", "/jobs/ingest", &json!({"object": "X", "operation": "insert"}));
    let wanted = error("INVALIDENTITY", "Entity 'X' is not supported by the Bulk API.");
    assert_eq!((load.status, only(&load)), (400, wanted));
}

/// What the token endpoint answers to a form.
fn ask(desk: &Desk, form: &[(&str, &str)]) -> Response {
    desk.0.answer(&Request::new("POST", "/services/oauth2/token").form(form))
}

#[test]
fn authorization_is_refused_word_for_word() {
    let desk = Desk::new();
    let [id, secret, refresh] = OAUTH_CLIENT;
    let good =
        [("grant_type", "refresh_token"), ("client_id", id), ("client_secret", secret), ("refresh_token", refresh)];
    let code = [("grant_type", "authorization_code"), ("code", "x"), ("redirect_uri", "https://a.test/")];
    let jwt = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    for (other, error, description) in [
        (vec![("refresh_token", "x")], "invalid_grant", "expired access/refresh token"),
        (vec![("client_id", "x")], "invalid_client_id", "client identifier invalid"),
        (vec![("client_secret", "x")], "invalid_client", "invalid client credentials"),
        (vec![("grant_type", "x")], "unsupported_grant_type", "grant type not supported"),
        (code.to_vec(), "invalid_grant", "expired authorization code"),
        (vec![("grant_type", jwt), ("assertion", "x")], "invalid_grant", "invalid assertion"),
    ] {
        let mut form: Vec<(&str, &str)> = good.to_vec();
        form.retain(|(name, _)| other.iter().all(|(changed, _)| changed != name));
        form.extend(&other);
        let answer = ask(&desk, &form);
        let wanted = json!({"error": error, "error_description": description});
        assert_eq!((answer.status, answer.json()), (400, wanted), "{other:?}");
    }
    let revoke = desk.0.answer(&Request::new("POST", "/services/oauth2/revoke").form(&[("token", "x")]));
    assert_eq!(
        (revoke.status, revoke.text().as_ref()),
        (400, "error=unsupported_token_type&error_description=this+token+type+is+not+supported")
    );
    let granted = ask(&desk, &good).json();
    let identity = granted["id"].as_str().unwrap().split_once("/id/").unwrap().1.to_owned();
    let (_, user) = identity.split_once('/').unwrap();
    let token = desk.0.token();
    for (path, bearer, text) in [
        ("/services/oauth2/userinfo".to_owned(), Some("x"), "Bad_OAuth_Token"),
        (format!("/id/{identity}"), None, "Missing_OAuth_Token"),
        (format!("/id/{identity}"), Some("x"), "Bad_OAuth_Token"),
        (format!("/id/00D000000000000EAA/{user}"), Some(token.as_str()), "Wrong_Org"),
    ] {
        let request = Request::new("GET", &path);
        let answer = desk.0.answer(&bearer.map_or_else(|| request.clone(), |token| request.clone().bearer(token)));
        assert_eq!((answer.status, answer.text().as_ref()), (403, text), "{path}");
    }
}

#[test]
fn every_answer_tells_what_was_used() {
    let desk = Desk::with(|builder| builder.daily_limit(100));
    for (method, target, sent) in [
        ("GET", "/limits", Value::Null),
        ("GET", "/sobjects/Widget__c", Value::Null),
        ("POST", "/sobjects/Account", json!({})),
        ("POST", "/composite/sobjects", json!({"records": []})),
    ] {
        let answer = desk.send(method, target, &sent);
        let used = answer.header("Sforce-Limit-Info").and_then(|info| info.strip_prefix("api-usage="));
        assert!(used.is_some_and(|used| used.ends_with("/100")), "{method} {target}: {answer:?}");
        assert_eq!(answer.header("Date"), Some("Tue, 24 Nov 2026 16:00:00 GMT"));
    }
    let open = desk.0.answer(&Request::new("GET", "/services/data/"));
    assert_eq!(open.header("Sforce-Limit-Info"), None, "it is no call of the org's");
    let account = desk.make("Account", &json!({"Name": "A"}));
    let contact = desk.make("Contact", &json!({"LastName": "Roe"}));
    let tag = |target: String| desk.send("GET", &target, &Value::Null).header("ETag").map(str::to_owned);
    assert!(tag(format!("/sobjects/Account/{account}")).is_some_and(|tag| tag.starts_with('"')));
    assert_eq!(tag(format!("/sobjects/Contact/{contact}")), None, "only accounts have one");
}

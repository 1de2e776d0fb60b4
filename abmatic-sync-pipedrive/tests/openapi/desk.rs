//! Plain calls to all that the fake serves, whether the connector calls it or not.

use abmatic_sync_testkit::fake::exchange::{Request, Response};
use abmatic_sync_testkit::fake::pipedrive::{FakePipedrive, Field, OAUTH_CLIENT};
use abmatic_sync_testkit::fake::recording::Exchange;
use serde_json::{Value, json};

use crate::document::Documents;

struct Desk(FakePipedrive);

impl Desk {
    fn new() -> Self {
        let builder = FakePipedrive::builder().contact_sync(true).seed_records(40);
        let fake = builder.field("deals", Field::new("Tier", "enum").with_options(&["A", "B"])).build();
        fake.record();
        Self(fake)
    }

    fn send(&self, method: &str, target: &str, body: &Value) -> Response {
        let request = Request::new(method, target).with_header("x-api-token", &self.0.token());
        self.0.answer(&if body.is_null() { request } else { request.json(body) })
    }

    fn get(&self, target: &str) -> Value {
        self.call("GET", target, &Value::Null)
    }

    fn delete(&self, target: &str) -> Value {
        self.call("DELETE", target, &Value::Null)
    }

    /// The answer's data. It has to be one of success.
    fn call(&self, method: &str, target: &str, body: &Value) -> Value {
        let answer = self.send(method, target, body);
        assert!(answer.status < 300, "{method} {target}: {} {}", answer.status, answer.text());
        answer.json()["data"].clone()
    }
}

/// The operations that the fake serves, of those whose answer has a schema: a page has none.
pub(crate) fn served(documents: &Documents) -> Vec<String> {
    let is_served = |name: &str, path: &str| {
        let method = name.split(' ').next().unwrap_or_default();
        // A word in place of a number is none of the fake's ids.
        let answer = Desk::new().send(method, path, &Value::Null);
        answer.status != 405 && answer.json()["error"] != "Unknown method ."
    };
    let all = documents.operations.iter().filter(|one| {
        let path = one.path_with(|name| if name == "field_code" { "name" } else { "1" }.to_owned());
        one.answers.values().any(Option::is_some) && is_served(&one.name, &path)
    });
    all.map(|one| one.name.clone()).collect()
}

/// Calls everything, some of it in ways that are refused.
pub(crate) fn everything() -> Vec<Exchange> {
    let desk = Desk::new();
    records(&desk);
    fields(&desk);
    of_version_one(&desk);
    refusals(&desk);
    authorization(&desk);
    desk.0.recorded()
}

fn records(desk: &Desk) {
    let bodies = [
        ("organizations", json!({"name": "Acme", "owner_id": 11, "visible_to": 3, "address": {"value": "Main St 1"}})),
        (
            "persons",
            json!({"name": "Jane Roe", "org_id": 1, "emails": [{"value": "j@x.test", "primary": true, "label": "work"}]}),
        ),
        (
            "deals",
            json!({"title": "Deal", "value": 10.5, "currency": "EUR", "org_id": 1, "person_id": 1, "stage_id": 2}),
        ),
        (
            "activities",
            json!({"subject": "Call", "type": "call", "due_date": "2026-11-25", "due_time": "10:00", "org_id": 1}),
        ),
    ];
    for (object, body) in &bodies {
        let path = format!("/api/v2/{object}");
        let id = desk.call("POST", &path, body)["id"].clone();
        let one = format!("{path}/{id}");
        let change = if *object == "activities" { json!({"done": true}) } else { json!({"owner_id": 12}) };
        desk.call("PATCH", &one, &change);
        desk.get(&one);
        desk.get(&format!("{path}?limit=10&sort_by=update_time&sort_direction=desc"));
        desk.get(&format!("{path}?ids=1,2,{id}&updated_since=2020-01-01T00:00:00Z"));
        if *object != "activities" {
            desk.get(&format!("{path}?include_labels=true&include_option_labels=true&limit=5"));
            desk.get(&format!("{one}?include_labels=true&include_option_labels=true"));
            desk.get(
                &format!("{path}/search?term=ac&exact_match=false&fields=custom_fields,notes&limit=5")
                    .replace("&fields=custom_fields,notes", ""),
            );
        }
        desk.delete(&one);
    }
    desk.get("/api/v2/deals?status=open,won&limit=5");
    let id = desk.call("POST", "/api/v2/deals", &json!({"title": "Old", "is_archived": true}))["id"].clone();
    assert_eq!(desk.get("/api/v2/deals/archived")[0]["id"], id);
    desk.get("/api/v2/itemSearch?term=ac&item_types=organization,person&limit=3");
    for path in ["pipelines", "pipelines/1", "stages", "stages/1", "stages?pipeline_id=2"] {
        desk.get(&format!("/api/v2/{path}"));
    }
}

fn fields(desk: &Desk) {
    for object in ["organization", "person", "deal", "activity"] {
        let path = format!("/api/v2/{object}Fields");
        desk.get(&format!("{path}?limit=500"));
        desk.get(&format!("{path}/add_time"));
        let numbers = desk.get(&format!("/api/v1/{object}Fields"));
        if object == "activity" {
            continue;
        }
        desk.get(&format!("/api/v1/{object}Fields/{}", numbers[0]["id"]));
        desk.get(&format!("{path}?include_fields=ui_visibility&limit=5"));
        let field = json!({"field_name": "Level", "field_type": "set", "options": [{"label": "A"}, {"label": "B"}]});
        let made = desk.call("POST", &path, &field);
        let one = format!("{path}/{}", made["field_code"].as_str().unwrap());
        desk.call("PATCH", &one, &json!({"field_name": "Grade"}));
        let options = format!("{one}/options");
        desk.call("POST", &options, &json!([{"label": "C"}]));
        let id = &made["options"][0]["id"];
        desk.call("PATCH", &options, &json!([{"id": id, "label": "A+"}]));
        desk.call("DELETE", &options, &json!([{"id": id}]));
        desk.delete(&one);
    }
}

fn of_version_one(desk: &Desk) {
    for path in [
        "activityTypes",
        "currencies",
        "deals/summary",
        "deals/summary?status=open",
        "filters",
        "filters?type=org",
        "filters/helpers",
        "notes?start=0&limit=10",
        "users",
        "users/me",
        "users/11",
        "users/find?term=sam",
        "webhooks",
    ] {
        desk.get(&format!("/api/v1/{path}"));
    }
    desk.call("POST", "/api/v1/activityTypes", &json!({"name": "Engagement", "icon_key": "bulb"}));
    for object in ["organizations", "persons", "deals"] {
        let id = |name: &str| {
            let key = if object == "deals" { "title" } else { "name" };
            desk.call("POST", &format!("/api/v2/{object}"), &json!({key: name}))["id"].clone()
        };
        let (loser, survivor) = (id("A"), id("B"));
        desk.call("PUT", &format!("/api/v1/{object}/{loser}/merge"), &json!({"merge_with_id": survivor}));
    }
    let number = desk.get("/api/v1/organizationFields")[0]["id"].to_string();
    let condition = json!({
        "object": "organization", "field_id": number, "operator": "IS NOT NULL", "value": null, "extra_value": null,
    });
    let groups = json!([{"glue": "and", "conditions": [condition]}, {"glue": "or", "conditions": []}]);
    let filter = json!({"name": "test", "type": "org", "conditions": {"glue": "and", "conditions": groups}});
    let id = desk.call("POST", "/api/v1/filters", &filter)["id"].clone();
    desk.get(&format!("/api/v1/filters/{id}"));
    desk.get(&format!("/api/v2/organizations?filter_id={id}&limit=3"));
    desk.call("PUT", &format!("/api/v1/filters/{id}"), &json!({"name": "Renamed", "conditions": filter["conditions"]}));
    desk.delete(&format!("/api/v1/filters/{id}"));
    let id = desk.call("POST", "/api/v1/filters", &filter)["id"].clone();
    desk.delete(&format!("/api/v1/filters?ids={id}"));

    let note = desk.call(
        "POST",
        "/api/v1/notes",
        &json!({"content": "<p>x</p>", "org_id": 1, "pinned_to_organization_flag": 1}),
    );
    let note = format!("/api/v1/notes/{}", note["id"]);
    desk.get(&note);
    desk.get("/api/v1/notes?org_id=1&sort=update_time%20DESC");
    desk.call("PUT", &note, &json!({"content": "y"}));
    desk.delete(&note);

    let hook = json!({
        "subscription_url": "https://hooks.host.test/a", "event_action": "*", "event_object": "person", "name": "n",
        "http_auth_user": "u", "http_auth_password": "p", "version": "2.0",
    });
    let id = desk.call("POST", "/api/v1/webhooks", &hook)["id"].clone();
    desk.get("/api/v1/webhooks");
    desk.delete(&format!("/api/v1/webhooks/{id}"));
}

/// Calls whose answers are refusals.
fn refusals(desk: &Desk) {
    for (method, target, body, status) in [
        ("GET", "/api/v2/persons/4711", Value::Null, 404),
        ("PATCH", "/api/v2/persons/1", json!({"name": 5}), 400),
        ("POST", "/api/v2/deals", json!({}), 400),
        ("GET", "/api/v1/users/99", Value::Null, 404),
        ("GET", "/api/v1/filters/4711", Value::Null, 404),
        ("POST", "/api/v1/notes", json!({"content": "x"}), 400),
        (
            "POST",
            "/api/v1/webhooks",
            json!({"subscription_url": "x", "event_action": "*", "event_object": "deal", "name": "n"}),
            400,
        ),
        ("GET", "/api/v1/organizationFields/1", Value::Null, 410),
        ("PATCH", "/api/v2/organizationFields/name", json!({"field_name": "X"}), 403),
    ] {
        assert_eq!(desk.send(method, target, &body).status, status, "{method} {target}");
    }
    let unknown = Request::new("GET", "/api/v1/users/me").with_header("x-api-token", "wrong");
    assert_eq!(desk.0.answer(&unknown).status, 401);
}

fn authorization(desk: &Desk) {
    let [client, secret, code, refresh] = OAUTH_CLIENT;
    let consent = format!("/oauth/authorize?client_id={client}&redirect_uri=https%3A%2F%2Fa.test%2Fcb&state=s");
    assert_eq!(desk.0.answer(&Request::new("GET", &consent)).status, 302);
    for (path, form) in [
        (
            "/oauth/token",
            vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", "https://a.test/cb")],
        ),
        ("/oauth/token", vec![("grant_type", "refresh_token"), ("refresh_token", refresh)]),
        ("/oauth/revoke", vec![("token", refresh), ("token_type_hint", "refresh_token")]),
    ] {
        let request = Request::new("POST", path).with_header("Authorization", &basic(client, secret)).form(&form);
        let answer = desk.0.answer(&request);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
}

/// What HTTP Basic sends.
fn basic(user: &str, password: &str) -> String {
    let mut text = String::new();
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in format!("{user}:{password}").as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = alphabet[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    format!("Basic {text}")
}

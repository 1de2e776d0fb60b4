//! The same fake over a real socket.

use abmatic_sync_testkit::fake::salesforce::FakeSalesforce;
use serde_json::{Value, json};

/// No system certificates: nothing here speaks TLS.
fn client() -> reqwest::Client {
    reqwest::Client::builder().tls_certs_only([]).build().unwrap()
}

#[tokio::test]
async fn pages_are_followed_over_the_wire() {
    let fake = FakeSalesforce::builder().seed_records(2500).start().await.unwrap();
    let mut path = "/services/data/v62.0/query?q=SELECT%20Id%2C%20Email%20FROM%20Contact".to_owned();
    let mut seen = 0;
    loop {
        let url = format!("{}{path}", fake.base_url());
        let answer = client().get(url).bearer_auth(fake.token()).send().await.unwrap();
        assert!(answer.headers()["sforce-limit-info"].to_str().unwrap().starts_with("api-usage="));
        let page: Value = answer.json().await.unwrap();
        seen += page["records"].as_array().unwrap().len();
        match page["nextRecordsUrl"].as_str() {
            Some(next) => next.clone_into(&mut path),
            None => break,
        }
    }
    assert_eq!((seen, fake.calls().total), (2500, 2));
}

#[tokio::test]
async fn the_admin_routes_act_as_a_user() {
    let fake = FakeSalesforce::builder().start().await.unwrap();
    let post = async |route: &str, body: Value| {
        let answer = client().post(format!("{}/__fake/{route}", fake.base_url())).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (_, made) =
        post("user", json!({"action": "create", "object": "Lead", "fields": {"LastName": "Roe", "Company": "X"}}))
            .await;
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("00Q"));
    let (status, wrong) =
        post("user", json!({"action": "create", "object": "Lead", "fields": {"LastName": "Roe"}})).await;
    assert_eq!(
        (status, &wrong["error"]),
        (400, &json!("REQUIRED_FIELD_MISSING: Required fields are missing: [Company]"))
    );
    let (_, done) = post("user", json!({"action": "convert", "id": id, "opportunity": "Deal"})).await;
    assert!(done["opportunity"].as_str().unwrap().starts_with("006"));
    let contact = done["contact"].as_str().unwrap();
    assert_eq!(
        post("user", json!({"action": "delete", "object": "Contact", "id": contact})).await.1,
        json!({"done": true})
    );
    assert_eq!(post("limits", json!({"max": 5, "used_by_others": 5})).await.1, json!({"max": 5, "used": 5}));
    let url = format!("{}/services/data/v62.0/limits", fake.base_url());
    assert_eq!(client().get(&url).bearer_auth(fake.token()).send().await.unwrap().status(), 403);
    post("tokens/expire", json!({})).await;
    assert_eq!(client().get(&url).bearer_auth(fake.token()).send().await.unwrap().status(), 401);
    let state: Value =
        client().get(format!("{}/__fake/state", fake.base_url())).send().await.unwrap().json().await.unwrap();
    assert_eq!(state["objects"]["Contact"], json!({"live": 0, "deleted": 1}));
}

//! The same fake over a real socket.

use abmatic_sync_testkit::fake::pipedrive::FakePipedrive;
use serde_json::{Value, json};

/// No system certificates: nothing here speaks TLS.
fn client() -> reqwest::Client {
    reqwest::Client::builder().tls_certs_only([]).build().unwrap()
}

#[tokio::test]
async fn pages_are_followed_over_the_wire() {
    let fake = FakePipedrive::builder().seed_records(1200).start().await.unwrap();
    let url = format!("{}/api/v2/persons?limit=500", fake.base_url());
    let (mut next, mut seen) = (String::new(), 0);
    loop {
        let answer = client().get(format!("{url}{next}")).header("x-api-token", fake.token()).send().await.unwrap();
        assert!(answer.headers().contains_key("x-ratelimit-remaining"));
        let page: Value = answer.json().await.unwrap();
        seen += page["data"].as_array().unwrap().len();
        match page["additional_data"]["next_cursor"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!((seen, fake.calls().total), (1200, 3));
}

#[tokio::test]
async fn the_admin_routes_act_as_a_user() {
    let fake = FakePipedrive::builder().start().await.unwrap();
    let post = async |route: &str, body: Value| {
        let answer = client().post(format!("{}/__fake/{route}", fake.base_url())).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let act = async |body: Value| post("user", body).await;
    let made = act(json!({"action": "create", "object": "persons", "body": {"name": "Jane Roe"}})).await;
    assert_eq!(made, (200, json!({"id": 1})));
    let (status, wrong) = act(json!({"action": "create", "object": "persons", "body": {}})).await;
    assert_eq!((status, &wrong["error"]), (400, &json!("Validation failed: name: name is a required field")));
    act(json!({"action": "create", "object": "persons", "body": {"name": "Twin"}})).await;
    assert_eq!(
        act(json!({"action": "merge", "object": "persons", "id": 1, "loser": 2})).await.1,
        json!({"done": true})
    );
    let field = json!({"field_name": "Tier", "field_type": "enum", "options": ["A"]});
    let (_, added) = act(json!({"action": "add_field", "object": "deals", "body": field})).await;
    assert_eq!(added["field_code"].as_str().unwrap().len(), 40);
    assert_eq!(post("budget", json!({"spend": 100})).await.1, json!({"used": 100}));
    let url = format!("{}/__fake/state", fake.base_url());
    let state: Value = client().get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(state["objects"]["persons"], json!({"live": 1, "deleted": 1}));
    post("tokens/revoke", json!({})).await;
    let url = format!("{}/api/v2/persons", fake.base_url());
    assert_eq!(client().get(url).header("x-api-token", fake.token()).send().await.unwrap().status(), 401);
}

//! Tokens.

use abmatic_sync_testkit::fake::exchange::{Request, Response};
use abmatic_sync_testkit::fake::salesforce::OAUTH_CLIENT;
use serde_json::{Value, json};

use crate::desk::Desk;

/// The verifier and the challenge of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn token(desk: &Desk, form: &[(&str, &str)]) -> Response {
    desk.0.answer(&Request::new("POST", "/services/oauth2/token").form(form))
}

fn refused(response: &Response, error: &str, description: &str) {
    assert_eq!((response.status, response.json()), (400, json!({"error": error, "error_description": description})));
}

fn authorize(desk: &Desk, more: &str) -> String {
    let [id, ..] = OAUTH_CLIENT;
    let target = format!(
        "/services/oauth2/authorize?response_type=code&client_id={id}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb{more}"
    );
    let answer = desk.0.answer(&Request::new("GET", &target));
    assert_eq!(answer.status, 302);
    answer.header("Location").unwrap().to_owned()
}

#[test]
fn a_code_with_pkce_is_exchanged_once() {
    let desk = Desk::new();
    let [id, secret, _] = OAUTH_CLIENT;
    let back = authorize(&desk, &format!("&scope=api%20refresh_token&state=s%2B1&code_challenge={CHALLENGE}"));
    let (code, state) = back.strip_prefix("https://app.example/cb?code=").unwrap().split_once("&state=").unwrap();
    assert!(code.starts_with("aPrx") && code.ends_with("%3D%3D"));
    assert_eq!(state, "s%2B1");
    let code = code.replace("%3D", "=");
    let form = |verifier: &'static str| {
        [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("client_id", id),
            ("client_secret", secret),
            ("redirect_uri", "https://app.example/cb"),
            ("code_verifier", verifier),
        ]
    };
    let answer = token(&desk, &form(VERIFIER));
    let body = answer.json();
    assert_eq!(
        (answer.status, &body["token_type"], &body["instance_url"]),
        (200, &json!("Bearer"), &json!("https://acme.my.salesforce.com"))
    );
    assert!(body.get("expires_in").is_none());
    assert_eq!(body["issued_at"], "1795536000000");
    let access = body["access_token"].as_str().unwrap();
    assert!(access.starts_with("00D") && access.contains('!'));
    let limits = Request::new("GET", "/services/data/v62.0/limits").bearer(access);
    assert_eq!(desk.0.answer(&limits).status, 200);
    refused(&token(&desk, &form(VERIFIER)), "invalid_grant", "expired authorization code");
    // A session slides with its use.
    desk.0.advance_ms(7_100_000);
    assert_eq!(desk.0.answer(&limits).status, 200);
    desk.0.advance_ms(7_100_000);
    assert_eq!(desk.0.answer(&limits).status, 200);
    desk.0.advance_ms(7_200_000);
    assert_eq!(desk.0.answer(&limits).status, 401);

    let back = authorize(&desk, &format!("&code_challenge={CHALLENGE}&code_challenge_method=S256"));
    let code = back.split("code=").nth(1).unwrap().replace("%3D", "=");
    let wrong = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("client_id", id),
        ("redirect_uri", "https://app.example/cb"),
        ("code_verifier", "wrong"),
    ];
    refused(&token(&desk, &wrong), "invalid_grant", "invalid code verifier");
}

#[test]
fn refresh_tokens_rotate_if_they_are_set_to() {
    let [id, secret, first] = OAUTH_CLIENT;
    let form = |refresh: &str| {
        [("grant_type", "refresh_token"), ("refresh_token", refresh), ("client_id", id), ("client_secret", secret)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let ask = |desk: &Desk, refresh: &str| {
        let form = form(refresh);
        let pairs: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        token(desk, &pairs)
    };
    let desk = Desk::new();
    let plain = ask(&desk, first);
    assert_eq!((plain.status, plain.json().get("refresh_token").is_none()), (200, true));
    refused(&ask(&desk, "dead"), "invalid_grant", "expired access/refresh token");

    let desk = Desk::with(|builder| builder.rotate_refresh_tokens(true).seed_records(300));
    let mut request = desk.request("GET", "/query").with_header("Sforce-Query-Options", "batchSize=200");
    request.query.push(("q".to_owned(), "SELECT Id FROM Contact".to_owned()));
    let next = desk.0.answer(&request).json()["nextRecordsUrl"].as_str().unwrap().to_owned();
    let rotated = ask(&desk, first).json();
    refused(&ask(&desk, first), "invalid_grant", "expired access/refresh token");
    assert_eq!(desk.get("/limits").0, 401, "the old session ends with its token");
    let access = rotated["access_token"].as_str().unwrap();
    let page = desk.0.answer(&Request::new("GET", &next).bearer(access));
    assert_eq!(page.json()[0]["errorCode"], "INVALID_QUERY_LOCATOR", "and its locators with the session");
    assert_eq!(ask(&desk, rotated["refresh_token"].as_str().unwrap()).status, 200);
}

#[test]
fn other_grants_and_clients() {
    let desk = Desk::new();
    let [id, secret, _] = OAUTH_CLIENT;
    let client = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
    assert_eq!(token(&desk, &client).status, 200);
    refused(
        &token(&desk, &[("grant_type", "client_credentials"), ("client_id", id), ("client_secret", "x")]),
        "invalid_client",
        "invalid client credentials",
    );
    refused(
        &token(&desk, &[("grant_type", "refresh_token"), ("client_id", "x")]),
        "invalid_client_id",
        "client identifier invalid",
    );
    refused(&token(&desk, &[("grant_type", "password")]), "unsupported_grant_type", "grant type not supported");
    // {"iss":…} is put together by hand: the fake does not look at the signature.
    let assertion = |sub: &str, exp: i64| {
        let claims = json!({"iss": id, "sub": sub, "aud": "https://login.salesforce.com", "exp": exp});
        format!("e30.{}.c2ln", base64url(claims.to_string().as_bytes()))
    };
    let jwt = |assertion: &str| {
        token(&desk, &[("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion)])
    };
    let soon = crate::desk::NOW_MS / 1000 + 120;
    let good = jwt(&assertion("jo.marsh@acme.test", soon));
    assert_eq!((good.status, good.json().get("refresh_token").is_none()), (200, true));
    refused(&jwt(&assertion("nobody@acme.test", soon)), "invalid_grant", "user hasn't approved this consumer");
    refused(&jwt(&assertion("jo.marsh@acme.test", soon - 600)), "invalid_grant", "invalid assertion");
}

fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            text.push(char::from(DIGITS[(bits >> (18 - 6 * at) & 63) as usize]));
        }
    }
    text
}

#[test]
fn identity_and_revocation() {
    let desk = Desk::new();
    let [id, secret, refresh] = OAUTH_CLIENT;
    let form =
        [("grant_type", "refresh_token"), ("refresh_token", refresh), ("client_id", id), ("client_secret", secret)];
    let granted = token(&desk, &form).json();
    let path = granted["id"].as_str().unwrap().strip_prefix("https://acme.my.salesforce.com").unwrap().to_owned();
    let access = granted["access_token"].as_str().unwrap().to_owned();
    let who = desk.0.answer(&Request::new("GET", &path).bearer(&access)).json();
    assert_eq!(who["username"], "integration@acme.test");
    assert_eq!(who["organization_id"], desk.column("SELECT Id, Name, IsSandbox FROM Organization", "Id")[0]);
    let info = desk.0.answer(&Request::new("GET", "/services/oauth2/userinfo").bearer(&access)).json();
    assert_eq!((&info["sub"], &info["user_id"]), (&granted["id"], &who["user_id"]));
    let bad = desk.0.answer(&Request::new("GET", "/services/oauth2/userinfo").bearer("x"));
    assert_eq!((bad.status, bad.text().as_ref()), (403, "Bad_OAuth_Token"));
    let revoke =
        |token: &str| desk.0.answer(&Request::new("POST", "/services/oauth2/revoke").form(&[("token", token)]));
    assert_eq!(revoke(refresh).status, 200);
    assert_eq!(desk.0.answer(&Request::new("GET", &path).bearer(&access)).status, 403, "its sessions end too");
    let unknown = revoke("nothing");
    assert_eq!((unknown.status, unknown.json()), (400, Value::Null));
    assert!(unknown.text().starts_with("error=unsupported_token_type"));
    assert_eq!(token(&desk, &form).status, 400);
}

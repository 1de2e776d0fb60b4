//! Who the caller is: the identity URL and the OpenID form of it.

use serde_json::{Value, json};

use crate::fake::exchange::{Request, Response};
use crate::fake::moment;
use crate::fake::salesforce::answer::authorization;
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::reply;
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::view::View;

/// The org's id.
pub(crate) fn organization(state: &State) -> String {
    let shelf = state.shelf(Kind::ORGANIZATION);
    shelf.iter().next().map(|(number, _)| shelf.id(number)).unwrap_or_default()
}

fn user(state: &State) -> String {
    state.shelf(Kind::USER).id(state.me)
}

/// The identity URL of the user behind the tokens.
pub(crate) fn url(state: &State) -> String {
    format!("{}/id/{}/{}", state.settings.base_url, organization(state), user(state))
}

fn text(status: u16, words: &'static str) -> Response {
    let mut response = Response::new(status, words.as_bytes().to_vec());
    response.set("Content-Type", "text/html;charset=UTF-8");
    response
}

/// 403 in plain words where there is no token, or a bad one.
fn check(state: &mut State, now: i64, request: &Request) -> Result<(), Response> {
    if request.header("authorization").is_none() {
        return Err(text(403, "Missing_OAuth_Token"));
    }
    let token = authorization(request).map_err(|_| text(403, "Bad_OAuth_Token"))?;
    state.tokens.check(token, now).map_err(|_| text(403, "Bad_OAuth_Token"))
}

/// `GET /id/{org}/{user}`.
pub(crate) fn identity(state: &mut State, now: i64, request: &Request, rest: &[String]) -> Response {
    if let Err(response) = check(state, now, request) {
        return response;
    }
    match rest {
        [org, who] if *org == organization(state) && *who == user(state) => reply::ok(&shown(state, now)),
        [org, _] if *org != organization(state) => text(403, "Wrong_Org"),
        _ => text(404, "Bad_Id"),
    }
}

fn shown(state: &State, now: i64) -> Value {
    let base = &state.settings.base_url;
    let users = state.shelf(Kind::USER);
    let stored = |name: &str| View::of(users, state.me).and_then(|view| view.stored(name)).unwrap_or_default();
    json!({
        "id": url(state), "asserted_user": true, "user_id": user(state), "organization_id": organization(state),
        "username": stored("Username"), "nick_name": stored("Alias"), "display_name": stored("LastName"),
        "email": stored("Email"), "email_verified": true, "first_name": null, "last_name": stored("LastName"),
        "timezone": stored("TimeZoneSidKey"), "active": true, "user_type": "STANDARD", "language": "en_US",
        "locale": "en_US", "utcOffset": -28_800_000, "last_modified_date": moment::iso(now - now.rem_euclid(moment::DAY_MS)),
        "is_app_installed": true, "urls": urls(base),
    })
}

fn urls(base: &str) -> Value {
    let rest = format!("{base}/services/data/v{{version}}/");
    json!({
        "rest": rest, "query": format!("{rest}query/"), "sobjects": format!("{rest}sobjects/"), "custom_domain": base,
    })
}

/// `GET /services/oauth2/userinfo`.
pub(crate) fn userinfo(state: &mut State, now: i64, request: &Request) -> Response {
    if let Err(response) = check(state, now, request) {
        return response;
    }
    let known = shown(state, now);
    let mut info = json!({
        "sub": known["id"], "preferred_username": known["username"], "nickname": known["nick_name"],
        "name": known["display_name"], "given_name": known["first_name"], "family_name": known["last_name"],
        "zoneinfo": known["timezone"], "updated_at": known["last_modified_date"],
    });
    for same in [
        "active",
        "email",
        "email_verified",
        "is_app_installed",
        "language",
        "locale",
        "organization_id",
        "urls",
        "user_id",
        "user_type",
        "utcOffset",
    ] {
        info[same] = known[same].clone();
    }
    reply::ok(&info)
}

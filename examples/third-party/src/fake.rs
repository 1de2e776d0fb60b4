//! A fake Tiny CRM, as its documentation has it: companies and people, pages of 100, batches of 50.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value as Json, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// The token that it takes.
const TOKEN: &str = "tiny-secret-token";
/// The longest text.
const TEXT_MAX: usize = 500;
/// A field: name, kind, required, unique.
type Definition = (&'static str, &'static str, bool, bool);
/// Objects and their fields.
const FIELDS: &[(&str, &[Definition])] = &[
    (
        "companies",
        &[("name", "text", true, false), ("domain", "url", false, false), ("employees", "number", false, false)],
    ),
    (
        "people",
        &[
            ("email", "email", true, true),
            ("name", "text", false, false),
            ("title", "text", false, false),
            ("company_id", "text", false, false),
        ],
    ),
];

/// A Tiny CRM on a free port of this machine.
pub struct FakeTiny {
    server: MockServer,
    state: Arc<Mutex<State>>,
}

impl fmt::Debug for FakeTiny {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeTiny").finish_non_exhaustive()
    }
}

impl FakeTiny {
    /// Starts one without records.
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::new(State { now_ms: 1_795_536_000_000, last_id: 0, rows: Vec::new() }));
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(Answers(Arc::clone(&state))).mount(&server).await;
        Self { server, state }
    }

    /// Where it listens.
    pub fn base_url(&self) -> String {
        self.server.uri()
    }

    /// The token that it takes.
    pub fn token(&self) -> &'static str {
        TOKEN
    }
}

/// Its own time, by which a connector may wait: it passes only then.
#[async_trait]
impl Clock for FakeTiny {
    fn now(&self) -> DateTime<Utc> {
        time(locked(&self.state).now_ms)
    }

    async fn sleep(&self, duration: Duration) {
        locked(&self.state).now_ms += i64::try_from(duration.as_millis()).unwrap_or(0);
    }
}

fn time(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

struct State {
    now_ms: i64,
    last_id: u64,
    /// In the order of their ids.
    rows: Vec<Row>,
}

#[derive(Clone)]
struct Row {
    object: String,
    id: u64,
    key: Option<String>,
    created_ms: i64,
    changed_ms: i64,
    fields: Map<String, Json>,
}

struct Answers(Arc<Mutex<State>>);

impl Respond for Answers {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let bearer = format!("Bearer {TOKEN}");
        if request.headers.get("authorization").is_none_or(|sent| sent.as_bytes() != bearer.as_bytes()) {
            return ResponseTemplate::new(401);
        }
        let body: Json = serde_json::from_slice(&request.body).unwrap_or_default();
        let query: BTreeMap<String, String> = request.url.query_pairs().into_owned().collect();
        let path: Vec<&str> = request.url.path().trim_matches('/').split('/').collect();
        let mut state = locked(&self.0);
        let answer = match path[..] {
            ["fields", object] => fields(object),
            [object] => state.page(object, &query),
            [object, "get"] => state.chosen(object, |row| listed(&body["ids"], &row.id.to_string())),
            [object, "keys"] => {
                state.chosen(object, |row| row.key.as_ref().is_some_and(|key| listed(&body["keys"], key)))
            }
            [object, "find"] => state.chosen(object, |row| {
                let held = row.fields.get(body["field"].as_str().unwrap_or_default()).and_then(Json::as_str);
                held.is_some_and(|held| listed(&body["values"], &held.to_lowercase()))
            }),
            [object, "write"] => {
                let rows = body["rows"].as_array().cloned().unwrap_or_default();
                json!({"results": rows.iter().map(|row| state.write(object, row)).collect::<Vec<_>>()})
            }
            _ => return ResponseTemplate::new(404),
        };
        let date = time(state.now_ms).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        ResponseTemplate::new(200).insert_header("date", date).set_body_json(answer)
    }
}

fn defined(object: &str) -> &'static [Definition] {
    FIELDS.iter().find(|(known, _)| *known == object).map_or(&[], |(_, fields)| fields)
}

fn fields(object: &str) -> Json {
    let field = |(name, kind, required, unique): &Definition| {
        json!({
            "name": name, "kind": kind, "required": required, "unique": unique,
        })
    };
    defined(object).iter().map(field).collect()
}

fn listed(list: &Json, text: &str) -> bool {
    list.as_array().is_some_and(|list| list.iter().any(|one| one.as_str() == Some(text)))
}

fn shown(row: &Row) -> Json {
    let time = |ms| time(ms).to_rfc3339_opts(SecondsFormat::Millis, true);
    json!({
        "id": row.id.to_string(), "key": row.key, "created": time(row.created_ms), "changed": time(row.changed_ms),
        "fields": row.fields,
    })
}

impl State {
    fn of(&self, object: &str) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.object == object)
    }

    fn chosen(&self, object: &str, wanted: impl Fn(&Row) -> bool) -> Json {
        json!({"rows": self.of(object).filter(|row| wanted(row)).map(shown).collect::<Vec<_>>()})
    }

    /// `GET /{object}`: rows after an id, changed in a window if one is given.
    fn page(&self, object: &str, query: &BTreeMap<String, String>) -> Json {
        let number = |name: &str| query.get(name).and_then(|text| text.parse::<u64>().ok());
        let time = |name: &str| Some(query.get(name)?.parse::<DateTime<Utc>>().ok()?.timestamp_millis());
        let (after, limit) = (number("after").unwrap_or(0), number("limit").unwrap_or(100).min(100) as usize);
        let (since, until) = (time("since").unwrap_or(i64::MIN), time("until").unwrap_or(i64::MAX));
        let in_window = |row: &&Row| row.id > after && (since..=until).contains(&row.changed_ms);
        let rows: Vec<&Row> = self.of(object).filter(in_window).collect();
        let next = rows.get(limit.saturating_sub(1)).filter(|_| rows.len() > limit).map(|row| row.id.to_string());
        json!({"rows": rows.into_iter().take(limit).map(shown).collect::<Vec<_>>(), "next": next})
    }

    /// One row of `POST /{object}/write`.
    fn write(&mut self, object: &str, row: &Json) -> Json {
        let place = self.rows.iter().position(|held| held.object == object && Some(held.id) == id(&row["id"]));
        let key = row["key"].as_str().map(str::to_owned);
        match (row["op"].as_str(), place) {
            (Some("create"), _) => {
                if let Some(known) = self.of(object).find(|held| held.key == key) {
                    return json!({"status": 200, "id": known.id.to_string(), "row": shown(known)});
                }
                let fresh = Row {
                    object: object.to_owned(),
                    id: self.last_id + 1,
                    key,
                    created_ms: self.now_ms,
                    changed_ms: self.now_ms,
                    fields: Map::new(),
                };
                self.keep(fresh, &row["fields"], 201)
            }
            (_, None) => json!({"status": 404, "error": "gone"}),
            (Some("delete"), Some(place)) => {
                let gone = self.rows.remove(place);
                json!({"status": 200, "id": gone.id.to_string()})
            }
            (_, Some(place)) => self.keep(self.rows[place].clone(), &row["fields"], 200),
        }
    }

    /// Takes fields over into a row, unless one of them is refused.
    fn keep(&mut self, mut row: Row, fields: &Json, status: u16) -> Json {
        let refused = |error: &str, field: &str| json!({"status": 422, "error": error, "field": field});
        let defined = defined(&row.object);
        for (name, value) in fields.as_object().into_iter().flatten() {
            let Some((_, kind, ..)) = defined.iter().find(|(known, ..)| known == name) else {
                return refused("unknown", name);
            };
            let fits = match value {
                Json::Null => true,
                Json::Number(_) => *kind == "number",
                Json::String(text) => *kind != "number" && text.chars().count() <= TEXT_MAX,
                _ => false,
            };
            if !fits {
                return refused("value", name);
            }
            if name == "company_id" && !value.is_null() && !self.of("companies").any(|held| Some(held.id) == id(value))
            {
                return refused("reference", name);
            }
            row.fields.insert(name.clone(), value.clone());
        }
        for (name, _, required, unique) in defined {
            let value = row.fields.get(*name).and_then(Json::as_str).filter(|text| !text.is_empty());
            if *required && value.is_none() {
                return refused("missing", name);
            }
            let same = |held: &&Row| {
                let other = held.fields.get(*name).and_then(Json::as_str);
                held.id != row.id && other.zip(value).is_some_and(|(other, value)| other.eq_ignore_ascii_case(value))
            };
            if let Some(taken) = self.of(&row.object).find(same).filter(|_| *unique) {
                return json!({"status": 409, "error": "taken", "field": name, "id": taken.id.to_string()});
            }
        }
        row.changed_ms = self.now_ms;
        self.last_id = self.last_id.max(row.id);
        let answer = json!({"status": status, "id": row.id.to_string(), "row": shown(&row)});
        match self.rows.iter().position(|held| held.id == row.id) {
            Some(place) => self.rows[place] = row,
            None => self.rows.push(row),
        }
        answer
    }
}

fn id(json: &Json) -> Option<u64> {
    json.as_str()?.parse().ok()
}

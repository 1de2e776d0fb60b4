//! What a fake and its callers said to each other, call by call, without the secrets: for assertions and as JSON lines.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::fake::exchange::{Delivery, Request, Response, pairs};
use crate::fake::moment::iso;
use crate::fake::redact::{Veil, is_secret_form};

/// One call and its answer. As JSON it is one line, with these names.
///
/// Headers are by their names in lower case. A body is JSON where it is JSON, a form's fields where it is a form, and else a
/// text; `null` where there is none. In place of tokens, secrets, codes and passwords stands `REDACTED`, as a header, a field
/// or a parameter by its name; the rest is as it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Exchange {
    /// Which call it was since the recording began: 1 is the first.
    pub number: u64,
    /// When it came by the fake's clock, for example `2026-11-24T16:00:00.000Z`.
    pub time: String,
    /// The method in capitals.
    pub method: String,
    /// The path without its query, still percent-encoded.
    pub path: String,
    /// The query's pairs, decoded, in their order.
    pub query: Vec<(String, String)>,
    /// The method and the path's template, as calls are counted.
    pub route: String,
    /// The headers that came.
    pub request_headers: Map<String, Value>,
    /// The body that came.
    pub request_body: Value,
    /// The status that was answered, whether the answer arrived or not; 0 where a fault kept the call from the CRM.
    pub status: u16,
    /// Whether the answer arrived.
    pub delivery: Delivery,
    /// The headers that were answered.
    pub response_headers: Map<String, Value>,
    /// The body that was answered, whole, whatever `delivery` says.
    pub response_body: Value,
}

impl Exchange {
    fn new(number: u64, now: i64, route: &str, request: &Request, response: &Response) -> Self {
        // In the order of the call: what comes in may be repeated by what goes out.
        let mut veil = Veil::default();
        let sent = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let answered = response.headers.iter().map(|(name, value)| (*name, value.as_ref()));
        Self {
            number,
            time: iso(now),
            method: request.method.clone(),
            path: veil.path(&request.path),
            query: veil.pairs(request.query.clone()),
            route: route.to_owned(),
            request_headers: headers(&mut veil, sent),
            request_body: body(&mut veil, &request.body, request.header("content-type")),
            status: response.status,
            delivery: response.delivery,
            response_headers: headers(&mut veil, answered),
            response_body: body(&mut veil, &response.body, response.header("content-type")),
        }
    }

    fn line(&self) -> String {
        let mut line = serde_json::to_string(self).unwrap_or_default();
        line.push('\n');
        line
    }
}

fn headers<'a>(veil: &mut Veil, all: impl Iterator<Item = (&'a str, &'a str)>) -> Map<String, Value> {
    let mut shown = Map::new();
    for (name, value) in all {
        let name = name.to_ascii_lowercase();
        let value = veil.header(&name, value);
        let value = match shown.get(&name).and_then(Value::as_str) {
            Some(before) => format!("{before}, {value}"),
            None => value,
        };
        shown.insert(name, value.into());
    }
    shown
}

fn body(veil: &mut Veil, bytes: &[u8], content_type: Option<&str>) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    if let Ok(json) = serde_json::from_slice(bytes) {
        return veil.json(json);
    }
    let text = String::from_utf8_lossy(bytes);
    let is_form = content_type.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let fields = pairs(&text);
    if is_form || is_secret_form(&fields) {
        let fields = veil.pairs(fields).into_iter();
        return fields.map(|(name, value)| (name, Value::from(value))).collect::<Map<_, _>>().into();
    }
    veil.text(&text).into()
}

/// Where exchanges go.
#[derive(Debug, Default)]
enum Sink {
    /// Nowhere: nothing is recorded.
    #[default]
    Off,
    Memory(Vec<Exchange>),
    File(File),
    /// The file could not be written to; this is why.
    Failed(String),
}

/// The recording of one fake: off until somebody asks for it, since it grows with the calls.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    sink: Sink,
    count: u64,
}

impl Recorder {
    /// Keeps what comes from now on, and forgets what came before.
    pub(crate) fn keep(&mut self) {
        *self = Self { sink: Sink::Memory(Vec::new()), count: 0 };
    }

    /// Writes what comes from now on to a file, in place of what it held, a line as soon as its call was answered.
    pub(crate) fn write_to(&mut self, path: &Path) -> io::Result<()> {
        *self = Self { sink: Sink::File(File::create(path)?), count: 0 };
        Ok(())
    }

    /// Records no more, and forgets what was kept.
    pub(crate) fn stop(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn note(&mut self, now: i64, route: &str, request: &Request, response: &Response) {
        if matches!(self.sink, Sink::Off | Sink::Failed(_)) {
            return;
        }
        self.count += 1;
        let exchange = Exchange::new(self.count, now, route, request, response);
        match &mut self.sink {
            Sink::Memory(kept) => kept.push(exchange),
            // One write a line: whoever kills the program loses none.
            Sink::File(file) => {
                if let Err(error) = file.write_all(exchange.line().as_bytes()) {
                    self.sink = Sink::Failed(error.to_string());
                }
            }
            Sink::Off | Sink::Failed(_) => {}
        }
    }

    /// What was kept.
    pub(crate) fn kept(&self) -> &[Exchange] {
        match &self.sink {
            Sink::Memory(kept) => kept,
            _ => &[],
        }
    }

    /// What was kept, as JSON lines; or why there is nothing.
    pub(crate) fn lines(&self) -> Result<String, String> {
        match &self.sink {
            Sink::Memory(kept) => Ok(kept.iter().map(Exchange::line).collect()),
            Sink::File(_) => Err("the recording goes to a file".to_owned()),
            Sink::Failed(error) => Err(format!("the recording ended: {error}")),
            Sink::Off => Err("nothing is recorded: POST /__fake/recording begins".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Delivery, Exchange, Recorder, Request, Response};

    fn told(request: &Request, response: &Response) -> Exchange {
        let mut recorder = Recorder::default();
        recorder.note(0, "x", request, response);
        assert!(recorder.kept().is_empty() && recorder.lines().is_err(), "off until it is asked for");
        recorder.keep();
        recorder.note(0, "x", request, response);
        recorder.kept()[0].clone()
    }

    #[test]
    fn an_exchange_is_one_line_whose_names_do_not_move() {
        let request = Request::new("POST", "/a/b?x=1&x=2&token=T0").bearer("T0").json(&json!({"n": "two\nlines"}));
        let mut response = Response::new(201, b"{\"ok\":true}".to_vec());
        response.set("X-Left", "9");
        response.delivery = Delivery::Lost;
        assert_eq!(
            told(&request, &response).line(),
            concat!(
                r#"{"number":1,"time":"1970-01-01T00:00:00.000Z","method":"POST","path":"/a/b","#,
                r#""query":[["x","1"],["x","2"],["token","REDACTED"]],"route":"x","#,
                r#""request_headers":{"authorization":"REDACTED","content-type":"application/json"},"#,
                r#""request_body":{"n":"two\nlines"},"status":201,"delivery":"lost","#,
                r#""response_headers":{"x-left":"9"},"response_body":{"ok":true}}"#,
                "\n"
            )
        );
    }

    #[test]
    fn bodies_are_json_forms_or_texts() {
        let form = Request::new("POST", "/t").form(&[("grant_type", "refresh_token"), ("refresh_token", "R0")]);
        let told = told(&form, &Response::new(200, b"Id,Name\n1,A\n".to_vec()));
        assert_eq!(told.request_body, json!({"grant_type": "refresh_token", "refresh_token": "REDACTED"}));
        assert_eq!((told.response_body, told.response_headers.len()), (json!("Id,Name\n1,A\n"), 0));
    }

    #[test]
    fn what_cannot_be_written_is_told() {
        let mut recorder = Recorder::default();
        assert!(recorder.write_to(std::path::Path::new("/no/such/folder/x.jsonl")).is_err());
        if recorder.write_to(std::path::Path::new("/dev/full")).is_ok() {
            recorder.note(0, "x", &Request::new("GET", "/"), &Response::new(200, Vec::new()));
            assert!(recorder.lines().unwrap_err().starts_with("the recording ended: "));
        }
        recorder.stop();
        assert_eq!(recorder.lines().unwrap_err(), "nothing is recorded: POST /__fake/recording begins");
    }
}

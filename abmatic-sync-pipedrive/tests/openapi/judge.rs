//! Holds exchanges against the documents: each finding has its operation and its place, each is excused by a known mistake or
//! stands.

use std::collections::{BTreeMap, BTreeSet};

use abmatic_sync_testkit::fake::recording::Exchange;
use jsonschema::ValidationError;
use serde_json::Value;

use crate::document::{Documents, Operation, Parameter, Schema, typed};
use crate::mistakes::MISTAKES;

/// Something that is not as the documents say: the operation, the place in it, and what is wrong, with an example.
type Finding = (String, String, String);

/// What was judged of one party.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) requests: usize,
    /// Answers by whether the document declares their status with a schema, without one, or not at all.
    pub(crate) answers: [usize; 3],
    pub(crate) operations: BTreeSet<String>,
    /// Operations with an answer of success that a schema was held against.
    pub(crate) succeeded: BTreeSet<String>,
}

/// Who called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    Connector,
    /// A test, which calls some things to be refused.
    Desk,
}

/// Judges exchanges.
#[derive(Debug)]
pub(crate) struct Judge<'a> {
    documents: &'a Documents,
    findings: BTreeMap<(String, String), (String, usize)>,
    /// The patterns of each known mistake that something fitted.
    met: Vec<BTreeSet<&'static str>>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(documents: &'a Documents) -> Self {
        Self { documents, findings: BTreeMap::new(), met: vec![BTreeSet::new(); MISTAKES.len()] }
    }

    /// Judges all that was exchanged, in its order.
    pub(crate) fn hear(&mut self, exchanges: &[Exchange], party: Party) -> Counts {
        let mut counts = Counts::default();
        let mut left = None;
        for exchange in exchanges {
            let (operation, findings) = self.one(exchange, party, &mut counts);
            // Another fake, with a day of its own.
            left = left.filter(|_| exchange.number > 1);
            let left_after = left_of_the_day(exchange);
            // It is more than before where a day began in between.
            let spent = left.zip(left_after).and_then(|(before, after): (u64, u64)| before.checked_sub(after));
            if let (Some(spent), Some(operation)) = (spent, operation) {
                // What is refused at the door costs nothing.
                if spent != operation.cost && !(spent == 0 && exchange.status >= 400) {
                    let what = format!("{spent} tokens, not {}", operation.cost);
                    self.add((operation.name.clone(), "cost".to_owned(), what));
                }
            }
            left = left_after.or(left);
            findings.into_iter().for_each(|finding| self.add(finding));
        }
        counts
    }

    fn one(&self, exchange: &Exchange, party: Party, counts: &mut Counts) -> (Option<&'a Operation>, Vec<Finding>) {
        counts.requests += 1;
        let path =
            exchange.path.strip_prefix("/v1/").map_or_else(|| exchange.path.clone(), |rest| format!("/api/v1/{rest}"));
        let Some(operation) = self.documents.operation(&exchange.method, &path) else {
            counts.answers[2] += 1;
            let name = exchange.route.clone();
            counts.operations.insert(name.clone());
            return (None, vec![(name, "path".to_owned(), "there is no such operation".to_owned())]);
        };
        counts.operations.insert(operation.name.clone());
        let mut findings = Vec::new();
        let mut find = |place: String, what: String| findings.push((operation.name.clone(), place, what));
        // What is refused on purpose need not be right.
        if party == Party::Connector || exchange.status != 400 {
            request(operation, exchange, &path, &mut find);
        }
        let kind = answer(operation, exchange, &mut find);
        counts.answers[kind] += 1;
        if kind == 0 && exchange.status < 300 {
            counts.succeeded.insert(operation.name.clone());
        }
        (Some(operation), findings)
    }

    fn add(&mut self, (operation, place, what): Finding) {
        let excuse = MISTAKES.iter().zip(&mut self.met).find_map(|(known, met)| {
            let fitting = (fitting(known.operation, &operation)?, fitting(known.place, &place)?);
            Some((met, fitting))
        });
        match excuse {
            Some((met, (operation, place))) => met.extend([operation, place]),
            None => self.findings.entry((operation, place)).or_insert((what, 0)).1 += 1,
        }
    }

    /// The patterns of known mistakes that nothing needed, a line each.
    pub(crate) fn unmet(&self) -> Vec<String> {
        let mut unmet = Vec::new();
        for (known, met) in MISTAKES.iter().zip(&self.met) {
            let patterns = known.operation.split('|').chain(known.place.split('|'));
            let rest = patterns.filter(|pattern| !met.contains(pattern));
            unmet.extend(rest.map(|pattern| format!("{}: {pattern} ({})", known.operation, known.reason)));
        }
        unmet
    }

    /// What is excused by nothing, a line each.
    pub(crate) fn verdict(&self) -> Vec<String> {
        let shown = |((operation, place), (what, times)): (&(String, String), &(String, usize))| {
            format!("{operation}: {place}: {what} ({times} times)")
        };
        self.findings.iter().map(shown).collect()
    }
}

fn left_of_the_day(exchange: &Exchange) -> Option<u64> {
    exchange.response_headers.get("x-daily-ratelimit-token-remaining")?.as_str()?.parse().ok()
}

fn parameters<'v>(
    place: &str,
    declared: &[Parameter],
    given: impl Iterator<Item = (&'v str, &'v str)>,
    find: &mut impl FnMut(String, String),
) {
    let mut missing: BTreeSet<&str> =
        declared.iter().filter(|one| one.is_required).map(|one| one.name.as_str()).collect();
    for (name, value) in given {
        missing.remove(name);
        let Some(parameter) = declared.iter().find(|one| one.name == name) else {
            find(format!("{place} {name} undeclared"), "it is not declared".to_owned());
            continue;
        };
        let value = typed(parameter.schema.kind(), value);
        errors(&parameter.schema, &value, &format!("{place} {name}"), find);
    }
    for name in missing {
        find(format!("{place} {name}"), "it is required".to_owned());
    }
}

fn request(operation: &Operation, exchange: &Exchange, path: &str, find: &mut impl FnMut(String, String)) {
    let parts = operation.parts(path).unwrap_or_default();
    parameters("path", &operation.path, parts.into_iter(), find);
    let query = exchange.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    parameters("query", &operation.query, query, find);
    request_body(operation, exchange, find);
}

fn request_body(operation: &Operation, exchange: &Exchange, find: &mut impl FnMut(String, String)) {
    if exchange.request_body.is_null() {
        return;
    }
    let kind = exchange.request_headers.get("content-type").and_then(Value::as_str).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    match operation.bodies.get(kind) {
        Some(schema) => errors(schema, &exchange.request_body, "body", find),
        None => find("body".to_owned(), format!("no body of type \"{kind}\" is declared")),
    }
}

/// Judges an answer, and says how the document has it, as [`Counts::answers`] counts.
fn answer(operation: &Operation, exchange: &Exchange, find: &mut impl FnMut(String, String)) -> usize {
    let status = exchange.status;
    match operation.answers.get(&status) {
        Some(Some(schema)) => {
            errors(schema, &exchange.response_body, &format!("answer {status} "), find);
            0
        }
        Some(None) => 1,
        None => {
            find(format!("status {status}"), "it is not declared".to_owned());
            2
        }
    }
}

fn errors(schema: &Schema, value: &Value, place: &str, find: &mut impl FnMut(String, String)) {
    for error in schema.validator().iter_errors(value) {
        let at = format!("{place}{}", pattern(error.instance_path().as_str()));
        let is_null = error.instance().is_null();
        find(if is_null { format!("{at} null") } else { at }, said(&error));
    }
    for place_in_it in schema.undeclared(value) {
        find(format!("{place}{} undeclared", pattern(&place_in_it)), "it is not declared".to_owned());
    }
}

/// What a validator says, in short.
fn said(error: &ValidationError<'_>) -> String {
    let mut text = error.to_string();
    if let Some((end, _)) = text.char_indices().nth(300) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// A place without the numbers and codes that differ from run to run: `/data/0/9dc8…` is `/data/#/{code}`.
fn pattern(pointer: &str) -> String {
    let segment = |one: &str| match one {
        number if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => "#".to_owned(),
        code if code.len() == 40 && code.bytes().all(|byte| byte.is_ascii_hexdigit()) => "{code}".to_owned(),
        other => other.to_owned(),
    };
    pointer.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// The one of several patterns, with `|` between them, that fits a text: `*` stands for anything.
fn fitting(patterns: &'static str, text: &str) -> Option<&'static str> {
    patterns.split('|').find(|pattern| fits(pattern, text))
}

fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[test]
fn patterns_fit_whole_texts() {
    for (pattern, text, fit) in [
        ("GET /a", "GET /a", true),
        ("GET /a", "GET /a/b", false),
        ("* /api/v2/persons*", "GET /api/v2/persons/{id}", true),
        ("*/b", "x/b", true),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "a-c", false),
    ] {
        assert_eq!(fits(pattern, text), fit, "{pattern} {text}");
    }
    assert_eq!(fitting("*/a|*/b", "x/b"), Some("*/b"));
}

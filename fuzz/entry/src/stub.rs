//! A CRM that answers what it is told to, and a clock that waits for nothing.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::ids::IdSource;
use abmatic_sync_http::transport::{Transport, TransportError};
use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use uuid::Uuid;

/// What stands between two answers.
const BETWEEN: &[u8] = b"\n~\n";
/// So many calls may be made of one operation once there are no more answers.
const CALLS_MAX: usize = 200;
/// So often a future may ask for another look: nothing here ever waits.
const POLLS_MAX: usize = 1_000_000;

/// Answers in the order in which they are asked for.
#[derive(Debug)]
pub(crate) struct Answers {
    left: Mutex<VecDeque<Response<Bytes>>>,
    /// What is answered to a path that ends so, whatever else.
    known: &'static [(&'static str, &'static str)],
    calls: Mutex<usize>,
}

impl Answers {
    /// Reads the answers: each begins with `200 name: value | name: value` in a line of its own, or is all body.
    pub(crate) fn read(mut text: &[u8], known: &'static [(&'static str, &'static str)]) -> Self {
        let mut left = VecDeque::new();
        while !text.is_empty() {
            let end = text.windows(BETWEEN.len()).position(|window| window == BETWEEN);
            let (one, rest) = end.map_or((text, &[][..]), |end| (&text[..end], &text[end + BETWEEN.len()..]));
            left.push_back(answer(one));
            text = rest;
        }
        Self { left: Mutex::new(left), known, calls: Mutex::new(0) }
    }
}

fn answer(one: &[u8]) -> Response<Bytes> {
    let (line, body) = one.split_at(one.iter().position(|byte| *byte == b'\n').unwrap_or(one.len()));
    let (code, named) = line.split_at(line.len().min(3));
    let Some(status) = StatusCode::from_bytes(code).ok().filter(|status| status.as_u16() >= 200) else {
        return Response::new(Bytes::copy_from_slice(one));
    };
    let mut answer = Response::new(Bytes::copy_from_slice(body.strip_prefix(b"\n").unwrap_or(body)));
    *answer.status_mut() = status;
    for pair in named.split(|byte| *byte == b'|') {
        let Some(colon) = pair.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (pair[..colon].trim_ascii(), pair[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

#[async_trait]
impl Transport for Answers {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let path = request.uri().path();
        if let Some((_, body)) = self.known.iter().find(|(end, _)| path.ends_with(end)) {
            return Ok(Response::new(Bytes::from_static(body.as_bytes())));
        }
        if let Some(answer) = self.left.lock().unwrap_or_else(PoisonError::into_inner).pop_front() {
            return Ok(answer);
        }
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        *calls += 1;
        assert!(*calls <= CALLS_MAX, "it asks and asks: {path}");
        Err(TransportError::never_sent("there are no more answers"))
    }
}

/// Time that passes only while somebody waits for it.
#[derive(Debug, Default)]
pub(crate) struct StillClock(AtomicI64);

#[async_trait]
impl Clock for StillClock {
    fn now(&self) -> DateTime<Utc> {
        let at = 1_795_536_000_000_i64.saturating_add(self.0.load(Ordering::Relaxed));
        DateTime::from_timestamp_millis(at).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    async fn sleep(&self, duration: Duration) {
        let waited = i64::try_from(duration.as_millis());
        assert!(waited.is_ok_and(|waited| waited < 100 * 366 * 86_400_000), "it waits for {duration:?}");
        self.0.fetch_add(waited.unwrap_or_default(), Ordering::Relaxed);
    }
}

/// Ids that count up.
#[derive(Debug, Default)]
pub(crate) struct CountedIds(AtomicI64);

impl IdSource for CountedIds {
    fn next_id(&self, _: DateTime<Utc>) -> Uuid {
        Uuid::from_u64_pair(0, self.0.fetch_add(1, Ordering::Relaxed).unsigned_abs())
    }
}

/// What a future comes to that waits for nothing.
pub(crate) fn finish<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    let mut polls = 0;
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
        polls += 1;
        assert!(polls < POLLS_MAX, "it waits for what never comes");
    }
}

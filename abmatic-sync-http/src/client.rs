//! The authorised client: counts, paces, sends, sends again where that is safe, and names the operation in every error.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::model::connection::Connection;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tracing::Instrument as _;
use url::Url;

use crate::meter::call_ended;
use crate::pace::{Allowance, Lane, Limit, Pacer};
use crate::retry::{Resend, RetryOptions};
use crate::transport::{Proof, Transport, TransportError};

/// What differs between CRMs in one exchange.
pub trait Dialect: fmt::Debug + Send + Sync + 'static {
    /// Says who asks: by which header, with what before the token. By default as a bearer token.
    fn authorisation(&self, _token: &str) -> (HeaderName, &'static str) {
        (AUTHORIZATION, "Bearer ")
    }

    /// What an answer means whose status is not 2xx.
    fn refusal(&self, answer: &Answer) -> Error;

    /// The header in which the CRM names a call, by which its support finds it.
    fn call_id_header(&self) -> Option<&'static str> {
        None
    }

    /// What the headers say about the limit.
    fn allowance(&self, _headers: &HeaderMap) -> Option<Allowance> {
        None
    }
}

/// Says who asks, marked so that no header dump shows it.
fn authorise(headers: &mut HeaderMap, dialect: &dyn Dialect, token: &SecretString) -> Result<()> {
    let token = token.expose_secret().trim();
    let (name, before) = dialect.authorisation(token);
    let mut value = HeaderValue::try_from(format!("{before}{token}")).map_err(|_| {
        let message = "the token holds characters that no token has";
        Error::new(ErrorKind::Unauthorized, ErrorCode::InvalidSession, message)
    })?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

/// One request to be made.
#[derive(Debug)]
pub struct Call {
    operation: Cow<'static, str>,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Bytes,
    pace: Option<(Lane, Option<Limit>)>,
}

impl Call {
    /// A request without a body. `operation` is how errors name it: `hubspot read contacts`.
    pub fn new(operation: impl Into<Cow<'static, str>>, method: Method, url: Url) -> Self {
        Self { operation: operation.into(), method, url, headers: HeaderMap::new(), body: Bytes::new(), pace: None }
    }

    /// A GET.
    pub fn get(operation: impl Into<Cow<'static, str>>, url: Url) -> Self {
        Self::new(operation, Method::GET, url)
    }

    /// A POST with a JSON body.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidRequest`] when `body` cannot be written as JSON.
    pub fn post(operation: impl Into<Cow<'static, str>>, url: Url, body: &(impl Serialize + ?Sized)) -> Result<Self> {
        Self::new(operation, Method::POST, url).with_json(body)
    }

    /// Sets the JSON body.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidRequest`] when `body` cannot be written as JSON.
    pub fn with_json(mut self, body: &(impl Serialize + ?Sized)) -> Result<Self> {
        let bytes = serde_json::to_vec(body).map_err(|error| {
            Error::invalid(ErrorCode::InvalidRequest, "the request cannot be written as JSON").caused_by(error)
        })?;
        self.body = bytes.into();
        Ok(self)
    }

    /// Sets a body that is not JSON: what it is has to be said with it.
    #[must_use]
    pub fn with_body(self, content_type: HeaderValue, body: Bytes) -> Self {
        Self { body, ..self }.with_header(CONTENT_TYPE, content_type)
    }

    /// The body as it would be sent.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Adds a header, in place of one that the client would choose itself; who asks is still said by the dialect.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Lets it wait for its place in `lane`: by the documented `limit` where there is one, and by what headers say.
    #[must_use]
    pub fn paced(mut self, lane: Lane, limit: Option<Limit>) -> Self {
        self.pace = Some((lane, limit));
        self
    }
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    operation: Cow<'static, str>,
    resend: Resend,
    response: http::Response<Bytes>,
}

impl Answer {
    /// An answer of the server, as a dialect's tests make it.
    pub fn new(response: http::Response<Bytes>) -> Self {
        Self { operation: Cow::Borrowed("answer"), resend: Resend::Read, response }
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Its headers.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Its bytes, decompressed.
    pub fn body(&self) -> &Bytes {
        self.response.body()
    }

    /// `Retry-After` in seconds; a date, which few send, is measured from the answer's own `Date`.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse::<f64>() {
            return Duration::try_from_secs_f64(seconds).ok();
        }
        let date = self.headers().get(http::header::DATE)?.to_str().ok()?;
        let (until, from) = (httpdate::parse_http_date(text).ok()?, httpdate::parse_http_date(date).ok()?);
        Some(until.duration_since(from).unwrap_or(Duration::ZERO))
    }

    /// `Date`: the server's time when it answered, cut to the second.
    pub fn date(&self) -> Option<DateTime<Utc>> {
        let date = self.headers().get(http::header::DATE)?.to_str().ok()?;
        httpdate::parse_http_date(date).ok().map(DateTime::from)
    }

    /// The body read as JSON; it may borrow from the answer.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidAnswer`]: [`ErrorKind::Undocumented`] after a read; after a write, which did happen,
    /// [`ErrorKind::Ambiguous`].
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        serde_json::from_slice(self.body()).map_err(|error| self.unreadable(error))
    }

    /// The error for a body that is not what the operation's documentation promises.
    pub fn unreadable(&self, error: serde_json::Error) -> Error {
        let kind = if self.resend == Resend::Read { ErrorKind::Undocumented } else { ErrorKind::Ambiguous };
        let message = format!("HTTP {} with a body that does not parse", self.status().as_u16());
        Error::new(kind, ErrorCode::InvalidAnswer, message).caused_by(error).at(&self.operation)
    }
}

/// Sends calls for any number of connections. Clones share their pacing.
#[derive(Clone, Debug)]
pub struct Client {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    dialect: Arc<dyn Dialect>,
    pacer: Arc<Pacer>,
    retry: RetryOptions,
}

impl Client {
    /// A client over `transport` that tells and waits the time by `clock`.
    pub fn new(transport: Arc<dyn Transport>, clock: Arc<dyn Clock>, dialect: Arc<dyn Dialect>) -> Self {
        Self { transport, clock, dialect, pacer: Arc::default(), retry: RetryOptions::default() }
    }

    /// Sets how often and how slowly requests are sent again.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryOptions) -> Self {
        self.retry = retry;
        self
    }

    /// The clock it was given.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Sends `call` until it is answered with 2xx, is refused, or may not be sent again.
    ///
    /// # Errors
    /// What the dialect makes of the refusal, or the transport's failure by what it proves, under the operation's name.
    /// A 5xx on a call that is not a read is [`ErrorKind::Ambiguous`]: the server may have acted before it failed. Once an
    /// attempt was ambiguous, no later failure to get through makes it certain again.
    pub async fn send(&self, on: &Connection, call: Call, resend: Resend) -> Result<Answer> {
        let mut waits = self.retry.start();
        let (mut may_have_acted, mut was_renewed) = (false, false);
        let mut token = on.credentials.current().await.map_err(|error| error.at(&call.operation))?;
        loop {
            let span = tracing::debug_span!("call", connection = on.id.as_str(), operation = &*call.operation);
            let error = match self.send_once(on, &call, &token, resend).instrument(span).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if error.kind() == ErrorKind::Unauthorized && !std::mem::replace(&mut was_renewed, true) {
                let renewed = on.credentials.renewed(&token).await.map_err(|error| error.at(&call.operation))?;
                if let Some(renewed) = renewed {
                    token = renewed;
                    continue;
                }
            }
            may_have_acted |= error.kind() == ErrorKind::Ambiguous;
            let Some(wait) = waits.after(&error, resend) else {
                let error = if may_have_acted { still_in_doubt(error) } else { error };
                return Err(error.at(&call.operation));
            };
            tracing::debug!(
                connection = on.id.as_str(),
                operation = &*call.operation,
                code = error.code().as_str(),
                call = error.call_id(),
                "sent again after {} ms",
                wait.as_millis()
            );
            self.clock.sleep(wait).await;
        }
    }

    async fn send_once(&self, on: &Connection, call: &Call, token: &SecretString, resend: Resend) -> Result<Answer> {
        let request = self.request(call, token)?;
        self.take_turn(call).await;
        on.calls.count_one();
        let sent = self.clock.now();
        let ended = self.exchange(on, call, request, sent, resend).await;
        call_ended(on, ended.as_ref().err(), self.clock.now() - sent);
        ended
    }

    async fn exchange(
        &self,
        on: &Connection,
        call: &Call,
        request: Request<Bytes>,
        sent: DateTime<Utc>,
        resend: Resend,
    ) -> Result<Answer> {
        let response = self.transport.send(request).await.map_err(|error| lost(error, resend))?;
        let answer = Answer { operation: call.operation.clone(), resend, response };
        if let Some(told) = answer.date() {
            on.server_clock.observe(told, sent, self.clock.now());
        }
        if let (Some((lane, _)), Some(allowance)) = (&call.pace, self.dialect.allowance(answer.headers())) {
            self.pacer.observe(lane, allowance, self.clock.now());
        }
        if answer.status().is_success() {
            return Ok(answer);
        }
        let named = self.dialect.call_id_header().and_then(|name| answer.headers().get(name)?.to_str().ok());
        let refusal = self.dialect.refusal(&answer);
        let refusal = match named {
            Some(id) => refusal.with_call_id(id.chars().take(CALL_ID_MAX).collect::<String>()),
            None => refusal,
        };
        Err(if answer.status().is_server_error() { doubted(refusal, resend) } else { refusal })
    }

    fn request(&self, call: &Call, token: &SecretString) -> Result<Request<Bytes>> {
        let mut request = Request::new(call.body.clone());
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = call.url.as_str().parse().map_err(|error: http::uri::InvalidUri| {
            Error::invalid(ErrorCode::InvalidRequest, "the address is not one of HTTP").caused_by(error)
        })?;
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if !call.body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for (name, value) in &call.headers {
            headers.insert(name.clone(), value.clone());
        }
        authorise(headers, &*self.dialect, token)?;
        Ok(request)
    }

    async fn take_turn(&self, call: &Call) {
        let Some((lane, limit)) = &call.pace else { return };
        let wait = self.pacer.reserve(lane, *limit, self.clock.now());
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
    }
}

/// A removal that was sent: what is not there any more is removed.
///
/// # Errors
/// Any other refusal.
pub fn removed(sent: Result<Answer>) -> Result<()> {
    match sent {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// How much of a call's id is kept, in characters.
const CALL_ID_MAX: usize = 100;

/// A transport failure by what it proves. A read that was cut off is merely unavailable.
fn lost(error: TransportError, resend: Resend) -> Error {
    let kind = match (error.proof(), resend) {
        (Proof::NeverSent, _) | (Proof::MayHaveActed, Resend::Read) => ErrorKind::Unavailable,
        (Proof::MayHaveActed, Resend::Safe | Resend::Verify) => ErrorKind::Ambiguous,
    };
    Error::new(kind, ErrorCode::ConnectionLost, error.to_string()).caused_by(error)
}

/// A failure to get through says nothing of an earlier attempt that may have acted; a refusal of the request itself does.
fn still_in_doubt(error: Error) -> Error {
    if error.is_retryable() || error.kind() == ErrorKind::Unauthorized {
        return error.as_kind(ErrorKind::Ambiguous);
    }
    error
}

/// The server failed while it worked on something that is not a read: nobody knows how far it came.
fn doubted(refusal: Error, resend: Resend) -> Error {
    if resend == Resend::Read || refusal.kind() != ErrorKind::Unavailable {
        return refusal;
    }
    refusal.as_kind(ErrorKind::Ambiguous)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use abmatic_sync_core::model::connection::{Credentials, TokenSource};
    use async_trait::async_trait;
    use chrono::{DateTime, TimeDelta, Utc};

    use super::*;

    /// Gives prepared answers, one for each request.
    #[derive(Debug)]
    struct Script(Mutex<VecDeque<Result<u16, TransportError>>>);

    #[async_trait]
    impl Transport for Script {
        async fn send(&self, _: Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
            let status = self.0.lock().unwrap().pop_front().expect("one answer for each request")?;
            let body = Bytes::from_static(b"{}");
            Ok(http::Response::builder().status(status).header(RETRY_AFTER, "7").body(body).unwrap())
        }
    }

    #[derive(Debug, Default)]
    struct StillClock(Mutex<TimeDelta>);

    #[async_trait]
    impl Clock for StillClock {
        fn now(&self) -> DateTime<Utc> {
            DateTime::UNIX_EPOCH + *self.0.lock().unwrap()
        }

        async fn sleep(&self, duration: Duration) {
            *self.0.lock().unwrap() += TimeDelta::from_std(duration).unwrap();
        }
    }

    #[derive(Debug)]
    struct Plain;

    #[test]
    fn a_call_says_what_its_body_is_and_cannot_say_who_asks() {
        let client = Client::new(Arc::new(Script(Mutex::default())), Arc::new(StillClock::default()), Arc::new(Plain));
        let call = Call::new("plain upload", Method::PUT, "https://example.com".parse().unwrap())
            .with_body(HeaderValue::from_static("text/csv"), Bytes::from_static(b"Id\n"))
            .with_header(ACCEPT, HeaderValue::from_static("text/csv"))
            .with_header(AUTHORIZATION, HeaderValue::from_static("Bearer other"));
        let request = client.request(&call, &SecretString::from("secret")).unwrap();
        let header = |name| request.headers().get(name).unwrap().to_str().unwrap();
        assert_eq!((header(CONTENT_TYPE), header(ACCEPT)), ("text/csv", "text/csv"));
        assert_eq!((header(AUTHORIZATION), request.body().as_ref()), ("Bearer secret", b"Id\n".as_slice()));
    }

    impl Dialect for Plain {
        fn refusal(&self, answer: &Answer) -> Error {
            let kind = match answer.status().as_u16() {
                401 => ErrorKind::Unauthorized,
                429 => ErrorKind::RateLimited,
                500.. => ErrorKind::Unavailable,
                _ => ErrorKind::Invalid,
            };
            let error = Error::new(kind, ErrorCode::UnknownError, "refused");
            if kind == ErrorKind::RateLimited {
                return error.with_retry_after(answer.retry_after().unwrap());
            }
            error
        }
    }

    /// Gives `first`, then once it was refused `second`, and nothing after that.
    #[derive(Debug)]
    struct Renewing;

    #[async_trait]
    impl TokenSource for Renewing {
        async fn token(&self) -> Result<SecretString> {
            Ok("first".into())
        }

        async fn renewed(&self, refused: &SecretString) -> Result<SecretString> {
            assert_eq!(refused.expose_secret(), "first");
            Ok("second".into())
        }
    }

    #[tokio::test]
    async fn a_refused_token_is_renewed_once_and_what_was_asked_is_asked_again() {
        for (script, is_answered) in [(vec![Ok(401), Ok(200)], true), (vec![Ok(401), Ok(401)], false)] {
            let transport = Arc::new(Script(Mutex::new(script.into())));
            let client = Client::new(transport, Arc::new(StillClock::default()), Arc::new(Plain));
            let on = Connection::new("t", "c", "plain", Credentials::Source(Arc::new(Renewing)));
            let call = Call::get("plain create contact", "https://example.com".parse().unwrap());
            let answer = client.send(&on, call, Resend::Verify).await;
            assert_eq!((answer.is_ok(), on.calls.total()), (is_answered, 2));
        }
        let (answer, calls, _) = run(vec![Ok(401)], Resend::Read).await;
        assert_eq!((answer.unwrap_err().kind(), calls), (ErrorKind::Unauthorized, 1));
    }

    #[tokio::test]
    async fn a_token_that_no_header_can_hold_is_refused_here() {
        let client = Client::new(Arc::new(Script(Mutex::default())), Arc::new(StillClock::default()), Arc::new(Plain));
        let on = Connection::new("t", "c", "plain", Credentials::token("a\nb"));
        let call = Call::get("plain read contacts", "https://example.com".parse().unwrap());
        assert_eq!(client.send(&on, call, Resend::Read).await.unwrap_err().code(), ErrorCode::InvalidSession);
    }

    async fn run(script: Vec<Result<u16, TransportError>>, resend: Resend) -> (Result<Answer>, u64, i64) {
        let clock = Arc::new(StillClock::default());
        let transport = Arc::new(Script(Mutex::new(script.into())));
        let client = Client::new(transport, Arc::<StillClock>::clone(&clock), Arc::new(Plain));
        let on = Connection::new("t", "c", "plain", Credentials::token("secret"));
        let call = Call::get("plain read contacts", "https://example.com".parse().unwrap());
        let answer = client.send(&on, call, resend).await;
        (answer, on.calls.total(), clock.now().timestamp())
    }

    #[tokio::test]
    async fn a_plain_create_is_not_sent_again_after_doubt() {
        for script in [vec![Ok(502)], vec![Err(TransportError::cut_off("cut"))]] {
            let (answer, calls, _) = run(script, Resend::Verify).await;
            assert_eq!((answer.unwrap_err().kind(), calls), (ErrorKind::Ambiguous, 1));
        }
        let (answer, calls, _) = run(vec![Err(TransportError::never_sent("no")), Ok(200)], Resend::Verify).await;
        assert!(answer.is_ok() && calls == 2);
    }

    #[tokio::test]
    async fn reads_and_safe_writes_are_sent_again() {
        let script = || vec![Ok(503), Err(TransportError::cut_off("cut")), Ok(200)];
        for resend in [Resend::Read, Resend::Safe] {
            let (answer, calls, _) = run(script(), resend).await;
            assert!(answer.is_ok() && calls == 3);
        }
    }

    #[tokio::test]
    async fn doubt_outlives_later_failures_to_get_through() {
        let mut script = vec![Err(TransportError::cut_off("cut"))];
        script.extend((0..5).map(|_| Err(TransportError::never_sent("no"))));
        let (answer, ..) = run(script, Resend::Safe).await;
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::Ambiguous);
        let (answer, ..) = run(vec![Ok(502), Ok(400)], Resend::Safe).await;
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::Invalid);
    }

    #[tokio::test]
    async fn the_server_says_how_long_to_wait() {
        let (answer, calls, seconds) = run(vec![Ok(429), Ok(200)], Resend::Verify).await;
        assert!(answer.is_ok());
        assert_eq!((calls, seconds), (2, 7));
    }

    #[tokio::test]
    async fn every_answer_tells_the_servers_time() {
        #[derive(Debug)]
        struct Dated(Arc<StillClock>);

        #[async_trait]
        impl Transport for Dated {
            async fn send(&self, _: Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
                self.0.sleep(Duration::from_secs(3)).await;
                let date = "Thu, 01 Jan 1970 01:00:02 GMT";
                Ok(http::Response::builder().status(400).header("date", date).body(Bytes::new()).unwrap())
            }
        }

        let clock = Arc::new(StillClock::default());
        let client = Client::new(Arc::new(Dated(Arc::clone(&clock))), clock, Arc::new(Plain));
        let on = Connection::new("t", "c", "plain", Credentials::token("secret"));
        let call = Call::get("plain read contacts", "https://example.com".parse().unwrap());
        client.send(&on, call, Resend::Read).await.unwrap_err();
        let ahead = on.server_clock.ahead().unwrap();
        assert_eq!((ahead.at_least, ahead.at_most), (TimeDelta::seconds(3_599), TimeDelta::seconds(3_603)));
        assert_eq!(on.metered().server_clock.ahead(), None);
    }

    #[tokio::test]
    async fn errors_name_the_operation_and_no_secret() {
        let (answer, ..) = run(vec![Ok(400)], Resend::Read).await;
        let error = answer.unwrap_err();
        assert_eq!(error.to_string(), "plain read contacts: refused (UNKNOWN_ERROR)");
        assert!(!format!("{error:?}").contains("secret"));
    }
}

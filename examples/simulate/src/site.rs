//! A fake with its time, its faults, and a wire to it that has no socket.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_http::transport::{Transport, TransportError};
use abmatic_sync_testkit::fake::activecampaign::FakeActiveCampaign;
use abmatic_sync_testkit::fake::exchange::{Delivery, Request, Response};
use abmatic_sync_testkit::fake::fault::{Fault as FakeFault, FaultKind};
use abmatic_sync_testkit::fake::hubspot::FakeHubspot;
use abmatic_sync_testkit::fake::pipedrive::FakePipedrive;
use abmatic_sync_testkit::fake::salesforce::FakeSalesforce;
use abmatic_sync_testkit::simulator::{Fault, Opening, turn};
use async_trait::async_trait;
use bytes::Bytes;

/// What all fakes have in common.
pub(crate) trait Fake: fmt::Debug + Send + Sync + 'static {
    fn base_url(&self) -> String;
    fn token(&self) -> String;
    fn answer(&self, request: &Request) -> Response;
    fn inject(&self, fault: FakeFault);
    fn clear_faults(&self);
    fn now_ms(&self) -> i64;
    fn advance_ms(&self, by_ms: i64);
}

macro_rules! fake {
    ($($fake:ty),*) => {
        $(impl Fake for $fake {
            fn base_url(&self) -> String {
                <$fake>::base_url(self)
            }
            fn token(&self) -> String {
                <$fake>::token(self)
            }
            fn answer(&self, request: &Request) -> Response {
                <$fake>::answer(self, request)
            }
            fn inject(&self, fault: FakeFault) {
                <$fake>::inject(self, fault);
            }
            fn clear_faults(&self) {
                <$fake>::clear_faults(self);
            }
            fn now_ms(&self) -> i64 {
                <$fake>::now_ms(self)
            }
            fn advance_ms(&self, by_ms: i64) {
                <$fake>::advance_ms(self, by_ms);
            }
        })*
    };
}

fake!(FakeActiveCampaign, FakeHubspot, FakePipedrive, FakeSalesforce);

/// A fake in the time of a simulated world. Clones share it.
#[derive(Debug)]
pub(crate) struct Site<F> {
    fake: Arc<F>,
    opening: Arc<Opening>,
}

impl<F> Clone for Site<F> {
    fn clone(&self) -> Self {
        Self { fake: Arc::clone(&self.fake), opening: Arc::clone(&self.opening) }
    }
}

impl<F: Fake> Site<F> {
    /// The fake has to have been built with the opening's time.
    pub(crate) fn new(fake: F, opening: Opening) -> Self {
        Self { fake: Arc::new(fake), opening: Arc::new(opening) }
    }

    /// The fake, at the present.
    pub(crate) fn fake(&self) -> &F {
        let behind = self.opening.crm_time().timestamp_millis() - self.fake.now_ms();
        if behind > 0 {
            self.fake.advance_ms(behind);
        }
        &self.fake
    }

    /// The connection, for whoever does not mind the fake's address; no socket listens there.
    pub(crate) fn connection(&self) -> Connection {
        let on = Connection::new("", "", "", Credentials::token(self.fake.token()));
        match self.fake.base_url().parse() {
            Ok(url) => on.with_base_url(url),
            Err(_) => on,
        }
    }

    pub(crate) fn expect_faults(&self, faults: &[(u64, Fault)]) {
        self.fake.clear_faults();
        for (call, fault) in faults {
            self.fake.inject(
                FakeFault::new(kind_of(*fault, *call)).after(*call).with_status(503).with_retry_after_seconds(10),
            );
        }
    }
}

/// The number of the call chooses among what comes to the same for a client.
fn kind_of(fault: Fault, call: u64) -> FaultKind {
    match fault {
        Fault::LostRequest => FaultKind::ConnectionReset,
        Fault::HalfDone => FaultKind::TruncatedBody,
        Fault::RateLimited => FaultKind::RateLimited,
        Fault::RepeatedPage => FaultKind::RepeatedPage,
        Fault::Unauthorized => FaultKind::ExpiredToken,
        Fault::Unavailable => FaultKind::ServerError,
        // Whatever else there may be leaves the same doubt.
        _ if call.is_multiple_of(2) => FaultKind::AnswerLost,
        _ => FaultKind::ServerErrorAfterWrite,
    }
}

#[async_trait]
impl<F: Fake> Transport for Site<F> {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        turn().await;
        let mut response = self.fake().answer(&asked(&request));
        if response.header("Date").is_none() {
            // Whatever carries HTTP tells the time.
            let now = UNIX_EPOCH + Duration::from_millis(self.fake.now_ms().unsigned_abs());
            response.headers.push(("Date", httpdate::fmt_http_date(now).into()));
        }
        turn().await;
        answered(response)
    }
}

fn asked(request: &http::Request<Bytes>) -> Request {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let mut asked = Request::new(request.method().as_str(), target);
    for (name, value) in request.headers() {
        asked = asked.with_header(name.as_str(), &String::from_utf8_lossy(value.as_bytes()));
    }
    asked.body = request.body().to_vec();
    asked
}

fn answered(response: Response) -> Result<http::Response<Bytes>, TransportError> {
    match response.delivery {
        Delivery::Whole => {}
        Delivery::Refused | Delivery::Lost => return Err(TransportError::cut_off("the connection was cut off")),
        Delivery::Truncated(_) => return Err(TransportError::cut_off("the answer was cut off")),
        _ => return Err(TransportError::cut_off("no answer came in time")),
    }
    let mut answer = http::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        answer = answer.header(*name, value.as_ref());
    }
    answer.body(Bytes::from(response.body)).map_err(|error| TransportError::cut_off(error.to_string()))
}

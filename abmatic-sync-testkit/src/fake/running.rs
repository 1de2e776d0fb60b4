//! A fake in use: its one lock, and its socket if it has one.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::fake::clock::FakeClock;
use crate::fake::exchange::{Request, Response};
use crate::fake::machine::{Crm, Machine};
use crate::fake::server::{Server, Service};
use crate::fake::traffic::Traffic;

/// The state behind its one lock, and the bell that rings after each call.
#[derive(Debug)]
struct Shared<C> {
    machine: Mutex<Machine<C>>,
    called: Notify,
}

impl<C: Crm> Shared<C> {
    fn lock(&self) -> MutexGuard<'_, Machine<C>> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Crm> Service for Shared<C> {
    fn answer(&self, request: Request) -> Response {
        let response = self.lock().answer(&request);
        self.called.notify_waiters();
        response
    }
}

/// The fake's time, which passes while somebody waits for it.
struct SharedTime<C>(Arc<Shared<C>>);

/// What the fake holds is not its clock's to show: its token is among it.
impl<C> fmt::Debug for SharedTime<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedTime")
    }
}

#[async_trait]
impl<C: Crm> Clock for SharedTime<C> {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.lock().clock.now_ms()).unwrap_or_default()
    }

    async fn sleep(&self, duration: Duration) {
        let milliseconds = i64::try_from(duration.as_micros().div_ceil(1_000)).unwrap_or(i64::MAX);
        self.0.lock().clock.advance(milliseconds);
    }
}

/// A fake CRM; its socket closes when it is dropped.
#[derive(Debug)]
pub(crate) struct Running<C> {
    shared: Arc<Shared<C>>,
    server: Option<Server>,
}

impl<C: Crm> Running<C> {
    /// A fake without a socket.
    pub(crate) fn new(crm: C, clock: FakeClock) -> Self {
        let shared = Shared { machine: Mutex::new(Machine::new(crm, clock)), called: Notify::new() };
        Self { shared: Arc::new(shared), server: None }
    }

    /// Listens on loopback, and answers the address; port 0 takes a free one.
    pub(crate) async fn listen(&mut self, port: u16) -> io::Result<String> {
        let listener = TcpListener::bind((IpAddr::V4(Ipv4Addr::LOCALHOST), port)).await?;
        let service: Arc<dyn Service> = Arc::<Shared<C>>::clone(&self.shared);
        let server = Server::start(listener, service).await?;
        let address = format!("http://{}", server.address());
        self.server = Some(server);
        Ok(address)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Machine<C>> {
        self.shared.lock()
    }

    /// Its time, as somebody else's clock.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SharedTime(Arc::clone(&self.shared)))
    }

    /// Returns once what was called over the socket so far is as `wanted`.
    pub(crate) async fn called(&self, wanted: impl Fn(&Traffic) -> bool) {
        loop {
            let next = self.shared.called.notified();
            if wanted(&self.lock().traffic) {
                return;
            }
            next.await;
        }
    }

    /// Works on the CRM under its lock, at its present.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut C, i64) -> T) -> T {
        let mut machine = self.lock();
        let now = machine.clock.now_ms();
        work(&mut machine.crm, now)
    }
}

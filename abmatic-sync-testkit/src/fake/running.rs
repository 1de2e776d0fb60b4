//! A fake in use: its one lock, and its socket if it has one.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

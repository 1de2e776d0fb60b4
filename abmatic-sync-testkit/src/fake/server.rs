//! The socket of a fake: accepts, reads a request, asks for the answer, sends it. Knows no CRM.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::fake::exchange::{Delivery, Request, Response};
use crate::fake::http::Connection;

/// What stands behind a socket.
pub(crate) trait Service: Send + Sync + 'static {
    /// The answer to one request.
    fn answer(&self, request: Request) -> Response;
}

/// A listening socket; its connections end when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    _stop: watch::Sender<()>,
}

impl Server {
    /// Listens on loopback; port 0 takes a free one.
    #[expect(clippy::disallowed_methods, reason = "the fakes' socket is what may spawn")]
    pub(crate) async fn start(listener: TcpListener, service: Arc<dyn Service>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(());
        tokio::spawn(accept(listener, service, stopped));
        Ok(Self { address, _stop: stop })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

#[expect(clippy::disallowed_methods, reason = "the fakes' socket is what may spawn")]
async fn accept(listener: TcpListener, service: Arc<dyn Service>, mut stopped: watch::Receiver<()>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => return,
        };
        if let Ok((stream, _)) = accepted {
            tokio::spawn(serve(stream, Arc::clone(&service), stopped.clone()));
        }
    }
}

async fn serve(stream: TcpStream, service: Arc<dyn Service>, mut stopped: watch::Receiver<()>) {
    let _ = stream.set_nodelay(true);
    let mut connection = Connection::new(stream);
    loop {
        let incoming = tokio::select! {
            incoming = connection.read() => incoming,
            _ = stopped.changed() => return,
        };
        let Ok(Some(incoming)) = incoming else { return };
        let response = service.answer(incoming.request);
        wait(response.delay_ms).await;
        if response.delivery == Delivery::Withheld {
            // The next that comes from the client is its end.
            tokio::select! {
                _ = connection.read() => return,
                _ = stopped.changed() => return,
            }
        }
        match connection.write(&response, incoming.keep_alive).await {
            Ok(true) => {}
            Ok(false) => return end(connection, response.delivery),
            Err(_) => return,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "injected latency on a socket passes in real time")]
async fn wait(delay_ms: u64) {
    if delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    }
}

/// Closes the connection; a refused call ends in a reset, as from a host that is gone.
fn end(connection: Connection, delivery: Delivery) {
    let stream = connection.into_stream();
    if delivery == Delivery::Refused {
        let _ = stream.set_zero_linger();
    }
}

//! A proxy that carries every request to the CRM and loses the answers of those that may write.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// Whoever opens a connection and asks nothing is not waited for longer.
const SILENCE_MAX: Duration = Duration::from_secs(10);
const HEAD_END: &[u8] = b"\r\n\r\n";

/// A proxy before one host of plain HTTP.
#[derive(Debug)]
pub(crate) struct Lossy {
    listener: TcpListener,
    upstream: String,
}

impl Lossy {
    /// Listens on a free port of this machine. `None` where `base` is no plain HTTP.
    pub(crate) async fn before(base: &Url) -> io::Result<Option<Self>> {
        let (Some(host), Some(port), "http") = (base.host_str(), base.port_or_known_default(), base.scheme()) else {
            return Ok(None);
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        Ok(Some(Self { listener, upstream: format!("{host}:{port}") }))
    }

    /// The base URL that leads through it.
    pub(crate) fn url(&self, base: &Url) -> Option<Url> {
        let mut url = base.clone();
        url.set_host(Some("127.0.0.1")).ok()?;
        url.set_port(Some(self.listener.local_addr().ok()?.port())).ok()?;
        Some(url)
    }

    /// Serves one connection after the other, for as long as it is polled.
    pub(crate) async fn serve(&self) {
        loop {
            if let Ok((client, _)) = self.listener.accept().await {
                // A connection that fails is the client's to notice.
                drop(tokio::time::timeout(SILENCE_MAX, self.carry(client)).await);
            }
        }
    }

    /// One request, and its answer unless it is to be lost.
    async fn carry(&self, mut client: TcpStream) -> io::Result<()> {
        let request = whole_request(&mut client).await?;
        let mut server = TcpStream::connect(&self.upstream).await?;
        server.write_all(&request).await?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).await?;
        if request.starts_with(b"GET ") { client.write_all(&answer).await } else { Ok(()) }
    }
}

/// A request with its body, asking that the connection ends with its answer.
async fn whole_request(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(HEAD_END.len()).position(|window| window == HEAD_END) {
            break at;
        }
        if client.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let lines = head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    let mut request = lines.clone().collect::<Vec<_>>().join("\r\n").into_bytes();
    let length =
        lines.filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|(_, value)| value.trim().parse::<usize>().ok()).unwrap_or(0);
    let mut body = bytes.split_off(head_end + HEAD_END.len());
    while body.len() < length {
        if client.read_buf(&mut body).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    request.extend_from_slice(b"\r\nconnection: close\r\n\r\n");
    request.extend(body);
    Ok(request)
}

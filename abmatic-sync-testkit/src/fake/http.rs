//! HTTP/1.1 on a byte stream: one request in, one response out, and the connection cut where a fault wants it.
//!
//! Written on `httparse` rather than on a server framework, because a fake must be able to stop in the middle
//! of an answer, or to give none.

use std::io;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::fake::exchange::{Delivery, Request, Response};

const HEAD_BYTES_MAX: usize = 256 * 1024;
const HEADERS_MAX: usize = 96;

/// One client's connection.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    head: Vec<u8>,
}

/// A request as it was read, and whether the connection may carry another one.
pub(crate) struct Incoming {
    pub(crate) request: Request,
    pub(crate) keep_alive: bool,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream: BufReader::with_capacity(16 * 1024, stream), head: Vec::new() }
    }

    /// The next request, or `None` when the client has closed or speaks no HTTP.
    pub(crate) async fn read(&mut self) -> io::Result<Option<Incoming>> {
        if !self.read_head().await? {
            return Ok(None);
        }
        let Some((mut request, keep_alive)) = parse_head(&self.head) else { return Ok(None) };
        if request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
            self.stream.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        request.body = match request.header("transfer-encoding") {
            Some(coding) if coding.to_ascii_lowercase().contains("chunked") => self.read_chunks().await?,
            _ => {
                let length = request.header("content-length").and_then(|text| text.trim().parse().ok()).unwrap_or(0);
                self.read_exactly(length).await?
            }
        };
        Ok(Some(Incoming { request, keep_alive }))
    }

    /// Reads up to the blank line that ends the head; false when nothing more comes.
    async fn read_head(&mut self) -> io::Result<bool> {
        self.head.clear();
        loop {
            let before = self.head.len();
            let read = self.stream.read_until(b'\n', &mut self.head).await?;
            if read == 0 || self.head.len() > HEAD_BYTES_MAX {
                return Ok(false);
            }
            let blank = matches!(self.head.get(before..), Some(b"\r\n" | b"\n"));
            if blank && before > 0 {
                return Ok(true);
            }
            if blank {
                self.head.clear();
            }
        }
    }

    async fn read_exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok(body)
    }

    async fn read_chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.read_line().await?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
            if size == 0 {
                while !self.read_line().await?.is_empty() {}
                return Ok(body);
            }
            body.extend(self.read_exactly(size).await?);
            self.read_line().await?;
        }
    }

    async fn read_line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line).await?;
        Ok(line.trim_end().to_owned())
    }

    /// Sends the response as its delivery says; true when the connection stays usable.
    pub(crate) async fn write(&mut self, response: &Response, keep_alive: bool) -> io::Result<bool> {
        let body = response.body.as_slice();
        let shown = match response.delivery {
            Delivery::Whole => body,
            Delivery::Truncated(length) => body.get(..length).unwrap_or(body),
            Delivery::Lost | Delivery::Refused | Delivery::Withheld => return Ok(false),
        };
        let mut bytes = Vec::with_capacity(512 + shown.len());
        write_head(&mut bytes, response, keep_alive);
        bytes.extend_from_slice(shown);
        self.stream.get_mut().write_all(&bytes).await?;
        Ok(keep_alive && response.delivery == Delivery::Whole)
    }

    /// The stream, to end it.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream.into_inner()
    }
}

fn parse_head(head: &[u8]) -> Option<(Request, bool)> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut headers);
    parsed.parse(head).ok()?.is_complete().then_some(())?;
    let target = parsed.path?;
    let mut request = Request::new(parsed.method?, path_of(target));
    request.headers = parsed
        .headers
        .iter()
        .map(|header| (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned()))
        .collect();
    let connection = request.header("connection").unwrap_or_default();
    let keep_alive = match parsed.version {
        Some(0) => connection.eq_ignore_ascii_case("keep-alive"),
        _ => !connection.eq_ignore_ascii_case("close"),
    };
    Some((request, keep_alive))
}

/// The path of a target that may be absolute, as proxies get it.
fn path_of(target: &str) -> &str {
    match target.strip_prefix("http://") {
        Some(rest) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => target,
    }
}

fn write_head(out: &mut Vec<u8>, response: &Response, keep_alive: bool) {
    out.extend_from_slice(format!("HTTP/1.1 {} {}\r\n", response.status, reason(response.status)).as_bytes());
    for (name, value) in &response.headers {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend(value.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')));
        out.extend_from_slice(b"\r\n");
    }
    if response.status != 204 {
        out.extend_from_slice(format!("Content-Length: {}\r\n", response.body.len()).as_bytes());
    }
    out.extend_from_slice(if keep_alive { b"\r\n" } else { b"Connection: close\r\n\r\n" });
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        207 => "Multi-Status",
        300 => "Multiple Choices",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        410 => "Gone",
        412 => "Precondition Failed",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        423 => "Locked",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}

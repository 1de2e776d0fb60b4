//! A webhook's request and its answer, whatever server the host receives it with.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

/// A request as the host's server received it. Its address, headers and body may hold secrets: `Debug` shows none of them.
#[non_exhaustive]
#[derive(Clone)]
pub struct HookRequest {
    /// Its method.
    pub method: Method,
    /// Path and query as they came, not decoded and not put in order: signatures are over just that.
    pub target: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body as it came.
    pub body: Bytes,
}

impl fmt::Debug for HookRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookRequest")
            .field("method", &self.method)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl HookRequest {
    /// A request to this path and query.
    pub fn new(method: Method, target: impl Into<String>, headers: HeaderMap, body: impl Into<Bytes>) -> Self {
        Self { method, target: target.into(), headers, body: body.into() }
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The path's segments, decoded.
    pub(crate) fn segments(&self) -> Vec<String> {
        let path = self.target.split(['?', '#']).next().unwrap_or_default();
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        segments.map(|segment| percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned()).collect()
    }
}

/// What the host's server answers.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookReply {
    /// The status.
    pub status: StatusCode,
    /// The body's type, where there is a body.
    pub content_type: Option<&'static str>,
    /// The body.
    pub body: String,
}

impl HookReply {
    /// An answer without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self { status, content_type: None, body: String::new() }
    }

    /// An answer with one.
    pub fn with_body(status: StatusCode, content_type: &'static str, body: impl Into<String>) -> Self {
        Self { status, content_type: Some(content_type), body: body.into() }
    }
}

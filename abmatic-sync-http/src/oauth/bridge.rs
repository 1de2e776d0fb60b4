//! Carries the requests of the `oauth2` crate over our transport, and tells failures to get through from refusals.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::StatusCode;
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};

use crate::transport::{Transport, TransportError};

#[derive(Clone, Debug)]
pub(super) struct Bridge(pub(super) Arc<dyn Transport>);

/// The request did not get through to somebody who can decide on it.
#[derive(Debug)]
pub(super) enum Lost {
    Busy(StatusCode),
    Transport(TransportError),
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy(status) => write!(f, "HTTP {}", status.as_u16()),
            Self::Transport(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Lost {}

impl<'c> AsyncHttpClient<'c> for Bridge {
    type Error = Lost;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Lost>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let answer = self.0.send(request.map(Into::into)).await.map_err(Lost::Transport)?;
            let status = answer.status();
            if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
                return Err(Lost::Busy(status));
            }
            Ok(answer.map(|body| body.to_vec()))
        })
    }
}

//! What every HTTP connector of abmatic-sync shares: the authorised client, retry, pacing, paging, and the system's clock.
//!
//! A connector brings a [`client::Dialect`]: how its CRM is told who asks, what its refusals mean, and what its headers
//! say about limits. The rest is here: requests are counted, paced, sent again only where that is safe, and each error
//! names its operation.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind};
//! use abmatic_sync_core::model::connection::{Connection, Credentials};
//! use abmatic_sync_http::client::{Answer, Call, Client, Dialect};
//! use abmatic_sync_http::clock::SystemClock;
//! use abmatic_sync_http::retry::Resend;
//! use abmatic_sync_http::transport::ReqwestTransport;
//!
//! #[derive(Debug)]
//! struct Plain;
//!
//! impl Dialect for Plain {
//!     fn refusal(&self, answer: &Answer) -> Error {
//!         Error::new(ErrorKind::Undocumented, ErrorCode::UnknownError, format!("HTTP {}", answer.status()))
//!     }
//! }
//!
//! # async fn program() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new(Arc::new(ReqwestTransport::default()), Arc::new(SystemClock), Arc::new(Plain));
//! let connection = Connection::new("tenant-1", "main", "plain", Credentials::token("secret"));
//! let call = Call::get("plain read contacts", "https://api.example.com/contacts".parse()?);
//! let answer = client.send(&connection, call, Resend::Read).await?;
//! println!("{} bytes after {} request", answer.body().len(), connection.calls.total());
//! # Ok(())
//! # }
//! ```

pub mod budget;
pub mod client;
pub mod clock;
pub mod decode;
pub mod host;
pub mod known;
mod meter;
pub mod oauth;
pub mod pace;
pub mod paging;
pub mod retry;
pub mod transport;
pub mod webhook;

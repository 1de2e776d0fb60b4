//! Exact requests and answers, as the documentation has them, against a server that knows nothing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod account;
mod imports;
mod limits;
mod reads;
mod scopes;
mod writes;

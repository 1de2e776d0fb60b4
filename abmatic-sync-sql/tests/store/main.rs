//! The SQLite store against the contracts of core, and what it adds to them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails shall stop, in its helpers too")]

mod births;
mod connections;
mod credentials;
mod files;
mod host;
mod log;
mod pages;
mod quarantine;
mod records;
mod state;
mod support;

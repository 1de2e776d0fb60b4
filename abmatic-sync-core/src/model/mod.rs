//! The vocabulary: plain data, no behaviour beyond itself.

pub mod change;
pub mod connection;
pub mod fields;
pub mod journal;
pub mod link;
pub mod mapping;
pub mod quarantine;
pub mod quota;
pub mod record;
pub mod resource;
pub mod schema;
pub mod server_clock;
pub mod value;

#[cfg(test)]
mod laws;

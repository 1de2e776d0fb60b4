//! The host's side: its records, and the engine's links, runs and log.

pub mod connections;
pub mod contract;
pub mod credentials;
pub mod page;
pub mod records;
pub mod schedules;
pub mod state;

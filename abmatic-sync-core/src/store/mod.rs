//! The host's side: its records, and the engine's links, runs and log.

pub mod contract;
pub mod page;
pub mod records;
pub mod state;

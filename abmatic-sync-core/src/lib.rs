//! Engine, model and connector contract of abmatic-sync.

pub mod clock;
pub mod connector;
pub mod engine;
pub mod error;
pub mod filter;
pub mod ids;
pub mod model;
pub mod policy;
pub mod run;
pub mod steps;
pub mod store;

//! The pure steps, in the order a record takes them; data in, data out, no await.

pub(crate) mod arrival;
pub mod coerce;
pub mod form;
pub mod gone;
pub mod mapping;
pub mod matching;
pub mod merge;
pub mod normalize;
pub mod plan;
pub mod recognise;
pub mod references;
pub(crate) mod required;
pub(crate) mod single;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod laws;

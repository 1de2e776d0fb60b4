//! What the example hosts share: how a plan, a log and a run's progress are shown.

pub mod show;
pub mod support;

/// The README's first program compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

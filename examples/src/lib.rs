//! What the example hosts share: how a plan, a log and a run's progress are shown.

pub mod show;

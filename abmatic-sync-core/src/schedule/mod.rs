//! When runs begin by themselves: rhythms, and the scheduler that a host spawns.

pub mod rhythm;
pub mod scheduler;
mod turn;
mod turns;
mod wake;

#![doc = include_str!("../README.md")]

pub mod connector;
pub mod fake;
mod wire;

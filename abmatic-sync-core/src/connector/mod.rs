//! What a CRM must be able to do, as a trait and as data.

pub mod capabilities;
pub mod contract;
pub mod request;

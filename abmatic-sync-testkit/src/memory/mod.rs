//! A CRM and a host's stores in memory, for tests of hosts and of the engine that need neither HTTP nor a database.

pub mod connections;
pub mod crm;
mod shelf;
pub mod store;

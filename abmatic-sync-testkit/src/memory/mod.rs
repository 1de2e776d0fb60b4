//! A CRM in memory behind the connector trait, for tests of hosts and of the engine that need no HTTP.

pub mod crm;

//! OAuth 2.0: from the consent page to a token that is always good.
//!
//! A connector brings a [`provider::Provider`]. A host registers as an app there, and has one [`authorizer::Authorizer`] for
//! it: that sends a user to the consent page, takes the callback, keeps the tokens sealed, and gives connections their
//! [`session`]: each call asks it, and it refreshes ahead of expiry, once for all tasks and processes.

pub mod assertion;
pub mod authorizer;
mod bridge;
mod exchange;
pub mod opener;
pub mod provider;
mod refusal;
pub mod session;
mod tokens;

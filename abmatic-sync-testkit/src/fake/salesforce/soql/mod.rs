//! SOQL: read, checked against the org, and run, by a parser of the fake's own.

pub(crate) mod aggregate;
pub(crate) mod ast;
pub(crate) mod condition;
pub(crate) mod criteria;
pub(crate) mod dates;
pub(crate) mod literal;
pub(crate) mod parser;
pub(crate) mod path;
pub(crate) mod plan;
pub(crate) mod render;
pub(crate) mod run;
pub(crate) mod shape;
pub(crate) mod token;

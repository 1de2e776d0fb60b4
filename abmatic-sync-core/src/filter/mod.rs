//! Conditions on records: typed, from users' text, and evaluated here where a CRM cannot.

pub mod check;
pub mod eval;
pub mod expr;
pub mod parse;
pub mod print;
pub mod syntax_error;

#[cfg(test)]
mod laws;

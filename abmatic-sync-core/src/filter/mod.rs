//! Conditions on records: typed, from users' text, and evaluated here where a CRM cannot.

pub mod expr;

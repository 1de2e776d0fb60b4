//! Test tools of abmatic-sync: fake CRMs that anyone can call, in any language.

pub mod fake;
pub mod memory;

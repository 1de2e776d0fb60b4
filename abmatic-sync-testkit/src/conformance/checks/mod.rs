//! The checks, a file for each part of the contract, each beginning with its table.

mod associations;
mod calls;
mod deletes;
mod describe;
mod filters;
mod find;
mod incremental;
mod lost;
mod paging;
mod population;
mod read;
mod trust;
mod values;
mod write;
mod writing;

use crate::conformance::check::Check;

/// All checks, in the order in which they run: those that make many records last, since others read all there are.
pub(crate) const ALL: &[&[Check]] = &[
    describe::CHECKS,
    trust::CHECKS,
    read::CHECKS,
    incremental::CHECKS,
    filters::CHECKS,
    find::CHECKS,
    writing::CHECKS,
    values::CHECKS,
    associations::CHECKS,
    deletes::CHECKS,
    calls::CHECKS,
    lost::CHECKS,
    write::CHECKS,
    paging::CHECKS,
];

//! A check as data: what it is called, why it matters, how to mend what it finds, and what it does.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use abmatic_sync_core::error::Error;
use serde::Serialize;

use crate::conformance::probe::Probe;

/// The part of the contract that a check is about.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// References between records.
    Associations,
    /// Calls that nobody waits for any more, and several at once.
    Calls,
    /// Deleted records.
    Deletes,
    /// What the connector says of itself and the CRM of its fields.
    Describe,
    /// Conditions that the CRM evaluates.
    Filters,
    /// Lookups by key.
    Find,
    /// Reads by page, by id and by time.
    Read,
    /// Credentials, secrets, and a CRM that does not answer.
    Trust,
    /// What values become in the CRM.
    Values,
    /// Creates and updates, and what is said of them.
    Write,
}

impl Area {
    /// The area as the report shows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Associations => "associations",
            Self::Calls => "calls",
            Self::Deletes => "deletes",
            Self::Describe => "describe",
            Self::Filters => "filters",
            Self::Find => "find",
            Self::Read => "read",
            Self::Trust => "trust",
            Self::Values => "values",
            Self::Write => "write",
        }
    }
}

/// How often a check is run.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Once.
    Connector,
    /// For every resource that the connector offers for reading.
    Resource,
}

/// One thing that a connector has to do.
#[non_exhaustive]
#[derive(Clone, Copy)]
pub struct Check {
    /// What it is called, in reports and by [`crate::conformance::suite::Suite::only`].
    pub name: &'static str,
    /// The part of the contract that it is about.
    pub area: Area,
    /// How often it is run.
    pub scope: Scope,
    /// What goes wrong for hosts where it fails.
    pub reason: &'static str,
    /// What a connector's author does about it.
    pub remedy: &'static str,
    pub(crate) run: for<'a> fn(Probe<'a>) -> Running<'a>,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("name", &self.name).field("area", &self.area).finish_non_exhaustive()
    }
}

/// A check at work.
pub(crate) type Running<'a> = Pin<Box<dyn Future<Output = Judgement> + Send + 'a>>;

/// What a check came to.
pub(crate) type Judgement<T = ()> = Result<T, Finding>;

/// Why a check did not pass.
#[derive(Clone, Debug)]
pub(crate) enum Finding {
    /// The connector does not do what it has to.
    Fault(String),
    /// The connector does not claim what is checked, or the subject has nothing to check it on.
    NotApplicable(String),
}

impl From<Error> for Finding {
    fn from(error: Error) -> Self {
        Self::Fault(error.to_string())
    }
}

/// That something is missing which the check is about.
pub(crate) fn not_applicable<T>(why: impl Into<String>) -> Judgement<T> {
    Err(Finding::NotApplicable(why.into()))
}

/// That the connector does what it should not.
pub(crate) fn fault<T>(what: impl Into<String>) -> Judgement<T> {
    Err(Finding::Fault(what.into()))
}

/// Goes on only where something holds; what follows says what was seen instead.
macro_rules! ensure {
    ($holds:expr, $($seen:tt)+) => {
        if !$holds {
            return Err($crate::conformance::check::Finding::Fault(format!($($seen)+)));
        }
    };
}
pub(crate) use ensure;

/// A check named by its function.
macro_rules! check {
    ($area:ident, $scope:ident, $run:ident, $reason:expr, $remedy:expr) => {
        $crate::conformance::check::Check {
            name: stringify!($run),
            area: $crate::conformance::check::Area::$area,
            scope: $crate::conformance::check::Scope::$scope,
            reason: $reason,
            remedy: $remedy,
            run: |probe| Box::pin($run(probe)),
        }
    };
}
pub(crate) use check;

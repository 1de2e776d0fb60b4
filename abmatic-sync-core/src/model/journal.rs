//! The log of runs: what became of each record.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::ErrorCode;
use crate::ids::{ConnectionId, LocalId, RemoteId, RunId};
use crate::model::change::{Direction, FieldChange};
use crate::model::resource::Resource;

/// What became of a record. Records that were equal already are counted, not logged.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A counterpart was created.
    Created,
    /// Its counterpart was deleted, and so was it.
    Deleted,
    /// It could not be written; the entry says why.
    Failed,
    /// A setting said to leave it.
    Skipped,
    /// Fields were written.
    Updated,
}

impl Status {
    /// The word as stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "Created",
            Self::Deleted => "Deleted",
            Self::Failed => "Failed",
            Self::Skipped => "Skipped",
            Self::Updated => "Updated",
        }
    }

    /// Reads the word, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Created, Self::Deleted, Self::Failed, Self::Skipped, Self::Updated]
            .into_iter()
            .find(|status| status.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One line of the log.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Which run.
    pub run: RunId,
    /// Over which connection.
    pub connection: ConnectionId,
    /// What kind of record.
    pub resource: Resource,
    /// What became of it.
    pub status: Status,
    /// Which way.
    pub direction: Direction,
    /// When.
    pub at: DateTime<Utc>,
    /// The host's record, where there is one.
    pub local_id: Option<LocalId>,
    /// The CRM's record, where there is one.
    pub remote_id: Option<RemoteId>,
    /// What happened, in a sentence.
    pub message: String,
    /// What went wrong, for [`Status::Failed`].
    pub code: Option<ErrorCode>,
    /// The fields, with old and new values and reasons.
    pub changes: Vec<FieldChange>,
}

impl LogEntry {
    /// An entry about a record; ids, message, code and changes are filled in by its fields.
    pub fn new(
        run: RunId,
        connection: ConnectionId,
        resource: Resource,
        status: Status,
        direction: Direction,
        at: DateTime<Utc>,
    ) -> Self {
        Self {
            run,
            connection,
            resource,
            status,
            direction,
            at,
            local_id: None,
            remote_id: None,
            message: String::new(),
            code: None,
            changes: Vec::new(),
        }
    }
}

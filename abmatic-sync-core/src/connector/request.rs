//! What the engine asks of a connector, and what comes back.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::error::Error;
use crate::filter::expr::Expr;
use crate::ids::{FieldName, IntentId, RemoteId};
use crate::model::fields::Fields;
use crate::model::record::RemoteRecord;
use crate::model::resource::Resource;

/// Which records to read.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    /// Every live record.
    All,
    /// Deleted records that the CRM still knows, as far back as it tells. Where the CRM can, only those deleted since.
    Archived {
        /// Deletions before this time need not be told.
        since: Option<DateTime<Utc>>,
    },
    /// Live records changed in the window, that a filter holds of where there is one. Both ends included.
    Changed {
        /// The window's start.
        since: DateTime<Utc>,
        /// The window's end: the run's start by the CRM's clock, so that paging ends.
        until: DateTime<Utc>,
        /// Only these.
        filter: Option<Expr>,
    },
    /// Those that the filter holds of.
    Filter(Expr),
    /// These records; one that is gone is left out, one that was merged comes under its survivor's id with the old id
    /// among [`RemoteRecord::merged_ids`].
    Ids(Vec<RemoteId>),
    /// The members of a list of the CRM.
    List(String),
}

/// A page of records to read.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct ReadRequest {
    /// Which resource.
    pub resource: Resource,
    /// Which records.
    pub read: Read,
    /// Which fields, by the CRM's names. No others need be sent.
    pub fields: BTreeSet<FieldName>,
    /// Which relations, by their field name.
    pub relations: BTreeSet<FieldName>,
    /// Whether [`RemoteRecord::edited_at`] is wanted for `fields`: costs more where the CRM can say it.
    pub edit_times: bool,
    /// Where to go on: [`Page::next`] of the page before.
    pub cursor: Option<PageCursor>,
}

impl ReadRequest {
    /// The first page of `read`.
    pub fn new(resource: Resource, read: Read) -> Self {
        Self { resource, read, fields: BTreeSet::new(), relations: BTreeSet::new(), edit_times: false, cursor: None }
    }

    /// Names the fields.
    #[must_use]
    pub fn with_fields(mut self, fields: impl IntoIterator<Item = FieldName>) -> Self {
        self.fields.extend(fields);
        self
    }

    /// Names the relations.
    #[must_use]
    pub fn with_relations(mut self, relations: impl IntoIterator<Item = FieldName>) -> Self {
        self.relations.extend(relations);
        self
    }

    /// Asks for the times of single fields' edits.
    #[must_use]
    pub fn with_edit_times(mut self) -> Self {
        self.edit_times = true;
        self
    }

    /// Goes on after an earlier page.
    #[must_use]
    pub fn at(mut self, cursor: Option<PageCursor>) -> Self {
        self.cursor = cursor;
        self
    }
}

/// A place between two pages, in the connector's own words. It outlives the process: a run resumes from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageCursor(String);

impl PageCursor {
    /// Wraps the connector's words.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The connector's words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Some records, and where the next ones are.
#[non_exhaustive]
#[derive(Debug, Default)]
pub struct Page {
    /// The records. A page may be empty and not the last.
    pub records: Vec<RemoteRecord>,
    /// Records that came but could not be decoded; they fail one by one, the page does not.
    pub undecodable: Vec<Undecodable>,
    /// The next page, `None` after the last.
    pub next: Option<PageCursor>,
    /// How many records the whole read holds, where the CRM says so with the page.
    pub total: Option<u64>,
}

impl Page {
    /// A page of `records` before `next`.
    pub fn new(records: Vec<RemoteRecord>, next: Option<PageCursor>) -> Self {
        Self { records, undecodable: Vec::new(), next, total: None }
    }
}

/// A record that came but could not be decoded.
#[non_exhaustive]
#[derive(Debug)]
pub struct Undecodable {
    /// Its id, where that much could be read.
    pub id: Option<RemoteId>,
    /// What is wrong with it.
    pub error: Error,
}

impl Undecodable {
    /// A record with what is wrong with it.
    pub fn new(id: Option<RemoteId>, error: Error) -> Self {
        Self { id, error }
    }
}

/// Keys to look for.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct FindRequest {
    /// Which resource.
    pub resource: Resource,
    /// The normalised keys: registrable domains for accounts, email addresses for people. No more than `find_max`.
    pub keys: Vec<String>,
    /// Which fields, by the CRM's names.
    pub fields: BTreeSet<FieldName>,
    /// Which relations, by their field name.
    pub relations: BTreeSet<FieldName>,
}

impl FindRequest {
    /// Looks for `keys`.
    pub fn new(resource: Resource, keys: Vec<String>) -> Self {
        Self { resource, keys, fields: BTreeSet::new(), relations: BTreeSet::new() }
    }
}

/// Records to verify: did these announced creates happen?
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct VerifyRequest {
    /// Which resource.
    pub resource: Resource,
    /// The creates in doubt.
    pub creates: Vec<CreateInDoubt>,
    /// Which fields to read of those that are found.
    pub fields: BTreeSet<FieldName>,
    /// Records that are known to be others': none of the creates made them, however alike they are. A connector that looks
    /// for what was sent has to pass them over: to answer one of them says that its create did not happen.
    pub except: BTreeSet<RemoteId>,
}

impl VerifyRequest {
    /// Asks about `creates`.
    pub fn new(resource: Resource, creates: Vec<CreateInDoubt>) -> Self {
        Self { resource, creates, fields: BTreeSet::new(), except: BTreeSet::new() }
    }
}

/// A create of which nobody knows whether it happened.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct CreateInDoubt {
    /// Its intent: the value of the own unique property where there is one.
    pub intent: IntentId,
    /// When it was announced.
    pub announced_at: DateTime<Utc>,
    /// What was sent.
    pub fields: Fields,
}

impl CreateInDoubt {
    /// A create that was announced at `announced_at` with `fields`.
    pub fn new(intent: IntentId, announced_at: DateTime<Utc>, fields: Fields) -> Self {
        Self { intent, announced_at, fields }
    }
}

/// One record to write. Fields are in the CRM's vocabulary; null clears.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// Delete it, or move it to the recycle bin where there is one.
    Archive {
        /// Which.
        id: RemoteId,
    },
    /// Make it.
    Create {
        /// The announced intent.
        intent: IntentId,
        /// Its fields; references stand under their relation's name.
        fields: Fields,
    },
    /// Change it.
    Update {
        /// Which.
        id: RemoteId,
        /// Only what changes; a reference holds the whole new set.
        fields: Fields,
        /// What the references held before, so that a connector can tell what to add and what to take away.
        references_before: Fields,
        /// The record's time of change when it was read, where that is known. A connector whose CRM has conditional writes
        /// refuses with [`crate::error::ErrorCode::ConcurrentChange`] what has changed since, where a condition costs no
        /// call more; the engine reads and merges such a record again.
        unmodified_since: Option<DateTime<Utc>>,
    },
}

impl Write {
    /// What is to be written; nothing for an archive.
    pub fn fields(&self) -> Option<&Fields> {
        match self {
            Self::Archive { .. } => None,
            Self::Create { fields, .. } | Self::Update { fields, .. } => Some(fields),
        }
    }
}

/// What became of one write.
#[non_exhaustive]
#[derive(Debug)]
pub enum WriteOutcome {
    /// The CRM did not write it, or nobody knows ([`crate::error::ErrorKind::Ambiguous`]).
    Failed(Error),
    /// The CRM wrote it.
    Written(Written),
}

/// What the CRM holds after a write.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Written {
    /// The record's id.
    pub id: RemoteId,
    /// The fields as the CRM keeps them, where its answer says so: they may differ from what was sent.
    pub fields: Fields,
    /// Its time of change, where the answer says so.
    pub modified_at: Option<DateTime<Utc>>,
    /// Fields or relations that could not be written although the record was. Their base stays as it is, so that the next
    /// sync tries again.
    pub unwritten: BTreeSet<FieldName>,
    /// Why they could not, for the log.
    pub warnings: Vec<String>,
}

impl Written {
    /// A written record, of which only the id is known.
    pub fn new(id: impl Into<RemoteId>) -> Self {
        Self {
            id: id.into(),
            fields: Fields::new(),
            modified_at: None,
            unwritten: BTreeSet::new(),
            warnings: Vec::new(),
        }
    }
}

/// How much of a filter the CRM evaluates itself.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum Pushdown {
    /// None of it: every record is read and the filter is evaluated here. The text says why.
    Here(String),
    /// All of it.
    Server,
}

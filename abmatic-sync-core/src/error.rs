//! What went wrong: `kind` says what to do, `code` what happened, the rest where, why and how to mend it.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::RemoteId;

/// The result of everything in the engine that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a caller should do about an error.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The CRM may have acted: verify, never just resend.
    Ambiguous,
    /// The host stopped it.
    Cancelled,
    /// The world moved: read again.
    Conflict,
    /// It exists already: [`Error::existing_id`] says where.
    Duplicate,
    /// The permission has to be granted first.
    Forbidden,
    /// The data, mapping, filter or setting has to change first.
    Invalid,
    /// It is not there, or no more.
    NotFound,
    /// Wait [`Error::retry_after`].
    RateLimited,
    /// A store failed.
    Store,
    /// The connection has to be authorised again.
    Unauthorized,
    /// Surely not acted, or only a read: retry.
    Unavailable,
    /// The CRM said what its documentation does not: report it.
    Undocumented,
}

/// What happened, as a word that users can look up. The log keeps it.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    /// A run would change more than the host's cap allows.
    CapExceeded,
    /// The record changed on one side while it was being written.
    ConcurrentChange,
    /// No answer, or one cut off.
    ConnectionLost,
    /// The value exists on another record where it must be unique.
    DuplicateValue,
    /// The caller lacks a permission or a scope.
    InsufficientAccess,
    /// An answer that does not parse.
    InvalidAnswer,
    /// A field that does not exist, cannot be written, or does not take the value.
    InvalidField,
    /// A filter that does not parse, or that cannot be evaluated.
    InvalidFilter,
    /// The request was malformed.
    InvalidRequest,
    /// The token is wrong, expired or revoked.
    InvalidSession,
    /// A setting that makes no sense.
    InvalidSettings,
    /// The associated record does not exist or may not be associated.
    InvalidReference,
    /// Another run holds the connection.
    LeaseHeld,
    /// The counterpart of a link is gone.
    RecordGone,
    /// The record is locked for the moment.
    RecordLocked,
    /// A page came again, or a paging link led back.
    RepeatedPage,
    /// A required field is empty.
    RequiredFieldMissing,
    /// The burst or daily limit is used up.
    RequestLimitExceeded,
    /// The CRM is failing or in maintenance.
    ServerUnavailable,
    /// A store refused or failed.
    StoreFailed,
    /// Nothing in the tables fits.
    UnknownError,
    /// The CRM cannot do this.
    Unsupported,
}

impl ErrorCode {
    /// The code as users see it, such as `REQUIRED_FIELD_MISSING`.
    pub fn as_str(self) -> &'static str {
        self.texts().0
    }

    /// What usually causes it.
    pub fn cause(self) -> &'static str {
        self.texts().1
    }

    /// What to do about it.
    pub fn solution(self) -> &'static str {
        self.texts().2
    }

    fn texts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::CapExceeded => (
                "CAP_EXCEEDED",
                "the run would write more records than the cap in the settings",
                "look at the plan, then confirm the run or raise the cap",
            ),
            Self::ConcurrentChange => (
                "CONCURRENT_CHANGE",
                "the record was edited while the run was writing it",
                "nothing to do: the next run merges it again",
            ),
            Self::ConnectionLost => (
                "CONNECTION_LOST",
                "the network or the CRM cut the exchange off",
                "nothing to do: reads are repeated, creates are verified before they are sent again",
            ),
            Self::DuplicateValue => (
                "DUPLICATE_VALUE",
                "another record already holds a value that must be unique",
                "link to the existing record, or change the value",
            ),
            Self::InsufficientAccess => (
                "INSUFFICIENT_ACCESS",
                "the CRM user or token lacks a permission or scope",
                "grant the permission named in the message and run again",
            ),
            Self::InvalidAnswer => (
                "INVALID_ANSWER",
                "the CRM, or something between, answered with what is not its documented format",
                "run again; if it stays, check the base URL and proxies",
            ),
            Self::InvalidField => (
                "INVALID_FIELD",
                "the field does not exist there, is read-only, or does not take this value",
                "correct the field mapping or the value",
            ),
            Self::InvalidFilter => (
                "INVALID_FILTER",
                "the filter does not parse or names what cannot be filtered",
                "correct the filter at the column given",
            ),
            Self::InvalidRequest => (
                "INVALID_REQUEST",
                "the CRM found the request malformed",
                "report it: the connector should not have sent it",
            ),
            Self::InvalidSession => {
                ("INVALID_SESSION", "the token is wrong, expired or revoked", "authorise the connection again")
            }
            Self::InvalidSettings => (
                "INVALID_SETTINGS",
                "a setting contradicts another or what the CRM can do",
                "correct the setting named in the message",
            ),
            Self::InvalidReference => (
                "INVALID_REFERENCE",
                "the associated record does not exist or cannot be associated",
                "sync the associated record first",
            ),
            Self::LeaseHeld => (
                "LEASE_HELD",
                "another run works on this connection",
                "wait for it to end, or resume it if it was killed",
            ),
            Self::RecordGone => {
                ("RECORD_GONE", "the linked record was deleted on one side", "unlink it, or choose a delete rule")
            }
            Self::RecordLocked => {
                ("RECORD_LOCKED", "the CRM locks the record for the moment", "nothing to do: it is tried again")
            }
            Self::RepeatedPage => (
                "REPEATED_PAGE",
                "the CRM gave a page that it had given before",
                "run again; if it stays, report it to the CRM",
            ),
            Self::RequiredFieldMissing => (
                "REQUIRED_FIELD_MISSING",
                "a field that the CRM requires is empty",
                "fill the field or map another one to it",
            ),
            Self::RequestLimitExceeded => (
                "REQUEST_LIMIT_EXCEEDED",
                "the CRM's request limit is used up",
                "wait until the limit resets; the run goes on from its checkpoint",
            ),
            Self::ServerUnavailable => (
                "SERVER_UNAVAILABLE",
                "the CRM fails or is in maintenance",
                "run again later; the run goes on from its checkpoint",
            ),
            Self::StoreFailed => (
                "STORE_FAILED",
                "the database refused or failed",
                "check the database; the run goes on from its checkpoint",
            ),
            Self::UnknownError => (
                "UNKNOWN_ERROR",
                "the CRM answered with an error that its documentation does not name",
                "report it with the message",
            ),
            Self::Unsupported => {
                ("UNSUPPORTED", "this CRM cannot do what was asked", "choose what its capabilities offer")
            }
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error with what to do, what happened, where, and why. One pointer wide.
///
/// ```
/// use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind};
/// let error = Error::new(ErrorKind::Invalid, ErrorCode::RequiredFieldMissing, "\"email\" is empty").at("hubspot write contacts");
/// assert_eq!(error.to_string(), "hubspot write contacts: \"email\" is empty (REQUIRED_FIELD_MISSING)");
/// assert_eq!(error.solution(), "fill the field or map another one to it");
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    code: ErrorCode,
    message: String,
    context: Option<String>,
    existing_id: Option<RemoteId>,
    retry_after: Option<Duration>,
    fields: Vec<String>,
    call_id: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error with its one-line message: lower case, no full stop.
    pub fn new(kind: ErrorKind, code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            code,
            message: message.into(),
            context: None,
            existing_id: None,
            retry_after: None,
            fields: Vec::new(),
            call_id: None,
            source: None,
        }))
    }

    /// Bad data, mapping or setting.
    pub fn invalid(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, code, message)
    }

    /// A store's failure with its cause.
    pub fn store(message: impl Into<String>, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Store, ErrorCode::StoreFailed, message).caused_by(source)
    }

    /// Names the operation that failed, such as `hubspot write contacts`. The outermost name stands first.
    #[must_use]
    pub fn at(mut self, operation: &str) -> Self {
        self.0.context = Some(match self.0.context.take() {
            Some(inner) => format!("{operation}: {inner}"),
            None => operation.to_owned(),
        });
        self
    }

    /// Adds the error underneath.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Says which record exists already.
    #[must_use]
    pub fn with_existing_id(mut self, id: RemoteId) -> Self {
        self.0.existing_id = Some(id);
        self
    }

    /// Says how long to wait.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Says which fields are at fault, in the vocabulary of the side that complained.
    #[must_use]
    pub fn with_fields(mut self, fields: Vec<String>) -> Self {
        self.0.fields = fields;
        self
    }

    /// Names the call by the id that the CRM gave it: its support finds it by that.
    #[must_use]
    pub fn with_call_id(mut self, id: impl Into<String>) -> Self {
        self.0.call_id = Some(id.into());
        self
    }

    /// The same failure as one of another kind, such as one of which nobody knows whether the CRM acted.
    #[must_use]
    pub fn as_kind(&self, kind: ErrorKind) -> Self {
        let mut again = Self::new(kind, self.0.code, self.0.message.clone());
        again.0.call_id.clone_from(&self.0.call_id);
        again
    }

    /// The same error for another record: a whole batch can fail for one reason.
    #[must_use]
    pub fn restated(&self) -> Self {
        let mut again = Self::new(self.0.kind, self.0.code, self.0.message.clone());
        again.0.context.clone_from(&self.0.context);
        again.0.retry_after = self.0.retry_after;
        again.0.fields.clone_from(&self.0.fields);
        again.0.call_id.clone_from(&self.0.call_id);
        again
    }

    /// What to do.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What happened.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// What happened, in words, without the operation.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What usually causes it.
    pub fn cause(&self) -> &'static str {
        self.0.code.cause()
    }

    /// How to mend it.
    pub fn solution(&self) -> &'static str {
        self.0.code.solution()
    }

    /// The record that exists already, for [`ErrorKind::Duplicate`].
    pub fn existing_id(&self) -> Option<&RemoteId> {
        self.0.existing_id.as_ref()
    }

    /// How long to wait, where the CRM said so.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The fields at fault.
    pub fn fields(&self) -> &[String] {
        &self.0.fields
    }

    /// The id that the CRM gave the call, where it does.
    pub fn call_id(&self) -> Option<&str> {
        self.0.call_id.as_deref()
    }

    /// Whether the same call may succeed later with nothing changed. An ambiguous failure is not retryable: verify first.
    pub fn is_retryable(&self) -> bool {
        matches!(self.0.kind, ErrorKind::RateLimited | ErrorKind::Unavailable)
    }

    /// Whether every further call on this connection would fail the same way, so that a run should stop.
    pub fn stops_run(&self) -> bool {
        match self.0.kind {
            ErrorKind::Cancelled
            | ErrorKind::RateLimited
            | ErrorKind::Store
            | ErrorKind::Unauthorized
            | ErrorKind::Unavailable => true,
            ErrorKind::Ambiguous
            | ErrorKind::Conflict
            | ErrorKind::Duplicate
            | ErrorKind::Forbidden
            | ErrorKind::Invalid
            | ErrorKind::NotFound
            | ErrorKind::Undocumented => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(context) = &self.0.context {
            write!(f, "{context}: ")?;
        }
        match &self.0.call_id {
            Some(id) => write!(f, "{} ({}, call {id})", self.0.message, self.0.code),
            None => write!(f, "{} ({})", self.0.message, self.0.code),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = f.debug_struct("Error");
        parts.field("kind", &self.0.kind).field("code", &self.0.code).field("message", &self.0.message);
        if let Some(context) = &self.0.context {
            parts.field("context", context);
        }
        if let Some(source) = &self.0.source {
            parts.field("source", source);
        }
        parts.finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

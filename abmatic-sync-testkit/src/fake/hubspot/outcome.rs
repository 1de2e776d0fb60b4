//! What a rule is told about a call, and what it answers, without a word of HTTP.

use crate::fake::hubspot::errors::Refusal;
use crate::fake::hubspot::kind::Kind;

/// The path family of a call. Later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    V1,
    V2,
    V3,
    V4,
    March2026,
    September2026,
}

impl Version {
    pub(crate) fn parse(segment: &str) -> Option<Self> {
        Some(match segment {
            "v1" => Self::V1,
            "v2" => Self::V2,
            "v3" => Self::V3,
            "v4" => Self::V4,
            "2026-03" => Self::March2026,
            "2026-09" => Self::September2026,
            _ => return None,
        })
    }

    pub(crate) fn segment(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
            Self::V3 => "v3",
            Self::V4 => "v4",
            Self::March2026 => "2026-03",
            Self::September2026 => "2026-09",
        }
    }

    pub(crate) fn is_dated(self) -> bool {
        self >= Self::March2026
    }

    /// From 2026-09 on admin rules hold for the API, and odd dates are normalised with a warning.
    pub(crate) fn enforces_write_rules(self) -> bool {
        self >= Self::September2026
    }

    /// `/crm/objects/2026-09/contacts` or `/crm/v3/objects/contacts`.
    pub(crate) fn path(self, area: &str, rest: &str) -> String {
        let version = self.segment();
        if self.is_dated() { format!("/crm/{area}/{version}/{rest}") } else { format!("/crm/{version}/{area}/{rest}") }
    }
}

/// When and how a call came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    pub(crate) now: i64,
    pub(crate) version: Version,
    /// A fault wants the page to name itself as the next one.
    pub(crate) repeat_page: bool,
}

/// What a read asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    pub(crate) properties: Vec<String>,
    pub(crate) history: Vec<String>,
    pub(crate) associations: Vec<Kind>,
    pub(crate) archived: bool,
    pub(crate) id_property: Option<String>,
    pub(crate) limit: Option<String>,
    pub(crate) after: Option<String>,
}

impl Reading {
    /// The limit, or `default` where none was sent; above `max` it is refused.
    pub(crate) fn limit(&self, default: usize, max: usize) -> Result<usize, Refusal> {
        let Some(text) = &self.limit else { return Ok(default) };
        match text.parse::<usize>() {
            Ok(limit) if limit > 0 && limit <= max => Ok(limit),
            _ => Err(crate::fake::hubspot::errors::invalid(format!(
                "limit must be a number between 1 and {max}, but was {text}"
            ))),
        }
    }

    /// Where the page starts; 0 where nothing was sent.
    pub(crate) fn after(&self) -> Result<u64, Refusal> {
        match self.after.as_deref() {
            None | Some("") => Ok(0),
            Some(text) => text.parse().map_err(|_| {
                crate::fake::hubspot::errors::invalid(format!("after is not a valid paging cursor: {text}"))
            }),
        }
    }
}

/// What came of a call that was not refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All made; the path of the new thing, where it has one.
    Created { body: Vec<u8>, path: Option<String> },
    /// Done, and there is nothing to say.
    Done,
    /// Here it is.
    Found(Vec<u8>),
    /// Some rows went well, some did not.
    Mixed(Vec<u8>),
}

impl Outcome {
    /// An answer whose body is a small JSON value.
    pub(crate) fn found(body: &serde_json::Value) -> Self {
        Self::Found(body.to_string().into_bytes())
    }
}

/// What a rule answers.
pub(crate) type Ruling = Result<Outcome, Refusal>;

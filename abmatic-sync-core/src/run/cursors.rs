//! Up to where the sides were read: what a run kept of that, and what the next one reads because of it.

use chrono::{DateTime, Duration, Utc};

use crate::connector::request::Read;
use crate::error::{Error, ErrorCode, ErrorKind, Result};
use crate::model::record::Version;
use crate::policy::Scope;
use crate::run::context::RunContext;

/// The cursor that remembers up to where the CRM's changes were read.
const REMOTE_CURSOR: &str = "sync.remote";
/// The cursor that remembers up to where the CRM's deletions were read, and how many pages that took.
pub(crate) const ARCHIVED_CURSOR: &str = "sync.archived";
/// The cursor that remembers up to where the host's changes were read.
pub(crate) const LOCAL_CURSOR: &str = "sync.local";
/// The cursor that remembers up to where the host's new records were pushed.
pub(crate) const AUTO_PUSH_CURSOR: &str = "auto_push.local";

/// How long deletions are not asked for again, in seconds for each page beyond the first that the last answer took. Some
/// CRMs give their whole recycle bin each time: a full one must not cost every sync hundreds of calls.
const ARCHIVED_PAGE_SECONDS: i64 = 60;

/// The whole scope.
pub(crate) fn whole(context: &RunContext, scope: &Scope) -> Read {
    match (scope, &context.filter_there) {
        (Scope::Filter(_), Some(filter)) => Read::Filter(filter.clone()),
        (Scope::Filter(_), None) | (Scope::All, _) => Read::All,
        (Scope::Ids(ids), _) => Read::Ids(ids.clone()),
        (Scope::List(list), _) => Read::List(list.clone()),
    }
}

/// What changed in the scope since the last sync of it, or all of it where the CRM or the scope cannot say.
pub(crate) async fn incremental(context: &RunContext, scope: &Scope, until: DateTime<Utc>) -> Result<Read> {
    let tells_changes = context.capabilities.incremental && matches!(scope, Scope::All | Scope::Filter(_));
    let name = remote_cursor_name(scope);
    let Some(text) = context.store.state().cursor(&context.scope, &name).await?.filter(|_| tells_changes) else {
        return Ok(whole(context, scope));
    };
    let since = parse_time(&text)? - overlap(context);
    Ok(Read::Changed { since, until, filter: context.filter_there.clone() })
}

/// A read of the deletions in the CRM since those that were read last; `None` where the CRM does not tell, where nothing is
/// linked so that none matters, and for a while after a long answer.
pub(crate) async fn deletions(context: &RunContext) -> Result<Option<Read>> {
    if !context.capabilities.archived {
        return Ok(None);
    }
    let state = context.store.state();
    let Some(text) = state.cursor(&context.scope, ARCHIVED_CURSOR).await? else {
        let any = state.link_count(&context.scope).await? > 0;
        return Ok(any.then_some(Read::Archived { since: None }));
    };
    let (time, pages) = text.split_once(' ').ok_or_else(|| broken_checkpoint(&text))?;
    let read_until = parse_time(time)?;
    let pages: u32 = pages.parse().map_err(|_| broken_checkpoint(&text))?;
    let wait = Duration::seconds(ARCHIVED_PAGE_SECONDS * i64::from(pages.saturating_sub(1)));
    let is_due = context.surely_read() >= read_until + wait;
    Ok(is_due.then(|| Read::Archived { since: Some(read_until - overlap(context)) }))
}

/// What is kept of a read of deletions.
pub(crate) fn deletions_read(until: DateTime<Utc>, pages: u32) -> String {
    format!("{} {pages}", until.to_rfc3339())
}

/// How far a read goes back before the end of the last.
fn overlap(context: &RunContext) -> Duration {
    Duration::seconds(i64::from(context.connector.descriptor().visibility_lag_seconds))
}

/// The name of the cursor of a scope: a filter reads its own stream of changes.
pub(crate) fn remote_cursor_name(scope: &Scope) -> String {
    match scope {
        Scope::All => REMOTE_CURSOR.to_owned(),
        Scope::Filter(filter) => format!("{REMOTE_CURSOR}:{filter}"),
        Scope::Ids(_) => format!("{REMOTE_CURSOR}:ids"),
        Scope::List(list) => format!("{REMOTE_CURSOR}:list:{list}"),
    }
}

/// The state of the host's that was read last.
pub(crate) async fn version_cursor(context: &RunContext, name: &str) -> Result<Option<Version>> {
    let text = context.store.state().cursor(&context.scope, name).await?;
    text.as_deref().map(parse_version).transpose()
}

/// A place among records that are due, as a block keeps it.
pub(crate) fn parse_due(text: &str) -> Result<(DateTime<Utc>, String)> {
    let (time, id) = text.split_once(' ').ok_or_else(|| broken_checkpoint(text))?;
    Ok((parse_time(time)?, id.to_owned()))
}

/// A state of the host's, as a cursor keeps it.
pub(crate) fn parse_version(text: &str) -> Result<Version> {
    text.parse().map(Version::new).map_err(|_| broken_checkpoint(text))
}

fn parse_time(text: &str) -> Result<DateTime<Utc>> {
    text.parse().map_err(|_| broken_checkpoint(text))
}

/// The store holds what no engine wrote.
pub(crate) fn broken_checkpoint(text: &str) -> Error {
    Error::new(
        ErrorKind::Store,
        ErrorCode::StoreFailed,
        format!("the store holds a cursor that was not written by this engine: \"{text}\""),
    )
}

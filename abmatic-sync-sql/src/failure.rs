//! The database's errors as the engine's: what was tried, why it failed, and what to do about it.

use abmatic_sync_core::error::Error;

/// Names what was tried; fits `map_err`.
pub(crate) fn failed(what: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
    move |error| match hint(&error) {
        Some(hint) => Error::store(format!("could not {what}: {hint}"), error),
        None => Error::store(format!("could not {what}: {error}"), error),
    }
}

/// A stored text that does not read back.
pub(crate) fn unreadable(what: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::store(format!("the database holds {what} that cannot be read: another program may have written it"), source)
}

/// What SQLite's primary result codes ask of people.
fn hint(error: &sqlx::Error) -> Option<&'static str> {
    const PRIMARY: i64 = 0xff;
    match error {
        sqlx::Error::Database(inner) => match inner.code()?.parse::<i64>().ok()? & PRIMARY {
            5 | 6 => Some("another program holds the database locked; close it or try again"),
            8 => Some("the database is read-only; check the permissions of the file and its directory"),
            10 => Some("the disk failed to read or write"),
            11 | 26 => Some("the file is damaged or no SQLite database; restore a backup"),
            13 => Some("the disk is full"),
            14 => Some("the file cannot be opened; check its path and permissions"),
            _ => None,
        },
        sqlx::Error::PoolTimedOut => Some("every connection to the database was busy for too long"),
        _ => None,
    }
}

//! How SQLite is opened, and how its transactions begin.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqlitePool};

/// Whether a commit waits until the disk has it. Either way a commit is whole or absent, and none is there without those
/// before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It does: nothing that was told to somebody outside may be forgotten.
    Flushed,
    /// It does not: after a power loss the last ones may be missing, and what they held is read again from the CRM. A killed
    /// process loses nothing.
    Ordered,
}

impl Durability {
    /// How a page is committed: `told` when it holds what the CRM was told, which no reading gives again.
    pub(crate) fn of_page(told: bool) -> Self {
        if told { Self::Flushed } else { Self::Ordered }
    }

    /// A transaction that may write at once: one that began by reading could find itself overtaken and be refused.
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Self::Flushed => "PRAGMA synchronous = FULL; BEGIN IMMEDIATE",
            Self::Ordered => "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE",
        }
    }
}

/// The file's one writing connection. A second process waits its turn.
pub(crate) fn writer(options: &SqliteConnectOptions, cache_kibibytes: u32) -> SqlitePool {
    fixed_pool(1).connect_lazy_with(options.clone().pragma("cache_size", format!("-{cache_kibibytes}")))
}

/// Connections that only read, beside the writer.
pub(crate) fn readers(options: &SqliteConnectOptions, connections: u32) -> SqlitePool {
    fixed_pool(connections).connect_lazy_with(options.clone().pragma("query_only", "1"))
}

/// Connections that stay open: an in-memory database lives and dies with its one.
fn fixed_pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

pub(crate) fn file(path: &Path) -> SqliteConnectOptions {
    // The log in front of the file grows to 64 MiB before it is worked into it: pages that many commits touch, such as
    // those of the match key's index, are then written once for all of them.
    const CHECKPOINT_PAGES: &str = "16000";
    common(SqliteConnectOptions::new().filename(path).create_if_missing(true))
        .journal_mode(SqliteJournalMode::Wal)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
}

pub(crate) fn memory() -> SqliteConnectOptions {
    common(SqliteConnectOptions::new().in_memory(true))
}

fn common(options: SqliteConnectOptions) -> SqliteConnectOptions {
    const STATEMENTS: usize = 256;
    const ROWS_AHEAD: usize = 512;
    options
        .synchronous(SqliteSynchronous::Full)
        // A statement that may fail half-way keeps the pages that it changes aside: in memory, not in a file.
        .pragma("temp_store", "MEMORY")
        .busy_timeout(Duration::from_secs(30))
        .foreign_keys(false)
        .statement_cache_capacity(STATEMENTS)
        .row_buffer_size(ROWS_AHEAD)
        .disable_statement_logging()
}

//! Records by match key: the keys of old records stand in a table, those of the newest in memory until they are many.
//!
//! Keys come in no order. Kept in an index they would make every new record change another of its pages, four kilobytes for
//! thirty bytes; sixty thousand of them, sorted, change each page once. What is in memory can be had again from the records
//! themselves, so a crash or a second process costs nothing but reading them.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use abmatic_sync_core::error::Result;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::batch::Batch;
use crate::failure::failed;

static SETTLED: Batch = Batch::new(
    "SELECT r.id, r.version, r.created_at, r.modified_at, r.fields, r.edited_at, r.deleted, r.match_key
     FROM abmatic_key k CROSS JOIN abmatic_record r ON r.row_id = k.record AND r.match_key = k.match_key
     WHERE k.scope = ? AND k.match_key IN (",
    "?",
    ")",
);

static RECENT: Batch = Batch::new(
    "SELECT id, version, created_at, modified_at, fields, edited_at, deleted, match_key FROM abmatic_record
     WHERE +scope = ? AND match_key IS NOT NULL AND row_id IN (",
    "?",
    ")",
);

/// Puts keys that were changed into the table at once.
static SETTLE_CHANGED: Batch = Batch::new(
    "INSERT OR IGNORE INTO abmatic_key (scope, match_key, record) SELECT scope, match_key, row_id FROM abmatic_record
     WHERE scope = ? AND match_key IS NOT NULL AND id IN (",
    "?",
    ")",
);

/// The keys of the newest records, as far as this process has seen them.
#[derive(Debug)]
pub(crate) struct RecentKeys {
    /// How many records' keys are remembered before they move to the table.
    max: i64,
    recent: Mutex<Recent>,
}

#[derive(Debug, Default)]
struct Recent {
    /// Records up to this row have their keys in the table.
    settled: i64,
    /// Records up to this row are remembered here.
    seen: i64,
    /// The newest row that is known of.
    last: i64,
    /// Hashes of scope and key, with their rows.
    rows: BTreeSet<(u64, i64)>,
}

/// The keys of records that a transaction inserts, to be remembered once it is committed.
#[derive(Debug, Default)]
pub(crate) struct NewKeys {
    /// The rows, none where their numbers are not known.
    rows: Option<(i64, i64)>,
    hashes: Vec<(u64, i64)>,
    /// Up to which row the transaction moved keys to the table, if it did.
    settled: Option<i64>,
}

impl NewKeys {
    /// The keys of rows that were inserted one after the other, the last of them as row `last`.
    pub(crate) fn of_rows(scope: i64, last: i64, keys: &[Option<String>]) -> Self {
        let first = last + 1 - i64::try_from(keys.len()).unwrap_or(0);
        let hashes = (first..).zip(keys).filter_map(|(row, key)| Some((hash(scope, key.as_deref()?), row))).collect();
        Self { rows: Some((first, last)), hashes, settled: None }
    }

    /// Moves the keys of all records to the table, in its order.
    pub(crate) async fn settle(&mut self, connection: &mut SqliteConnection) -> Result<()> {
        const MOVE: &str = "INSERT OR IGNORE INTO abmatic_key (scope, match_key, record)
             SELECT scope, match_key, row_id FROM abmatic_record
             WHERE row_id > (SELECT up_to FROM abmatic_key_settled) AND match_key IS NOT NULL
             ORDER BY scope, match_key";
        const NOTE: &str = "UPDATE abmatic_key_settled
             SET up_to = (SELECT COALESCE(MAX(row_id), 0) FROM abmatic_record) RETURNING up_to";
        sqlx::query(MOVE).execute(&mut *connection).await.map_err(failed("settle keys"))?;
        self.settled = sqlx::query_scalar(NOTE).fetch_one(connection).await.map(Some).map_err(failed("settle keys"))?;
        Ok(())
    }
}

impl RecentKeys {
    pub(crate) fn new(max: u32) -> Self {
        Self { max: max.into(), recent: Mutex::default() }
    }

    /// Remembers what was committed.
    pub(crate) fn add(&self, new: NewKeys) {
        let mut recent = self.lock();
        if let Some((first, last)) = new.rows {
            recent.last = recent.last.max(last);
            // With a gap before them they are read once they are asked for.
            if recent.seen + 1 == first {
                recent.seen = last;
                recent.rows.extend(new.hashes);
            }
        }
        if let Some(settled) = new.settled {
            recent.forget_settled(settled, settled);
        }
    }

    /// Whether they are so many that the next transaction has to move them to the table.
    pub(crate) fn are_many(&self) -> bool {
        let recent = self.lock();
        recent.last - recent.settled >= self.max
    }

    /// Reads what was written since, by this process or another.
    pub(crate) async fn catch_up(&self, connection: &mut SqliteConnection) -> Result<()> {
        let row = sqlx::query("SELECT up_to, (SELECT MAX(row_id) FROM abmatic_record) FROM abmatic_key_settled")
            .fetch_one(&mut *connection)
            .await
            .map_err(failed("look keys up"))?;
        let settled: i64 = row.try_get(0).map_err(failed("look keys up"))?;
        let last = row.try_get::<Option<i64>, _>(1).map_err(failed("look keys up"))?.unwrap_or(0);
        let seen = self.lock().forget_settled(settled, last);
        if seen >= last {
            return Ok(());
        }
        let rows = sqlx::query(
            "SELECT scope, match_key, row_id FROM abmatic_record
             WHERE row_id > ?1 AND row_id <= ?2 AND match_key IS NOT NULL",
        );
        let rows = rows.bind(seen).bind(last).fetch_all(connection).await.map_err(failed("look keys up"))?;
        let entry = |row: &SqliteRow| Ok((hash(row.try_get(0)?, row.try_get(1)?), row.try_get(2)?));
        let entries = rows.iter().map(entry).collect::<sqlx::Result<Vec<_>>>().map_err(failed("look keys up"))?;
        self.lock().fill(settled, seen, last, entries);
        Ok(())
    }

    /// The rows of records with one of `keys`, live ones, from both places. A record may come twice.
    pub(crate) async fn find(
        &self,
        connection: &mut SqliteConnection,
        scope: i64,
        keys: &[&str],
    ) -> Result<Vec<SqliteRow>> {
        self.catch_up(connection).await?;
        let recent = self.lock().rows_of(scope, keys);
        let rows = SETTLED.fetch(connection, |binds| binds.push(scope), keys, |binds, key| binds.push(key));
        let mut found = rows.await.map_err(failed("find records"))?;
        let rows = RECENT.fetch(connection, |binds| binds.push(scope), &recent, |binds, row| binds.push(row));
        found.extend(rows.await.map_err(failed("find records"))?);
        Ok(found)
    }

    fn lock(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recent {
    /// Forgets what is in the table by now, and says up to which row the rest is known.
    fn forget_settled(&mut self, settled: i64, last: i64) -> i64 {
        if settled != self.settled {
            (self.settled, self.seen) = (settled, settled.max(self.seen));
            self.rows.retain(|(_, row)| *row > settled);
        }
        self.last = self.last.max(last);
        self.seen
    }

    fn fill(&mut self, settled: i64, seen: i64, last: i64, entries: Vec<(u64, i64)>) {
        // Meanwhile another may have done the same.
        if self.settled == settled && self.seen == seen {
            self.seen = last;
            self.rows.extend(entries);
        }
    }

    fn rows_of(&self, scope: i64, keys: &[&str]) -> Vec<i64> {
        let rows = |key: &&str| {
            let hash = hash(scope, key);
            self.rows.range((hash, i64::MIN)..=(hash, i64::MAX)).map(|(_, row)| *row)
        };
        keys.iter().flat_map(rows).collect()
    }
}

/// Makes records whose keys were changed found under the new ones.
pub(crate) async fn settle_changed(connection: &mut SqliteConnection, scope: i64, ids: &[&str]) -> Result<()> {
    SETTLE_CHANGED
        .execute(connection, |binds| binds.push(scope), ids.iter(), |binds, id| binds.push(*id))
        .await
        .map(|_| ())
        .map_err(failed("settle keys"))
}

/// Two keys may share a hash: the record has the last word.
fn hash(scope: i64, key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (scope, key).hash(&mut hasher);
    hasher.finish()
}

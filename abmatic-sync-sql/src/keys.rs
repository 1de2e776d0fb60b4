//! Records by match key: the keys of old records stand in a table, those of the newest in memory until they are many.
//!
//! Keys come in no order. Kept in an index they would make every new record change another of its pages, four kilobytes for
//! thirty bytes; sixty thousand of them, sorted, change each page once. What is in memory can be had again from the records
//! themselves, so a crash or a second process costs nothing but reading them.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use abmatic_sync_core::error::Result;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::batch::Batch;
use crate::failure::failed;

static SETTLED: Batch = Batch::new("SELECT record FROM abmatic_key WHERE hash IN (", "?", ")");

static BY_ROW: Batch = Batch::new(
    "SELECT id, version, created_at, modified_at, fields, edited_at, deleted, match_key FROM abmatic_record
     WHERE +scope = ? AND match_key IS NOT NULL AND row_id IN (",
    "?",
    ")",
);

static SETTLE: Batch = Batch::new("INSERT OR IGNORE INTO abmatic_key (hash, record) VALUES ", "(?,?)", "");

/// A key's hash and the row of its record.
pub(crate) type Entry = (i64, i64);

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
    entries: BTreeSet<Entry>,
}

/// What a transaction does to keys, to be remembered once it is committed.
#[derive(Debug, Default)]
pub(crate) struct NewKeys {
    /// The rows that it inserted, none where their numbers are not known.
    rows: Option<(i64, i64)>,
    entries: Vec<Entry>,
    /// Up to which row it moved keys to the table, if it did.
    settled: Option<i64>,
}

impl NewKeys {
    /// The keys of rows that were inserted one after the other, the last of them as row `last`.
    pub(crate) fn of_rows(scope: i64, last: i64, keys: &[Option<String>]) -> Self {
        let first = last + 1 - i64::try_from(keys.len()).unwrap_or(0);
        let entries = (first..).zip(keys).filter_map(|(row, key)| Some((hash(scope, key.as_deref()?), row))).collect();
        Self { rows: Some((first, last)), entries, settled: None }
    }
}

impl RecentKeys {
    pub(crate) fn new(max: u32) -> Self {
        Self { max: max.into(), recent: Mutex::default() }
    }

    /// Remembers what was committed.
    pub(crate) fn add(&self, new: NewKeys) {
        let mut recent = self.lock();
        if let Some(settled) = new.settled {
            recent.forget_settled(settled, settled);
        }
        if let Some((first, last)) = new.rows {
            recent.last = recent.last.max(last);
            // With a gap before them they are read once they are asked for.
            if recent.seen + 1 == first {
                recent.seen = last;
                recent.entries.extend(new.entries);
            }
        }
    }

    /// Whether another process wrote so much that it has to be read before more is written.
    pub(crate) fn lag_behind(&self) -> bool {
        let recent = self.lock();
        recent.last - recent.seen >= self.max
    }

    /// Reads what was written since, by this process or another. Not within a transaction that wrote records: it may fail.
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

    /// The rows of live records whose keys may be among `keys`: few others have the same hash.
    pub(crate) async fn find(
        &self,
        connection: &mut SqliteConnection,
        scope: i64,
        keys: &[&str],
    ) -> Result<Vec<SqliteRow>> {
        self.catch_up(connection).await?;
        let mut hashes: Vec<i64> = keys.iter().map(|key| hash(scope, key)).collect();
        hashes.sort_unstable();
        let mut rows = self.lock().rows_of(&hashes);
        let settled = SETTLED.fetch(connection, |_| {}, &hashes, |binds, hash| binds.push(hash)).await;
        for row in settled.map_err(failed("look keys up"))? {
            rows.push(row.try_get(0).map_err(failed("look keys up"))?);
        }
        rows.sort_unstable();
        rows.dedup();
        let found = BY_ROW.fetch(connection, |binds| binds.push(scope), &rows, |binds, row| binds.push(row)).await;
        found.map_err(failed("find records"))
    }

    /// Moves what is remembered to the table, if it is much.
    pub(crate) async fn settle(&self, connection: &mut SqliteConnection, new: &mut NewKeys) -> Result<()> {
        let Some((seen, entries)) = self.lock().due(self.max) else { return Ok(()) };
        settle(connection, &entries).await?;
        sqlx::query("UPDATE abmatic_key_settled SET up_to = MAX(up_to, ?1)")
            .bind(seen)
            .execute(connection)
            .await
            .map_err(failed("settle keys"))?;
        new.settled = Some(seen);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recent {
    /// Forgets what is in the table by now, and says up to which row the rest is known.
    fn forget_settled(&mut self, settled: i64, last: i64) -> i64 {
        if settled > self.settled {
            (self.settled, self.seen) = (settled, settled.max(self.seen));
            self.entries.retain(|(_, row)| *row > settled);
        }
        self.last = self.last.max(last);
        self.seen
    }

    fn fill(&mut self, settled: i64, seen: i64, last: i64, entries: Vec<Entry>) {
        // Meanwhile another may have done the same.
        if self.settled == settled && self.seen == seen {
            self.seen = last;
            self.entries.extend(entries);
        }
    }

    fn rows_of(&self, hashes: &[i64]) -> Vec<i64> {
        let rows = |hash: &i64| self.entries.range((*hash, i64::MIN)..=(*hash, i64::MAX)).map(|(_, row)| *row);
        hashes.iter().flat_map(rows).collect()
    }

    /// What is to be moved, in the table's order, and up to which row that is everything.
    fn due(&self, max: i64) -> Option<(i64, Vec<Entry>)> {
        (self.seen - self.settled >= max).then(|| (self.seen, self.entries.iter().copied().collect()))
    }
}

/// Puts keys into the table.
pub(crate) async fn settle(connection: &mut SqliteConnection, entries: &[Entry]) -> Result<()> {
    SETTLE
        .execute(
            connection,
            |_| {},
            entries.iter(),
            |binds, (hash, row)| {
                binds.push(*hash);
                binds.push(*row);
            },
        )
        .await
        .map(|_| ())
        .map_err(failed("settle keys"))
}

/// Stands in the database: it may not change. FNV-1a, its bits mixed.
pub(crate) fn hash(scope: i64, key: &str) -> i64 {
    let bytes = scope.to_le_bytes().into_iter().chain(key.bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    (hash ^ (hash >> 33)).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::hash;

    #[test]
    fn a_key_has_its_hash_for_ever() {
        assert_eq!(hash(1, "ann@acme.com"), -2_484_781_653_141_112_107);
        assert_ne!(hash(2, "ann@acme.com"), hash(1, "ann@acme.com"));
    }
}

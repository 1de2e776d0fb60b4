//! Many rows in one statement, whose text is one of a few: the database prepares each once and keeps it.
//!
//! Values stand as `?` and are bound in their order, those of the head first. Numbered ones would be looked up by name one
//! after the other, each time through all of them: 3,000 values then take 70 milliseconds.

use std::sync::{Arc, OnceLock};

use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Encode, Sqlite, SqliteConnection, Type};

/// How many rows a statement can have. The largest that fits is taken until none are left.
const SIZES: [usize; 9] = [500, 200, 100, 50, 20, 10, 5, 2, 1];

/// A statement over any number of rows.
pub(crate) struct Batch {
    head: &'static str,
    row: &'static str,
    tail: &'static str,
    texts: [OnceLock<Arc<str>>; SIZES.len()],
}

impl Batch {
    /// `head`, then `row` once for each row with commas between, then `tail`.
    pub(crate) const fn new(head: &'static str, row: &'static str, tail: &'static str) -> Self {
        Self { head, row, tail, texts: [const { OnceLock::new() }; SIZES.len()] }
    }

    /// Runs it for all rows, and gives the last inserted row's number and how many rows it wrote.
    pub(crate) async fn execute<R>(
        &self,
        connection: &mut SqliteConnection,
        share: impl Fn(&mut Binds) + Send,
        rows: impl ExactSizeIterator<Item = R> + Send,
        bind: impl Fn(&mut Binds, R) + Send,
    ) -> sqlx::Result<Written> {
        let mut written = Written::default();
        let mut rows = rows;
        while rows.len() > 0 {
            let place = SIZES.iter().position(|size| *size <= rows.len()).unwrap_or(SIZES.len() - 1);
            let mut binds = self.binds(SIZES[place], &share);
            rows.by_ref().take(SIZES[place]).for_each(|row| bind(&mut binds, row));
            let done = sqlx::query_with(self.text(place), binds.finish()?).execute(&mut *connection).await?;
            written.rows += done.rows_affected();
            written.last_id = done.last_insert_rowid();
        }
        Ok(written)
    }

    /// Runs a query over all keys; it is padded with the last one, as a list of keys does not mind.
    pub(crate) async fn fetch<K: Copy + Send + Sync>(
        &self,
        connection: &mut SqliteConnection,
        share: impl Fn(&mut Binds) + Send,
        keys: &[K],
        bind: impl Fn(&mut Binds, K) + Send,
    ) -> sqlx::Result<Vec<SqliteRow>> {
        let mut found = Vec::new();
        for chunk in keys.chunks(SIZES[0]) {
            let place = SIZES.iter().rposition(|size| *size >= chunk.len()).unwrap_or(0);
            let mut binds = self.binds(SIZES[place], &share);
            let padding = chunk.last().into_iter().cycle().take(SIZES[place] - chunk.len());
            chunk.iter().chain(padding).for_each(|key| bind(&mut binds, *key));
            let rows = sqlx::query_with(self.text(place), binds.finish()?).fetch_all(&mut *connection).await?;
            if found.is_empty() {
                found = rows;
            } else {
                found.extend(rows);
            }
        }
        Ok(found)
    }

    fn binds(&self, rows: usize, share: impl Fn(&mut Binds)) -> Binds {
        const SHARED_MAX: usize = 4;
        let mut binds = Binds::default();
        let width = self.row.matches('?').count();
        binds.arguments.reserve(SHARED_MAX + rows * width, 0);
        share(&mut binds);
        binds
    }

    fn text(&self, place: usize) -> AssertSqlSafe<Arc<str>> {
        AssertSqlSafe(Arc::clone(self.texts[place].get_or_init(|| self.write(SIZES[place]).into())))
    }

    fn write(&self, rows: usize) -> String {
        let mut text = String::from(self.head);
        for row in 0..rows {
            if row > 0 {
                text.push(',');
            }
            text.push_str(self.row);
        }
        text.push_str(self.tail);
        text
    }
}

/// What a batch wrote.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Written {
    /// How many rows.
    pub(crate) rows: u64,
    /// The last inserted row's number.
    pub(crate) last_id: i64,
}

/// A statement's values in their order. A value that cannot be bound is reported once all are.
#[derive(Default)]
pub(crate) struct Binds {
    arguments: SqliteArguments,
    error: Option<sqlx::Error>,
}

impl Binds {
    /// Adds a value.
    pub(crate) fn push<'q, V: Encode<'q, Sqlite> + Type<Sqlite>>(&mut self, value: V) {
        if let Err(error) = self.arguments.add(value) {
            self.error.get_or_insert(sqlx::Error::Encode(error));
        }
    }

    fn finish(self) -> sqlx::Result<SqliteArguments> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.arguments),
        }
    }
}

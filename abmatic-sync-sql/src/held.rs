//! Records that a transaction reads, changes and writes back.

use std::collections::{BTreeMap, HashMap};

use abmatic_sync_core::error::Result;
use abmatic_sync_core::ids::FieldName;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::record::Version;
use abmatic_sync_core::model::resource::Resource;
use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::batch::Batch;
use crate::failure::failed;
use crate::records::BY_ID;
use crate::text::{edits_to_json, from_json, micros, to_json};
use crate::{births, host_fields, keys};

static UPDATE: Batch = Batch::new(
    "INSERT INTO abmatic_record (scope, id, match_key, version, created_at, modified_at, fields, edited_at, deleted) VALUES ",
    "(?,?,?,?,?,?,?,?,?)",
    " ON CONFLICT (scope, id) DO UPDATE SET match_key = excluded.match_key, version = excluded.version,
     modified_at = excluded.modified_at, fields = excluded.fields, edited_at = excluded.edited_at, deleted = excluded.deleted");

/// A record while a batch of updates is applied to it.
pub(crate) struct Held {
    fields: Fields,
    edits: BTreeMap<FieldName, i64>,
    version: i64,
    created_at: i64,
    modified_at: i64,
    deleted: bool,
    row: i64,
    /// Its key as it was read.
    key: Option<String>,
    changed: bool,
}

impl Held {
    fn read(row: &SqliteRow, resource: Resource) -> Result<(String, Self)> {
        let read = |error| failed("read a record")(error);
        let edits: Option<&str> = row.try_get(5).map_err(read)?;
        let mut held = Self {
            fields: from_json("a record's fields", row.try_get(4).map_err(read)?)?,
            edits: edits.map(|text| from_json("a record's edit times", text)).transpose()?.unwrap_or_default(),
            version: row.try_get(1).map_err(read)?,
            created_at: row.try_get(2).map_err(read)?,
            modified_at: row.try_get(3).map_err(read)?,
            deleted: row.try_get::<Option<i64>, _>(6).map_err(read)?.is_some(),
            row: row.try_get(7).map_err(read)?,
            key: None,
            changed: false,
        };
        held.key = held.match_key(resource);
        Ok((row.try_get(0).map_err(read)?, held))
    }

    /// Sets fields; each that changes was edited at its time in `edited_at`, or else at `at`.
    pub(crate) fn apply(
        &mut self,
        fields: &Fields,
        edited_at: &[(FieldName, DateTime<Utc>)],
        at: DateTime<Utc>,
        version: i64,
    ) {
        for (name, value) in fields.iter() {
            if self.fields.get(name.as_str()) == Some(value) {
                continue;
            }
            let known = edited_at.iter().find(|(edited, _)| edited == name).map_or(at, |(_, time)| *time);
            self.edits.insert(name.clone(), micros(known));
            self.fields.insert(name.clone(), value.clone());
        }
        self.touch(at, version);
    }

    fn touch(&mut self, at: DateTime<Utc>, version: i64) {
        self.modified_at = micros(at);
        self.version = version;
        self.changed = true;
    }

    fn match_key(&self, resource: Resource) -> Option<String> {
        if self.deleted { None } else { host_fields::match_key(resource, &self.fields) }
    }

    /// Whether it still is in the state of that version.
    pub(crate) fn is_at(&self, version: Version) -> bool {
        self.is_live() && self.version == version.get()
    }

    pub(crate) fn is_live(&self) -> bool {
        !self.deleted
    }

    /// Takes a deletion back.
    pub(crate) fn restore(&mut self, at: DateTime<Utc>, version: i64) {
        self.deleted = false;
        self.touch(at, version);
    }

    /// Marks it as deleted: its fields stay, its key does not.
    pub(crate) fn delete(&mut self, at: DateTime<Utc>, version: i64) {
        self.deleted = true;
        self.touch(at, version);
    }
}

/// Reads records to change them within this transaction.
pub(crate) async fn hold(
    connection: &mut SqliteConnection,
    scope: i64,
    resource: Resource,
    ids: &[&str],
) -> Result<HashMap<String, Held>> {
    let rows = BY_ID.fetch(connection, |binds| binds.push(scope), ids, |binds, id| binds.push(id)).await;
    let rows = rows.map_err(failed("read records"))?;
    let births = rows.iter().filter_map(|row| match row.try_get::<Option<i64>, _>(8) {
        Ok(Some(_)) => Some(row.try_get(7)),
        Ok(None) => None,
        Err(error) => Some(Err(error)),
    });
    let births = births.collect::<sqlx::Result<Vec<i64>>>().map_err(failed("read records"))?;
    births::part(connection, births).await?;
    rows.iter().map(|row| Held::read(row, resource)).collect()
}

/// Writes those that were changed, in the order of their versions.
pub(crate) async fn keep(
    connection: &mut SqliteConnection,
    scope: i64,
    resource: Resource,
    held: &HashMap<String, Held>,
) -> Result<()> {
    let mut rows = Vec::new();
    for (id, record) in held.iter().filter(|(_, record)| record.changed) {
        let key = record.match_key(resource);
        rows.push((id.as_str(), record, key, to_json(&record.fields)?, edits_to_json(&record.edits)?));
    }
    rows.sort_unstable_by_key(|(_, record, ..)| record.version);
    let mut rekeyed = Vec::new();
    for (_, record, key, ..) in &rows {
        let changed = key.as_deref().filter(|_| *key != record.key);
        rekeyed.extend(changed.map(|key| (keys::hash(scope, key), record.row)));
    }
    UPDATE
        .execute(
            connection,
            |_| {},
            rows.into_iter(),
            |binds, (id, record, key, fields, edits)| {
                binds.push(scope);
                binds.push(id);
                binds.push(key);
                binds.push(record.version);
                binds.push(record.created_at);
                binds.push(record.modified_at);
                binds.push(fields);
                binds.push(edits);
                binds.push(record.deleted.then_some(1_i64));
            },
        )
        .await
        .map_err(failed("update records"))?;
    keys::settle(connection, &rekeyed).await
}

//! Bulk API 2.0 ingest for large pushes: a job, its rows as CSV, and its three results back to their rows.
//!
//! Results come in no order, so that only rows with a key of their own go this way: upserts by external id and updates by
//! id. Both may be sent twice, so that a job whose end nobody saw does no harm ("Bulk API 2.0: Ingest").

use std::collections::{BTreeMap, BTreeSet};

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_http::retry::Resend;
use csv::Writer as CsvWriter;
use http::Method;
use serde_json::json;

use crate::bulk_query::{State, pause};
use crate::collections::Pending;
use crate::errors::bulk_error;
use crate::object::{ID, Object};
use crate::row::{Row, Verb};
use crate::rows::Table;
use crate::values::CSV_NULL;
use crate::wire::{Job, SaveResult};
use crate::write::Writer;

/// An upload may have so many bytes: 150 MB after base64 are the most.
const UPLOAD_BYTES_MAX: usize = 100_000_000;
/// How often a job is asked for before it is given up: some hours.
pub(crate) const POLLS_MAX: u32 = 400;
const RESULT_ID: &str = "sf__Id";
const RESULT_ERROR: &str = "sf__Error";

impl Writer<'_> {
    /// Sends by Bulk what is worth a job, and gives back what is not.
    pub(crate) async fn in_bulk(&mut self, rows: Vec<Row>) -> Result<Vec<Row>> {
        let mut groups: BTreeMap<(Object, bool), Vec<Row>> = BTreeMap::new();
        let (mut left, mut keys) = (Vec::new(), BTreeSet::new());
        for row in rows {
            let fits = !row.cells.is_empty() && row.object == self.object && !has_null_text(&row);
            let is_update = row.verb == Verb::Update;
            if fits && (is_update || self.described.external_id.is_some()) && keys.insert(row.key.clone()) {
                groups.entry((row.object, is_update)).or_default().push(row);
            } else {
                left.push(row);
            }
        }
        for ((_, is_update), mut rows) in groups {
            if rows.len() < self.api.options.bulk_write_min {
                left.append(&mut rows);
                continue;
            }
            // Siblings side by side: batches run at once and lock their rows' parents.
            rows.sort_by_cached_key(|row| row.parent().map(str::to_owned));
            left.append(&mut self.ingest(rows, is_update).await?);
        }
        Ok(left)
    }

    /// Sends one job and gives back the rows that it did not process.
    async fn ingest(&mut self, rows: Vec<Row>, is_update: bool) -> Result<Vec<Row>> {
        let key_field = match &self.described.external_id {
            Some(field) if !is_update => field.clone(),
            _ => ID.to_owned(),
        };
        let csv = to_csv(&rows, &key_field)?;
        if csv.len() > UPLOAD_BYTES_MAX {
            return Ok(rows);
        }
        let job = match self.upload(csv, &key_field, is_update).await {
            Ok(job) => job,
            Err(error) if error.stops_run() => {
                self.fail_all(&rows, &error)?;
                return Ok(Vec::new());
            }
            // Nothing was started; Collections do it too.
            Err(_) => return Ok(rows),
        };
        match self.await_job(&job, &key_field).await {
            Ok(results) => self.sort_results(rows, results).await,
            Err(error) => {
                let message = format!("the bulk job {job} was started and not seen through: {error}");
                self.fail_all(&rows, &Error::new(ErrorKind::Ambiguous, error.code(), message))?;
                Ok(Vec::new())
            }
        }
    }

    async fn upload(&self, csv: Vec<u8>, key_field: &str, is_update: bool) -> Result<String> {
        let version = self.api.version();
        let mut body = json!({"object": self.object.name(), "operation": if is_update { "update" } else { "upsert" },
            "contentType": "CSV", "lineEnding": "LF", "columnDelimiter": "COMMA"});
        if let (false, Some(fields)) = (is_update, body.as_object_mut()) {
            fields.insert("externalIdFieldName".to_owned(), key_field.into());
        }
        let path = version.ingest_jobs();
        let to = (Method::POST, path.as_str());
        let answer = self.api.send_json(self.on, self.operation(), to, &body, Resend::Safe).await?;
        let job = answer.json::<Job>()?.id;
        self.api.put_csv(self.on, self.operation(), &version.ingest_job(&job, "/batches"), csv).await?;
        let path = version.ingest_job(&job, "");
        let to = (Method::PATCH, path.as_str());
        let started = json!({"state": "UploadComplete"});
        self.api.send_json(self.on, self.operation(), to, &started, Resend::Safe).await?;
        Ok(job)
    }

    /// What became of each key, once the job has ended. Keys that are not there were not processed.
    async fn await_job(&self, job: &str, key_field: &str) -> Result<BTreeMap<String, SaveResult>> {
        let version = self.api.version();
        let path = version.ingest_job(job, "");
        for polls in 0..POLLS_MAX {
            let answer = self.api.get(self.on, self.operation(), &path, &[]).await?;
            let state: Job = answer.json()?;
            if State::of(&state.state) == State::Working {
                pause(self.api.clock(), polls).await;
                continue;
            }
            if !state.error_message.is_empty() {
                tracing::warn!(job, "the bulk job says: {}", state.error_message);
            }
            let mut results = BTreeMap::new();
            for part in ["/successfulResults/", "/failedResults/"] {
                let path = version.ingest_job(job, part);
                let answer = self.api.get_csv(self.on, self.operation(), &path, &[]).await?;
                self.take_results(&Table::parse(answer.body())?, key_field, &mut results);
            }
            return Ok(results);
        }
        let message = format!("the bulk job {job} does not end");
        Err(Error::new(ErrorKind::Ambiguous, ErrorCode::ServerUnavailable, message))
    }

    fn take_results(&self, table: &Table, key_field: &str, results: &mut BTreeMap<String, SaveResult>) {
        let (id, error, key) = (table.place(RESULT_ID), table.place(RESULT_ERROR), table.place(key_field));
        // An update's key is the id itself.
        let Some(key) = key.or(id) else { return };
        let cell = |row: &csv::StringRecord, place: Option<usize>| {
            place.and_then(|place| row.get(place)).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        for row in &table.rows {
            let Some(key) = cell(row, Some(key)) else { continue };
            let errors: Vec<_> = cell(row, error).map(|text| bulk_error(&text, self.object).0).into_iter().collect();
            results.insert(key, SaveResult { id: cell(row, id), success: errors.is_empty(), errors });
        }
    }

    async fn sort_results(&mut self, rows: Vec<Row>, mut results: BTreeMap<String, SaveResult>) -> Result<Vec<Row>> {
        let mut pending = Pending::default();
        let mut unprocessed = Vec::new();
        for row in rows {
            match results.remove(&row.key) {
                Some(result) => self.sort_one(row, result, &mut pending),
                None => unprocessed.push(row),
            }
        }
        self.settle(pending).await?;
        Ok(unprocessed)
    }
}

/// Whether a row holds the very text that Bulk takes for "clear this".
fn has_null_text(row: &Row) -> bool {
    row.cells.values().any(|cell| cell.text() == Some(CSV_NULL))
}

/// The rows under a header of all their fields: an empty cell changes nothing.
fn to_csv(rows: &[Row], key_field: &str) -> Result<Vec<u8>> {
    let failed = |error: csv::Error| {
        Error::invalid(ErrorCode::InvalidRequest, "the rows cannot be written as CSV").caused_by(error)
    };
    let names: BTreeSet<&str> = rows.iter().flat_map(|row| row.cells.keys().map(String::as_str)).collect();
    let mut csv = CsvWriter::from_writer(Vec::new());
    csv.write_record(std::iter::once(key_field).chain(names.iter().copied())).map_err(failed)?;
    for row in rows {
        let cells = names.iter().map(|name| match row.cells.get(*name) {
            None => "",
            Some(cell) => cell.text().unwrap_or(CSV_NULL),
        });
        csv.write_record(std::iter::once(row.key.as_str()).chain(cells)).map_err(failed)?;
    }
    csv.into_inner().map_err(|error| {
        Error::invalid(ErrorCode::InvalidRequest, "the rows cannot be written as CSV").caused_by(error.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Cell;

    #[test]
    fn empty_cells_change_nothing_and_nulls_clear() {
        let row = |key: &str, cells: Vec<(&str, Cell)>| {
            let cells = cells.into_iter().map(|(name, cell)| (name.to_owned(), cell)).collect();
            Row { cells, ..Row::new(0, Verb::Update, key.to_owned(), Object::Account) }
        };
        let rows = [
            row("1", vec![("Name", Cell::Text("Smith, \"J\"\nInc".to_owned()))]),
            row("2", vec![("Industry", Cell::Null), ("IsTarget__c", Cell::Boolean(true))]),
        ];
        let csv = String::from_utf8(to_csv(&rows, "Id").unwrap()).unwrap();
        assert_eq!(csv, "Id,Industry,IsTarget__c,Name\n1,,,\"Smith, \"\"J\"\"\nInc\"\n2,#N/A,true,\n");
    }
}

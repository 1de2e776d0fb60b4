//! The log as JSON lines or CSV, the oldest line first, in pages: memory does not grow with the log.

use std::io::Write;

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::ids::{LocalId, RemoteId};
use abmatic_sync_core::model::change::FieldChange;
use abmatic_sync_core::model::journal::LogEntry;
use abmatic_sync_core::store::state::LogQuery;
use chrono::SecondsFormat;
use serde::Serialize;

use crate::log::{self, Order};
use crate::store::SqliteStore;
use crate::text::to_json;

/// How the log is written out.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// A header and a line for each entry, its changes as JSON in the last column.
    Csv,
    /// An object for each entry, each on its line.
    JsonLines,
}

const COLUMNS: [&str; 11] = [
    "timestamp",
    "run",
    "connection",
    "resource",
    "status",
    "direction",
    "local_id",
    "remote_id",
    "code",
    "message",
    "changes",
];

/// An entry as people and programs read it.
#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    run: &'a str,
    connection: &'a str,
    resource: &'static str,
    status: &'static str,
    direction: String,
    local_id: Option<&'a str>,
    remote_id: Option<&'a str>,
    code: Option<&'static str>,
    message: &'a str,
    changes: &'a [FieldChange],
}

impl<'a> Line<'a> {
    fn of(entry: &'a LogEntry) -> Self {
        Self {
            timestamp: entry.at.to_rfc3339_opts(SecondsFormat::Millis, true),
            run: entry.run.as_str(),
            connection: entry.connection.as_str(),
            resource: entry.resource.as_str(),
            status: entry.status.as_str(),
            direction: entry.direction.to_string(),
            local_id: entry.local_id.as_ref().map(LocalId::as_str),
            remote_id: entry.remote_id.as_ref().map(RemoteId::as_str),
            code: entry.code.map(ErrorCode::as_str),
            message: &entry.message,
            changes: &entry.changes,
        }
    }

    fn cells(&self) -> Result<[String; 11]> {
        let optional = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Ok([
            self.timestamp.clone(),
            self.run.to_owned(),
            self.connection.to_owned(),
            self.resource.to_owned(),
            self.status.to_owned(),
            self.direction.clone(),
            optional(self.local_id),
            optional(self.remote_id),
            optional(self.code),
            self.message.to_owned(),
            to_json(&self.changes)?,
        ])
    }
}

impl SqliteStore {
    /// Writes every entry that the query asks for, whatever its limit and offset, and says how many they were.
    ///
    /// # Errors
    /// [`ErrorCode::StoreFailed`] when the database fails or `to` takes no more.
    pub async fn export_log(&self, query: &LogQuery, format: LogFormat, mut to: impl Write + Send) -> Result<u64> {
        const PAGE: usize = 1000;
        if format == LogFormat::Csv {
            to.write_all(&csv_text([COLUMNS].into_iter().map(Ok))?).map_err(unwritable)?;
        }
        let mut after = 0;
        let mut count = 0;
        loop {
            // No transaction spans two pages: it would keep the log in front of the file from shrinking.
            let page = log::find(&mut *self.reader().await?, query, Order::Oldest { after }, PAGE).await?;
            let Some((last, _)) = page.last() else { break };
            after = *last;
            count += page.len() as u64;
            let lines = page.iter().map(|(_, entry)| Line::of(entry));
            let text = match format {
                LogFormat::Csv => csv_text(lines.map(|line| line.cells()))?,
                LogFormat::JsonLines => json_text(lines)?,
            };
            to.write_all(&text).map_err(unwritable)?;
        }
        to.flush().map_err(unwritable)?;
        Ok(count)
    }
}

fn csv_text<C: AsRef<[u8]>>(lines: impl Iterator<Item = Result<[C; 11]>>) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for line in lines {
        writer.write_record(line?).map_err(unwritable)?;
    }
    writer.into_inner().map_err(|error| unwritable(error.into_error()))
}

fn json_text<'a>(lines: impl Iterator<Item = Line<'a>>) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    for line in lines {
        text.extend_from_slice(to_json(&line)?.as_bytes());
        text.push(b'\n');
    }
    Ok(text)
}

fn unwritable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::store("could not write the log out: check where it goes to", error)
}

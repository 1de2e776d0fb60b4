//! The CSV of Bulk jobs: query results to records, and the rows and results of an ingest.

use abmatic_sync_core::connector::request::Undecodable;
use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::ids::RemoteId;
use csv::{ReaderBuilder, StringRecord};

use crate::id::long_id;
use crate::layout::Layout;
use crate::object::ID;
use crate::record::{Decoded, Draft};
use crate::values;

/// What an answer's CSV holds. An empty answer has not even a header.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) header: StringRecord,
    pub(crate) rows: Vec<StringRecord>,
}

impl Table {
    /// Reads a whole table.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidAnswer`] for what is no CSV, such as a row of another length.
    pub(crate) fn parse(body: &[u8]) -> Result<Self> {
        let mut reader = ReaderBuilder::new().from_reader(body);
        let header = reader.headers().map_err(unreadable)?.clone();
        let rows = reader.records().collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
        Ok(Self { header, rows })
    }

    /// The place of a column; names have no case.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|held| held.eq_ignore_ascii_case(name))
    }
}

/// Decodes the rows of a query job.
///
/// # Errors
/// As [`Table::parse`]. A row that does not decode fails alone.
pub(crate) fn decode(layout: &Layout, body: &[u8]) -> Result<(Vec<Decoded>, Vec<Undecodable>)> {
    let mut reader = ReaderBuilder::new().from_reader(body);
    let header = reader.headers().map_err(unreadable)?.clone();
    let id = header.iter().position(|held| held.eq_ignore_ascii_case(ID));
    let (mut records, mut undecodable) = (Vec::new(), Vec::new());
    let mut row = StringRecord::new();
    while reader.read_record(&mut row).map_err(unreadable)? {
        let mut draft = Draft::new(layout);
        for (path, text) in header.iter().zip(&row) {
            if let Some(slot) = draft.slot(path) {
                let value = values::decode(text, slot.field_type);
                draft.set(slot, value);
            }
        }
        match draft.finish() {
            Ok(decoded) => records.push(decoded),
            Err(why) => {
                let id = id.and_then(|place| row.get(place)).map(|id| RemoteId::from(long_id(id)));
                let error = Error::new(ErrorKind::Undocumented, ErrorCode::InvalidAnswer, why);
                undecodable.push(Undecodable::new(id, error));
            }
        }
    }
    Ok((records, undecodable))
}

fn unreadable(error: csv::Error) -> Error {
    Error::new(ErrorKind::Undocumented, ErrorCode::InvalidAnswer, "the job's result is no CSV").caused_by(error)
}

#[cfg(test)]
mod tests {
    use abmatic_sync_core::model::value::Value;

    use super::*;

    #[test]
    fn quoted_lines_and_texts_that_look_empty_are_kept() {
        let layout = Layout::bare().with("Name", abmatic_sync_core::model::schema::FieldType::Text);
        let csv = "\"Id\",\"Name\"\n\"001000000000001\",\"N/A\"\n\"001000000000002\",\"a\nb, \"\"c\"\"\"\n\"\",\"x\"\n";
        let (records, undecodable) = decode(&layout, csv.as_bytes()).unwrap();
        let shown: Vec<_> = records.iter().map(|one| (one.record.id.as_str(), one.record.fields.get("Name"))).collect();
        let (na, lines) = (Value::text("N/A"), Value::text("a\nb, \"c\""));
        assert_eq!(shown, [("001000000000001AAA", Some(&na)), ("001000000000002AAA", Some(&lines))]);
        assert_eq!(undecodable.len(), 1, "a row without an id fails alone");
    }

    #[test]
    fn an_empty_answer_holds_no_records_and_a_torn_one_is_an_error() {
        assert!(decode(&Layout::bare(), b"").unwrap().0.is_empty());
        assert!(decode(&Layout::bare(), b"\"Id\"\n").unwrap().0.is_empty());
        assert_eq!(decode(&Layout::bare(), b"Id,Name\n001").unwrap_err().code(), ErrorCode::InvalidAnswer);
    }
}

//! Updates on the condition that nobody changed the record since it was read (I3).
//!
//! Only single rows know conditions ("Conditional Requests"); Collections and Bulk do not. Several single rows make one
//! Composite call, so that as many as fit into one cost no more than a Collection would.

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_http::retry::Resend;
use http::Method;
use serde_json::json;

use crate::collections::Pending;
use crate::composite::{Answers, SubAnswer};
use crate::errors::{refusal_of, sub_refusal};
use crate::row::{Row, Verb};
use crate::wire::SaveResult;
use crate::write::{Writer, unsaid};

/// Requests in one call ("Composite").
pub(crate) const CONDITIONAL_MAX: usize = 25;
/// A condition that does not hold.
const PRECONDITION_FAILED: u16 = 412;
/// `Tue, 10 Aug 2015 00:00:00 GMT`: Salesforce's times of change have no fractions of a second.
const HTTP_DATE: &str = "%a, %d %b %Y %H:%M:%S GMT";

impl Writer<'_> {
    /// Sends updates with their conditions where they are few, and gives back all other rows.
    pub(crate) async fn conditionally(&mut self, rows: Vec<Row>) -> Result<Vec<Row>> {
        let can = |row: &Row| row.verb == Verb::Update && row.unmodified_since.is_some() && !row.cells.is_empty();
        let count = rows.iter().filter(|row| can(row)).count();
        if count == 0 || count > self.api.options.conditional_max {
            return Ok(rows);
        }
        let (few, left): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(can);
        let mut pending = Pending::default();
        let mut few = few.into_iter().peekable();
        while few.peek().is_some() {
            let rows: Vec<Row> = few.by_ref().take(CONDITIONAL_MAX).collect();
            self.send_conditions(rows, &mut pending).await?;
        }
        self.settle(pending).await?;
        Ok(left)
    }

    async fn send_conditions(&mut self, rows: Vec<Row>, pending: &mut Pending) -> Result<()> {
        let answer = match self.compose(&rows).await {
            Ok(answer) => answer,
            Err(error) => return self.fail_all(&rows, &error),
        };
        let answers: Answers<'_> = match answer.json() {
            Ok(answers) => answers,
            Err(error) => return self.fail_all(&rows, &error),
        };
        for (place, row) in rows.into_iter().enumerate() {
            let name = reference(place);
            match answers.composite_response.iter().find(|one| one.reference_id == name) {
                Some(one) if one.http_status_code == PRECONDITION_FAILED => self.fail(row.at, self.moved_on(one)),
                Some(one) => self.sort_one(row, result_of(one), pending),
                None => self.fail(row.at, unsaid()),
            }
        }
        Ok(())
    }

    /// Not sent twice: the second time our own write would look like somebody else's.
    async fn compose(&self, rows: &[Row]) -> Result<abmatic_sync_http::client::Answer> {
        self.go_on()?;
        let version = self.api.version();
        let request = |(place, row): (usize, &Row)| {
            let since = row.unmodified_since.map(|time| time.format(HTTP_DATE).to_string());
            json!({"method": "PATCH", "url": version.record(row.object, &row.key), "referenceId": reference(place),
                "httpHeaders": {"If-Unmodified-Since": since, "Sforce-Auto-Assign": "FALSE"}, "body": row.cells})
        };
        let requests: Vec<_> = rows.iter().enumerate().map(request).collect();
        let body = json!({"allOrNone": false, "collateSubrequests": false, "compositeRequest": requests});
        let path = version.composite();
        self.api.send_json(self.on, self.operation(), (Method::POST, path.as_str()), &body, Resend::Verify).await
    }

    fn moved_on(&self, answer: &SubAnswer<'_>) -> Error {
        let told = sub_refusal(answer.http_status_code, answer.body.get());
        let message = "somebody changed the record after it was read";
        Error::new(ErrorKind::Conflict, ErrorCode::ConcurrentChange, message).caused_by(told).at(&self.operation())
    }
}

fn reference(place: usize) -> String {
    format!("r{place}")
}

fn result_of(answer: &SubAnswer<'_>) -> SaveResult {
    let success = (200..300).contains(&answer.http_status_code);
    let errors = if success { Vec::new() } else { vec![refusal_of(answer.body.get().as_bytes())] };
    SaveResult { id: None, success, errors }
}

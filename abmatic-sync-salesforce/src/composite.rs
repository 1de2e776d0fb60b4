//! Several queries in one call: a look-up of a thousand keys is longer than an address, but not than a body ("Composite").

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_http::paging::{Trail, advance};
use abmatic_sync_http::retry::Resend;
use http::Method;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use url::form_urlencoded;

use crate::errors::sub_refusal;
use crate::layout::Layout;
use crate::reader::{Bin, Found, QueryResult, Reader};
use crate::soql::Query;
use crate::wire::QueryPage;

/// Queries in one call ("Composite": 25 requests, of which 5 may be queries). It counts as one call.
const QUERIES_MAX: usize = 5;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answers<'a> {
    #[serde(borrow)]
    pub(crate) composite_response: Vec<SubAnswer<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubAnswer<'a> {
    #[serde(borrow)]
    pub(crate) body: &'a RawValue,
    pub(crate) http_status_code: u16,
    pub(crate) reference_id: String,
}

impl Reader<'_> {
    /// The records of each query, in the queries' order. One that is refused does not spoil the others.
    pub(crate) async fn collect_each(
        &self,
        layout: &Layout,
        queries: &[Query],
        bin: Bin,
    ) -> Result<Vec<Result<Found>>> {
        let mut collected = Vec::with_capacity(queries.len());
        for part in queries.chunks(QUERIES_MAX) {
            if let [only] = part {
                let result = self.query(layout, &only.text(), bin).await;
                collected.push(self.to_its_end(layout, result).await);
                continue;
            }
            for result in self.together(layout, part, bin).await? {
                collected.push(self.to_its_end(layout, result).await);
            }
        }
        Ok(collected)
    }

    /// The records of all queries.
    pub(crate) async fn collect_all(&self, layout: &Layout, queries: &[Query], bin: Bin) -> Result<Found> {
        let mut all = Found::default();
        for found in self.collect_each(layout, queries, bin).await? {
            let mut found = found?;
            all.records.append(&mut found.records);
            all.undecodable.append(&mut found.undecodable);
        }
        Ok(all)
    }

    async fn together(&self, layout: &Layout, queries: &[Query], bin: Bin) -> Result<Vec<Result<QueryResult>>> {
        let version = self.api.version();
        let path = if bin == Bin::Included { version.query_all() } else { version.query() };
        let request = |(place, query): (usize, &Query)| {
            let soql = form_urlencoded::Serializer::new(String::new()).append_pair("q", &query.text()).finish();
            json!({"method": "GET", "url": format!("{path}?{soql}"), "referenceId": format!("q{place}")})
        };
        let requests: Vec<_> = queries.iter().enumerate().map(request).collect();
        let body = json!({"allOrNone": false, "collateSubrequests": false, "compositeRequest": requests});
        let path = version.composite();
        let to = (Method::POST, path.as_str());
        let answer = self.api.send_json(self.on, self.operation.clone(), to, &body, Resend::Read).await?;
        let answers: Answers<'_> = answer.json()?;
        let result = |place: usize| {
            let name = format!("q{place}");
            let Some(one) = answers.composite_response.iter().find(|one| one.reference_id == name) else {
                let message = "the answer leaves one of several queries out";
                return Err(self.at(Error::new(ErrorKind::Undocumented, ErrorCode::InvalidAnswer, message)));
            };
            if !(200..300).contains(&one.http_status_code) {
                return Err(self.at(sub_refusal(one.http_status_code, one.body.get())));
            }
            let page: QueryPage<'_> = serde_json::from_str(one.body.get()).map_err(|error| answer.unreadable(error))?;
            Ok(QueryResult::of(layout, page))
        };
        Ok((0..queries.len()).map(result).collect())
    }

    /// Reads on after the first page of a query.
    async fn to_its_end(&self, layout: &Layout, first: Result<QueryResult>) -> Result<Found> {
        let mut result = first?;
        let mut found = std::mem::take(&mut result.found);
        let mut trail: Option<Trail> = None;
        loop {
            trail = advance(trail, result.next).map_err(|error| self.at(error))?;
            let Some(place) = &trail else { return Ok(found) };
            result = self.page(layout, place.after()).await?;
            found.records.append(&mut result.found.records);
            found.undecodable.append(&mut result.found.undecodable);
        }
    }
}

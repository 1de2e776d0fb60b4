//! Live records by domain or email, in as few calls as Salesforce allows.

use abmatic_sync_core::connector::request::FindRequest;
use abmatic_sync_core::error::{ErrorCode, Result};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::record::RemoteRecord;

use crate::api::Api;
use crate::describe::described;
use crate::layout::Layout;
use crate::object::Object;
use crate::reader::{Bin, Reader};
use crate::soql::{QUERY_BYTES_MAX, encoded_len, one_of, parts, pattern, quoted};

/// Live records by key; opportunities and tasks have none.
pub(crate) async fn find(api: &Api, on: &Connection, request: FindRequest) -> Result<Vec<RemoteRecord>> {
    let object = Object::of(request.resource)?;
    let Some(key_field) = object.key_field().filter(|_| !request.keys.is_empty()) else { return Ok(Vec::new()) };
    let described = described(api, on, object).await?;
    let reader = Reader::new(api, on, object, described, "find");
    let layout = Layout::new(object, &request.fields, &request.relations, &reader.described)
        .with(key_field, reader.described.field_type(key_field));
    let finder = Finder { reader, layout, key_field };
    finder.find(request.keys).await
}

struct Finder<'a> {
    reader: Reader<'a>,
    layout: Layout,
    key_field: &'static str,
}

impl Finder<'_> {
    async fn find(&self, keys: Vec<String>) -> Result<Vec<RemoteRecord>> {
        let room = QUERY_BYTES_MAX.saturating_sub(encoded_len(&self.reader.own_query(&self.layout).text())).max(2_000);
        let mut open = if self.by_domain() {
            parts(keys, |key| self.mentions(key), " OR ", room)
        } else {
            parts(keys, |key| quoted(key), ",", room)
        };
        let mut records = Vec::new();
        while !open.is_empty() {
            let query = |keys: &Vec<String>| self.reader.own_query(&self.layout).filtered(self.condition(keys));
            let queries: Vec<_> = open.iter().map(query).collect();
            let results = self.reader.collect_each(&self.layout, &queries, Bin::LeftOut).await?;
            let mut again = Vec::new();
            for (mut keys, result) in open.into_iter().zip(results) {
                match result {
                    Ok(found) => records.extend(found.records.into_iter().map(|one| one.record)),
                    // Too much for one query in the time that it has: half of it may do.
                    Err(error) if error.code() == ErrorCode::Unsupported && keys.len() > 1 => {
                        let half = keys.split_off(keys.len() / 2);
                        again.extend([keys, half]);
                    }
                    Err(error) => return Err(error),
                }
            }
            open = again;
        }
        Ok(records)
    }

    fn by_domain(&self) -> bool {
        self.reader.object == Object::Account
    }

    /// Emails compare without case. Addresses are stored as they were typed, so every one that mentions the domain comes:
    /// whoever asked compares keys.
    fn condition(&self, keys: &[String]) -> String {
        if !self.by_domain() {
            return one_of(self.key_field, keys);
        }
        keys.iter().map(|key| self.mentions(key)).collect::<Vec<_>>().join(" OR ")
    }

    fn mentions(&self, domain: &str) -> String {
        format!("{} LIKE {}", self.key_field, pattern("%", domain, "%"))
    }
}

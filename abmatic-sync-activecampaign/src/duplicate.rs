//! Who has the value already that is nobody else's: an address, or an account's name.

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::steps::coerce::web_host;
use serde_json::Value as Json;

use crate::draft::Draft;
use crate::object::Object;
use crate::wire::{id, rows, text};
use crate::write::Writer;

impl Writer<'_> {
    /// Names the record that has the value already. Another company of the same name is none of ours.
    pub(crate) async fn duplicate(&self, error: Error, draft: &Draft) -> Result<Error> {
        let (field, query) = match self.object {
            Object::Contact => ("email", "email"),
            Object::Account => ("name", "search"),
            Object::Deal | Object::Note => return Ok(error),
        };
        let Some(value) = draft.body.get(field).and_then(text) else { return Ok(error) };
        let query = [(query, value.as_str()), ("limit", "100")];
        let answer = self.api.get(self.on, self.operation.clone(), self.object.plural(), &query).await?;
        let mut body: Json = answer.json()?;
        let rows = rows(&answer, &mut body, self.object.plural())?;
        let holder = rows.into_iter().find(|row| {
            row.get(field).and_then(text).is_some_and(|held| held.trim().to_lowercase() == value.trim().to_lowercase())
        });
        let Some((holder, number)) = holder.and_then(|row| Some((id(&row, "id")?, row))).map(|(id, row)| (row, id))
        else {
            return Ok(error);
        };
        if self.object == Object::Account && !is_same_company(&holder, draft) {
            let message = format!("{}; account {number} has that name and another address", error.message());
            return Ok(
                Error::new(ErrorKind::Invalid, ErrorCode::DuplicateValue, message).with_fields(vec!["name".into()])
            );
        }
        Ok(error.with_existing_id(RemoteId::from(number)))
    }
}

/// Whether the holder of a name may be the company that was to be made: its address is the same, or one has none.
fn is_same_company(holder: &Json, draft: &Draft) -> bool {
    let host = |url: Option<&Json>| url.and_then(text).and_then(|url| web_host(&url));
    match (host(holder.get("accountUrl")), host(draft.body.get("accountUrl"))) {
        (Some(held), Some(sent)) => held == sent,
        (None, _) | (_, None) => true,
    }
}

//! The marker of the next page: the place in the order where it begins.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::fake::pipedrive::errors::{self, Refusal};

/// What a list is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) field: String,
    pub(crate) descending: bool,
}

/// The first record of a page: its value in the sorted field, and its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) value: Value,
    pub(crate) id: u64,
}

/// The opaque text of a place.
pub(crate) fn encode(order: &Order, place: &Place) -> String {
    let direction = if order.descending { "desc" } else { "asc" };
    let inside = json!({
        "field": order.field, "fieldValue": place.value, "sortDirection": direction, "id": place.id,
    });
    URL_SAFE_NO_PAD.encode(inside.to_string())
}

/// The place of a text; a cursor of another order is refused.
pub(crate) fn decode(order: &Order, text: &str) -> Result<Place, Refusal> {
    let place = || {
        let inside: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let direction = if order.descending { "desc" } else { "asc" };
        let same = inside["field"] == order.field.as_str() && inside["sortDirection"] == direction;
        let id = inside["id"].as_u64().filter(|_| same)?;
        Some(Place { value: inside["fieldValue"].clone(), id })
    };
    place().ok_or_else(|| errors::invalid("cursor", "not a valid cursor"))
}

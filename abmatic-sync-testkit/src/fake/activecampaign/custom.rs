//! Custom fields of accounts and of deals, and their values: one design under two names.

use serde_json::{Value, json};

use crate::fake::activecampaign::central::zoneless;
use crate::fake::activecampaign::errors::{self, Refusal, Ruling};
use crate::fake::activecampaign::listing::{Total, filter_id, meta, page, page_of};
use crate::fake::activecampaign::reply;
use crate::fake::activecampaign::state::{Custom, Datum, Meta, State};
use crate::fake::activecampaign::table::{sent, sent_id, text};
use crate::fake::exchange::Request;

/// Whose fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Account,
    Deal,
}

impl Family {
    fn word(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Deal => "deal",
        }
    }

    /// How a value names whose it is when it is written.
    fn owner_key(self) -> &'static str {
        match self {
            Self::Account => "customerAccountId",
            Self::Deal => "dealId",
        }
    }

    fn of(self, state: &State) -> &Custom {
        match self {
            Self::Account => &state.account_fields,
            Self::Deal => &state.deal_fields,
        }
    }

    fn of_mut(self, state: &mut State) -> &mut Custom {
        match self {
            Self::Account => &mut state.account_fields,
            Self::Deal => &mut state.deal_fields,
        }
    }

    fn owner_exists(self, state: &State, id: u64) -> bool {
        match self {
            Self::Account => state.accounts.get(id).is_some(),
            Self::Deal => state.deals.get(id).is_some(),
        }
    }
}

const TYPES: &[&str] = &[
    "text",
    "textarea",
    "date",
    "datetime",
    "dropdown",
    "multiselect",
    "radio",
    "checkbox",
    "hidden",
    "currency",
    "number",
];
const FIELDS_LIMIT: usize = 100;

fn meta_row(state: &State, family: Family, id: u64, field: &Meta) -> Value {
    let options = (!field.options.is_empty()).then(|| field.options.clone());
    json!({
        "id": id.to_string(), "fieldLabel": field.label, "fieldType": field.kind, "fieldOptions": options,
        "fieldDefault": null, "fieldDefaultCurrency": null, "isFormVisible": 0, "isRequired": 0, "displayOrder": id,
        "personalization": field.label.to_uppercase().replace(' ', "_"), "knownFieldId": field.known, "hideFieldFlag": 0,
        "createdTimestamp": zoneless(field.created), "updatedTimestamp": zoneless(field.created), "createdBy": "1",
        "updatedBy": "1", "links": {"self": state.link(&format!("{}CustomFieldMeta/{id}", family.word()))},
    })
}

/// `GET /accountCustomFieldMeta`.
pub(crate) fn list(state: &State, family: Family, request: &Request) -> Ruling {
    let (rows, total) = page_of(state, request, family.of(state).meta.iter().collect(), FIELDS_LIMIT);
    let rows: Vec<Value> = rows.into_iter().map(|(id, field)| meta_row(state, family, id, field)).collect();
    Ok(reply::json(200, &json!({key(family, "Meta"): rows, "meta": meta(total, Total::Text)})))
}

/// `GET /accountCustomFieldMeta/{id}`.
pub(crate) fn read(state: &State, family: Family, id: u64) -> Ruling {
    let field = family.of(state).meta.get(id).ok_or_else(|| errors::not_found(None))?;
    Ok(reply::json(200, &json!({key(family, "Metum"): meta_row(state, family, id, field)})))
}

/// `POST /accountCustomFieldMeta`.
pub(crate) fn create(state: &mut State, now: i64, family: Family, body: &Value) -> Ruling {
    let body = &body[key(family, "Metum")];
    let label = sent(body, "fieldLabel").filter(|label| !label.is_empty());
    let label = label.ok_or_else(|| errors::missing_attribute("fieldLabel"))?;
    let kind = sent(body, "fieldType").filter(|kind| TYPES.contains(&kind.as_str()));
    let kind = kind.ok_or_else(|| errors::missing_attribute("fieldType"))?;
    let options = body["fieldOptions"].as_array().into_iter().flatten().filter_map(text).collect();
    let id = family.of_mut(state).meta.add(Meta { label, kind, options, known: None, created: now });
    let field = family.of(state).meta.get(id).map(|field| meta_row(state, family, id, field));
    Ok(reply::json(200, &json!({key(family, "Metum"): field})))
}

fn datum_row(state: &State, family: Family, id: u64, datum: &Datum) -> Value {
    let word = family.word();
    let mut row = json!({
        "id": id.to_string(), "customFieldId": datum.field, "createdTimestamp": zoneless(datum.created),
        "updatedTimestamp": zoneless(datum.updated), "fieldValue": datum.value,
        "links": {word: state.link(&format!("{word}CustomFieldData/{id}/{word}"))},
    });
    row[format!("{word}CustomFieldMetumId")] = datum.field.into();
    row[format!("{word}Id")] = datum.of.into();
    if let Some(currency) = &datum.currency {
        row["fieldCurrency"] = currency.as_str().into();
    }
    row
}

/// `GET /accountCustomFieldData`.
pub(crate) fn data(state: &State, family: Family, request: &Request) -> Ruling {
    let of = filter_id(request, family.owner_key());
    let found: Vec<(u64, &Datum)> =
        family.of(state).data.iter().filter(|(_, datum)| of.is_none_or(|id| datum.of == id)).collect();
    let (rows, total) = page(state, request, found);
    let rows: Vec<Value> = rows.into_iter().map(|(id, datum)| datum_row(state, family, id, datum)).collect();
    Ok(reply::json(200, &json!({key(family, "Data"): rows, "meta": meta(total, Total::Number)})))
}

/// `GET /accounts/{id}/accountCustomFieldData`: the raw columns.
pub(crate) fn columns(state: &State, family: Family, of: u64) -> Ruling {
    let custom = family.of(state);
    let row = |datum: &Datum| {
        let kind = custom.meta.get(datum.field).map_or("text", |field| field.kind.as_str());
        let shown = datum.value.as_str().map_or_else(|| datum.value.to_string(), str::to_owned);
        let mut row = json!({
            "custom_field_id": datum.field.to_string(), "custom_field_text_value": null, "custom_field_number_value": null,
            "custom_field_currency_value": null, "custom_field_date_value": null,
        });
        let column = match kind {
            "number" => "custom_field_number_value",
            "currency" => "custom_field_currency_value",
            "date" | "datetime" => "custom_field_date_value",
            _ => "custom_field_text_value",
        };
        row[column] = shown.into();
        row
    };
    let rows: Vec<Value> =
        custom.data.iter().filter(|(_, datum)| datum.of == of).map(|(_, datum)| row(datum)).collect();
    let name = match family {
        Family::Account => "customerAccountCustomFieldData",
        Family::Deal => "dealCustomFieldData",
    };
    Ok(reply::json(200, &json!({name: rows})))
}

/// `POST /accountCustomFieldData`, and `PUT` of one.
pub(crate) fn write(state: &mut State, now: i64, family: Family, id: Option<u64>, body: &Value) -> Ruling {
    let body = &body[key(family, "Datum")];
    let before = match id {
        Some(id) => {
            let held = family.of(state).data.get(id).ok_or_else(|| errors::not_found(None))?;
            Some((held.of, held.field))
        }
        None => None,
    };
    let owner = sent_id(body, family.owner_key()).or_else(|| sent_id(body, &format!("{}Id", family.word())));
    let of = before.map(|(of, _)| of).or(owner).filter(|id| family.owner_exists(state, *id));
    let of = of.ok_or_else(|| errors::missing_attribute(family.owner_key()))?;
    let field = before.map(|(_, field)| field).or_else(|| sent_id(body, "customFieldId"));
    let field = field.ok_or_else(|| errors::missing_attribute("customFieldId"))?;
    let id = set(state, now, family, of, field, body)?;
    let row = family.of(state).data.get(id).map(|datum| datum_row(state, family, id, datum));
    Ok(reply::json(200, &json!({key(family, "Datum"): row})))
}

/// `DELETE /accountCustomFieldData/{id}`.
pub(crate) fn delete(state: &mut State, family: Family, id: u64) -> Ruling {
    family.of_mut(state).data.remove(id).ok_or_else(|| errors::not_found(None))?;
    let word = family.word();
    let message = format!("{}{}CustomFieldData deleted.", word[..1].to_uppercase(), &word[1..]);
    Ok(reply::json(200, &json!({"message": message})))
}

/// The `fields` within a body of an account or deal: what became of them, and what they are now.
pub(crate) fn save_inline(state: &mut State, now: i64, family: Family, of: u64, body: &Value) -> (Value, Value) {
    let mut rows = Vec::new();
    for one in body["fields"].as_array().into_iter().flatten() {
        let field = sent_id(one, "customFieldId").unwrap_or(0);
        match set(state, now, family, of, field, one) {
            Ok(id) => rows.extend(family.of(state).data.get(id).map(|datum| datum_row(state, family, id, datum))),
            Err(refusal) => {
                let errors = refusal.body.map(|body| body["errors"].clone());
                return (json!({"status": "failure", "errors": errors}), rows.into());
            }
        }
    }
    (json!({"status": "success"}), rows.into())
}

/// Keeps one value in place of that before.
fn set(state: &mut State, now: i64, family: Family, of: u64, field: u64, body: &Value) -> Result<u64, Refusal> {
    let kind = family.of(state).meta.get(field).ok_or_else(|| errors::not_found(None))?.kind.clone();
    let value = value_of(&kind, &body["fieldValue"])?;
    let currency = (kind == "currency").then(|| sent(body, "fieldCurrency").unwrap_or_else(|| "usd".to_owned()));
    let data = &mut family.of_mut(state).data;
    let known = data.find(|datum| datum.of == of && datum.field == field);
    let id = match known {
        Some(id) => {
            if let Some(datum) = data.get_mut(id) {
                (datum.value, datum.currency, datum.updated) = (value, currency, now);
            }
            id
        }
        None => data.add(Datum { of, field, value, currency, created: now, updated: now }),
    };
    match family {
        Family::Account => state.accounts.get_mut(of).map(|account| account.updated = now),
        Family::Deal => state.deals.get_mut(of).map(|deal| deal.modified = now),
    };
    Ok(id)
}

/// The value as it is kept, where it is of the field's type.
fn value_of(kind: &str, sent: &Value) -> Result<Value, Refusal> {
    let bad = || errors::bad_custom_value(&sent.as_str().map_or_else(|| sent.to_string(), str::to_owned), kind);
    let is_blank = sent.is_null() || sent.as_str().is_some_and(str::is_empty);
    match kind {
        "multiselect" | "checkbox" if sent.is_array() => Ok(sent.clone()),
        "multiselect" | "checkbox" => {
            let text = text(sent).ok_or_else(bad)?;
            let options = text.split("||").filter(|option| !option.is_empty()).map(Value::from);
            Ok(options.collect())
        }
        _ if is_blank => Ok(Value::Null),
        "currency" => text(sent).and_then(|text| text.parse::<i64>().ok()).map(Value::from).ok_or_else(bad),
        "number" => {
            let number = text(sent).filter(|text| text.parse::<f64>().is_ok_and(f64::is_finite));
            number.map(Value::from).ok_or_else(bad)
        }
        "date" => {
            let date = text(sent).filter(|text| chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok());
            date.map(Value::from).ok_or_else(bad)
        }
        "datetime" => {
            let moment = text(sent).filter(|text| chrono::DateTime::parse_from_rfc3339(text).is_ok());
            moment.map(Value::from).ok_or_else(bad)
        }
        _ => text(sent).map(Value::from).ok_or_else(bad),
    }
}

/// `accountCustomFieldMeta` and the like.
fn key(family: Family, what: &str) -> String {
    format!("{}CustomField{what}", family.word())
}

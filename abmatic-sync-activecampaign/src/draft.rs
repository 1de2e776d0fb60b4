//! Bodies of writes: what of a record goes into its own call, and what into others.

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::value::Value;
use serde_json::{Map, Value as Json, json};

use crate::association::Wanted;
use crate::column::{Column, Place, Spelling};
use crate::describe::Described;
use crate::object::{ACCOUNT_RELATION, CONTACTS_RELATION, Object};
use crate::values::encode;

/// What is to be sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    /// The record's own keys.
    pub(crate) body: Map<String, Json>,
    /// Custom fields: number, value, and whether it is money.
    pub(crate) custom: Vec<(u64, Json, bool)>,
    /// A contact's association.
    pub(crate) association: Wanted,
}

/// Puts a write together.
///
/// # Errors
/// [`ErrorCode::InvalidField`] for a field that is not there or a value that it cannot hold; what a deal lacks.
pub(crate) fn draft(object: Object, described: &Described, fields: &Fields, is_new: bool) -> Result<Draft> {
    let mut draft = Draft::default();
    for (name, value) in fields.iter() {
        match (object, name.as_str()) {
            (Object::Contact, ACCOUNT_RELATION) => draft.association.account = Some(one_id(value)),
            (Object::Deal, ACCOUNT_RELATION) => {
                draft.body.insert("account".to_owned(), one_id(value).map_or(Json::Null, Json::from));
            }
            (Object::Deal, CONTACTS_RELATION) => {
                draft.body.insert("contact".to_owned(), one_id(value).map_or(Json::Null, Json::from));
            }
            (_, name) => {
                let column = described.column(name).ok_or_else(|| unknown(name))?;
                draft.set(object, column, value)?;
            }
        }
    }
    if is_new && object == Object::Deal {
        complete(&mut draft.body, described)?;
    }
    Ok(draft)
}

impl Draft {
    fn set(&mut self, object: Object, column: &Column, value: &Value) -> Result<()> {
        let json = encode(object, column, value)?;
        match column.place {
            Place::Own(key) => drop(self.body.insert(key.to_owned(), json)),
            Place::JobTitle => self.association.job_title = Some(json.as_str().unwrap_or_default().to_owned()),
            Place::Custom(field) => self.custom.push((field, json, column.spelling == Spelling::Cents)),
        }
        Ok(())
    }

    /// The whole body of one call.
    pub(crate) fn to_json(&self, object: Object, currency: Option<&str>) -> Json {
        let mut body = self.body.clone();
        if !self.custom.is_empty() {
            let (key, values): (&str, Vec<Json>) = match object {
                Object::Contact => {
                    let value =
                        |(field, value, _): &(u64, Json, bool)| json!({"field": field.to_string(), "value": value});
                    ("fieldValues", self.custom.iter().map(value).collect())
                }
                Object::Account | Object::Deal | Object::Note => {
                    let value = |(field, value, is_money): &(u64, Json, bool)| {
                        let mut one = json!({"customFieldId": field, "fieldValue": value});
                        if *is_money {
                            one["fieldCurrency"] = currency.unwrap_or("usd").into();
                        }
                        one
                    };
                    ("fields", self.custom.iter().map(value).collect())
                }
            };
            body.insert(key.to_owned(), values.into());
        }
        json!({object.singular(): body})
    }
}

/// A deal needs a pipeline or a stage, a currency, and a contact or an account ("Create a deal").
fn complete(body: &mut Map<String, Json>, described: &Described) -> Result<()> {
    let missing = |what: &str, fields: &[&str]| {
        let message = format!("a deal needs {what}");
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        Err(Error::invalid(ErrorCode::RequiredFieldMissing, message).with_fields(fields))
    };
    let has = |body: &Map<String, Json>, key: &str| {
        body.get(key).is_some_and(|value| !value.is_null() && value.as_str() != Some(""))
    };
    if !has(body, "contact") && !has(body, "account") {
        return missing("a contact or an account that is in ActiveCampaign", &[CONTACTS_RELATION, ACCOUNT_RELATION]);
    }
    if !has(body, "currency") {
        let currency = described.currency.clone().unwrap_or_else(|| "usd".to_owned());
        body.insert("currency".to_owned(), currency.into());
    }
    if !has(body, "stage") {
        let first = described.column("stage").and_then(|column| match &column.spelling {
            Spelling::Named(stages) => stages.first().map(|(number, _)| number.clone()),
            Spelling::Cents | Spelling::Plain(_) => None,
        });
        match first {
            Some(stage) => drop(body.insert("stage".to_owned(), stage.into())),
            None => return missing("a stage, and the account has no pipeline", &["stage"]),
        }
    }
    body.entry("owner").or_insert_with(|| "1".into());
    Ok(())
}

/// The one record that a relation can hold; of several the first.
fn one_id(value: &Value) -> Option<String> {
    value.ids().next().map(str::to_owned)
}

fn unknown(name: &str) -> Error {
    let message = format!("activecampaign has no field \"{name}\" here");
    Error::invalid(ErrorCode::InvalidField, message).with_fields(vec![name.to_owned()])
}

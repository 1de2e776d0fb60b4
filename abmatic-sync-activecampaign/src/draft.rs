//! Bodies of writes: what of a record goes into its own call, and what into others.

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::value::Value;
use serde_json::{Map, Value as Json, json};

use crate::association::Wanted;
use crate::column::{Column, Place, Spelling};
use crate::describe::Described;
use crate::object::{ACCOUNT_RELATION, CONTACTS_RELATION, Object};
use crate::pipelines::Pipeline;
use crate::values::encode;

/// Of amounts of which nothing says in which.
const CURRENCY: &str = "usd";

/// What is to be sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    /// The record's own keys.
    pub(crate) body: Map<String, Json>,
    pub(crate) custom: Vec<CustomValue>,
    /// A contact's association.
    pub(crate) association: Wanted,
    /// What of the wish cannot be held.
    pub(crate) warnings: Vec<String>,
}

/// The value of a custom field.
#[derive(Clone, Debug)]
pub(crate) struct CustomValue {
    pub(crate) field: u64,
    pub(crate) value: Json,
    /// Of an amount.
    pub(crate) currency: Option<String>,
}

/// What a write is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum For<'a> {
    New,
    /// A record with these references.
    Old(&'a Fields),
}

/// Puts a write together.
///
/// # Errors
/// [`ErrorCode::InvalidField`] for a field that is not there or a value that it cannot hold; what a deal lacks.
pub(crate) fn draft(object: Object, described: &Described, fields: &Fields, what_for: For<'_>) -> Result<Draft> {
    let mut draft = Draft::default();
    for (name, value) in fields.iter() {
        match (object, name.as_str()) {
            (Object::Contact, ACCOUNT_RELATION) => draft.association.account = Some(one_id(value, None)),
            (Object::Deal, ACCOUNT_RELATION) => {
                draft.body.insert("account".to_owned(), one_id(value, None).map_or(Json::Null, Json::from));
            }
            (Object::Deal, CONTACTS_RELATION) => draft.set_contact(value, what_for),
            (_, name) => {
                let column = described.column(name).ok_or_else(|| unknown(name))?;
                draft.set(object, column, value)?;
            }
        }
    }
    if matches!(what_for, For::New) && object == Object::Deal {
        complete(&mut draft.body, &described.pipelines)?;
    }
    Ok(draft)
}

impl Draft {
    fn set(&mut self, object: Object, column: &Column, value: &Value) -> Result<()> {
        let json = encode(object, column, value)?;
        match column.place {
            Place::Own(key) => drop(self.body.insert(key.to_owned(), json)),
            Place::JobTitle => self.association.job_title = Some(json.as_str().unwrap_or_default().to_owned()),
            Place::Custom(field) => {
                let is_money = column.spelling == Spelling::Cents;
                let currency = is_money.then(|| column.currency.clone().unwrap_or_else(|| CURRENCY.to_owned()));
                self.custom.push(CustomValue { field, value: json, currency });
            }
        }
        Ok(())
    }

    /// The primary contact; that of before where it is still among them.
    fn set_contact(&mut self, value: &Value, what_for: For<'_>) {
        let held = match what_for {
            For::New => None,
            For::Old(references) => references.get(CONTACTS_RELATION),
        };
        self.body.insert("contact".to_owned(), one_id(value, held).map_or(Json::Null, Json::from));
        let count = value.ids().count();
        if count > 1 {
            self.warnings.push(format!("a deal of ActiveCampaign has one primary contact: of {count} one was set"));
        }
    }

    /// The whole body of one call.
    pub(crate) fn to_json(&self, object: Object) -> Json {
        let mut body = self.body.clone();
        if !self.custom.is_empty() {
            let of_contact = |one: &CustomValue| json!({"field": one.field.to_string(), "value": one.value});
            let of_others = |one: &CustomValue| {
                let mut sent = json!({"customFieldId": one.field, "fieldValue": one.value});
                if let Some(currency) = &one.currency {
                    sent["fieldCurrency"] = currency.as_str().into();
                }
                sent
            };
            let (key, values): (&str, Json) = match object {
                Object::Contact => ("fieldValues", self.custom.iter().map(of_contact).collect()),
                Object::Account | Object::Deal | Object::Note => {
                    ("fields", self.custom.iter().map(of_others).collect())
                }
            };
            body.insert(key.to_owned(), values);
        }
        json!({object.singular(): body})
    }
}

/// A deal needs a pipeline or a stage, a currency, and a contact or an account ("Create a deal").
fn complete(body: &mut Map<String, Json>, pipelines: &[Pipeline]) -> Result<()> {
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
    let stage = body.get("stage").and_then(Json::as_str).filter(|stage| !stage.is_empty()).map(str::to_owned);
    let pipeline = match &stage {
        Some(stage) => pipelines.iter().find(|pipeline| pipeline.has(stage)),
        None => pipelines.first(),
    };
    if stage.is_none() {
        // A pipeline without a stage means its first.
        body.remove("stage");
        match pipeline {
            Some(pipeline) => drop(body.insert("group".to_owned(), pipeline.id.as_str().into())),
            None => return missing("a stage, and the account has no pipeline", &["stage"]),
        }
    }
    if !has(body, "currency") {
        let currency = pipeline.and_then(|pipeline| pipeline.currency.as_deref()).unwrap_or(CURRENCY);
        body.insert("currency".to_owned(), currency.into());
    }
    Ok(())
}

/// The one record that a relation can hold: the one that it held, or else the first.
fn one_id(value: &Value, held: Option<&Value>) -> Option<String> {
    let held = held.and_then(|held| held.ids().next()).filter(|held| value.ids().any(|id| id == *held));
    held.or_else(|| value.ids().next()).map(str::to_owned)
}

fn unknown(name: &str) -> Error {
    let message = format!("activecampaign has no field \"{name}\" here");
    Error::invalid(ErrorCode::InvalidField, message).with_fields(vec![name.to_owned()])
}

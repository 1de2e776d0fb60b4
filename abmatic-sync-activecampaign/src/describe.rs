//! The fields of an account's objects: the fixed ones, and those that its people made.

use std::collections::BTreeMap;
use std::sync::Arc;

use abmatic_sync_core::error::Result;
use abmatic_sync_core::ids::FieldName;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::schema::{ChoiceOption, Field, FieldType, Schema};
use serde_json::Value as Json;

use crate::api::Api;
use crate::column::{Column, Place, Spelling};
use crate::event::{EVENT, EVENT_DATA};
use crate::note;
use crate::object::Object;
use crate::pipelines::{self, Pipeline, stage_column};
use crate::wire::{id, rows, text, total};

/// Fields that are told on one page ("Pagination": the most).
const PAGE_MAX: &str = "100";
/// Open, won, lost ("Deals").
const STATUSES: [(&str, &str); 3] = [("0", "open"), ("1", "won"), ("2", "lost")];
/// Standard fields of accounts, by their labels in lower case ("Custom account field overview"), and what they are called
/// here.
const STANDARD: &[(&str, &str)] = &[
    ("annual revenue", "annual_revenue"),
    ("description", "description"),
    ("industry", "industry"),
    ("industry/vertical", "industry"),
    ("number of employees", "employee_count"),
];

/// What is known of an object.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) schema: Schema,
    columns: BTreeMap<String, Column>,
    /// Where deals are; none of other objects.
    pub(crate) pipelines: Vec<Pipeline>,
}

impl Described {
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.get(name)
    }
}

/// The definitions kept for the connection, asked for where there are none.
pub(crate) async fn described(api: &Api, on: &Connection, object: Object) -> Result<Arc<Described>> {
    match api.described.get(on, &object) {
        Some(known) => Ok(known),
        None => describe(api, on, object).await,
    }
}

/// The definitions as they are now.
pub(crate) async fn describe(api: &Api, on: &Connection, object: Object) -> Result<Arc<Described>> {
    let mut columns = own_columns(object);
    let mut pipelines = Vec::new();
    match object {
        Object::Account => columns.extend(custom_columns(api, on, object).await?),
        Object::Contact => columns.extend(contact_columns(api, on).await?),
        Object::Deal => {
            columns.extend(custom_columns(api, on, object).await?);
            pipelines = pipelines::pipelines(api, on).await?;
            columns.push(stage_column(&pipelines));
        }
        Object::Note => {}
    }
    let schema = schema(object, &columns);
    let columns = columns.into_iter().map(|column| (column.name.to_string(), column)).collect();
    Ok(api.described.learn(on, object, Described { schema, columns, pipelines }))
}

fn own_columns(object: Object) -> Vec<Column> {
    let column = Column::own;
    match object {
        Object::Account => vec![
            column("name", "Name", FieldType::Text),
            column("accountUrl", "URL", FieldType::Url),
            column("owner", "Owner", FieldType::Text),
        ],
        Object::Contact => vec![
            column("email", "Email", FieldType::Email),
            column("firstName", "First Name", FieldType::Text),
            column("lastName", "Last Name", FieldType::Text),
            column("phone", "Phone", FieldType::Text),
            Column { place: Place::JobTitle, ..column("jobTitle", "Job Title", FieldType::Text) },
        ],
        Object::Deal => {
            let statuses = STATUSES.map(|(number, name)| (number.to_owned(), name.to_owned())).to_vec();
            let options = STATUSES.iter().map(|(_, name)| ChoiceOption::new(*name, *name)).collect();
            vec![
                column("title", "Title", FieldType::Text),
                Column { spelling: Spelling::Cents, ..column("value", "Value", FieldType::Decimal) },
                column("currency", "Currency", FieldType::Text),
                column("owner", "Owner", FieldType::Text),
                column("description", "Description", FieldType::Text),
                Column {
                    spelling: Spelling::Named(statuses),
                    options,
                    ..column("status", "Status", FieldType::Choice)
                },
            ]
        }
        Object::Note => {
            let mut columns = vec![column(note::TEXT, "Note", FieldType::Text)];
            columns.extend(note::PARENTS.iter().map(|(key, _)| column(key, key, FieldType::Text)));
            columns.extend([EVENT, EVENT_DATA, "email"].map(|key| column(key, key, FieldType::Text)));
            columns
        }
    }
}

fn schema(object: Object, columns: &[Column]) -> Schema {
    let required: &[&str] = match object {
        Object::Account => &["name"],
        Object::Contact => &["email"],
        Object::Deal => &["title", "value"],
        Object::Note => &[],
    };
    let field = |column: &Column| {
        let mut field = Field::new(column.name.clone(), column.field_type()).with_label(column.label.as_str());
        field.required_on_create = required.contains(&column.name.as_str());
        field.unique = matches!((object, column.name.as_str()), (Object::Account, "name") | (Object::Contact, "email"));
        field.options.clone_from(&column.options);
        field
    };
    let schema = Schema::new(columns.iter().map(field).collect());
    let schema = match object {
        Object::Account => schema.with_recommended(&["accountUrl"]),
        Object::Contact => schema.with_recommended(&["lastName"]),
        Object::Deal | Object::Note => schema,
    };
    object.key_field().map_or(schema.clone(), |key| schema.with_key_field(key))
}

/// All rows of a list that is short, and the last page's body for what stands beside them.
pub(crate) async fn all(api: &Api, on: &Connection, path: &str) -> Result<(Vec<Json>, Vec<Json>)> {
    let (mut found, mut beside) = (Vec::new(), Vec::new());
    loop {
        let offset = found.len().to_string();
        let query = [("limit", PAGE_MAX), ("offset", offset.as_str())];
        let answer = api.get(on, format!("activecampaign describe {path}"), path, &query).await?;
        let mut body: Json = answer.json()?;
        let page = rows(&answer, &mut body, path)?;
        let (is_empty, total) = (page.is_empty(), total(&body));
        found.extend(page);
        beside.push(body);
        if is_empty || total.is_none_or(|total| found.len() as u64 >= total) {
            return Ok((found, beside));
        }
    }
}

/// Custom fields of contacts, known by their personalisation tags: numbers differ between accounts.
async fn contact_columns(api: &Api, on: &Connection) -> Result<Vec<Column>> {
    let (fields, beside) = all(api, on, "fields").await?;
    let options: Vec<&Json> = beside.iter().filter_map(|body| body.get("fieldOptions")?.as_array()).flatten().collect();
    let column = |field: &Json| {
        let number = id(field, "id")?;
        let tag = field.get("perstag").and_then(text)?;
        let own = options.iter().filter(|option| id(option, "field").as_ref() == Some(&number));
        let options = own.filter_map(|option| {
            let value = option.get("value").and_then(text)?;
            let label = option.get("label").and_then(text).unwrap_or_else(|| value.clone());
            Some(ChoiceOption::new(value, label))
        });
        custom(tag, field.get("title"), field.get("type"), &number, options.collect())
    };
    Ok(fields.iter().filter_map(column).collect())
}

/// Custom fields of accounts and deals: the standard ones by a name, the others by their number.
async fn custom_columns(api: &Api, on: &Connection, object: Object) -> Result<Vec<Column>> {
    let Some((meta, ..)) = object.custom() else { return Ok(Vec::new()) };
    let (fields, _) = all(api, on, meta).await?;
    let mut columns: Vec<Column> = Vec::new();
    for field in &fields {
        let Some(number) = id(field, "id") else { continue };
        let label = field.get("fieldLabel").and_then(text).unwrap_or_default();
        let options = field.get("fieldOptions").and_then(Json::as_array).into_iter().flatten().filter_map(text);
        let options: Vec<ChoiceOption> = options.map(|option| ChoiceOption::new(option.clone(), option)).collect();
        let lower = label.to_lowercase();
        let standard = STANDARD.iter().find(|(known, _)| object == Object::Account && *known == lower);
        let name = match standard {
            // A range of employees is no count of them.
            Some((_, "employee_count")) if !options.is_empty() => "employee_range".to_owned(),
            Some((_, name)) if columns.iter().all(|column| column.name.as_str() != *name) => (*name).to_owned(),
            _ => format!("field_{number}"),
        };
        let column = custom(name, field.get("fieldLabel"), field.get("fieldType"), &number, options);
        let currency = field.get("fieldDefaultCurrency").and_then(text).map(|currency| currency.to_lowercase());
        columns.extend(column.map(|column| Column { currency, ..column }));
    }
    Ok(columns)
}

fn custom(
    name: String,
    label: Option<&Json>,
    kind: Option<&Json>,
    number: &str,
    options: Vec<ChoiceOption>,
) -> Option<Column> {
    let kind = kind.and_then(text).unwrap_or_default();
    let spelling = match kind.as_str() {
        "currency" => Spelling::Cents,
        "date" => Spelling::Plain(FieldType::Date),
        "datetime" => Spelling::Plain(FieldType::Instant),
        "number" => Spelling::Plain(FieldType::Decimal),
        "dropdown" | "radio" => Spelling::Plain(FieldType::Choice),
        "checkbox" | "listbox" | "multiselect" => Spelling::Plain(FieldType::MultiChoice),
        _ => Spelling::Plain(FieldType::Text),
    };
    let label = label.and_then(text).unwrap_or_else(|| name.clone());
    let place = Place::Custom(number.parse().ok()?);
    let name = FieldName::from(name);
    Some(Column { name, label, place, spelling, options, currency: None })
}

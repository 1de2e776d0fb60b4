//! An object's fields as a schema: from the Fields API, with the stages and pipelines of deals, kept until they prove stale.
//!
//! Options are known by their labels, which people see; the numbers behind them mean nothing outside of one account.

use std::collections::BTreeMap;
use std::sync::Arc;

use abmatic_sync_core::error::Result;
use abmatic_sync_core::ids::FieldName;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::schema::{ChoiceOption, Field, FieldType, Schema};
use abmatic_sync_http::client::Answer;
use abmatic_sync_http::paging::{Trail, advance};

use crate::api::Api;
use crate::column::{Column, Spelling};
use crate::object::Object;
use crate::wire::{FieldInfo, Listing, Pipeline, Stage};

/// Fields in one page, and the largest page ("OpenAPI v2").
pub(crate) const PAGE_MAX: &str = "500";
/// The longest text of a `varchar` ("Custom fields").
const VARCHAR_MAX: u32 = 255;
/// What a note is told from an activity by: a field that no activity has.
pub(crate) const NOTE_CONTENT: &str = "content";

/// What is known of one object of one account.
#[derive(Clone, Debug, Default)]
pub(crate) struct Described {
    pub(crate) schema: Schema,
    columns: BTreeMap<FieldName, Column>,
}

impl Described {
    pub(crate) fn new(object: Object, columns: Vec<(Column, String)>) -> Self {
        let fields = columns.iter().map(|(column, label)| field(object, column, label)).collect();
        let mut schema = Schema::new(fields);
        if object == Object::Person {
            schema = schema.with_required_any(&["first_name", "last_name", "name"]);
        }
        if let Some(key) = object.key_field().filter(|key| schema.field(key).is_some()) {
            schema = schema.with_recommended(&[key]);
        }
        let columns = columns.into_iter().map(|(column, _)| (column.name.clone(), column)).collect();
        Self { schema, columns }
    }

    /// The place of a field's values.
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.get(&FieldName::from(name))
    }
}

fn field(object: Object, column: &Column, label: &str) -> Field {
    let options = column.options.iter().map(|(_, value)| ChoiceOption::new(value.as_str(), value.as_str())).collect();
    let mut field = Field::new(column.name.clone(), column.field_type).with_label(label).with_options(options);
    field.writable = column.writable;
    let alone = object == Object::Organization || object == Object::Deal;
    field.required_on_create = alone && object.title() == Some(column.name.as_str());
    let is_short = column.spelling == Spelling::Text && column.custom && column.part.is_none();
    field.length_max = is_short.then_some(VARCHAR_MAX).filter(|_| column.field_type == FieldType::Text);
    field
}

/// The fields, from memory where they were asked for before.
pub(crate) async fn described(api: &Api, on: &Connection, object: Object) -> Result<Arc<Described>> {
    match api.described.get(on, &object) {
        Some(known) => Ok(known),
        None => describe(api, on, object).await,
    }
}

/// The fields as they are now.
pub(crate) async fn describe(api: &Api, on: &Connection, object: Object) -> Result<Arc<Described>> {
    let mut infos = fields(api, on, object).await?;
    add_missing(object, &mut infos);
    let mut columns: Vec<(Column, String)> = Vec::new();
    for info in &infos {
        columns.extend(columns_of(object, info));
    }
    if object == Object::Deal {
        let (pipelines, stages) = stages(api, on).await?;
        for (column, _) in &mut columns {
            match column.name.as_str() {
                "pipeline_id" => as_choice(column, pipelines.clone()),
                "stage_id" => as_choice(column, stages.clone()),
                _ => {}
            }
        }
    }
    Ok(api.described.learn(on, object, Described::new(object, columns)))
}

async fn fields(api: &Api, on: &Connection, object: Object) -> Result<Vec<FieldInfo>> {
    let path = format!("/api/v2/{}Fields", object.singular());
    let operation = format!("pipedrive describe {}", object.name());
    let mut found = Vec::new();
    let mut trail = None;
    loop {
        let mut query = vec![("limit", PAGE_MAX)];
        let after = trail.as_ref().map(|trail: &Trail| trail.after().to_owned());
        query.extend(after.as_deref().map(|after| ("cursor", after)));
        let answer = api.get(on, operation.clone(), &path, &query).await?;
        let listing: Listing<'_> = answer.json()?;
        for raw in &listing.data {
            found.push(serde_json::from_str(raw.get()).map_err(|error| answer.unreadable(error))?);
        }
        trail = advance(trail, listing.next_cursor()).map_err(|error| error.at(&operation))?;
        if trail.is_none() {
            return Ok(found);
        }
    }
}

/// Values that records have and that the Fields API may not list ("OpenAPI v2": the person and the deal).
fn add_missing(object: Object, infos: &mut Vec<FieldInfo>) {
    let missing: &[(&str, &str, &str)] = match object {
        Object::Activity => &[(NOTE_CONTENT, "Content: makes it a note", "text")],
        Object::Deal => &[("currency", "Currency", "varchar")],
        Object::Organization => &[],
        Object::Person => &[("first_name", "First name", "varchar"), ("last_name", "Last name", "varchar")],
    };
    for (code, name, field_type) in missing {
        if infos.iter().any(|info| info.field_code == *code) {
            continue;
        }
        infos.push(FieldInfo {
            field_code: (*code).to_owned(),
            field_name: (*name).to_owned(),
            field_type: (*field_type).to_owned(),
            options: None,
            is_custom_field: false,
            is_optional_response_field: false,
        });
    }
}

/// Pipelines and stages as options. A stage whose name stands in several pipelines is told by its pipeline's as well.
async fn stages(api: &Api, on: &Connection) -> Result<(Vec<(String, String)>, Vec<(String, String)>)> {
    let read =
        async |path| -> Result<Answer> { api.get(on, "pipedrive describe deals", path, &[("limit", PAGE_MAX)]).await };
    let answer = read("/api/v2/pipelines").await?;
    let pipelines: Vec<Pipeline> = entries(&answer)?;
    let answer = read("/api/v2/stages").await?;
    let stages: Vec<Stage> = entries(&answer)?;
    let several = |name: &str| stages.iter().filter(|stage| stage.name == name).count() > 1;
    let named = |stage: &Stage| {
        let pipeline = pipelines.iter().find(|pipeline| pipeline.id == stage.pipeline_id);
        match pipeline.filter(|_| several(&stage.name)) {
            Some(pipeline) => format!("{}: {}", pipeline.name, stage.name),
            None => stage.name.clone(),
        }
    };
    let stage_options = stages.iter().map(|stage| (stage.id.to_string(), named(stage)));
    let pipeline_options = pipelines.iter().map(|pipeline| (pipeline.id.to_string(), pipeline.name.clone()));
    Ok((told_apart(pipeline_options), told_apart(stage_options)))
}

fn entries<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<Vec<T>> {
    let listing: Listing<'_> = answer.json()?;
    let read = listing.data.iter().map(|raw| serde_json::from_str(raw.get()));
    read.collect::<Result<Vec<T>, _>>().map_err(|error| answer.unreadable(error))
}

fn as_choice(column: &mut Column, options: Vec<(String, String)>) {
    column.spelling = Spelling::Choice;
    column.field_type = FieldType::Choice;
    column.options = options;
}

/// Options by their labels; one whose label is taken has its id with it.
fn told_apart(options: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut told: Vec<(String, String)> = Vec::new();
    for (id, label) in options {
        let taken = told.iter().any(|(_, known)| known.to_lowercase() == label.to_lowercase());
        let value = if taken || label.is_empty() { format!("{label} #{id}").trim_start().to_owned() } else { label };
        told.push((id, value));
    }
    told
}

/// The columns of a field: one, or one for each part of its value. None for what is no value of the record's own.
fn columns_of(object: Object, info: &FieldInfo) -> Vec<(Column, String)> {
    let code = match info.field_code.as_str() {
        // API v2 may list them by either name.
        "emails" => "email",
        "phones" => "phone",
        "label" => "label_ids",
        code => code,
    };
    let is_contact = !info.is_custom_field && object == Object::Person && matches!(code, "email" | "phone");
    let one = |spelling, field_type| vec![column(object, info, code, (None, spelling, field_type))];
    let part = |part, spelling, field_type| column(object, info, code, (Some(part), spelling, field_type));
    if is_contact {
        let field_type = if code == "email" { FieldType::Email } else { FieldType::Text };
        return one(Spelling::Contact, field_type);
    }
    match info.field_type.as_str() {
        "varchar" if code == "website" && !info.is_custom_field => one(Spelling::Text, FieldType::Url),
        "varchar" if code == "im" && !info.is_custom_field => Vec::new(),
        "text" | "phone" | "varchar" | "varchar_auto" | "varchar_options" | "lead" => {
            one(Spelling::Text, FieldType::Text)
        }
        "boolean" => one(Spelling::Boolean, FieldType::Boolean),
        "date" if !info.is_custom_field && code.ends_with("_time") => one(Spelling::Instant, FieldType::Instant),
        "date" => one(Spelling::Date, FieldType::Date),
        "double" => one(Spelling::Decimal, FieldType::Decimal),
        "enum" | "status" | "visible_to" => one(Spelling::Choice, FieldType::Choice),
        "set" => one(Spelling::Choices, FieldType::MultiChoice),
        "monetary" if !info.is_custom_field => one(Spelling::Decimal, FieldType::Decimal),
        "monetary" => vec![
            part("value", Spelling::Decimal, FieldType::Decimal),
            part("currency", Spelling::Text, FieldType::Text),
        ],
        "daterange" => {
            vec![part("value", Spelling::Date, FieldType::Date), part("until", Spelling::Date, FieldType::Date)]
        }
        "time" if !info.is_custom_field => one(Spelling::Text, FieldType::Text),
        "time" => {
            vec![part("value", Spelling::Text, FieldType::Text), part("timezone_name", Spelling::Text, FieldType::Text)]
        }
        "timerange" => ["value", "until", "timezone_name"]
            .into_iter()
            .map(|name| part(name, Spelling::Text, FieldType::Text))
            .collect(),
        "address" => {
            const PARTS: &[&str] = &[
                "value",
                "street_number",
                "route",
                "subpremise",
                "sublocality",
                "locality",
                "admin_area_level_1",
                "admin_area_level_2",
                "country",
                "postal_code",
            ];
            let mut columns: Vec<_> = PARTS.iter().map(|name| part(name, Spelling::Text, FieldType::Text)).collect();
            if let Some((column, _)) = columns.first_mut() {
                column.voids_others = true;
            }
            columns
        }
        "int" | "user" | "org" | "people" | "deal" | "stage" | "activity" | "project" | "price_list" => {
            one(Spelling::Integer, FieldType::Integer)
        }
        // No single value: pictures, lists of records, JSON, and what the documents do not name.
        _ => Vec::new(),
    }
}

fn column(
    object: Object,
    info: &FieldInfo,
    code: &str,
    (part, spelling, field_type): (Option<&'static str>, Spelling, FieldType),
) -> (Column, String) {
    let chief = part.is_none_or(|part| part == "value");
    let suffix = part.filter(|_| !chief);
    let name = suffix.map_or_else(|| code.to_owned(), |part| format!("{code}.{part}"));
    let label = suffix.map_or_else(|| info.field_name.clone(), |part| format!("{}: {part}", info.field_name));
    let key = match (spelling, code) {
        (Spelling::Contact, code) => format!("{code}s"),
        _ => code.to_owned(),
    };
    let options = info.options.iter().flatten().map(|option| (option.id.clone().into_text(), option.label.clone()));
    let keeps_words = info.field_type == "status";
    let options = if keeps_words { options.map(|(id, _)| (id.clone(), id)).collect() } else { told_apart(options) };
    let v1_key = if code == "label_ids" { "label" } else { code };
    let writable = info.is_custom_field || code == NOTE_CONTENT || object.writable().contains(&code);
    let column = Column {
        name: FieldName::from(name.as_str()),
        key,
        custom: info.is_custom_field,
        part,
        voids_others: false,
        spelling,
        field_type,
        options,
        writable,
        optional: info.is_optional_response_field,
        v1_key: v1_key.to_owned(),
    };
    (column, label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn infos(json: &str) -> Vec<FieldInfo> {
        serde_json::from_str(json).unwrap()
    }

    fn described(object: Object, json: &str) -> Described {
        let mut infos = infos(json);
        add_missing(object, &mut infos);
        Described::new(object, infos.iter().flat_map(|info| columns_of(object, info)).collect())
    }

    #[test]
    fn fields_have_types_parts_and_options_by_label() {
        let known = described(
            Object::Organization,
            r#"[{"field_name":"Name","field_code":"name","field_type":"varchar"},
                {"field_name":"Website","field_code":"website","field_type":"varchar","is_custom_field":false},
                {"field_name":"Industry","field_code":"industry","field_type":"enum",
                 "options":[{"id":3,"label":"Finance"},{"id":4,"label":"finance"}]},
                {"field_name":"Visible to","field_code":"visible_to","field_type":"visible_to","options":[{"id":"3","label":"Group"}]},
                {"field_name":"ARR","field_code":"9dc8","field_type":"monetary","is_custom_field":true},
                {"field_name":"Address","field_code":"address","field_type":"address"},
                {"field_name":"Updated","field_code":"update_time","field_type":"date"},
                {"field_name":"Picture","field_code":"picture_id","field_type":"picture"}]"#,
        );
        let kind = |name: &str| known.schema.field(name).map(|field| (field.field_type, field.writable));
        assert_eq!(kind("website"), Some((FieldType::Url, true)));
        assert_eq!(kind("9dc8"), Some((FieldType::Decimal, true)));
        assert_eq!(kind("9dc8.currency"), Some((FieldType::Text, true)));
        assert_eq!(kind("address.locality"), Some((FieldType::Text, true)));
        assert_eq!(kind("update_time"), Some((FieldType::Instant, false)));
        assert_eq!(kind("picture_id"), None);
        let industry = known.column("industry").unwrap();
        assert_eq!((industry.option_value("4"), industry.option_id("FINANCE")), (Some("finance #4"), Some("3")));
        assert!(known.schema.field("name").unwrap().required_on_create);
        assert_eq!(known.schema.recommended, [FieldName::from("website")]);
    }

    #[test]
    fn a_person_has_addresses_by_their_primary_one_and_a_name_in_parts() {
        let known = described(
            Object::Person,
            r#"[{"field_name":"Name","field_code":"name","field_type":"varchar"},
                {"field_name":"Email","field_code":"emails","field_type":"varchar"},
                {"field_name":"Phone","field_code":"phone","field_type":"phone"}]"#,
        );
        let email = known.column("email").unwrap();
        assert_eq!(
            (email.key.as_str(), email.spelling, email.field_type),
            ("emails", Spelling::Contact, FieldType::Email)
        );
        assert_eq!(known.column("phone").unwrap().key, "phones");
        assert!(known.schema.field("first_name").unwrap().writable);
        assert_eq!(known.schema.required_any.len(), 1);
        assert!(known.schema.field("job_title").is_none(), "it comes with contact sync only");
    }
}

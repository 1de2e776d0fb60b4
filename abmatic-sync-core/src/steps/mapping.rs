//! Translates fields between the CRM's vocabulary and the host's: named, typed and coerced.
//!
//! A mapping is compiled against both schemas once, which is where its mistakes come out; afterwards each value is
//! translated by its field alone. Who may be written is not asked here.

use std::collections::BTreeSet;

use crate::error::{Error, ErrorCode, Result};
use crate::ids::FieldName;
use crate::model::change::Direction;
use crate::model::mapping::{FieldMapping, Mapping, MappingDirection, Transform};
use crate::model::resource::{Relation, Resource, Side};
use crate::model::schema::{Field, FieldType, Schema};
use crate::model::value::Value;
use crate::steps::coerce::{coerce, web_host};

/// One mapped field, with what both sides know of it.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct MappedField {
    /// The host's field.
    pub local: FieldName,
    /// The CRM's field.
    pub remote: FieldName,
    /// Which ways it may travel.
    pub direction: MappingDirection,
    /// Who wins a conflict.
    pub source_of_truth: Option<Side>,
    /// The relation, where the field is a reference.
    pub relation: Option<Relation>,
    /// Whether it is a relation to several of which the CRM keeps one.
    pub keeps_one: bool,
    transform: Transform,
    local_field: Field,
    remote_field: Field,
}

/// A mapping that fits both schemas.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct CompiledMapping {
    /// The fields, in the order of their local names.
    pub fields: Vec<MappedField>,
    /// The remote names of all of them and of the match key, relations left out.
    pub remote_names: BTreeSet<FieldName>,
    /// The relations that are kept aligned.
    pub relation_names: BTreeSet<FieldName>,
    /// The remote field with the match key.
    pub remote_key: Option<FieldName>,
    /// The local field with the match key.
    pub local_key: Option<FieldName>,
}

/// Both sides' schemas, and what of them the engine needs by name.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// The resource on the host's side.
    pub resource: Resource,
    /// The host's fields.
    pub local: &'a Schema,
    /// The CRM's fields.
    pub remote: &'a Schema,
    /// The CRM's field with the match key.
    pub remote_key: Option<&'a str>,
    /// The relations that the connector reads and writes.
    pub relations: &'a [&'a str],
    /// Those of which the CRM keeps one where the host holds several.
    pub single_relations: &'a [&'a str],
}

impl<'a> Sides<'a> {
    /// Both schemas, without a match key and without relations.
    pub fn new(resource: Resource, local: &'a Schema, remote: &'a Schema) -> Self {
        Self { resource, local, remote, remote_key: None, relations: &[], single_relations: &[] }
    }
}

impl CompiledMapping {
    /// Checks a mapping against both schemas: names, types, writability and doubles.
    ///
    /// # Errors
    /// `INVALID_FIELD` with the field and what would fit.
    pub fn compile(mapping: &Mapping, sides: Sides<'_>) -> Result<Self> {
        refuse_doubles(mapping)?;
        let mut fields =
            mapping.fields.iter().map(|pair| MappedField::check(pair, sides)).collect::<Result<Vec<_>>>()?;
        fields.extend(
            sides
                .resource
                .relations()
                .iter()
                .filter(|relation| sides.relations.contains(&relation.field))
                .map(|relation| MappedField::of_relation(*relation, sides.single_relations)),
        );
        fields.sort_by(|a, b| a.local.cmp(&b.local));
        let remote_key = sides.remote_key.map(FieldName::from);
        let local_key = sides.local.key_field.clone().or_else(|| {
            let key = remote_key.as_ref()?;
            fields.iter().find(|field| field.remote == *key).map(|field| field.local.clone())
        });
        let plain = fields.iter().filter(|field| field.relation.is_none());
        Ok(Self {
            remote_names: plain.map(|field| field.remote.clone()).chain(remote_key.clone()).collect(),
            relation_names: fields.iter().filter_map(|field| field.relation.map(|_| field.local.clone())).collect(),
            remote_key,
            local_key,
            fields,
        })
    }

    /// The mapped field that is called so in the CRM.
    pub fn by_remote(&self, name: &str) -> Option<&MappedField> {
        self.fields.iter().find(|field| field.remote.as_str() == name)
    }
}

impl MappedField {
    fn check(pair: &FieldMapping, sides: Sides<'_>) -> Result<Self> {
        let local = sides.local.field(pair.local.as_str()).ok_or_else(|| unknown("host", &pair.local, sides.local))?;
        let remote =
            sides.remote.field(pair.remote.as_str()).ok_or_else(|| unknown("CRM", &pair.remote, sides.remote))?;
        if !can_become(local.field_type, remote.field_type) && !matches!(pair.transform, Transform::Options(_)) {
            return Err(mismatch(pair, local, remote));
        }
        if !remote.writable && pair.direction == MappingDirection::ExportOnly {
            let message = format!(
                "mapping {} → {}: the CRM's field is read-only, so it cannot be export-only",
                pair.local, pair.remote
            );
            return Err(Error::invalid(ErrorCode::InvalidField, message).with_fields(vec![pair.remote.to_string()]));
        }
        if let Transform::Options(options) = &pair.transform {
            check_options(pair, options.values(), remote)?;
        }
        Ok(Self {
            local: pair.local.clone(),
            remote: pair.remote.clone(),
            direction: pair.direction,
            source_of_truth: pair.source_of_truth,
            relation: None,
            keeps_one: false,
            transform: pair.transform.clone(),
            local_field: local.clone(),
            remote_field: remote.clone(),
        })
    }

    fn of_relation(relation: Relation, single: &[&str]) -> Self {
        let field = Field::new(relation.field, FieldType::Reference);
        Self {
            local: field.name.clone(),
            remote: field.name.clone(),
            direction: MappingDirection::Both,
            source_of_truth: None,
            relation: Some(relation),
            keeps_one: relation.many && single.contains(&relation.field),
            transform: Transform::None,
            local_field: field.clone(),
            remote_field: field,
        }
    }

    /// Whether a value may travel that way: the mapping is open to it and the target can be written.
    pub fn is_open(&self, way: Direction) -> bool {
        self.direction.allows(way) && self.field_on(way.target()).writable
    }

    /// What one side knows of the field.
    pub fn field_on(&self, side: Side) -> &Field {
        match side {
            Side::Local => &self.local_field,
            Side::Remote => &self.remote_field,
        }
    }

    /// The CRM's value in the host's vocabulary. References are translated elsewhere: they need links.
    ///
    /// # Errors
    /// `INVALID_FIELD` with field, value and expected type.
    pub fn to_local(&self, value: &Value) -> Result<Value> {
        if value.is_blank() {
            return Ok(Value::Null);
        }
        let translated = match &self.transform {
            Transform::None | Transform::Domain => return self.coerced(value, Side::Local),
            Transform::Lowercase => lowercased(value),
            Transform::Trim => trimmed(value),
            Transform::Options(options) => translate(value, |text| {
                options.iter().find(|(_, remote)| remote.as_str() == text).map(|(local, _)| local.as_str())
            })
            .ok_or_else(|| self.no_option(value, Side::Local))?,
        };
        self.coerced(&translated, Side::Local)
    }

    /// The host's value in the CRM's vocabulary.
    ///
    /// # Errors
    /// `INVALID_FIELD` with field, value and expected type.
    pub fn to_remote(&self, value: &Value) -> Result<Value> {
        if value.is_blank() {
            return Ok(Value::Null);
        }
        let translated = match &self.transform {
            Transform::None => return self.checked_option(self.coerced(value, Side::Remote)?),
            Transform::Lowercase => lowercased(value),
            Transform::Trim => trimmed(value),
            Transform::Domain => match value.as_text().and_then(web_host) {
                Some(host) => Value::Text(host),
                None => value.clone(),
            },
            Transform::Options(options) => translate(value, |text| options.get(text).map(String::as_str))
                .ok_or_else(|| self.no_option(value, Side::Remote))?,
        };
        self.checked_option(self.coerced(&translated, Side::Remote)?)
    }

    /// Whether two values, both in the host's vocabulary, mean the same in this field.
    pub fn same(&self, a: &Value, b: &Value) -> bool {
        if a == b {
            return true;
        }
        match (a.as_text(), b.as_text()) {
            (Some(a), Some(b)) if self.is_of(FieldType::Email) => a.trim().eq_ignore_ascii_case(b.trim()),
            (Some(a), Some(b)) if self.is_of(FieldType::Url) => match (web_host(a), web_host(b)) {
                (Some(host_a), Some(host_b)) if self.transform == Transform::Domain => host_a == host_b,
                _ => a.trim_end_matches('/') == b.trim_end_matches('/'),
            },
            _ => a.same_as(b),
        }
    }

    fn is_of(&self, field_type: FieldType) -> bool {
        self.local_field.field_type == field_type || self.remote_field.field_type == field_type
    }

    fn coerced(&self, value: &Value, side: Side) -> Result<Value> {
        let field = self.field_on(side);
        coerce(value, field.field_type).ok_or_else(|| {
            let message =
                format!("\"{}\" holds {} where {} is expected", field.name, shown(value), field.field_type.as_str());
            Error::invalid(ErrorCode::InvalidField, message).with_fields(vec![field.name.to_string()])
        })
    }

    fn checked_option(&self, value: Value) -> Result<Value> {
        let field = &self.remote_field;
        let known = |text: &str| field.options.is_empty() || field.options.iter().any(|option| option.value == text);
        let unknown = match &value {
            Value::Choice(text) => (!known(text)).then_some(text),
            Value::MultiChoice(set) => set.iter().find(|text| !known(text)),
            Value::Null
            | Value::Boolean(_)
            | Value::Date(_)
            | Value::Decimal(_)
            | Value::Instant(_)
            | Value::Integer(_)
            | Value::Reference(_)
            | Value::Text(_) => None,
        };
        let Some(text) = unknown else { return Ok(value) };
        // People write labels where the CRM wants its internal value.
        if let (Value::Choice(_), Some(option)) =
            (&value, field.options.iter().find(|option| option.label.eq_ignore_ascii_case(text)))
        {
            return Ok(Value::Choice(option.value.clone()));
        }
        Err(self.no_option(&Value::Text(text.clone()), Side::Remote))
    }

    fn no_option(&self, value: &Value, side: Side) -> Error {
        let name = self.field_on(side).name.to_string();
        let offered: Vec<&str> =
            self.remote_field.options.iter().take(12).map(|option| option.value.as_str()).collect();
        let message = format!("\"{name}\" has no option for {}; the CRM offers {}", shown(value), offered.join(", "));
        Error::invalid(ErrorCode::InvalidField, message).with_fields(vec![name])
    }
}

fn refuse_doubles(mapping: &Mapping) -> Result<()> {
    let mut local = BTreeSet::new();
    let mut remote = BTreeSet::new();
    for pair in &mapping.fields {
        let double = if !local.insert(&pair.local) {
            &pair.local
        } else if !remote.insert(&pair.remote) {
            &pair.remote
        } else {
            continue;
        };
        let message = format!("\"{double}\" stands twice in the mapping: keep one of the two");
        return Err(Error::invalid(ErrorCode::InvalidField, message).with_fields(vec![double.to_string()]));
    }
    Ok(())
}

fn unknown(side: &str, name: &FieldName, schema: &Schema) -> Error {
    let lower = name.as_str().to_ascii_lowercase();
    let near = schema.fields.iter().map(|field| field.name.as_str()).find(|held| {
        let held = held.to_ascii_lowercase();
        held.replace('_', "") == lower.replace('_', "") || held.starts_with(&lower) || lower.starts_with(&held)
    });
    let hint = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
    let message = format!("the mapping names \"{name}\", which the {side} does not have{hint}");
    Error::invalid(ErrorCode::InvalidField, message).with_fields(vec![name.to_string()])
}

fn mismatch(pair: &FieldMapping, local: &Field, remote: &Field) -> Error {
    let message = format!(
        "mapping {} → {}: {} cannot become {}; map another field or give an options table",
        pair.local,
        pair.remote,
        local.field_type.as_str(),
        remote.field_type.as_str()
    );
    Error::invalid(ErrorCode::InvalidField, message).with_fields(vec![pair.remote.to_string()])
}

fn check_options<'a>(pair: &FieldMapping, targets: impl Iterator<Item = &'a String>, remote: &Field) -> Result<()> {
    for target in targets {
        if !remote.options.is_empty() && !remote.options.iter().any(|option| option.value == *target) {
            let message = format!("mapping {} → {}: the CRM has no option \"{target}\"", pair.local, pair.remote);
            return Err(Error::invalid(ErrorCode::InvalidField, message).with_fields(vec![pair.remote.to_string()]));
        }
    }
    Ok(())
}

/// Whether values of the two types can be each other at all. Text is a bridge: it is checked value by value.
fn can_become(a: FieldType, b: FieldType) -> bool {
    use FieldType as T;
    let bridge = |kind| matches!(kind, T::Any | T::Text | T::Url | T::Email);
    let number = |kind| matches!(kind, T::Integer | T::Decimal);
    let time = |kind| matches!(kind, T::Date | T::Instant);
    let choice = |kind| matches!(kind, T::Choice | T::MultiChoice);
    if matches!(a, T::Reference) || matches!(b, T::Reference) {
        return matches!(a, T::Reference | T::Any) && matches!(b, T::Reference | T::Any);
    }
    a == b || bridge(a) || bridge(b) || (number(a) && number(b)) || (time(a) && time(b)) || (choice(a) && choice(b))
}

fn translate<'a>(value: &Value, find: impl Fn(&str) -> Option<&'a str>) -> Option<Value> {
    match value {
        Value::MultiChoice(set) => set
            .iter()
            .map(|text| find(text).map(str::to_owned))
            .collect::<Option<BTreeSet<_>>>()
            .map(Value::MultiChoice),
        _ => find(&value.to_string()).map(|text| Value::Text(text.to_owned())),
    }
}

fn lowercased(value: &Value) -> Value {
    value.as_text().map_or_else(|| value.clone(), |text| Value::Text(text.to_lowercase()))
}

fn trimmed(value: &Value) -> Value {
    value.as_text().map_or_else(|| value.clone(), |text| Value::text(text.trim()))
}

fn shown(value: &Value) -> String {
    const SHOWN_MAX: usize = 60;
    let text = value.to_string();
    let cut: String = text.chars().take(SHOWN_MAX).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("{} \"{cut}{more}\"", value.type_name())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{CompiledMapping, MappedField, Sides, can_become};
    use crate::arbitrary::TYPES;
    use crate::error::{Error, ErrorCode};
    use crate::model::change::Direction;
    use crate::model::mapping::{FieldMapping, Mapping, MappingDirection, Transform};
    use crate::model::resource::{Resource, Side};
    use crate::model::schema::{ChoiceOption, Field, FieldType, Schema};
    use crate::model::value::Value;

    fn local() -> Schema {
        Schema::new(vec![
            Field::new("employee_count", FieldType::Integer),
            Field::new("name", FieldType::Text),
            Field::new("type", FieldType::Choice),
            Field::new("website", FieldType::Url),
        ])
    }

    fn remote() -> Schema {
        let options = vec![ChoiceOption::new("CUST", "Customer"), ChoiceOption::new("PART", "Partner")];
        Schema::new(vec![
            Field::new("Founded", FieldType::Date),
            Field::new("Id", FieldType::Text).read_only(),
            Field::new("Name", FieldType::Text),
            Field::new("Type", FieldType::Choice).with_options(options),
            Field::new("Website", FieldType::Url),
        ])
    }

    fn compile(pairs: Vec<FieldMapping>) -> Result<CompiledMapping, Error> {
        let (local, remote) = (local(), remote());
        CompiledMapping::compile(&Mapping::new(pairs), Sides::new(Resource::Account, &local, &remote))
    }

    fn field(pair: FieldMapping) -> MappedField {
        compile(vec![pair]).unwrap().fields.remove(0)
    }

    fn options(pairs: &[(&str, &str)]) -> Transform {
        Transform::Options(pairs.iter().map(|(local, remote)| ((*local).to_owned(), (*remote).to_owned())).collect())
    }

    #[test]
    fn a_mapping_s_mistakes_come_out_when_it_is_compiled() {
        let pair = FieldMapping::new;
        let cases = [
            (
                vec![pair("name", "Name"), pair("name", "Website")],
                "\"name\" stands twice in the mapping: keep one of the two",
            ),
            (
                vec![pair("name", "Name"), pair("website", "Name")],
                "\"Name\" stands twice in the mapping: keep one of the two",
            ),
            (vec![pair("nme", "Name")], "the mapping names \"nme\", which the host does not have"),
            (
                vec![pair("employeecount", "Name")],
                "the mapping names \"employeecount\", which the host does not have; did you mean \"employee_count\"?",
            ),
            (
                vec![pair("name", "names")],
                "the mapping names \"names\", which the CRM does not have; did you mean \"Name\"?",
            ),
            (
                vec![pair("name", "Web")],
                "the mapping names \"Web\", which the CRM does not have; did you mean \"Website\"?",
            ),
            (
                vec![pair("employee_count", "Founded")],
                "mapping employee_count → Founded: integer cannot become date; map another field or give an options table",
            ),
            (
                vec![pair("name", "Id").with_direction(MappingDirection::ExportOnly)],
                "mapping name → Id: the CRM's field is read-only, so it cannot be export-only",
            ),
            (
                vec![pair("type", "Type").with_transform(options(&[("customer", "CUST"), ("rival", "RIVAL")]))],
                "mapping type → Type: the CRM has no option \"RIVAL\"",
            ),
        ];
        for (pairs, expected) in cases {
            let error = compile(pairs).unwrap_err();
            assert_eq!((error.message(), error.code()), (expected, ErrorCode::InvalidField));
            assert_eq!(error.fields().len(), 1, "{expected}");
        }
    }

    #[test]
    fn what_is_well_mapped_compiles() {
        let pair = FieldMapping::new;
        assert!(compile(vec![pair("name", "Id")]).is_ok(), "what is read-only can be imported");
        assert!(compile(vec![pair("name", "Name").with_direction(MappingDirection::ExportOnly)]).is_ok());
        // An options table makes a bridge between types that else have none, and free options may be anything.
        let table = options(&[("1", "1970-01-01")]);
        assert!(compile(vec![pair("employee_count", "Founded").with_transform(table)]).is_ok());
        let (local, remote) = (local(), remote());
        let mapping = Mapping::new(vec![pair("website", "Website"), pair("name", "Name")]);
        let sides = Sides {
            remote_key: Some("Website"),
            relations: &["account", "contacts"],
            single_relations: &["account", "contacts"],
            ..Sides::new(Resource::Opportunity, &local, &remote)
        };
        let compiled = CompiledMapping::compile(&mapping, sides).unwrap();
        let names: Vec<&str> = compiled.fields.iter().map(|field| field.local.as_str()).collect();
        assert_eq!(names, ["account", "contacts", "name", "website"]);
        let kept: Vec<bool> = compiled.fields.iter().map(|field| field.keeps_one).collect();
        assert_eq!(kept, [false, true, false, false], "an account is one anyway");
        assert_eq!(
            compiled.relation_names.iter().map(|name| name.as_str()).collect::<Vec<_>>(),
            ["account", "contacts"]
        );
        assert_eq!(compiled.remote_names.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["Name", "Website"]);
        assert_eq!(compiled.local_key.as_ref().map(|name| name.as_str()), Some("website"));
        assert_eq!(compiled.by_remote("Name").map(|field| field.local.as_str()), Some("name"));
        assert!(compiled.by_remote("name").is_none());
        let one = CompiledMapping::compile(&mapping, Sides { single_relations: &[], ..sides }).unwrap();
        assert!(!one.fields.iter().any(|field| field.keeps_one));
    }

    #[test]
    fn a_way_is_open_where_mapping_and_target_are() {
        let both = field(FieldMapping::new("name", "Id"));
        assert!(both.is_open(Direction::ToAbmatic) && !both.is_open(Direction::FromAbmatic));
        assert_eq!(
            (both.field_on(Side::Local).name.as_str(), both.field_on(Side::Remote).name.as_str()),
            ("name", "Id")
        );
        let import = field(FieldMapping::new("name", "Name").with_direction(MappingDirection::ImportOnly));
        assert!(import.is_open(Direction::ToAbmatic) && !import.is_open(Direction::FromAbmatic));
    }

    #[test]
    fn types_become_each_other_or_do_not() {
        use FieldType as T;
        let groups: [&[T]; 3] = [&[T::Integer, T::Decimal], &[T::Date, T::Instant], &[T::Choice, T::MultiChoice]];
        let is_bridge = |one| matches!(one, T::Any | T::Text | T::Url | T::Email);
        for a in TYPES {
            for b in TYPES {
                let expected = match (a, b) {
                    (T::Reference, other) | (other, T::Reference) => matches!(other, T::Reference | T::Any),
                    _ => {
                        let is_grouped = groups.iter().any(|group| group.contains(&a) && group.contains(&b));
                        a == b || is_bridge(a) || is_bridge(b) || is_grouped
                    }
                };
                assert_eq!(can_become(a, b), expected, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn spellings_that_mean_the_same_are_no_edit() {
        let schema = |field_type| Schema::new(vec![Field::new("f", field_type)]);
        let of = |local, remote, transform| {
            let (local, remote) = (schema(local), schema(remote));
            let mapping = Mapping::new(vec![FieldMapping::new("f", "f").with_transform(transform)]);
            let sides = Sides::new(Resource::Account, &local, &remote);
            CompiledMapping::compile(&mapping, sides).unwrap().fields.remove(0)
        };
        use FieldType::{Email, Text, Url};
        let cases = [
            (of(Email, Text, Transform::None), "Ann@Acme.com ", "ann@acme.com", true),
            (of(Text, Email, Transform::None), "Ann@Acme.com", "ann@acme.com", true),
            (of(Text, Text, Transform::None), "Ann@Acme.com", "ann@acme.com", false),
            (of(Email, Email, Transform::None), "ann@acme.com", "bob@acme.com", false),
            (of(Url, Text, Transform::None), "https://acme.com/", "https://acme.com", true),
            (of(Text, Url, Transform::None), "https://acme.com/a", "https://acme.com", false),
            (of(Url, Url, Transform::None), "https://www.acme.com", "acme.com", false),
            (of(Url, Url, Transform::Domain), "https://www.acme.com", "acme.com", true),
            (of(Url, Url, Transform::Domain), "https://other.com/", "acme.com", false),
            (of(Url, Url, Transform::Domain), "n/a/", "n/a", true),
            (of(Text, Text, Transform::None), "https://acme.com/", "https://acme.com", false),
            (of(Text, Text, Transform::Domain), "https://www.acme.com", "acme.com", false),
        ];
        for (field, a, b, expected) in cases {
            assert_eq!(field.same(&Value::text(a), &Value::text(b)), expected, "{a} {b} {field:?}");
        }
    }

    #[test]
    fn values_are_translated_by_their_transform() {
        let with = |transform| field(FieldMapping::new("name", "Name").with_transform(transform));
        let text = Value::text(" Acme Inc ");
        for (transform, expected) in [
            (Transform::None, " Acme Inc "),
            (Transform::Lowercase, " acme inc "),
            (Transform::Trim, "Acme Inc"),
            (Transform::Domain, " Acme Inc "),
        ] {
            assert_eq!(with(transform).to_remote(&text).unwrap(), Value::text(expected));
        }
        assert_eq!(
            with(Transform::Domain).to_remote(&Value::text("https://www.acme.com/x")).unwrap(),
            Value::text("acme.com")
        );
        assert_eq!(with(Transform::Lowercase).to_local(&text).unwrap(), Value::text(" acme inc "));
        assert_eq!(with(Transform::Trim).to_local(&text).unwrap(), Value::text("Acme Inc"));
        let table = options(&[("customer", "CUST"), ("partner", "PART")]);
        let choice = field(FieldMapping::new("type", "Type").with_transform(table));
        let of = |text: &str| Value::Choice(text.to_owned());
        assert_eq!(choice.to_remote(&of("partner")).unwrap(), of("PART"));
        assert_eq!(choice.to_local(&of("PART")).unwrap(), of("partner"));
        for (asked, way) in [("rival", Direction::FromAbmatic), ("RIVAL", Direction::ToAbmatic)] {
            let answer =
                if way == Direction::FromAbmatic { choice.to_remote(&of(asked)) } else { choice.to_local(&of(asked)) };
            let error = answer.unwrap_err();
            assert!(error.message().ends_with("the CRM offers CUST, PART"), "{error}");
            assert!(error.message().contains(&format!("choice \"{asked}\"")), "{error}");
        }
    }

    #[test]
    fn options_are_known_by_value_and_by_label() {
        let choice = field(FieldMapping::new("type", "Type"));
        let of = |text: &str| choice.to_remote(&Value::Choice(text.to_owned()));
        assert_eq!(of("CUST").unwrap(), Value::Choice("CUST".to_owned()));
        assert_eq!(of("partner").unwrap(), Value::Choice("PART".to_owned()));
        assert!(of("Rival").unwrap_err().message().contains("\"Type\" has no option for text \"Rival\""));
        let several =
            Schema::new(vec![Field::new("f", FieldType::MultiChoice).with_options(remote().fields[3].options.clone())]);
        let plain = Schema::new(vec![Field::new("f", FieldType::MultiChoice)]);
        let mapping = Mapping::new(vec![FieldMapping::new("f", "f")]);
        let field = |remote| {
            CompiledMapping::compile(&mapping, Sides::new(Resource::Account, &plain, remote)).unwrap().fields.remove(0)
        };
        let set = |names: &[&str]| Value::MultiChoice(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(field(&several).to_remote(&set(&["CUST", "PART"])).unwrap(), set(&["CUST", "PART"]));
        assert!(field(&several).to_remote(&set(&["CUST", "x"])).is_err());
        assert_eq!(field(&plain).to_remote(&set(&["x"])).unwrap(), set(&["x"]), "without options any will do");
    }

    #[test]
    fn an_error_shows_the_beginning_of_a_long_value() {
        let count = FieldMapping::new("employee_count", "Name");
        let shown = |text: &str| field(count.clone()).to_local(&Value::text(text)).unwrap_err().message().to_owned();
        assert_eq!(shown("many"), "\"employee_count\" holds text \"many\" where integer is expected");
        for (length, end) in [(60, "x\" where"), (61, "x…\" where")] {
            assert!(shown(&"x".repeat(length)).contains(end), "{length}");
        }
        assert!(shown(&"ä".repeat(60)).contains("ä\" where"));
    }

    #[test]
    fn a_table_that_says_the_same_of_two_takes_the_first() {
        let table = Transform::Options(BTreeMap::from([("a".into(), "CUST".into()), ("b".into(), "CUST".into())]));
        let choice = field(FieldMapping::new("type", "Type").with_transform(table));
        assert_eq!(choice.to_local(&Value::Choice("CUST".to_owned())).unwrap(), Value::Choice("a".to_owned()));
    }
}

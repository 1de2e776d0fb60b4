//! A field's definition: its code, its type, what a value of it looks like, and who may write it.

use std::fmt;

use crate::fake::pipedrive::kind::Kind;

/// What a value looks like in a body of API v2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Address,
    Boolean,
    /// `HH:MM` or `HH:MM:SS`.
    Clock,
    /// An object with `value` and `timezone_name`.
    ClockZoned,
    /// Objects with `value`, `primary`, `label`.
    Contacts,
    Currency,
    Date,
    /// An object with `value` and `until`.
    DateRange,
    Integer,
    /// Ids of options.
    Labels,
    Moment,
    Money,
    Number,
    /// The id of one option.
    OptionId,
    /// The ids of options; cleared by null, never by an empty list.
    OptionIds,
    Participants,
    Pipeline,
    Record(Kind),
    Stage,
    Status,
    /// At most so many characters.
    Text(usize),
    TimeRange,
    User,
    Visibility,
}

/// When a field may stand in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writes {
    Always,
    Never,
    OnCreate,
}

/// One option of a choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) id: ChoiceId,
    pub(crate) label: String,
}

/// Options of custom fields have numbers; those of built-in ones may have words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChoiceId {
    Number(u64),
    Word(&'static str),
}

impl fmt::Display for ChoiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Word(word) => f.write_str(word),
        }
    }
}

/// A field of one kind of record.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    /// Its number in API v1, which filters use.
    pub(crate) number: u64,
    /// Its code in the Fields API.
    pub(crate) code: String,
    /// Its key in a record; not the code for e-mails and phones.
    pub(crate) key: String,
    pub(crate) name: String,
    /// The API's word for its type.
    pub(crate) type_name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) choices: Option<Vec<Choice>>,
    pub(crate) custom: bool,
    /// Left out of a record where it has no value.
    pub(crate) left_out: bool,
    pub(crate) writes: Writes,
    pub(crate) created_ms: i64,
    pub(crate) changed_ms: i64,
}

impl Definition {
    /// The choice with that id.
    pub(crate) fn choice(&self, id: u64) -> Option<&Choice> {
        self.choices.iter().flatten().find(|choice| choice.id == ChoiceId::Number(id))
    }

    /// The parts of a value that has several.
    pub(crate) fn subfields(&self) -> Option<&'static [(&'static str, &'static str)]> {
        const ADDRESS: &[(&str, &str)] = &[
            ("value", "varchar"),
            ("street_number", "varchar"),
            ("route", "varchar"),
            ("subpremise", "varchar"),
            ("sublocality", "varchar"),
            ("locality", "varchar"),
            ("admin_area_level_1", "varchar"),
            ("admin_area_level_2", "varchar"),
            ("country", "varchar"),
            ("postal_code", "varchar"),
            ("formatted_address", "varchar"),
        ];
        match self.type_name {
            "address" => Some(ADDRESS),
            "daterange" => Some(&[("value", "date"), ("until", "date")]),
            "monetary" => Some(&[("value", "double"), ("currency", "varchar")]),
            "time" => Some(&[("value", "time"), ("timezone_name", "varchar")]),
            "timerange" => Some(&[("value", "time"), ("until", "time"), ("timezone_name", "varchar")]),
            _ => None,
        }
    }
}

/// What API v2 lets a client make: type and shape of its values.
pub(crate) const CUSTOM_TYPES: &[(&str, Shape)] = &[
    ("address", Shape::Address),
    ("date", Shape::Date),
    ("daterange", Shape::DateRange),
    ("double", Shape::Number),
    ("enum", Shape::OptionId),
    ("monetary", Shape::Money),
    ("org", Shape::Record(Kind::Organization)),
    ("people", Shape::Record(Kind::Person)),
    ("phone", Shape::Text(255)),
    ("set", Shape::OptionIds),
    ("text", Shape::Text(65_535)),
    ("time", Shape::ClockZoned),
    ("timerange", Shape::TimeRange),
    ("user", Shape::User),
    ("varchar", Shape::Text(255)),
    ("varchar_auto", Shape::Text(255)),
];

/// A custom field for a fake that is still to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct Field {
    pub(crate) name: String,
    pub(crate) type_name: String,
    pub(crate) options: Vec<String>,
}

impl Field {
    /// A field of that name and type, for example `double`; the types are those of `POST /api/v2/organizationFields`.
    pub fn new(name: &str, field_type: &str) -> Self {
        Self { name: name.to_owned(), type_name: field_type.to_owned(), options: Vec::new() }
    }

    /// The labels of an `enum` or a `set`.
    pub fn with_options(mut self, labels: &[&str]) -> Self {
        self.options = labels.iter().map(|label| (*label).to_owned()).collect();
        self
    }
}

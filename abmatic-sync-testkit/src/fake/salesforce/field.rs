//! Fields: what an object's columns are, and a builder for those that an admin adds.

/// A field's data type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum FieldType {
    Address,
    Boolean,
    Currency,
    Date,
    DateTime,
    Double,
    Email,
    Id,
    Int,
    MultiPicklist,
    Percent,
    Phone,
    Picklist,
    Reference,
    Text,
    TextArea,
    Url,
}

impl FieldType {
    /// As describe names it, and its SOAP type.
    pub(crate) fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Address => ("address", "urn:address"),
            Self::Boolean => ("boolean", "xsd:boolean"),
            Self::Currency => ("currency", "xsd:double"),
            Self::Date => ("date", "xsd:date"),
            Self::DateTime => ("datetime", "xsd:dateTime"),
            Self::Double => ("double", "xsd:double"),
            Self::Email => ("email", "xsd:string"),
            Self::Id => ("id", "tns:ID"),
            Self::Int => ("int", "xsd:int"),
            Self::MultiPicklist => ("multipicklist", "xsd:string"),
            Self::Percent => ("percent", "xsd:double"),
            Self::Phone => ("phone", "xsd:string"),
            Self::Picklist => ("picklist", "xsd:string"),
            Self::Reference => ("reference", "tns:ID"),
            Self::Text => ("string", "xsd:string"),
            Self::TextArea => ("textarea", "xsd:string"),
            Self::Url => ("url", "xsd:string"),
        }
    }

    pub(crate) fn is_decimal(self) -> bool {
        matches!(self, Self::Currency | Self::Double | Self::Percent)
    }

    /// Whether its values are plain text.
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Self::Email | Self::MultiPicklist | Self::Phone | Self::Picklist | Self::Text)
            || matches!(self, Self::TextArea | Self::Url)
    }
}

/// Where a field's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Among the record's values.
    Stored,
    Id,
    IsDeleted,
    MasterRecordId,
    CreatedById,
    CreatedDate,
    LastModifiedById,
    LastModifiedDate,
    SystemModstamp,
    /// `FirstName LastName`.
    PersonName,
    /// Built from the fields whose names begin so, for example `Billing`; empty on leads.
    Address(&'static str),
    /// `Amount × Probability`, a formula.
    ExpectedRevenue,
    /// A custom formula: the length of the record's name.
    NameLength,
}

/// One value of a picklist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) active: bool,
    pub(crate) default: bool,
}

/// A field of an object. Tests make custom ones and hand them to the builder of the fake.
#[derive(Clone, Debug)]
pub struct Field {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) kind: FieldType,
    pub(crate) source: Source,
    pub(crate) length: usize,
    pub(crate) precision: u32,
    pub(crate) scale: u32,
    pub(crate) createable: bool,
    pub(crate) updateable: bool,
    pub(crate) nillable: bool,
    pub(crate) external_id: bool,
    pub(crate) unique: bool,
    pub(crate) case_sensitive: bool,
    pub(crate) id_lookup: bool,
    pub(crate) restricted: bool,
    pub(crate) name_field: bool,
    /// Looked up often enough to be indexed.
    pub(crate) indexed: bool,
    pub(crate) default: Option<String>,
    pub(crate) choices: Vec<Choice>,
    /// Names of the objects a reference may point to.
    pub(crate) targets: &'static [&'static str],
    pub(crate) relationship: Option<String>,
    /// The name of the relationship from the parent, and whether its children go with it.
    pub(crate) children: Option<(&'static str, bool)>,
    pub(crate) compound: Option<&'static str>,
}

impl Field {
    pub(crate) fn new(name: &str, label: &str, kind: FieldType) -> Self {
        Self {
            name: name.to_owned(),
            label: label.to_owned(),
            kind,
            source: Source::Stored,
            length: 0,
            precision: 0,
            scale: 0,
            createable: true,
            updateable: true,
            nillable: true,
            external_id: false,
            unique: false,
            case_sensitive: false,
            id_lookup: false,
            restricted: false,
            name_field: false,
            indexed: false,
            default: None,
            choices: Vec::new(),
            targets: &[],
            relationship: None,
            children: None,
            compound: None,
        }
    }

    /// A custom text field of at most `length` characters, for example `Tier__c`.
    #[must_use]
    pub fn text(name: &str, length: usize) -> Self {
        Self::new(name, &label_of(name), FieldType::Text).long(length)
    }

    /// A custom number field of 18 digits, so many of them behind the point.
    #[must_use]
    pub fn number(name: &str, scale: u32) -> Self {
        Self::new(name, &label_of(name), FieldType::Double).digits(18, scale)
    }

    /// A custom date field.
    #[must_use]
    pub fn date(name: &str) -> Self {
        Self::new(name, &label_of(name), FieldType::Date)
    }

    /// A custom date and time field.
    #[must_use]
    pub fn datetime(name: &str) -> Self {
        Self::new(name, &label_of(name), FieldType::DateTime)
    }

    /// A custom checkbox.
    #[must_use]
    pub fn checkbox(name: &str) -> Self {
        Self::new(name, &label_of(name), FieldType::Boolean).or_default("false")
    }

    /// A custom picklist that takes any value; see [`Field::restricted`].
    #[must_use]
    pub fn picklist(name: &str, values: &[&str]) -> Self {
        Self::new(name, &label_of(name), FieldType::Picklist).long(255).with_choices(values)
    }

    /// A custom multi-select picklist.
    #[must_use]
    pub fn multipicklist(name: &str, values: &[&str]) -> Self {
        Self::new(name, &label_of(name), FieldType::MultiPicklist).long(4099).with_choices(values)
    }

    /// A custom long text area of at most `length` characters; it cannot be filtered.
    #[must_use]
    pub fn long_text(name: &str, length: usize) -> Self {
        Self::new(name, &label_of(name), FieldType::TextArea).long(length)
    }

    /// A label other than the one made from the name.
    #[must_use]
    pub fn labelled(mut self, label: &str) -> Self {
        label.clone_into(&mut self.label);
        self
    }

    /// Marks it as an external id, by which records can be upserted.
    #[must_use]
    pub fn external_id(mut self) -> Self {
        (self.external_id, self.id_lookup, self.indexed) = (true, true, true);
        self
    }

    /// No two records may have the same value; case counts only if [`Field::case_sensitive`] says so.
    #[must_use]
    pub fn unique(mut self) -> Self {
        (self.unique, self.indexed) = (true, true);
        self
    }

    /// Upper and lower case are different values.
    #[must_use]
    pub fn case_sensitive(mut self) -> Self {
        self.case_sensitive = true;
        self
    }

    /// The picklist takes its own values only.
    #[must_use]
    pub fn restricted(mut self) -> Self {
        self.restricted = true;
        self
    }

    /// A record cannot be made without it.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.nillable = false;
        self
    }

    /// The integration user may read it, not write it.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        (self.createable, self.updateable) = (false, false);
        self
    }

    pub(crate) fn long(mut self, length: usize) -> Self {
        self.length = length;
        self
    }

    pub(crate) fn digits(mut self, precision: u32, scale: u32) -> Self {
        (self.precision, self.scale) = (precision, scale);
        self
    }

    pub(crate) fn or_default(mut self, value: &str) -> Self {
        self.default = Some(value.to_owned());
        (self.nillable, self.kind) = (self.nillable && self.kind != FieldType::Boolean, self.kind);
        self
    }

    pub(crate) fn with_choices(mut self, values: &[&str]) -> Self {
        let choice = |value: &&str| Choice { value: (*value).to_owned(), active: true, default: false };
        self.choices = values.iter().map(choice).collect();
        self
    }

    /// An inactive picklist value: listed, and refused where the picklist is restricted.
    #[must_use]
    pub fn with_inactive(mut self, value: &str) -> Self {
        self.choices.push(Choice { value: value.to_owned(), active: false, default: false });
        self
    }

    pub(crate) fn from(mut self, source: Source) -> Self {
        self.source = source;
        self.read_only()
    }

    pub(crate) fn naming(mut self) -> Self {
        self.name_field = true;
        self
    }

    pub(crate) fn looked_up(mut self) -> Self {
        self.indexed = true;
        self
    }

    pub(crate) fn by_id_lookup(mut self) -> Self {
        (self.id_lookup, self.indexed) = (true, true);
        self
    }

    pub(crate) fn part_of(mut self, compound: &'static str) -> Self {
        self.compound = Some(compound);
        self
    }

    /// A reference; its relationship's name is its own without `Id`.
    pub(crate) fn reference(name: &str, label: &str, targets: &'static [&'static str]) -> Self {
        let mut field = Self::new(name, label, FieldType::Reference).long(18);
        field.targets = targets;
        field.relationship = name.strip_suffix("Id").map(str::to_owned);
        field.indexed = !targets.contains(&"User");
        field
    }

    pub(crate) fn with_children(mut self, name: &'static str, cascade: bool) -> Self {
        self.children = Some((name, cascade));
        self
    }

    /// Whether conditions may name it.
    pub(crate) fn is_filterable(&self) -> bool {
        self.kind != FieldType::Address && !(self.kind == FieldType::TextArea && self.length > 255)
    }

    pub(crate) fn is_custom(&self) -> bool {
        self.name.ends_with("__c")
    }

    /// A formula: read-only, and its changes do not touch the record.
    pub(crate) fn is_calculated(&self) -> bool {
        matches!(self.source, Source::ExpectedRevenue | Source::NameLength)
    }
}

/// `Renewal_Date__c` → `Renewal Date`.
fn label_of(name: &str) -> String {
    name.trim_end_matches("__c").replace('_', " ")
}

//! A property's definition: its type, its options, whether it may be written, and where its value comes from.

use serde_json::{Value, json};

use crate::fake::hubspot::kind::Kind;
use crate::fake::moment;

/// HubSpot's `type` of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueType {
    Bool,
    Date,
    Datetime,
    Enumeration,
    Number,
    PhoneNumber,
    String,
}

impl ValueType {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "bool" => Self::Bool,
            "date" => Self::Date,
            "datetime" => Self::Datetime,
            "enumeration" => Self::Enumeration,
            "number" => Self::Number,
            "phone_number" => Self::PhoneNumber,
            "string" => Self::String,
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::Enumeration => "enumeration",
            Self::Number => "number",
            Self::PhoneNumber => "phone_number",
            Self::String => "string",
        }
    }
}

/// Where a property's value comes from, and which other table its values name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Stored with the record.
    Stored,
    /// Stored; an owner's id.
    Owner,
    /// Stored; a pipeline's id.
    Pipeline,
    /// Stored; a stage's id.
    Stage,
    /// The record's id.
    Id,
    /// The record's create date.
    Created,
    /// The record's modified date.
    Modified,
    /// Derived on reading.
    Derived(Derived),
}

/// Values that the fake derives when they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Derived {
    AllVids,
    Amount,
    CountOf(Kind),
    EmailDomain,
    FullNameOrEmail,
    IsContact,
    IsUnworked,
    Activities,
    ParentCompany,
    PrimaryCompany,
    StageClosed,
    StageProbability,
    StageWon,
}

impl Derived {
    pub(crate) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "amount_in_home_currency" => Self::Amount,
            "associatedcompanyid" | "hs_primary_associated_company" => Self::PrimaryCompany,
            "hs_all_contact_vids" => Self::AllVids,
            "hs_deal_stage_probability" => Self::StageProbability,
            "hs_email_domain" => Self::EmailDomain,
            "hs_full_name_or_email" => Self::FullNameOrEmail,
            "hs_is_closed" => Self::StageClosed,
            "hs_is_closed_won" => Self::StageWon,
            "hs_is_contact" => Self::IsContact,
            "hs_is_unworked" => Self::IsUnworked,
            "hs_num_child_companies" => Self::CountOf(Kind::COMPANIES),
            "hs_parent_company_id" => Self::ParentCompany,
            "num_associated_contacts" => Self::CountOf(Kind::CONTACTS),
            "num_associated_deals" => Self::CountOf(Kind::DEALS),
            "num_notes" => Self::Activities,
            _ => return None,
        })
    }
}

/// One allowed value of an enumeration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) description: String,
    pub(crate) display_order: i64,
    pub(crate) hidden: bool,
}

/// One property of one object type.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) description: String,
    pub(crate) value_type: ValueType,
    pub(crate) field_type: String,
    pub(crate) group: String,
    pub(crate) choices: Vec<Choice>,
    pub(crate) source: Source,
    pub(crate) calculated: bool,
    pub(crate) read_only: bool,
    pub(crate) unique: bool,
    pub(crate) hidden: bool,
    pub(crate) form_field: bool,
    pub(crate) hubspot_defined: bool,
    pub(crate) referenced_type: Option<&'static str>,
    pub(crate) display_order: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) archived_at: Option<i64>,
}

/// When HubSpot's own properties were made.
pub(crate) const HUBSPOT_DEFINED_AT: i64 = 1_565_059_268_204;

impl Definition {
    /// A custom string property with that name; the caller fills in the rest.
    pub(crate) fn custom(name: &str, now: i64) -> Self {
        Self {
            name: name.to_owned(),
            label: name.to_owned(),
            description: String::new(),
            value_type: ValueType::String,
            field_type: "text".to_owned(),
            group: String::new(),
            choices: Vec::new(),
            source: Source::Stored,
            calculated: false,
            read_only: false,
            unique: false,
            hidden: false,
            form_field: false,
            hubspot_defined: false,
            referenced_type: None,
            display_order: -1,
            created: now,
            updated: now,
            archived_at: None,
        }
    }

    /// Whether several values are stored, separated by `;`.
    pub(crate) fn is_multiple(&self) -> bool {
        self.value_type == ValueType::Enumeration && self.field_type == "checkbox"
    }

    /// The definition as the API shows it.
    pub(crate) fn to_json(&self) -> Value {
        let choices: Vec<Value> = self.choices.iter().map(Choice::to_json).collect();
        let mut shown = json!({
            "updatedAt": moment::iso(self.updated), "createdAt": moment::iso(self.created),
            "name": self.name, "label": self.label, "type": self.value_type.name(), "fieldType": self.field_type,
            "description": self.description, "groupName": self.group, "options": choices,
            "displayOrder": self.display_order, "calculated": self.calculated,
            "externalOptions": self.referenced_type.is_some(), "hasUniqueValue": self.unique, "hidden": self.hidden,
            "hubspotDefined": self.hubspot_defined,
            "modificationMetadata": {
                "archivable": !self.hubspot_defined, "readOnlyDefinition": self.hubspot_defined,
                "readOnlyValue": self.read_only,
            },
            "formField": self.form_field, "dataSensitivity": "non_sensitive",
        });
        if !self.hubspot_defined {
            shown["createdUserId"] = "9586504".into();
            shown["updatedUserId"] = "9586504".into();
            shown["archived"] = self.archived_at.is_some().into();
        }
        if let Some(at) = self.archived_at {
            shown["archivedAt"] = moment::iso(at).into();
        }
        if let Some(referenced) = self.referenced_type {
            shown["referencedObjectType"] = referenced.into();
        }
        shown
    }
}

impl Choice {
    pub(crate) fn new(value: &str, label: &str, display_order: i64) -> Self {
        Self {
            value: value.to_owned(),
            label: label.to_owned(),
            description: String::new(),
            display_order,
            hidden: false,
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "label": self.label, "value": self.value, "description": self.description,
            "displayOrder": self.display_order, "hidden": self.hidden,
        })
    }
}

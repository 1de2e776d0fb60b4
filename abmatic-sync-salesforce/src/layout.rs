//! Which fields and relations a read asks for, how the query names them, and where each value goes.

use std::collections::BTreeSet;
use std::ops::Range;

use abmatic_sync_core::ids::FieldName;
use abmatic_sync_core::model::schema::FieldType;

use crate::describe::Described;
use crate::object::{
    ACCOUNT_ID, ACCOUNT_RELATION, CONTACTS_RELATION, CONVERTED, CONVERTED_CONTACT, CREATED, DELETED, ID, MASTER,
    MODIFIED, Object, PERSON_ACCOUNT,
};

/// The child rows by which an opportunity has its contacts.
pub(crate) const ROLES: &str = "OpportunityContactRoles";
/// A query over the recycle bin shows the deleted rows of live records too.
const ROLES_QUERY: &str = "(SELECT ContactId FROM OpportunityContactRoles WHERE IsDeleted = FALSE)";

/// One value that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    /// As it was asked for: the name that the record's fields have.
    pub(crate) name: FieldName,
    /// As Salesforce names it; a dot leads to a parent.
    pub(crate) path: String,
    pub(crate) field_type: FieldType,
}

/// What is read besides what was asked for, since records have it whatever the mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum System {
    Id,
    Created,
    Modified,
    Deleted,
    Master,
    Converted,
    ConvertedContact,
    PersonAccount,
}

impl System {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Id => ID,
            Self::Created => CREATED,
            Self::Modified => MODIFIED,
            Self::Deleted => DELETED,
            Self::Master => MASTER,
            Self::Converted => CONVERTED,
            Self::ConvertedContact => CONVERTED_CONTACT,
            Self::PersonAccount => PERSON_ACCOUNT,
        }
    }

    pub(crate) const fn field_type(self) -> FieldType {
        match self {
            Self::Created | Self::Modified => FieldType::Instant,
            Self::Deleted | Self::Converted | Self::PersonAccount => FieldType::Boolean,
            Self::Id | Self::Master | Self::ConvertedContact => FieldType::Reference,
        }
    }
}

/// Which fields and relations are read, and as what.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// Sorted by path without case; several may share one path.
    columns: Vec<Column>,
    system: Vec<System>,
    /// An opportunity's contacts are wanted.
    pub(crate) roles: bool,
}

impl Layout {
    /// The `fields` and `relations` of `object`, typed as `described`.
    pub(crate) fn new(
        object: Object,
        fields: &BTreeSet<FieldName>,
        relations: &BTreeSet<FieldName>,
        described: &Described,
    ) -> Self {
        let typed = |name: &FieldName| Column {
            name: name.clone(),
            path: name.as_str().to_owned(),
            field_type: described.field_type(name.as_str()),
        };
        let mut columns: Vec<Column> = fields.iter().map(typed).collect();
        let wants = |relation: &str| object.relations().contains(&relation) && relations.contains(relation);
        if wants(ACCOUNT_RELATION) {
            let (name, path) = (FieldName::from(ACCOUNT_RELATION), ACCOUNT_ID.to_owned());
            columns.push(Column { name, path, field_type: FieldType::Reference });
        }
        let mut system = vec![System::Id, System::Created, System::Modified];
        if object == Object::Lead {
            system.extend([System::Converted, System::ConvertedContact]);
        }
        if object == Object::Contact && described.has(PERSON_ACCOUNT) {
            system.push(System::PersonAccount);
        }
        let mut layout = Self { columns, system, roles: wants(CONTACTS_RELATION) };
        layout.sort();
        layout
    }

    /// Nothing but ids and times.
    pub(crate) fn bare() -> Self {
        Self { columns: Vec::new(), system: vec![System::Id, System::Modified], roles: false }
    }

    /// Tells deleted and merged records apart, for queries over the recycle bin.
    #[must_use]
    pub(crate) fn with_bin(mut self, object: Object) -> Self {
        self.system.push(System::Deleted);
        if object.merges() {
            self.system.push(System::Master);
        }
        self
    }

    /// Adds a field that was not asked for.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, field_type: FieldType) -> Self {
        if !self.columns.iter().any(|column| column.name.as_str() == name) {
            self.columns.push(Column { name: FieldName::from(name), path: name.to_owned(), field_type });
            self.sort();
        }
        self
    }

    /// Reads a lead's fields of the contact that it has become: the company is the account's name.
    #[must_use]
    pub(crate) fn of_converted(mut self, contact: &Described) -> Self {
        self.system.retain(|system| !matches!(system, System::Converted | System::ConvertedContact));
        for column in &mut self.columns {
            if column.path.eq_ignore_ascii_case("Company") {
                "Account.Name".clone_into(&mut column.path);
            }
        }
        self.columns.retain(|column| contact.has(&column.path));
        self.sort();
        self
    }

    fn sort(&mut self) {
        self.columns.sort_by_key(|column| column.path.to_ascii_lowercase());
    }

    /// The query's columns.
    pub(crate) fn select(&self) -> String {
        let mut items = self.paths();
        if self.roles {
            items.push(ROLES_QUERY);
        }
        items.join(",")
    }

    /// The fields by path, each once.
    pub(crate) fn paths(&self) -> Vec<&str> {
        let mut paths: Vec<&str> = Vec::with_capacity(self.columns.len() + self.system.len());
        let columns = self.columns.iter().map(|column| column.path.as_str());
        for path in columns.chain(self.system.iter().map(|system| system.name())) {
            if !paths.iter().any(|held| held.eq_ignore_ascii_case(path)) {
                paths.push(path);
            }
        }
        paths
    }

    /// Whether a parent's field is read, which a retrieve by ids cannot.
    pub(crate) fn has_parents(&self) -> bool {
        self.columns.iter().any(|column| column.path.contains('.'))
    }

    /// Whether some path leads through `prefix`, which ends in a dot.
    pub(crate) fn leads_through(&self, prefix: &str) -> bool {
        let is_under = |path: &str| path.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        self.columns.iter().any(|column| is_under(&column.path))
    }

    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The columns of a path. `hint` is where it mostly is: answers come in the query's order.
    pub(crate) fn columns_of(&self, path: &str, hint: usize) -> Range<usize> {
        let is_it = |column: &Column| column.path.eq_ignore_ascii_case(path);
        let start = match self.columns.get(hint) {
            Some(column) if is_it(column) => hint,
            _ => match self.columns.iter().position(is_it) {
                Some(start) => start,
                None => return 0..0,
            },
        };
        let count = self.columns.iter().skip(start).take_while(|column| is_it(column)).count();
        start..start + count
    }

    /// Which of the fields that records always have this one is.
    pub(crate) fn system_of(&self, path: &str) -> Option<System> {
        self.system.iter().copied().find(|system| system.name().eq_ignore_ascii_case(path))
    }
}

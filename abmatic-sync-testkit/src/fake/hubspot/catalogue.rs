//! All properties of one object type: HubSpot's own, read from the tables beside this file, and custom ones.

use std::collections::{BTreeMap, HashMap};

use crate::fake::hubspot::definition::{Choice, Definition, Derived, HUBSPOT_DEFINED_AT, Source, ValueType};
use crate::fake::hubspot::kind::Kind;
use crate::fake::hubspot::record::PropertyId;

/// A property group.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) label: String,
    pub(crate) display_order: i64,
}

/// The properties of one object type.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalogue {
    definitions: Vec<Definition>,
    by_name: HashMap<String, PropertyId>,
    pub(crate) groups: BTreeMap<String, Group>,
}

impl Catalogue {
    /// HubSpot's own properties of that type.
    pub(crate) fn of(kind: Kind) -> Self {
        let mut catalogue = Self::default();
        for table in tables(kind) {
            for line in table.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
                if let Some(definition) = read_row(line, catalogue.definitions.len()) {
                    catalogue.add_group(&definition.group);
                    catalogue.add(definition);
                }
            }
        }
        catalogue
    }

    fn add_group(&mut self, name: &str) {
        let group = || Group { label: capitalised(name), display_order: -1 };
        self.groups.entry(name.to_owned()).or_insert_with(group);
    }

    /// Adds a property whose name is free.
    pub(crate) fn add(&mut self, definition: Definition) -> PropertyId {
        let id = PropertyId::try_from(self.definitions.len()).unwrap_or(PropertyId::MAX);
        self.by_name.insert(definition.name.clone(), id);
        self.definitions.push(definition);
        id
    }

    /// The property of that name, archived ones too.
    pub(crate) fn any_id(&self, name: &str) -> Option<PropertyId> {
        self.by_name.get(name).copied()
    }

    /// The property of that name, unless it is archived.
    pub(crate) fn id(&self, name: &str) -> Option<PropertyId> {
        let id = self.any_id(name)?;
        self.get(id).filter(|definition| definition.archived_at.is_none()).map(|_| id)
    }

    pub(crate) fn get(&self, id: PropertyId) -> Option<&Definition> {
        self.definitions.get(usize::from(id))
    }

    pub(crate) fn get_mut(&mut self, id: PropertyId) -> Option<&mut Definition> {
        self.definitions.get_mut(usize::from(id))
    }

    /// The property of that name with its id, unless it is archived.
    pub(crate) fn find(&self, name: &str) -> Option<(PropertyId, &Definition)> {
        let id = self.id(name)?;
        Some((id, self.get(id)?))
    }

    /// All properties with their ids, archived ones too.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PropertyId, &Definition)> {
        (0..).zip(&self.definitions)
    }
}

fn tables(kind: Kind) -> Vec<&'static str> {
    const ENGAGEMENTS: &str = include_str!("catalogue/engagements.txt");
    match kind {
        Kind::CONTACTS => vec![include_str!("catalogue/contacts.txt")],
        Kind::COMPANIES => vec![include_str!("catalogue/companies.txt")],
        Kind::DEALS => vec![include_str!("catalogue/deals.txt")],
        Kind::LEADS => vec![include_str!("catalogue/leads.txt")],
        Kind::NOTES => vec![ENGAGEMENTS, include_str!("catalogue/notes.txt")],
        Kind::TASKS => vec![ENGAGEMENTS, include_str!("catalogue/tasks.txt")],
        Kind::MEETINGS => vec![ENGAGEMENTS, include_str!("catalogue/meetings.txt")],
        Kind::CALLS => vec![ENGAGEMENTS, include_str!("catalogue/calls.txt")],
        Kind::EMAILS => vec![ENGAGEMENTS, include_str!("catalogue/emails.txt")],
        _ => vec![ENGAGEMENTS, include_str!("catalogue/communications.txt")],
    }
}

/// Reads `name | label | type | fieldType | group | flags | options`.
fn read_row(line: &str, place: usize) -> Option<Definition> {
    let mut cells = line.split('|').map(str::trim);
    let (name, label) = (cells.next()?, cells.next()?);
    let mut definition = Definition::custom(name, HUBSPOT_DEFINED_AT);
    label.clone_into(&mut definition.label);
    label.clone_into(&mut definition.description);
    definition.value_type = ValueType::parse(cells.next()?)?;
    cells.next()?.clone_into(&mut definition.field_type);
    cells.next()?.clone_into(&mut definition.group);
    definition.hubspot_defined = true;
    definition.display_order = i64::try_from(place).unwrap_or(-1);
    for flag in cells.next().unwrap_or_default().split_whitespace() {
        raise(&mut definition, flag);
    }
    if let Some(derived) = Derived::of(name) {
        definition.source = Source::Derived(derived);
    }
    definition.choices = choices(cells.next().unwrap_or_default());
    if definition.value_type == ValueType::Bool && definition.choices.is_empty() {
        definition.choices = choices("true=True;false=False");
    }
    Some(definition)
}

fn raise(definition: &mut Definition, flag: &str) {
    match flag {
        "calc" => (definition.calculated, definition.read_only) = (true, true),
        "company" => definition.referenced_type = Some("COMPANY"),
        "created" => definition.source = Source::Created,
        "form" => definition.form_field = true,
        "hidden" => definition.hidden = true,
        "id" => (definition.source, definition.read_only) = (Source::Id, true),
        "modified" => (definition.source, definition.read_only) = (Source::Modified, true),
        "owner" => (definition.source, definition.referenced_type) = (Source::Owner, Some("OWNER")),
        "pipeline" => definition.source = Source::Pipeline,
        "ro" => definition.read_only = true,
        "stage" => definition.source = Source::Stage,
        _ => {}
    }
}

fn choices(cell: &str) -> Vec<Choice> {
    const LIFECYCLE: &str = "subscriber=Subscriber;lead=Lead;marketingqualifiedlead=Marketing Qualified Lead;\
                             salesqualifiedlead=Sales Qualified Lead;opportunity=Opportunity;customer=Customer;\
                             evangelist=Evangelist;other=Other";
    if cell == "@industry" {
        let names = include_str!("catalogue/industries.txt").split_whitespace();
        return (0..).zip(names).map(|(order, name)| Choice::new(name, &capitalised(name), order)).collect();
    }
    let cell = if cell == "@lifecycle" { LIFECYCLE } else { cell };
    let pairs = cell.split(';').filter_map(|part| part.split_once('='));
    (0..).zip(pairs).map(|(order, (value, label))| Choice::new(value, label, order)).collect()
}

/// `COMPUTER_SOFTWARE` → `Computer Software`.
pub(crate) fn capitalised(name: &str) -> String {
    let words: Vec<String> = name
        .split('_')
        .map(|word| {
            let lower = word.to_ascii_lowercase();
            let mut letters = lower.chars();
            letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
        })
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::Catalogue;
    use crate::fake::hubspot::kind::Kind;

    #[test]
    fn every_type_has_its_dates_and_what_it_shows() {
        for kind in Kind::all() {
            let catalogue = Catalogue::of(kind);
            let facts = kind.facts();
            for name in facts.shown.iter().chain([&facts.created, &facts.modified]).chain(facts.searched) {
                assert!(catalogue.id(name).is_some(), "{} of {}", name, facts.plural);
            }
        }
    }
}

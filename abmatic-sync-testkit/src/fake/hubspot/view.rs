//! A record seen with all its values, the derived ones too, and written as JSON straight into bytes.

use std::borrow::Cow;

use crate::fake::hubspot::definition::{Definition, Derived, Source};
use crate::fake::hubspot::kind::Kind;
use crate::fake::hubspot::links::{CHILD_TO_PARENT, PARENT_TO_CHILD, pair_types};
use crate::fake::hubspot::outcome::Reading;
use crate::fake::hubspot::record::{Author, Change, PropertyId, Record};
use crate::fake::hubspot::state::{Shelf, State};
use crate::fake::{json, moment};

/// Associated ids that a record's answer carries before it pages.
const ASSOCIATIONS_SHOWN: usize = 100;
/// The user who edits in HubSpot's own interface.
const CRM_USER_ID: u64 = 9_586_504;

/// One record in its account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub(crate) state: &'a State,
    pub(crate) kind: Kind,
    pub(crate) id: u64,
    pub(crate) record: &'a Record,
}

impl<'a> View<'a> {
    /// A property's value, whatever its source.
    pub(crate) fn value(&self, id: PropertyId, source: Source) -> Option<Cow<'a, str>> {
        match source {
            Source::Stored | Source::Owner | Source::Pipeline | Source::Stage => {
                self.record.values.get(id).map(Cow::Borrowed)
            }
            Source::Id => Some(self.id.to_string().into()),
            Source::Created => Some(moment::iso(self.record.created).into()),
            Source::Modified => Some(moment::iso(self.record.modified).into()),
            Source::Derived(derived) => self.derived(derived),
        }
    }

    /// The stored value of that name.
    fn stored(&self, name: &str) -> Option<&'a str> {
        let id = self.state.shelf(self.kind).catalogue.any_id(name)?;
        self.record.values.get(id)
    }

    fn derived(&self, derived: Derived) -> Option<Cow<'a, str>> {
        let me = (self.kind, self.id);
        match derived {
            Derived::Activities => Some(self.activities().to_string().into()),
            Derived::AllVids => {
                let merged = self.stored("hs_merged_object_ids").map(|ids| format!(";{ids}")).unwrap_or_default();
                Some(format!("{}{merged}", self.id).into())
            }
            Derived::Amount => self.stored("amount").map(Cow::Borrowed),
            Derived::CountOf(kind) if kind == self.kind => positive(self.typed(PARENT_TO_CHILD).count()),
            Derived::CountOf(kind) => positive(self.state.links.count(me, kind)),
            Derived::EmailDomain => self.stored("email")?.split_once('@').map(|(_, domain)| domain.into()),
            Derived::FullNameOrEmail => self.full_name_or_email(),
            Derived::IsContact | Derived::IsUnworked => Some("true".into()),
            Derived::ParentCompany => self.typed(CHILD_TO_PARENT).next().map(|id| id.to_string().into()),
            Derived::PrimaryCompany => {
                self.state.links.primary(me, Kind::COMPANIES).map(|company| company.to_string().into())
            }
            Derived::StageClosed => self.stage(|stage| stage.closed.to_string()),
            Derived::StageProbability => self.stage(|stage| stage.probability.to_owned()),
            Derived::StageWon => self.stage(|stage| (stage.closed && stage.probability == "1.0").to_string()),
        }
    }

    fn activities(&self) -> usize {
        let engagements = Kind::all().filter(|kind| kind.facts().engagement);
        engagements.map(|kind| self.state.links.count((self.kind, self.id), kind)).sum()
    }

    /// Records of the same type that hang on this one by that association type.
    fn typed(&self, wanted: u16) -> impl Iterator<Item = u64> {
        self.state
            .links
            .of((self.kind, self.id), self.kind)
            .filter(move |(_, type_id)| *type_id == wanted)
            .map(|(id, _)| id)
    }

    fn full_name_or_email(&self) -> Option<Cow<'a, str>> {
        let names: Vec<&str> = ["firstname", "lastname"].iter().filter_map(|name| self.stored(name)).collect();
        if names.is_empty() { self.stored("email").map(Cow::Borrowed) } else { Some(names.join(" ").into()) }
    }

    fn stage(&self, show: impl Fn(&crate::fake::hubspot::pipelines::Stage) -> String) -> Option<Cow<'a, str>> {
        let stage = self.stored("dealstage")?;
        let pipelines = self.state.pipelines.get(&self.kind)?;
        let stages = pipelines.iter().flat_map(|pipeline| &pipeline.stages);
        stages.into_iter().find(|known| known.id == stage).map(|stage| show(stage).into())
    }
}

fn positive(count: usize) -> Option<Cow<'static, str>> {
    (count > 0).then(|| count.to_string().into())
}

/// Which properties a reply shows, worked out once for a whole page.
#[derive(Debug)]
pub(crate) struct Selection {
    columns: Vec<Column>,
    history: Vec<(String, PropertyId)>,
    associations: Vec<Kind>,
    /// Whether a property without a value shows as `null`.
    nulls: bool,
    url: bool,
}

#[derive(Debug)]
struct Column {
    /// `"name":`, ready to copy.
    key: Vec<u8>,
    property: PropertyId,
    source: Source,
}

impl Selection {
    /// What a read asked for, plus what is always shown; unknown names are left out.
    pub(crate) fn of(shelf: &Shelf, reading: &Reading) -> Self {
        let facts = shelf.kind.facts();
        let mut names: Vec<&str> = reading.properties.iter().map(String::as_str).collect();
        if names.is_empty() && reading.history.is_empty() {
            names.extend(facts.shown);
        }
        names.extend([facts.created, facts.modified, "hs_object_id"]);
        names.extend(reading.history.iter().map(String::as_str));
        let mut selection = Self::named(shelf, names);
        selection.nulls = true;
        selection.url = true;
        selection.associations.clone_from(&reading.associations);
        let known = |name: &String| shelf.catalogue.id(name).map(|id| (name.clone(), id));
        selection.history = reading.history.iter().filter_map(known).collect();
        selection
    }

    /// Everything that has a value.
    pub(crate) fn all(shelf: &Shelf) -> Self {
        Self::named(shelf, shelf.catalogue.iter().map(|(_, definition)| definition.name.as_str()).collect())
    }

    /// Those names, where they have a value, with id and dates.
    pub(crate) fn touched(shelf: &Shelf, names: &[String]) -> Self {
        let facts = shelf.kind.facts();
        let mut all: Vec<&str> = names.iter().map(String::as_str).collect();
        all.extend([facts.created, facts.modified, "hs_object_id"]);
        let mut selection = Self::named(shelf, all);
        selection.nulls = true;
        selection
    }

    /// The same without the record's address in HubSpot's own interface.
    pub(crate) fn without_url(mut self) -> Self {
        self.url = false;
        self
    }

    fn named(shelf: &Shelf, mut names: Vec<&str>) -> Self {
        names.sort_unstable();
        names.dedup();
        let found = names.into_iter().filter_map(|name| shelf.catalogue.find(name));
        let columns = found.map(|(property, definition)| Column::new(property, definition)).collect();
        Self { columns, history: Vec::new(), associations: Vec::new(), nulls: false, url: false }
    }
}

impl Column {
    fn new(property: PropertyId, definition: &Definition) -> Self {
        let mut key = Vec::with_capacity(definition.name.len() + 3);
        json::string(&mut key, &definition.name);
        key.push(b':');
        Self { key, property, source: definition.source }
    }
}

/// Writes one record; `extra` is more of its object's JSON, such as `"new":true`.
pub(crate) fn write_record(out: &mut Vec<u8>, view: View<'_>, selection: &Selection, extra: &str) {
    out.extend_from_slice(b"{\"id\":\"");
    json::number(out, view.id);
    out.extend_from_slice(b"\",\"properties\":{");
    write_properties(out, view, selection);
    out.push(b'}');
    if !selection.history.is_empty() {
        write_history(out, view, &selection.history);
    }
    out.extend_from_slice(b",\"createdAt\":\"");
    moment::write_iso(out, view.record.created);
    out.extend_from_slice(b"\",\"updatedAt\":\"");
    moment::write_iso(out, view.record.modified);
    match view.record.archived_at {
        Some(at) => {
            out.extend_from_slice(b"\",\"archived\":true,\"archivedAt\":\"");
            moment::write_iso(out, at);
            out.push(b'"');
        }
        None => out.extend_from_slice(b"\",\"archived\":false"),
    }
    if !selection.associations.is_empty() {
        write_associations(out, view, &selection.associations);
    }
    if selection.url {
        write_url(out, view);
    }
    if !extra.is_empty() {
        out.push(b',');
        out.extend_from_slice(extra.as_bytes());
    }
    out.push(b'}');
}

fn write_properties(out: &mut Vec<u8>, view: View<'_>, selection: &Selection) {
    let mut first = true;
    for column in &selection.columns {
        let before = out.len();
        if !first {
            out.push(b',');
        }
        out.extend_from_slice(&column.key);
        if !write_value(out, view, column) {
            if !selection.nulls {
                out.truncate(before);
                continue;
            }
            out.extend_from_slice(b"null");
        }
        first = false;
    }
}

/// Writes a value as a string; false when there is none.
fn write_value(out: &mut Vec<u8>, view: View<'_>, column: &Column) -> bool {
    match column.source {
        Source::Created => write_moment(out, view.record.created),
        Source::Modified => write_moment(out, view.record.modified),
        Source::Stored | Source::Owner | Source::Pipeline | Source::Stage | Source::Id | Source::Derived(_) => {
            let Some(value) = view.value(column.property, column.source) else { return false };
            json::string(out, &value);
        }
    }
    true
}

fn write_moment(out: &mut Vec<u8>, ms: i64) {
    out.push(b'"');
    moment::write_iso(out, ms);
    out.push(b'"');
}

fn write_history(out: &mut Vec<u8>, view: View<'_>, wanted: &[(String, PropertyId)]) {
    out.extend_from_slice(b",\"propertiesWithHistory\":{");
    for (count, (name, property)) in wanted.iter().enumerate() {
        if count > 0 {
            out.push(b',');
        }
        json::string(out, name);
        out.push(b':');
        json::array(out, view.record.history(*property), |out, change| write_change(out, &change));
    }
    out.push(b'}');
}

fn write_change(out: &mut Vec<u8>, change: &Change) {
    out.extend_from_slice(b"{\"value\":");
    json::string(out, change.value.as_deref().unwrap_or_default());
    out.extend_from_slice(b",\"timestamp\":");
    write_moment(out, change.at);
    let source = match change.author {
        Author::CrmUser => format!(
            ",\"sourceType\":\"CRM_UI\",\"sourceId\":\"userId:{CRM_USER_ID}\",\"updatedByUserId\":{CRM_USER_ID}}}"
        ),
        Author::Integration => ",\"sourceType\":\"INTEGRATION\",\"sourceId\":\"19083857\"}".to_owned(),
    };
    out.extend_from_slice(source.as_bytes());
}

fn write_associations(out: &mut Vec<u8>, view: View<'_>, wanted: &[Kind]) {
    let start = out.len();
    out.extend_from_slice(b",\"associations\":{");
    let mut any = false;
    for &to in wanted {
        let mut found = view.state.links.of((view.kind, view.id), to);
        let Some(first) = found.next() else { continue };
        if any {
            out.push(b',');
        }
        any = true;
        json::string(out, to.plural());
        out.extend_from_slice(b":{\"results\":");
        let shown = std::iter::once(first).chain(found.by_ref().take(ASSOCIATIONS_SHOWN - 1));
        json::array(out, shown, |out, (id, type_id)| write_association(out, view.kind, to, id, type_id));
        if let Some((next, _)) = found.next() {
            out.extend_from_slice(format!(",\"paging\":{{\"next\":{{\"after\":\"{next}\"}}}}").as_bytes());
        }
        out.push(b'}');
    }
    if any {
        out.push(b'}');
    } else {
        out.truncate(start);
    }
}

/// The v3 name of a type: the primary one is `contact_to_company`, the unlabelled one says so where both exist.
fn write_association(out: &mut Vec<u8>, from: Kind, to: Kind, id: u64, type_id: u16) {
    out.extend_from_slice(b"{\"id\":\"");
    json::number(out, id);
    out.extend_from_slice(b"\",\"type\":\"");
    out.extend_from_slice(from.singular().as_bytes());
    out.extend_from_slice(b"_to_");
    out.extend_from_slice(to.singular().as_bytes());
    let pair = pair_types(from, to);
    if pair.is_some_and(|pair| pair.primary.is_some() && pair.plain == type_id) {
        out.extend_from_slice(b"_unlabeled");
    }
    out.extend_from_slice(b"\"}");
}

fn write_url(out: &mut Vec<u8>, view: View<'_>) {
    out.extend_from_slice(b",\"url\":\"https://app.hubspot.com/contacts/");
    json::number(out, view.state.settings.portal_id);
    out.extend_from_slice(b"/record/");
    out.extend_from_slice(view.kind.type_id().as_bytes());
    out.push(b'/');
    json::number(out, view.id);
    out.push(b'"');
}

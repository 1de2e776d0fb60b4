//! An opportunity's contacts: rows of `OpportunityContactRole`, read, added and taken away.

use std::collections::{BTreeMap, BTreeSet};

use abmatic_sync_core::error::{Error, Result};
use abmatic_sync_core::ids::FieldName;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_http::paging::{Trail, advance};
use abmatic_sync_http::retry::Resend;
use http::Method;
use serde::{Deserialize, Serialize};

use crate::errors::row_error;
use crate::id::long_id;
use crate::object::{CONTACTS_RELATION, Object};
use crate::reader::Reader;
use crate::record::Decoded;
use crate::row::{Contacts, Row, Verb};
use crate::soql::{QUERY_BYTES_MAX, Query, one_of, parts, quoted};
use crate::wire::SaveResult;
use crate::write::{COLLECTION_MAX, Writer};

/// The object's name in paths and queries.
const ROLE: &str = "OpportunityContactRole";
/// What a query takes besides its ids.
const REST_BYTES: usize = 500;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RoleRow {
    id: String,
    opportunity_id: String,
    contact_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RolePage {
    records: Vec<RoleRow>,
    #[serde(default)]
    next_records_url: Option<String>,
}

/// For each opportunity its contacts, and for each of those the ids of its roles: a contact may have several.
pub(crate) type Held = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// The roles of these opportunities.
pub(crate) async fn held(reader: &Reader<'_>, opportunities: Vec<String>) -> Result<Held> {
    let mut held = Held::new();
    for part in parts(opportunities, |id| quoted(id), ",", QUERY_BYTES_MAX - REST_BYTES) {
        let query = Query::new("Id,OpportunityId,ContactId", ROLE).filtered(one_of("OpportunityId", &part));
        let mut answer = reader.api.query(reader.on, reader.operation.clone(), &query.text(), false).await?;
        let mut trail: Option<Trail> = None;
        loop {
            let page: RolePage = answer.json()?;
            for role in page.records {
                let Some(contact) = role.contact_id else { continue };
                let contacts = held.entry(long_id(&role.opportunity_id)).or_default();
                contacts.entry(long_id(&contact)).or_default().push(role.id);
            }
            trail = advance(trail, page.next_records_url).map_err(|error| reader.at(error))?;
            let Some(place) = &trail else { break };
            answer = reader.api.get(reader.on, reader.operation.clone(), place.after(), &[]).await?;
        }
    }
    Ok(held)
}

/// Puts their contacts among the fields of opportunities that were read without.
pub(crate) async fn attach(reader: &Reader<'_>, records: &mut [Decoded]) -> Result<()> {
    let open = |one: &&mut Decoded| one.roles_cut_off || one.record.fields.get(CONTACTS_RELATION).is_none();
    let mut open: Vec<&mut Decoded> = records.iter_mut().filter(open).collect();
    let held = held(reader, open.iter().map(|one| one.record.id.to_string()).collect()).await?;
    for one in &mut open {
        let contacts = held.get(one.record.id.as_str());
        let ids: BTreeSet<String> = contacts.into_iter().flatten().map(|(id, _)| id.clone()).collect();
        let value = if ids.is_empty() { Value::Null } else { Value::Reference(ids) };
        one.record.fields.insert(CONTACTS_RELATION, value);
    }
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewRoles<'a> {
    all_or_none: bool,
    records: Vec<NewRole<'a>>,
}

#[derive(Serialize)]
struct NewRole<'a> {
    attributes: RoleAttributes,
    #[serde(rename = "OpportunityId")]
    opportunity: &'a str,
    #[serde(rename = "ContactId")]
    contact: &'a str,
}

#[derive(Serialize)]
struct RoleAttributes {
    #[serde(rename = "type")]
    kind: &'static str,
}

impl Writer<'_> {
    /// Gives opportunities that were written their contacts, and takes from them those that they are to lose.
    pub(crate) async fn write_roles(&mut self, written: &[Row]) -> Result<()> {
        let rows: Vec<(&Row, &Contacts)> =
            written.iter().filter_map(|row| Some((row, row.contacts.as_ref()?))).collect();
        if rows.iter().all(|(row, contacts)| row.verb == Verb::Create && contacts.after.is_empty()) {
            return Ok(());
        }
        let held = held(&self.reader(), rows.iter().map(|(row, _)| row.key.clone()).collect()).await?;
        let none = BTreeMap::new();
        let (mut added, mut taken) = (Vec::new(), Vec::new());
        for (row, contacts) in rows {
            let held = held.get(&row.key).unwrap_or(&none);
            let missing = contacts.after.iter().filter(|id| !held.contains_key(*id));
            added.extend(missing.map(|contact| (row.at, row.key.as_str(), contact.as_str())));
            // Only what the engine knew of: somebody may have added others since.
            let surplus = contacts.before.difference(&contacts.after).filter_map(|id| held.get(id)).flatten();
            taken.extend(surplus.map(|role| (row.at, role.as_str())));
        }
        self.add_roles(&added).await?;
        self.take_roles(&taken).await
    }

    async fn add_roles(&mut self, added: &[(usize, &str, &str)]) -> Result<()> {
        let path = self.api.version().collections();
        for part in added.chunks(COLLECTION_MAX) {
            let records = part.iter().map(|&(_, opportunity, contact)| NewRole {
                attributes: RoleAttributes { kind: ROLE },
                opportunity,
                contact,
            });
            let body = NewRoles { all_or_none: false, records: records.collect() };
            let to = (Method::POST, path.as_str());
            let answer = self.api.send_json(self.on, self.operation(), to, &body, Resend::Verify).await?;
            self.note_roles(part.iter().map(|(at, _, contact)| (*at, *contact)), answer.json()?);
        }
        Ok(())
    }

    async fn take_roles(&mut self, taken: &[(usize, &str)]) -> Result<()> {
        let path = self.api.version().collections();
        for part in taken.chunks(COLLECTION_MAX) {
            let ids = part.iter().map(|(_, role)| *role).collect::<Vec<_>>().join(",");
            let query = [("ids", ids.as_str()), ("allOrNone", "false")];
            let answer = self.api.delete(self.on, self.operation(), &path, &query).await?;
            self.note_roles(part.iter().copied(), answer.json()?);
        }
        Ok(())
    }

    /// A role that fails leaves a warning: the opportunity itself is written.
    fn note_roles<'r>(&mut self, roles: impl Iterator<Item = (usize, &'r str)>, results: Vec<SaveResult>) {
        for ((at, id), result) in roles.zip(results) {
            let Some(refusal) = result.errors.first().filter(|_| !result.success) else { continue };
            let why = row_error(refusal, Object::Opportunity);
            if let Some(written) = self.written_at(at) {
                written.unwritten.insert(FieldName::from(CONTACTS_RELATION));
                written.warnings.push(format!("{CONTACTS_RELATION} {id}: {why}"));
            }
        }
    }

    /// Nobody knows which contacts were written: the next sync looks.
    pub(crate) fn roles_unwritten(&mut self, written: &[Row], why: &Error) {
        for row in written.iter().filter(|row| row.contacts.is_some()) {
            if let Some(written) = self.written_at(row.at) {
                written.unwritten.insert(FieldName::from(CONTACTS_RELATION));
                written.warnings.push(format!("{CONTACTS_RELATION}: {why}"));
            }
        }
    }
}

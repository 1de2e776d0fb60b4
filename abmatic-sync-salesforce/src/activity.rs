//! Campaign engagement: tasks, and the status of campaign members, both as activities.
//!
//! An activity that names a campaign is a membership: `CampaignId`, `WhoId` (a contact or a lead) and `Status`. Every other
//! one is a task.

use std::collections::BTreeMap;

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::value::Value;
use serde::Deserialize;

use crate::id::long_id;
use crate::object::Object;
use crate::row::{Row, Verb};
use crate::soql::{QUERY_BYTES_MAX, Query, one_of, parts, quoted};
use crate::wire::SaveResult;
use crate::write::Writer;

/// The campaign of a membership.
pub(crate) const CAMPAIGN: &str = "CampaignId";
const CONTACT: &str = "ContactId";
const LEAD: &str = "LeadId";
const WHO: &str = "WhoId";

/// Whether an id is that of a campaign member.
pub(crate) fn is_member(id: &str) -> bool {
    id.starts_with(Object::CampaignMember.prefix())
}

/// The fields of a membership, where an activity is one.
pub(crate) fn membership(object: Object, fields: &Fields) -> Option<Result<Fields>> {
    let named =
        |name: &str| fields.iter().find(|(held, _)| held.as_str().eq_ignore_ascii_case(name)).map(|(_, value)| value);
    if object != Object::Task || named(CAMPAIGN).is_none_or(Value::is_blank) {
        return None;
    }
    let who = named(WHO).map(|value| value.ids().next().map_or_else(|| value.to_string(), str::to_owned));
    let field = match who.as_deref() {
        Some(id) if id.starts_with(Object::Contact.prefix()) => CONTACT,
        Some(id) if id.starts_with(Object::Lead.prefix()) => LEAD,
        _ => {
            let message = "a campaign member is a contact or a lead: \"WhoId\" has to name one";
            let error = Error::invalid(ErrorCode::RequiredFieldMissing, message).with_fields(vec![WHO.to_owned()]);
            return Some(Err(error));
        }
    };
    let member = [CAMPAIGN, "Status"].into_iter().filter_map(|name| Some((name, named(name)?.clone())));
    let mut member: Fields = member.collect();
    member.insert(field, Value::reference(long_id(who.as_deref().unwrap_or_default())));
    Some(Ok(member))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MemberRow {
    id: String,
    campaign_id: String,
    contact_id: Option<String>,
    lead_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct MemberPage {
    records: Vec<MemberRow>,
}

/// Memberships that are there already have their status set: a person is in a campaign once.
pub(crate) async fn settle_members(writer: &mut Writer<'_>, rows: Vec<Row>) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let held = match memberships(writer, &rows).await {
        Ok(held) => held,
        Err(error) => return writer.fail_all(&rows, &error),
    };
    let mut updates = Vec::new();
    for mut row in rows {
        match person(&row).and_then(|(_, who)| held.get(&(campaign(&row), who))) {
            Some(id) => {
                row.key.clone_from(id);
                row.verb = Verb::Update;
                row.cells.retain(|name, _| name.eq_ignore_ascii_case("Status"));
                updates.push(row);
            }
            None => {
                let message = "the person is in the campaign already, but the membership is not to be seen";
                writer.fail(row.at, Error::invalid(ErrorCode::DuplicateValue, message));
            }
        }
    }
    let (rows, unchanged): (Vec<Row>, Vec<Row>) = updates.into_iter().partition(|row| !row.cells.is_empty());
    unchanged.into_iter().for_each(|row| writer.wrote(row, &SaveResult::default()));
    Box::pin(writer.in_collections(rows)).await
}

/// The memberships of these rows' campaigns and people, by both.
async fn memberships(writer: &Writer<'_>, rows: &[Row]) -> Result<BTreeMap<(String, String), String>> {
    let mut held = BTreeMap::new();
    for field in [CONTACT, LEAD] {
        let of_field = |row: &&Row| person(row).is_some_and(|(held, _)| held == field);
        let people: Vec<(String, String)> =
            rows.iter().filter(of_field).filter_map(|row| Some((campaign(row), person(row)?.1))).collect();
        for part in parts(people, |(campaign, who)| quoted(campaign) + &quoted(who), ",,", QUERY_BYTES_MAX - 500) {
            let (campaigns, people): (Vec<String>, Vec<String>) = part.into_iter().unzip();
            let query = Query::new("Id,CampaignId,ContactId,LeadId", Object::CampaignMember.name())
                .filtered(one_of(CAMPAIGN, &campaigns))
                .filtered(one_of(field, &people));
            let answer = writer.api.query(writer.on, writer.operation(), &query.text(), false).await?;
            for member in answer.json::<MemberPage>()?.records {
                let who = member.contact_id.or(member.lead_id).unwrap_or_default();
                held.insert((long_id(&member.campaign_id), long_id(&who)), long_id(&member.id));
            }
        }
    }
    Ok(held)
}

fn campaign(row: &Row) -> String {
    row.cells.get(CAMPAIGN).and_then(|cell| cell.text()).unwrap_or_default().to_owned()
}

fn person(row: &Row) -> Option<(&'static str, String)> {
    [CONTACT, LEAD].into_iter().find_map(|field| Some((field, row.cells.get(field)?.text()?.to_owned())))
}

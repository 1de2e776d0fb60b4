//! Conversion of leads, which only the interface, SOAP and Apex can do: an account, a contact, an opportunity.

use crate::fake::moment;
use crate::fake::packed::FieldId;
use crate::fake::salesforce::checks::{self, is_converted};
use crate::fake::salesforce::draft::Changes;
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::store;
use crate::fake::salesforce::turn::Turn;

/// Days until a new opportunity is to close.
const CLOSE_DAYS: i64 = 30;

/// Fields of the lead, and those of the account and of the contact that take them.
const TO_ACCOUNT: &[(&str, &str)] = &[
    ("Company", "Name"),
    ("Website", "Website"),
    ("Phone", "Phone"),
    ("Industry", "Industry"),
    ("AnnualRevenue", "AnnualRevenue"),
    ("NumberOfEmployees", "NumberOfEmployees"),
    ("City", "BillingCity"),
    ("Country", "BillingCountry"),
    ("OwnerId", "OwnerId"),
];
const TO_CONTACT: &[(&str, &str)] = &[
    ("FirstName", "FirstName"),
    ("LastName", "LastName"),
    ("Email", "Email"),
    ("Title", "Title"),
    ("Phone", "Phone"),
    ("MobilePhone", "MobilePhone"),
    ("City", "MailingCity"),
    ("Country", "MailingCountry"),
    ("LeadSource", "LeadSource"),
    ("OwnerId", "OwnerId"),
];

/// Into which records a lead is converted: numbers of existing ones, and the name of a new opportunity.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Into<'a> {
    pub(crate) account: Option<u64>,
    pub(crate) contact: Option<u64>,
    pub(crate) opportunity: Option<&'a str>,
}

/// Numbers of the account, the contact and the opportunity.
pub(crate) type Converted = (u64, u64, Option<u64>);

/// Converts a live lead; `None` where there is none, or where it has been converted.
pub(crate) fn convert(state: &mut State, turn: &Turn, lead: u64, into: Into<'_>) -> Option<Converted> {
    let leads = state.shelf(Kind::LEAD);
    let record = leads.live(lead)?;
    if is_converted(leads, record) {
        return None;
    }
    let account = fill(state, turn, lead, (Kind::ACCOUNT, into.account), TO_ACCOUNT, &[])?;
    let account_id = state.shelf(Kind::ACCOUNT).id(account);
    let contact = fill(state, turn, lead, (Kind::CONTACT, into.contact), TO_CONTACT, &[("AccountId", &account_id)])?;
    let opportunity = match into.opportunity {
        Some(name) => {
            let close = moment::date(turn.now + CLOSE_DAYS * moment::DAY_MS);
            let fixed =
                [("Name", name), ("AccountId", &account_id), ("StageName", "Prospecting"), ("CloseDate", &close)];
            fill(state, turn, lead, (Kind::OPPORTUNITY, None), &[("OwnerId", "OwnerId")], &fixed)
        }
        None => None,
    };
    let done = [
        ("IsConverted", Some("true".to_owned())),
        ("Status", Some("Closed - Converted".to_owned())),
        ("ConvertedDate", Some(moment::date(turn.now))),
        ("ConvertedAccountId", Some(account_id)),
        ("ConvertedContactId", Some(state.shelf(Kind::CONTACT).id(contact))),
        ("ConvertedOpportunityId", opportunity.map(|number| state.shelf(Kind::OPPORTUNITY).id(number))),
    ];
    let catalogue = &state.shelf(Kind::LEAD).catalogue;
    let changes: Changes = done.into_iter().filter_map(|(name, value)| Some((catalogue.id(name)?, value))).collect();
    store::update(state, turn, Kind::LEAD, lead, &changes);
    Some((account, contact, opportunity))
}

/// Makes a record from the lead, or fills the empty fields of the one that is there.
fn fill(
    state: &mut State,
    turn: &Turn,
    lead: u64,
    (kind, target): (Kind, Option<u64>),
    map: &[(&str, &str)],
    fixed: &[(&str, &str)],
) -> Option<u64> {
    let (leads, shelf) = (state.shelf(Kind::LEAD), state.shelf(kind));
    let record = leads.live(lead)?;
    let before = match target {
        Some(number) => Some(shelf.live(number)?),
        None => None,
    };
    let from_lead = map.iter().filter_map(|(from, to)| {
        let value = record.values.get(leads.catalogue.id(from)?)?;
        Some((shelf.catalogue.id(to)?, value))
    });
    let given = fixed.iter().filter_map(|(name, value)| Some((shelf.catalogue.id(name)?, *value)));
    let is_empty = |field: FieldId| before.is_none_or(|record| record.values.get(field).is_none());
    let filled = from_lead.chain(given).filter(|(field, _)| is_empty(*field));
    let mut changes: Changes = filled.map(|(field, value)| (field, Some(value.to_owned()))).collect();
    checks::derive(state, turn, kind, target, &mut changes);
    Some(match target {
        Some(number) => {
            store::update(state, turn, kind, number, &changes);
            number
        }
        None => store::create(state, turn, kind, &changes),
    })
}

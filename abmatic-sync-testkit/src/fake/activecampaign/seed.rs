//! An account as accounts are: contacts of all sorts, a seventh as many accounts and deals, a list, a tag, custom fields.

use serde_json::{Value, json};

use crate::fake::activecampaign::contacts;
use crate::fake::activecampaign::deals::add_group;
use crate::fake::activecampaign::state::{
    Account, Association, Contact, Datum, Deal, Field, FieldValue, Membership, Meta, State, Tag, Tagging,
};
use crate::fake::mess;
use crate::fake::words::{FIRST_NAMES, JOB_TITLES, LAST_NAMES};

/// Fields that every account has by default: label, type, options.
const ACCOUNT_FIELDS: &[(&str, &str, &[&str])] = &[
    ("Description", "textarea", &[]),
    ("Address 1", "text", &[]),
    ("Address 2", "text", &[]),
    ("City", "text", &[]),
    ("State/Province", "text", &[]),
    ("Postal Code", "text", &[]),
    ("Country", "text", &[]),
    ("Phone Number", "text", &[]),
    ("Number of Employees", "dropdown", &["1 - 10", "11 - 50", "51 - 200", "201 - 500", "501 - 1000", "1000+"]),
    ("Annual Revenue", "currency", &[]),
    ("Industry/Vertical", "dropdown", &["Banking", "Healthcare", "Manufacturing", "Retail", "Software"]),
];
const PLANS: [&str; 3] = ["Basic", "Plus", "Enterprise"];
/// The numbers of fields above, and of the deals' own.
const SIZE: u64 = 9;
const INDUSTRY: u64 = 11;
const PLAN: u64 = 2;
const SOURCE: u64 = 1;

/// What is in every account, however empty.
pub(crate) fn furnish(state: &mut State, now: i64) {
    for (place, (label, kind, options)) in ACCOUNT_FIELDS.iter().enumerate() {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let known = Some(place as u64 + 1);
        state.account_fields.meta.add(Meta {
            label: (*label).to_owned(),
            kind: (*kind).to_owned(),
            options,
            known,
            created: now,
        });
    }
    let source = ["Inbound", "Outbound", "Partner"].map(str::to_owned).to_vec();
    let field = |label: &str, kind: &str, options: Vec<String>| Meta {
        label: label.to_owned(),
        kind: kind.to_owned(),
        options,
        known: None,
        created: now,
    };
    state.deal_fields.meta.add(field("Source", "dropdown", source));
    state.deal_fields.meta.add(field("Expected Close", "date", Vec::new()));
    let language = [("en", "English"), ("de", "German")].map(|(value, label)| (value.to_owned(), label.to_owned()));
    let plans = PLANS.map(|plan| (plan.to_owned(), plan.to_owned()));
    for (title, kind, options) in [
        ("Preferred Language", "dropdown", language.to_vec()),
        ("Plan", "dropdown", plans.to_vec()),
        ("Interests", "listbox", ["Ads", "Email", "SMS"].map(|one| (one.to_owned(), one.to_owned())).to_vec()),
        ("Renewal", "date", Vec::new()),
        ("Seats", "number", Vec::new()),
    ] {
        let tag = title.to_uppercase().replace(' ', "_");
        state.fields.add(Field { title: title.to_owned(), kind: kind.to_owned(), tag, options, created: now });
    }
    add_group(state, now, "Sales", "usd");
    state.lists.add("Newsletter".to_owned());
    state.tags.add(Tag { tag: "customer".to_owned(), created: now });
}

/// Fills the account.
pub(crate) fn seed(state: &mut State, contacts: usize, now: i64) {
    let mut dice = state.dice.clone();
    let companies: Vec<(String, String)> =
        (0..contacts.div_ceil(7)).map(|number| mess::company(&mut dice, number)).collect();
    for (number, (name, domain)) in companies.iter().enumerate() {
        let at = now - 86_400_000 * (1 + number as i64 % 300);
        let url = Some(mess::website(&mut dice, domain)).filter(|url| !url.is_empty());
        // A name is one account's alone.
        let account =
            Account { name: format!("{name} {number}"), url, owner: "1".to_owned(), created: at, updated: at };
        let id = state.accounts.add(account);
        let datum = |field: u64, value: Value| Datum { of: id, field, value, currency: None, created: at, updated: at };
        if dice.chance(60) {
            let size = dice.pick(ACCOUNT_FIELDS[8].2);
            state.account_fields.data.add(datum(SIZE, size.into()));
        }
        if dice.chance(60) {
            let industry = dice.pick(ACCOUNT_FIELDS[10].2);
            state.account_fields.data.add(datum(INDUSTRY, industry.into()));
        }
    }
    for number in 0..contacts {
        let at = now - 3_600_000 * (1 + number as i64 % 9_000);
        let (first, last) = (dice.pick(FIRST_NAMES), dice.pick(LAST_NAMES));
        let company = (!dice.chance(20)).then_some(number / 7);
        let domain = company.and_then(|place| companies.get(place)).map(|(_, domain)| domain.as_str());
        let email = mess::email((first, last), domain, number);
        let phone = if dice.chance(40) { mess::phone(&mut dice) } else { String::new() };
        let (first_name, last_name) = (first.to_owned(), last.to_owned());
        let contact = Contact { email, first_name, last_name, phone, created: at, updated: at };
        let contact = contacts::insert(state, contact);
        if let Some(place) = company {
            let job_title = if dice.chance(70) { dice.pick(JOB_TITLES) } else { "" }.to_owned();
            let account = place as u64 + 1;
            state.associations.add(Association { account, contact, job_title, created: at, updated: at });
        }
        if dice.chance(30) {
            let value = dice.pick(&PLANS).to_owned();
            state.field_values.add(FieldValue { contact, field: PLAN, value, created: at, updated: at });
        }
        if dice.chance(25) {
            state.memberships.add(Membership { list: 1, contact, status: "1".to_owned(), since: at });
        }
        if dice.chance(10) {
            state.taggings.add(Tagging { tag: 1, contact, created: at });
        }
        if number % 7 == 0 {
            deal(state, &mut dice, contact, company.map(|place| place as u64 + 1), at);
        }
    }
    state.dice = dice;
}

fn deal(state: &mut State, dice: &mut crate::fake::dice::Dice, contact: u64, account: Option<u64>, at: i64) {
    let value = i64::try_from(dice.below(10_000_000)).unwrap_or(0);
    let status = dice.pick(&["0", "0", "0", "1", "2"]).to_owned();
    let deal = state.deals.add(Deal {
        title: format!("Deal {contact}"),
        value,
        currency: "usd".to_owned(),
        contact: Some(contact),
        account,
        group: 1,
        stage: 1 + dice.below(3),
        owner: "1".to_owned(),
        percent: "0".to_owned(),
        status,
        description: String::new(),
        created: at,
        modified: at,
        disabled: false,
    });
    if dice.chance(50) {
        let value = json!(dice.pick(&["Inbound", "Outbound", "Partner"]));
        state.deal_fields.data.add(Datum { of: deal, field: SOURCE, value, currency: None, created: at, updated: at });
    }
}

//! A messy account: what people, imports and old integrations leave behind, the same for the same seed.

use crate::fake::dice::Dice;
use crate::fake::hubspot::kind::Kind;
use crate::fake::hubspot::links::{CHILD_TO_PARENT, TypeId};
use crate::fake::hubspot::lists;
use crate::fake::hubspot::record::{PropertyId, Record};
use crate::fake::hubspot::state::State;
use crate::fake::mess;
use crate::fake::moment::{self, DAY_MS};
use crate::fake::packed::Values;
use crate::fake::words::{CITIES, DEAL_WORDS, FIRST_NAMES, INDUSTRIES, JOB_TITLES, LAST_NAMES, LIFECYCLES, TYPES};

/// How far back the records go.
const DAYS: u64 = 730;
/// Contacts for each company and each deal.
const CONTACTS_PER_COMPANY: usize = 7;

/// Seeds `contacts` contacts, a seventh as many companies and deals, and two lists.
pub(crate) fn seed(state: &mut State, contacts: usize, now: i64) {
    if contacts == 0 {
        return;
    }
    // Midnight, so that two fakes of one day and one seed are equal.
    let today = now.div_euclid(DAY_MS) * DAY_MS;
    let mut dice = state.dice.clone();
    let fewer = contacts.div_ceil(CONTACTS_PER_COMPANY);
    let companies = seed_companies(state, &mut dice, fewer, today);
    let people = seed_contacts(state, &mut dice, contacts, &companies, today);
    seed_deals(state, &mut dice, fewer, &companies, &people, today);
    seed_list(state, Kind::CONTACTS, "Webinar attendees", people.iter().step_by(5), today);
    seed_list(state, Kind::COMPANIES, "Target accounts", companies.iter().map(|company| &company.id).step_by(4), today);
    state.dice = dice;
}

struct Company {
    id: u64,
    name: String,
    /// Without `www.` and the like, for the e-mails of its people.
    domain: String,
}

/// Collects one record's values by name.
struct Sheet<'a> {
    state: &'a State,
    kind: Kind,
    pairs: Vec<(PropertyId, String)>,
}

impl<'a> Sheet<'a> {
    fn new(state: &'a State, kind: Kind) -> Self {
        Self { state, kind, pairs: Vec::with_capacity(16) }
    }

    fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        if let (Some(id), false) = (self.state.shelf(self.kind).catalogue.any_id(name), value.is_empty()) {
            self.pairs.push((id, value));
        }
    }

    fn pack(self) -> Values {
        Values::pack(self.pairs.iter().map(|(id, value)| (*id, value.as_str())).collect())
    }
}

/// Stores a seeded record with dates of the past two years, known to the search index from the start.
fn store(state: &mut State, dice: &mut Dice, kind: Kind, values: Values, today: i64) -> u64 {
    let ago = |dice: &mut Dice, days: u64| i64::try_from(dice.below(days * 86_400_000)).unwrap_or(0);
    let created = today - ago(dice, DAYS);
    let mut record = Record::new(created, values);
    let life = u64::try_from(today - created).unwrap_or(0).max(1);
    record.modified = created + i64::try_from(dice.below(life)).unwrap_or(0);
    let step = 1 + dice.below(3);
    let shelf = state.shelf_mut(kind);
    let id = shelf.take_id(step);
    shelf.claim(id, &record.values);
    shelf.live.insert(id, record);
    id
}

fn seed_companies(state: &mut State, dice: &mut Dice, count: usize, today: i64) -> Vec<Company> {
    let mut companies: Vec<Company> = Vec::with_capacity(count);
    for number in 0..count {
        let twin = companies.get(usize::try_from(dice.below(number as u64)).unwrap_or(0)).filter(|_| dice.chance(8));
        let (name, domain) = match twin {
            Some(twin) => (messy_case(dice, &twin.name), twin.domain.clone()),
            None => mess::company(dice, number),
        };
        let values = company_values(state, dice, &name, &domain);
        let id = store(state, dice, Kind::COMPANIES, values, today);
        if let Some(parent) = companies.last().filter(|_| dice.chance(5)) {
            state.links.add((Kind::COMPANIES, id), (Kind::COMPANIES, parent.id), CHILD_TO_PARENT);
        }
        companies.push(Company { id, name, domain });
    }
    companies
}

/// The same domain as imports and old integrations have written it.
fn messy_domain(dice: &mut Dice, domain: &str) -> String {
    match dice.below(20) {
        0 => format!("www.{domain}"),
        1 => format!("https://{domain}/en/about"),
        2 => format!("{domain}."),
        3 => domain.to_uppercase(),
        4 => String::new(),
        _ => domain.to_owned(),
    }
}

fn messy_website(dice: &mut Dice, domain: &str) -> String {
    match dice.below(16) {
        0 => format!("http://www.{domain}:8080/index.html?utm_source=hubspot#top"),
        1 => "n/a".to_owned(),
        2 => "http://".to_owned(),
        3 => "coming soon".to_owned(),
        4 | 5 => String::new(),
        6 => format!("HTTPS://WWW.{}/", domain.to_uppercase()),
        _ => format!("https://www.{domain}"),
    }
}

fn messy_case(dice: &mut Dice, text: &str) -> String {
    match dice.below(3) {
        0 => text.to_uppercase(),
        1 => format!("  {text} "),
        _ => text.to_owned(),
    }
}

fn company_values(state: &State, dice: &mut Dice, name: &str, domain: &str) -> Values {
    let mut sheet = Sheet::new(state, Kind::COMPANIES);
    sheet.set("name", name);
    sheet.set("domain", messy_domain(dice, domain));
    sheet.set("website", messy_website(dice, domain));
    if dice.chance(85) {
        sheet.set("industry", dice.pick(INDUSTRIES));
    }
    if dice.chance(80) {
        sheet.set("numberofemployees", (1 + dice.below(10) * dice.below(900)).to_string());
    }
    if dice.chance(70) {
        sheet.set("annualrevenue", (dice.below(500) * 100_000).to_string());
    }
    if dice.chance(75) {
        sheet.set("type", dice.pick(TYPES));
    }
    if dice.chance(40) {
        sheet.set("hs_is_target_account", if dice.chance(30) { "true" } else { "false" });
    }
    let (city, country) = dice.pick(CITIES);
    sheet.set("city", city);
    sheet.set("country", country);
    sheet.set("lifecyclestage", dice.pick(LIFECYCLES));
    sheet.set("hubspot_owner_id", owner(state, dice));
    sheet.set("hs_object_source", "IMPORT");
    sheet.set("hs_object_source_label", "IMPORT");
    sheet.pack()
}

/// An owner, or none; some records still belong to one who has left.
fn owner(state: &State, dice: &mut Dice) -> &'static str {
    let at = usize::try_from(dice.below(state.owners.len() as u64 + 2)).unwrap_or(0);
    state.owners.get(at).map(|owner| owner.id).unwrap_or_default()
}

fn seed_contacts(state: &mut State, dice: &mut Dice, count: usize, companies: &[Company], today: i64) -> Vec<u64> {
    let mut people = Vec::with_capacity(count);
    for number in 0..count {
        let at = usize::try_from(dice.below(companies.len() as u64)).unwrap_or(0);
        let company = companies.get(at).filter(|_| dice.chance(92));
        let values = contact_values(state, dice, company, number);
        let id = store(state, dice, Kind::CONTACTS, values, today);
        if let Some(company) = company {
            state.links.add((Kind::CONTACTS, id), (Kind::COMPANIES, company.id), 279);
        }
        if dice.chance(3) {
            let second = companies.get(usize::try_from(dice.below(companies.len() as u64)).unwrap_or(0));
            if let Some(second) = second {
                state.links.add((Kind::CONTACTS, id), (Kind::COMPANIES, second.id), 279);
            }
        }
        people.push(id);
    }
    people
}

fn contact_values(state: &State, dice: &mut Dice, company: Option<&Company>, number: usize) -> Values {
    let (first, last) = (dice.pick(FIRST_NAMES), dice.pick(LAST_NAMES));
    let mut sheet = Sheet::new(state, Kind::CONTACTS);
    let email = email(dice, first, last, company, number);
    let nameless = !email.is_empty() && dice.chance(4);
    sheet.set("email", email);
    if !nameless {
        sheet.set("firstname", first);
        sheet.set("lastname", if dice.chance(2) { format!(" {last} ") } else { last.to_owned() });
    }
    if dice.chance(75) {
        sheet.set("jobtitle", dice.pick(JOB_TITLES));
    }
    if dice.chance(60) {
        sheet.set("phone", phone(dice));
    }
    if let Some(company) = company.filter(|_| dice.chance(80)) {
        sheet.set("company", company.name.as_str());
    }
    let (city, country) = dice.pick(CITIES);
    if dice.chance(65) {
        sheet.set("city", city);
        sheet.set("country", country);
    }
    sheet.set("lifecyclestage", dice.pick(LIFECYCLES));
    if dice.chance(50) {
        sheet.set("hubspot_owner_id", owner(state, dice));
    }
    sheet.set("hs_object_source", "IMPORT");
    sheet.pack()
}

fn email(dice: &mut Dice, first: &str, last: &str, company: Option<&Company>, number: usize) -> String {
    if dice.chance(6) {
        return String::new();
    }
    let plain = |name: &str| name.to_lowercase().replace([' ', '\''], "");
    let domain = company.map_or("gmail.com", |company| company.domain.as_str());
    let (first, last) = (plain(first), plain(last));
    let local: String = format!("{first}.{last}{number}").chars().filter(char::is_ascii).collect();
    if dice.chance(3) {
        // Kept from before HubSpot lower-cased addresses.
        return format!("{}@{}", local.to_ascii_uppercase(), domain);
    }
    format!("{local}@{domain}")
}

fn phone(dice: &mut Dice) -> String {
    let (area, line) = (200 + dice.below(700), dice.below(10_000_000));
    match dice.below(4) {
        0 => format!("+1{area}{line:07}"),
        1 => format!("({area}) {:03}-{:04}", line / 10_000, line % 10_000),
        2 => format!("+49 {area} {line}"),
        _ => format!("{area}.{:03}.{:04} ext. {}", line / 10_000, line % 10_000, dice.below(100)),
    }
}

fn seed_deals(state: &mut State, dice: &mut Dice, count: usize, companies: &[Company], people: &[u64], today: i64) {
    let stages: Vec<&str> = state
        .pipelines
        .get(&Kind::DEALS)
        .and_then(|pipelines| pipelines.first())
        .map(|pipeline| pipeline.stages.iter().map(|stage| stage.id).collect())
        .unwrap_or_default();
    for _ in 0..count {
        let company = companies.get(usize::try_from(dice.below(companies.len() as u64)).unwrap_or(0));
        let mut sheet = Sheet::new(state, Kind::DEALS);
        let name = company.map_or("Unknown", |company| company.name.as_str());
        sheet.set("dealname", format!("{name} – {}", dice.pick(DEAL_WORDS)));
        sheet.set("pipeline", "default");
        sheet.set("dealstage", dice.pick(&stages));
        if dice.chance(85) {
            sheet.set("amount", format!("{}.{:02}", dice.below(250_000), dice.below(100)));
        }
        if dice.chance(80) {
            let days = i64::try_from(dice.below(365)).unwrap_or(0);
            sheet.set("closedate", moment::iso(today + (days - 180) * DAY_MS));
        }
        sheet.set("dealtype", if dice.chance(70) { "newbusiness" } else { "existingbusiness" });
        sheet.set("hubspot_owner_id", owner(state, dice));
        let values = sheet.pack();
        let id = store(state, dice, Kind::DEALS, values, today);
        if let Some(company) = company {
            link(state, id, Kind::COMPANIES, company.id, 341);
        }
        for _ in 0..dice.below(4) {
            if let Some(person) = people.get(usize::try_from(dice.below(people.len() as u64)).unwrap_or(0)) {
                link(state, id, Kind::CONTACTS, *person, 3);
            }
        }
    }
}

fn link(state: &mut State, deal: u64, to: Kind, id: u64, type_id: TypeId) {
    state.links.add((Kind::DEALS, deal), (to, id), type_id);
}

fn seed_list<'a>(state: &mut State, kind: Kind, name: &str, members: impl Iterator<Item = &'a u64>, today: i64) {
    let id = lists::add(state, kind, name, "MANUAL", today - 30 * DAY_MS);
    if let Some(list) = state.lists.get_mut(&id) {
        list.members = members.map(|member| (*member, today - DAY_MS)).collect();
    }
}

//! A messy company: what people, imports and old integrations leave behind, the same for the same seed.

use serde_json::{Value, json};

use crate::fake::dice::Dice;
use crate::fake::mess;
use crate::fake::moment::{DAY_MS, date};
use crate::fake::pipedrive::draft::Draft;
use crate::fake::pipedrive::field::Field;
use crate::fake::pipedrive::fields;
use crate::fake::pipedrive::filters;
use crate::fake::pipedrive::kind::Kind;
use crate::fake::pipedrive::state::State;
use crate::fake::pipedrive::store::{add_defaults, new_record, seconds};
use crate::fake::words::{CITIES, DEAL_WORDS, FIRST_NAMES, JOB_TITLES, LAST_NAMES};

/// How far back the records go.
const DAYS: u64 = 730;
/// Persons for each organization and each deal.
const PERSONS_PER_ORGANIZATION: usize = 7;

/// How many records to seed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Amounts {
    pub(crate) persons: usize,
    /// A seventh of the persons unless it is set.
    pub(crate) organizations: Option<usize>,
}

struct Seeder {
    dice: Dice,
    today: i64,
}

struct Company {
    id: u64,
    name: String,
    domain: String,
}

/// The custom fields of a seeded company.
struct Custom {
    tier: String,
    target: String,
    title: String,
    source: String,
}

/// Seeds custom fields, organizations, persons, deals and a filter.
pub(crate) fn seed(state: &mut State, amounts: Amounts, now: i64) {
    let fewer = amounts.persons.div_ceil(PERSONS_PER_ORGANIZATION);
    let organizations = amounts.organizations.unwrap_or(fewer);
    if amounts.persons == 0 && organizations == 0 {
        return;
    }
    // Midnight, so that two fakes of one day and one seed are equal.
    let today = now.div_euclid(DAY_MS) * DAY_MS;
    let custom = custom_fields(state, today);
    let mut seeder = Seeder { dice: state.dice.clone(), today };
    let companies = seeder.organizations(state, organizations, &custom);
    let people = seeder.persons(state, amounts.persons, &companies, &custom);
    seeder.deals(state, fewer, &companies, &people, &custom);
    state.dice = seeder.dice;
    save_filter(state, &custom, today);
}

fn custom_fields(state: &mut State, today: i64) -> Custom {
    let mut add = |kind, field: &Field| fields::add_custom(state, kind, field, today).unwrap_or_default();
    let tiers = ["Tier 1", "Tier 2", "Tier 3"];
    Custom {
        tier: add(Kind::Organization, &Field::new("Tier", "enum").with_options(&tiers)),
        target: add(Kind::Organization, &Field::new("Target account", "enum").with_options(&["Yes", "No"])),
        title: add(Kind::Person, &Field::new("Job title", "varchar")),
        source: add(Kind::Deal, &Field::new("Campaigns", "set").with_options(&["Webinar", "Fair", "Newsletter"])),
    }
}

fn save_filter(state: &mut State, custom: &Custom, today: i64) {
    let found = state.shelf(Kind::Organization).catalogue.by_code(&custom.target);
    let Some((_, field)) = found else { return };
    let yes = field.choices.iter().flatten().next().map(|choice| choice.id.to_string());
    let one = json!({
        "object": "organization", "field_id": field.number.to_string(), "operator": "=", "value": yes,
    });
    let conditions = json!({"glue": "and", "conditions": [
        {"glue": "and", "conditions": [one]}, {"glue": "or", "conditions": []},
    ]});
    if let Ok(groups) = filters::groups(state, &conditions) {
        filters::add(state, Kind::Organization, "Target accounts", groups, today);
    }
}

/// A record that is being filled in.
struct Sheet<'a> {
    state: &'a State,
    kind: Kind,
    draft: Draft,
}

impl<'a> Sheet<'a> {
    fn new(state: &'a State, kind: Kind) -> Self {
        Self { state, kind, draft: Draft::default() }
    }

    /// Sets a value, unless the account has no such field.
    fn set(&mut self, key: &str, value: impl Into<Value>) {
        if let Some((id, _)) = self.state.shelf(self.kind).catalogue.by_key(key) {
            self.draft.set(id, value.into());
        }
    }

    /// Sets one of a choice's options.
    fn pick(&mut self, dice: &mut Dice, key: &str) {
        let Some((id, field)) = self.state.shelf(self.kind).catalogue.by_key(key) else { return };
        let count = field.choices.as_ref().map_or(0, Vec::len);
        let at = usize::try_from(dice.below(count as u64)).unwrap_or(0);
        let choice = field.choices.iter().flatten().nth(at);
        let option = choice.and_then(|choice| choice.id.to_string().parse::<u64>().ok());
        if let Some(option) = option {
            let many = matches!(field.type_name, "set");
            self.draft.set(id, if many { json!([option]) } else { json!(option) });
        }
    }
}

impl Seeder {
    /// Puts a record on its shelf, with a time of its own.
    fn store(&mut self, state: &mut State, kind: Kind, mut draft: Draft) -> u64 {
        let ago = |dice: &mut Dice, ms: u64| i64::try_from(dice.below(ms)).unwrap_or(0);
        let created = self.today - DAY_MS - ago(&mut self.dice, DAYS * 86_400_000);
        let life = u64::try_from(self.today - created).unwrap_or(0).max(1);
        add_defaults(state, kind, &mut draft, seconds(created));
        let mut record = new_record(state, kind, &draft, seconds(created));
        record.updated = Some(seconds(created + ago(&mut self.dice, life)));
        if self.dice.chance(1) {
            record.updated = None;
        }
        state.shelf_mut(kind).insert(record)
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.dice.below(length as u64)).unwrap_or(0)
    }

    fn owner(&mut self, state: &State) -> u64 {
        let at = self.index(state.users.len());
        state.users.get(at).map_or(state.me, |user| user.id)
    }

    fn organizations(&mut self, state: &mut State, count: usize, custom: &Custom) -> Vec<Company> {
        let mut companies: Vec<Company> = Vec::with_capacity(count);
        for number in 0..count {
            let twin = self.index(number);
            let twin = companies.get(twin).filter(|_| self.dice.chance(8));
            let (name, domain) = match twin {
                Some(twin) => (twin.name.to_uppercase(), twin.domain.clone()),
                None => mess::company(&mut self.dice, number),
            };
            let owner = self.owner(state);
            let draft = self.organization(state, (&name, &domain), owner, custom);
            companies.push(Company { id: self.store(state, Kind::Organization, draft), name, domain });
        }
        companies
    }

    fn organization(&mut self, state: &State, (name, domain): (&str, &str), owner: u64, custom: &Custom) -> Draft {
        let mut sheet = Sheet::new(state, Kind::Organization);
        sheet.set("name", name);
        sheet.set("owner_id", owner);
        let website = mess::website(&mut self.dice, domain);
        if !website.is_empty() {
            sheet.set("website", website);
        }
        if self.dice.chance(85) {
            sheet.pick(&mut self.dice, "industry");
        }
        if self.dice.chance(80) {
            sheet.set("employee_count", 1 + self.dice.below(10) * self.dice.below(900));
        }
        if self.dice.chance(60) {
            sheet.set("annual_revenue", self.dice.below(500) * 100_000);
        }
        if self.dice.chance(70) {
            let (city, country) = self.dice.pick(CITIES);
            sheet.set(
                "address",
                json!({
                    "value": format!("{city}, {country}"), "country": country, "admin_area_level_1": null,
                    "admin_area_level_2": null, "locality": city, "sublocality": null, "route": null,
                    "street_number": null, "subpremise": null, "postal_code": null,
                }),
            );
        }
        if self.dice.chance(40) {
            sheet.pick(&mut self.dice, &custom.tier);
        }
        sheet.pick(&mut self.dice, &custom.target);
        sheet.draft
    }

    fn persons(&mut self, state: &mut State, count: usize, companies: &[Company], custom: &Custom) -> Vec<u64> {
        let mut people = Vec::with_capacity(count);
        for number in 0..count {
            let company = self.index(companies.len());
            let company = companies.get(company).filter(|_| self.dice.chance(92));
            let owner = self.owner(state);
            let draft = self.person(state, company, (number, owner), custom);
            people.push(self.store(state, Kind::Person, draft));
        }
        people
    }

    fn person(
        &mut self,
        state: &State,
        company: Option<&Company>,
        (number, owner): (usize, u64),
        custom: &Custom,
    ) -> Draft {
        let mut sheet = Sheet::new(state, Kind::Person);
        let (first, last) = (self.dice.pick(FIRST_NAMES), self.dice.pick(LAST_NAMES));
        let nameless = self.dice.chance(5);
        sheet.set("name", if nameless { last.to_owned() } else { format!("{first} {last}") });
        sheet.set("first_name", if nameless { last } else { first });
        if !nameless {
            sheet.set("last_name", last);
        }
        sheet.set("owner_id", owner);
        if let Some(company) = company {
            sheet.set("org_id", company.id);
        }
        if self.dice.chance(94) {
            let work = mess::email((first, last), company.map(|company| company.domain.as_str()), number);
            let mut emails = vec![json!({"label": "work", "value": work, "primary": true})];
            if self.dice.chance(12) {
                let home = mess::email((first, last), None, number);
                let at = self.index(2);
                emails.insert(at, json!({"label": "home", "value": home, "primary": false}));
            }
            sheet.set("emails", emails);
        }
        if self.dice.chance(60) {
            sheet.set("phones", json!([{"label": "work", "value": mess::phone(&mut self.dice), "primary": true}]));
        }
        if self.dice.chance(75) {
            let title = self.dice.pick(JOB_TITLES);
            sheet.set("job_title", title);
            sheet.set(&custom.title, title);
        }
        sheet.draft
    }

    fn deals(&mut self, state: &mut State, count: usize, companies: &[Company], people: &[u64], custom: &Custom) {
        for _ in 0..count {
            let company = self.index(companies.len());
            let person = self.index(people.len());
            let stage = self.index(state.stages.len());
            let owner = self.owner(state);
            let mut sheet = Sheet::new(state, Kind::Deal);
            let company = companies.get(company);
            let words = self.dice.pick(DEAL_WORDS);
            sheet.set(
                "title",
                company.map_or_else(|| words.to_owned(), |company| format!("{} - {words}", company.name)),
            );
            sheet.set("owner_id", owner);
            if let Some(company) = company {
                sheet.set("org_id", company.id);
            }
            if let Some(person) = people.get(person).filter(|_| self.dice.chance(80)) {
                sheet.set("person_id", *person);
            }
            if let Some(stage) = state.stages.get(stage) {
                sheet.set("stage_id", stage.id);
                sheet.set("pipeline_id", stage.pipeline);
            }
            if self.dice.chance(85) {
                let cents = self.dice.below(25_000_000);
                #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
                sheet.set(
                    "value",
                    if cents.is_multiple_of(3) { json!(cents / 100) } else { json!(cents as f64 / 100.0) },
                );
            }
            if self.dice.chance(80) {
                let days = i64::try_from(self.dice.below(365)).unwrap_or(0);
                sheet.set("expected_close_date", date(self.today + (days - 90) * DAY_MS));
            }
            match self.dice.below(10) {
                0 | 1 => {
                    sheet.set("status", "won");
                    sheet.set("won_time", "2026-05-04T12:00:00Z");
                    sheet.set("close_time", "2026-05-04T12:00:00Z");
                }
                2 => {
                    sheet.set("status", "lost");
                    sheet.set("lost_time", "2026-05-04T12:00:00Z");
                    sheet.set("close_time", "2026-05-04T12:00:00Z");
                    sheet.set("lost_reason", "No budget");
                }
                _ => {}
            }
            if self.dice.chance(30) {
                sheet.pick(&mut self.dice, &custom.source);
            }
            let draft = sheet.draft;
            self.store(state, Kind::Deal, draft);
        }
    }
}

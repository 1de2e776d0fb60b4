//! A messy org: what people, imports and old integrations leave behind, the same for the same seed.

use std::collections::BTreeMap;

use crate::fake::dice::Dice;
use crate::fake::mess;
use crate::fake::moment::DAY_MS;
use crate::fake::packed::{FieldId, Values};
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::listviews::{self, ListView};
use crate::fake::salesforce::record::{Record, whole_seconds};
use crate::fake::salesforce::shelf::Shelf;
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::turn::Turn;
use crate::fake::words::{CITIES, FIRST_NAMES, JOB_TITLES, LAST_NAMES};

/// How far back the records go.
const DAYS: u64 = 730;
/// Contacts for each account and each opportunity.
const CONTACTS_PER_ACCOUNT: usize = 7;
/// Contacts for each lead.
const CONTACTS_PER_LEAD: usize = 3;

/// How many records to seed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Amounts {
    pub(crate) contacts: usize,
    /// A seventh of the contacts unless it is set.
    pub(crate) accounts: Option<usize>,
}

/// Seeds contacts, accounts, leads, opportunities and their roles, a campaign, and a list view.
pub(crate) fn seed(state: &mut State, amounts: Amounts, now: i64) {
    let fewer = amounts.contacts.div_ceil(CONTACTS_PER_ACCOUNT);
    let accounts = amounts.accounts.unwrap_or(fewer);
    if amounts.contacts == 0 && accounts == 0 {
        return;
    }
    // Midnight, so that two fakes of one day and one seed are equal.
    let today = now.div_euclid(DAY_MS) * DAY_MS;
    let mut seeder = Seeder { dice: state.dice.clone(), today, waiting: Vec::new(), owners: owners(state) };
    let accounts = seeder.accounts(state, accounts);
    seeder.shelve(state);
    let people = seeder.contacts(state, amounts.contacts, &accounts);
    seeder.shelve(state);
    seeder.leads(state, amounts.contacts.div_ceil(CONTACTS_PER_LEAD), &accounts, &people);
    seeder.opportunities(state, fewer, &accounts, &people);
    seeder.campaign(state, &people);
    seeder.shelve(state);
    state.dice = seeder.dice;
    let view = ListView {
        number: 0,
        kind: Kind::ACCOUNT,
        developer_name: "Target_Accounts".to_owned(),
        label: "Target Accounts".to_owned(),
        condition: "Is_Target__c = TRUE".to_owned(),
        mine: false,
    };
    // The condition is ours; it can only fail where the field was hidden, and then there is no such view.
    let _ = listviews::add(state, &Turn::of_user(now, state.me), view);
}

/// The ids of all users, the one who has left too.
fn owners(state: &State) -> Vec<String> {
    let users = state.shelf(Kind::USER);
    users.iter().map(|(number, _)| users.id(number)).collect()
}

/// A seeded account, as its people and deals see it.
pub(crate) struct Account {
    pub(crate) number: u64,
    pub(crate) name: String,
    /// Without `www.` and the like, for the e-mails of its people.
    pub(crate) domain: String,
}

/// Collects one record's values by name.
pub(crate) struct Sheet<'a> {
    shelf: &'a Shelf,
    pairs: Vec<(FieldId, String)>,
}

impl<'a> Sheet<'a> {
    pub(crate) fn new(state: &'a State, kind: Kind) -> Self {
        Self { shelf: state.shelf(kind), pairs: Vec::with_capacity(16) }
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        if let (Some(id), false) = (self.shelf.catalogue.id(name), value.is_empty()) {
            self.pairs.push((id, value));
        }
    }

    /// One of the field's picklist values.
    pub(crate) fn pick(&mut self, dice: &mut Dice, name: &str) {
        let choices = self.shelf.catalogue.find(name).map(|(_, field)| &field.choices);
        let active: Vec<&str> =
            choices.into_iter().flatten().filter(|choice| choice.active).map(|choice| choice.value.as_str()).collect();
        self.set(name, dice.pick(&active));
    }

    pub(crate) fn pack(self) -> Values {
        Values::pack(self.pairs.iter().map(|(id, value)| (*id, value.as_str())).collect())
    }
}

/// What all seeded records come from.
pub(crate) struct Seeder {
    pub(crate) dice: Dice,
    pub(crate) today: i64,
    /// Records that are not on their shelves yet.
    waiting: Vec<(Kind, u64, Record)>,
    owners: Vec<String>,
}

impl Seeder {
    /// Makes a record with dates of the past two years.
    pub(crate) fn store(&mut self, state: &mut State, kind: Kind, values: Values) -> u64 {
        let ago = i64::try_from(self.dice.below(DAYS * 86_400_000)).unwrap_or(0);
        let created = whole_seconds(self.today - ago);
        let mut record = Record::new(created, state.me, values);
        let life = u64::try_from(self.today - created).unwrap_or(0).max(1);
        let changed = created + i64::try_from(self.dice.below(life)).unwrap_or(0);
        record.touch(changed, state.me + self.dice.below(2));
        // Automated processes leave later stamps than people do.
        if self.dice.chance(10) {
            record.stamp = whole_seconds(self.today).min(record.stamp + 3_600_000);
        }
        let number = state.shelf_mut(kind).take_number();
        self.waiting.push((kind, number, record));
        number
    }

    /// Puts all that was made on its shelves.
    fn shelve(&mut self, state: &mut State) {
        let mut by_kind: BTreeMap<Kind, Vec<(u64, Record)>> = BTreeMap::new();
        for (kind, number, record) in self.waiting.drain(..) {
            by_kind.entry(kind).or_default().push((number, record));
        }
        for (kind, records) in by_kind {
            state.shelf_mut(kind).put_all(records);
        }
    }

    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.dice.below(length as u64)).unwrap_or(0)
    }

    pub(crate) fn owner(&mut self) -> String {
        let at = self.index(self.owners.len());
        self.owners.get(at).cloned().unwrap_or_default()
    }

    fn accounts(&mut self, state: &mut State, count: usize) -> Vec<Account> {
        let mut accounts: Vec<Account> = Vec::with_capacity(count);
        for number in 0..count {
            let twin = self.index(number);
            let twin = accounts.get(twin).filter(|_| self.dice.chance(8));
            let (name, domain) = match twin {
                Some(twin) => (twin.name.to_uppercase(), twin.domain.clone()),
                None => mess::company(&mut self.dice, number),
            };
            let parent = accounts.last().map(|account| account.number).filter(|_| self.dice.chance(5));
            let values = self.account_values(state, &name, &domain, parent);
            accounts.push(Account { number: self.store(state, Kind::ACCOUNT, values), name, domain });
        }
        accounts
    }

    fn account_values(&mut self, state: &State, name: &str, domain: &str, parent: Option<u64>) -> Values {
        let mut sheet = Sheet::new(state, Kind::ACCOUNT);
        sheet.set("Name", name);
        sheet.set("Website", mess::website(&mut self.dice, domain));
        if let Some(parent) = parent {
            sheet.set("ParentId", state.shelf(Kind::ACCOUNT).id(parent));
        }
        if self.dice.chance(85) {
            sheet.pick(&mut self.dice, "Industry");
        }
        if self.dice.chance(75) {
            sheet.pick(&mut self.dice, "Type");
        }
        if self.dice.chance(80) {
            sheet.set("NumberOfEmployees", (1 + self.dice.below(10) * self.dice.below(900)).to_string());
        }
        if self.dice.chance(70) {
            sheet.set("AnnualRevenue", (self.dice.below(500) * 100_000).to_string());
        }
        let (city, country) = self.dice.pick(CITIES);
        sheet.set("BillingCity", city);
        sheet.set("BillingCountry", country);
        sheet.set("Is_Target__c", if self.dice.chance(25) { "true" } else { "false" });
        if self.dice.chance(40) {
            sheet.pick(&mut self.dice, "Tier__c");
        }
        if self.dice.chance(20) {
            sheet.set("Interests__c", "Analytics;Security");
        }
        sheet.set("OwnerId", self.owner());
        sheet.pack()
    }

    fn contacts(&mut self, state: &mut State, count: usize, accounts: &[Account]) -> Vec<u64> {
        let mut people = Vec::with_capacity(count);
        for number in 0..count {
            let account = self.index(accounts.len());
            let account = accounts.get(account).filter(|_| self.dice.chance(92));
            let mut sheet = Sheet::new(state, Kind::CONTACT);
            self.person(&mut sheet, account.map(|account| account.domain.as_str()), number);
            if let Some(account) = account {
                sheet.set("AccountId", state.shelf(Kind::ACCOUNT).id(account.number));
            }
            let (city, country) = self.dice.pick(CITIES);
            if self.dice.chance(65) {
                sheet.set("MailingCity", city);
                sheet.set("MailingCountry", country);
            }
            sheet.set("HasOptedOutOfEmail", if self.dice.chance(5) { "true" } else { "false" });
            sheet.set("DoNotCall", "false");
            let values = sheet.pack();
            people.push(self.store(state, Kind::CONTACT, values));
        }
        people
    }

    /// Name, e-mail, title and phone.
    pub(crate) fn person(&mut self, sheet: &mut Sheet<'_>, domain: Option<&str>, number: usize) {
        let (first, last) = (self.dice.pick(FIRST_NAMES), self.dice.pick(LAST_NAMES));
        sheet.set("LastName", last);
        if self.dice.chance(95) {
            sheet.set("FirstName", first);
        }
        if self.dice.chance(94) {
            sheet.set("Email", mess::email((first, last), domain, number));
        }
        if self.dice.chance(75) {
            sheet.set("Title", self.dice.pick(JOB_TITLES));
        }
        if self.dice.chance(60) {
            sheet.set("Phone", mess::phone(&mut self.dice));
        }
        sheet.set("OwnerId", self.owner());
    }
}

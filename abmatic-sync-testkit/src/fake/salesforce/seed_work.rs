//! The seeded records that people work on: leads, opportunities with their roles, a campaign with its members.

use crate::fake::mess;
use crate::fake::moment::{self, DAY_MS};
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::seed::{Account, Seeder, Sheet};
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::work::STAGES;
use crate::fake::words::DEAL_WORDS;

impl Seeder {
    /// Some are converted, some stand for people who are contacts as well.
    pub(crate) fn leads(&mut self, state: &mut State, count: usize, accounts: &[Account], people: &[u64]) {
        for number in 0..count {
            let account = self.index(accounts.len());
            let account = accounts.get(account);
            let mut sheet = Sheet::new(state, Kind::LEAD);
            let domain = account.map(|account| account.domain.as_str()).filter(|_| self.dice.chance(60));
            self.person(&mut sheet, domain, number);
            let company = mess::company(&mut self.dice, number).0;
            sheet.set(
                "Company",
                account.filter(|_| self.dice.chance(50)).map_or(company, |account| account.name.clone()),
            );
            sheet.pick(&mut self.dice, "LeadSource");
            for flag in ["HasOptedOutOfEmail", "DoNotCall", "IsUnreadByOwner"] {
                sheet.set(flag, "false");
            }
            let contact = self.index(people.len());
            let contact = people.get(contact).filter(|_| self.dice.chance(4));
            match (contact, account) {
                (Some(contact), Some(account)) => {
                    sheet.set("Status", "Closed - Converted");
                    sheet.set("IsConverted", "true");
                    sheet.set("ConvertedDate", moment::date(self.today - DAY_MS));
                    sheet.set("ConvertedContactId", state.shelf(Kind::CONTACT).id(*contact));
                    sheet.set("ConvertedAccountId", state.shelf(Kind::ACCOUNT).id(account.number));
                }
                _ => {
                    sheet.set("IsConverted", "false");
                    sheet.set("Status", self.dice.pick(&["Open - Not Contacted", "Working - Contacted"]));
                }
            }
            let values = sheet.pack();
            self.store(state, Kind::LEAD, values);
        }
    }

    pub(crate) fn opportunities(&mut self, state: &mut State, count: usize, accounts: &[Account], people: &[u64]) {
        for _ in 0..count {
            let account = self.index(accounts.len());
            let account = accounts.get(account);
            let stage = self.index(STAGES.len());
            let (stage, probability, closed, won, forecast) = STAGES[stage];
            let mut sheet = Sheet::new(state, Kind::OPPORTUNITY);
            let name = account.map_or("Unknown", |account| account.name.as_str());
            sheet.set("Name", format!("{name} – {}", self.dice.pick(DEAL_WORDS)));
            if let Some(account) = account {
                sheet.set("AccountId", state.shelf(Kind::ACCOUNT).id(account.number));
            }
            sheet.set("StageName", stage);
            sheet.set("Probability", probability.to_string());
            sheet.set("IsClosed", closed.to_string());
            sheet.set("IsWon", won.to_string());
            sheet.set("ForecastCategory", forecast);
            if self.dice.chance(85) {
                let cents = self.dice.below(100);
                let amount = format!("{}.{cents:02}", self.dice.below(250_000));
                sheet.set("Amount", amount.trim_end_matches('0').trim_end_matches('.'));
            }
            let days = i64::try_from(self.dice.below(365)).unwrap_or(0);
            sheet.set("CloseDate", moment::date(self.today + (days - 180) * DAY_MS));
            sheet.pick(&mut self.dice, "Type");
            sheet.set("OwnerId", self.owner());
            let values = sheet.pack();
            let number = self.store(state, Kind::OPPORTUNITY, values);
            self.roles(state, number, people);
        }
    }

    fn roles(&mut self, state: &mut State, opportunity: u64, people: &[u64]) {
        for at in 0..self.dice.below(4) {
            let person = self.index(people.len());
            let Some(person) = people.get(person) else { return };
            let mut sheet = Sheet::new(state, Kind::CONTACT_ROLE);
            sheet.set("OpportunityId", state.shelf(Kind::OPPORTUNITY).id(opportunity));
            sheet.set("ContactId", state.shelf(Kind::CONTACT).id(*person));
            sheet.set("IsPrimary", (at == 0).to_string());
            sheet.pick(&mut self.dice, "Role");
            let values = sheet.pack();
            self.store(state, Kind::CONTACT_ROLE, values);
        }
    }

    /// A webinar that every fifth contact attended.
    pub(crate) fn campaign(&mut self, state: &mut State, people: &[u64]) {
        let mut sheet = Sheet::new(state, Kind::CAMPAIGN);
        sheet.set("Name", "Webinar attendees");
        sheet.set("Type", "Webinar");
        sheet.set("Status", "Completed");
        sheet.set("IsActive", "true");
        sheet.set("OwnerId", self.owner());
        let values = sheet.pack();
        let campaign = self.store(state, Kind::CAMPAIGN, values);
        for person in people.iter().step_by(5) {
            let mut sheet = Sheet::new(state, Kind::CAMPAIGN_MEMBER);
            sheet.set("CampaignId", state.shelf(Kind::CAMPAIGN).id(campaign));
            sheet.set("ContactId", state.shelf(Kind::CONTACT).id(*person));
            sheet.set("Status", "Responded");
            sheet.set("HasResponded", "true");
            let values = sheet.pack();
            self.store(state, Kind::CAMPAIGN_MEMBER, values);
        }
    }
}

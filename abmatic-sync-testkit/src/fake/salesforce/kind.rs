//! The objects of the org: their names, key prefixes, and what may be done with them.

use crate::fake::salesforce::field::Field;
use crate::fake::salesforce::id::Prefix;
use crate::fake::salesforce::{people, work};

/// One object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Kind(u8);

/// What is the same in every org.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) prefix: Prefix,
    /// Records are made, changed and deleted through the API.
    pub(crate) writable: bool,
    /// Merges, list views and the replication calls know it.
    pub(crate) mergeable: bool,
    pub(crate) listed: bool,
    pub(crate) fields: fn() -> Vec<Field>,
}

type Row = (&'static str, [&'static str; 2], &'static [u8; 3], [bool; 3], fn() -> Vec<Field>);

const fn facts(row: Row) -> Facts {
    let (name, [label, plural], prefix, [writable, mergeable, listed], fields) = row;
    Facts { name, label, plural, prefix: *prefix, writable, mergeable, listed, fields }
}

/// By name; `Kind`'s constants are positions in here.
static FACTS: [Facts; 13] = [
    facts(("Account", ["Account", "Accounts"], b"001", [true, true, true], people::account)),
    facts(("Campaign", ["Campaign", "Campaigns"], b"701", [true, false, true], work::campaign)),
    facts((
        "CampaignMember",
        ["Campaign Member", "Campaign Members"],
        b"00v",
        [true, false, false],
        work::campaign_member,
    )),
    facts(("Contact", ["Contact", "Contacts"], b"003", [true, true, true], people::contact)),
    facts(("Group", ["Group", "Groups"], b"00G", [false, false, false], work::group)),
    facts(("Lead", ["Lead", "Leads"], b"00Q", [true, true, true], people::lead)),
    facts(("LeadStatus", ["Lead Status Value", "Lead Status Values"], b"01J", [false; 3], work::lead_status)),
    facts(("Opportunity", ["Opportunity", "Opportunities"], b"006", [true, false, true], work::opportunity)),
    facts((
        "OpportunityContactRole",
        ["Opportunity Contact Role", "Opportunity Contact Roles"],
        b"00K",
        [true, false, false],
        work::contact_role,
    )),
    facts((
        "OpportunityStage",
        ["Opportunity Stage", "Opportunity Stages"],
        b"01J",
        [false; 3],
        work::opportunity_stage,
    )),
    facts(("Organization", ["Organization", "Organizations"], b"00D", [false; 3], work::organization)),
    facts(("Task", ["Task", "Tasks"], b"00T", [true, false, false], work::task)),
    facts(("User", ["User", "Users"], b"005", [false, false, false], people::user)),
];

impl Kind {
    pub(crate) const ACCOUNT: Self = Self(0);
    pub(crate) const CAMPAIGN: Self = Self(1);
    pub(crate) const CAMPAIGN_MEMBER: Self = Self(2);
    pub(crate) const CONTACT: Self = Self(3);
    pub(crate) const GROUP: Self = Self(4);
    pub(crate) const LEAD: Self = Self(5);
    pub(crate) const LEAD_STATUS: Self = Self(6);
    pub(crate) const OPPORTUNITY: Self = Self(7);
    pub(crate) const CONTACT_ROLE: Self = Self(8);
    pub(crate) const STAGE: Self = Self(9);
    pub(crate) const ORGANIZATION: Self = Self(10);
    pub(crate) const TASK: Self = Self(11);
    pub(crate) const USER: Self = Self(12);

    /// All objects, by name.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..).take(FACTS.len()).map(Self)
    }

    /// The object of that name, whatever its case.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::all().find(|kind| kind.name().eq_ignore_ascii_case(name))
    }

    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }

    pub(crate) fn facts(self) -> &'static Facts {
        &FACTS[self.index()]
    }

    pub(crate) fn name(self) -> &'static str {
        self.facts().name
    }

    pub(crate) fn prefix(self) -> Prefix {
        self.facts().prefix
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn the_constants_are_where_their_names_are() {
        for (kind, name) in [
            (Kind::ACCOUNT, "account"),
            (Kind::CAMPAIGN, "Campaign"),
            (Kind::CAMPAIGN_MEMBER, "CampaignMember"),
            (Kind::CONTACT, "CONTACT"),
            (Kind::GROUP, "Group"),
            (Kind::LEAD, "Lead"),
            (Kind::LEAD_STATUS, "LeadStatus"),
            (Kind::OPPORTUNITY, "Opportunity"),
            (Kind::CONTACT_ROLE, "OpportunityContactRole"),
            (Kind::STAGE, "OpportunityStage"),
            (Kind::ORGANIZATION, "Organization"),
            (Kind::TASK, "Task"),
            (Kind::USER, "User"),
        ] {
            assert_eq!(Kind::parse(name), Some(kind), "{name}");
        }
        assert_eq!(Kind::parse("Widget__c"), None);
    }
}

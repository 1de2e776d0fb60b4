//! The object types that the fake knows, and the names that HubSpot gives each.

/// One object type, for example contacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Kind(u8);

/// What is fixed about an object type.
#[derive(Debug)]
pub(crate) struct KindFacts {
    /// `0-1`.
    pub(crate) type_id: &'static str,
    /// `contact`.
    pub(crate) singular: &'static str,
    /// `contacts`.
    pub(crate) plural: &'static str,
    /// `CONTACT`, as messages say it.
    pub(crate) upper: &'static str,
    /// What a read without `properties` shows.
    pub(crate) shown: &'static [&'static str],
    /// The create date's property.
    pub(crate) created: &'static str,
    /// The modified date's property.
    pub(crate) modified: &'static str,
    /// Properties that `query` of a search looks into.
    pub(crate) searched: &'static [&'static str],
    /// Notes, tasks and the like: unknown properties are ignored, and a link counts as an activity.
    pub(crate) engagement: bool,
}

impl Kind {
    pub(crate) const CONTACTS: Self = Self(0);
    pub(crate) const COMPANIES: Self = Self(1);
    pub(crate) const DEALS: Self = Self(2);
    pub(crate) const LEADS: Self = Self(3);
    pub(crate) const NOTES: Self = Self(4);
    pub(crate) const TASKS: Self = Self(5);
    pub(crate) const MEETINGS: Self = Self(6);
    pub(crate) const CALLS: Self = Self(7);
    pub(crate) const EMAILS: Self = Self(8);
    pub(crate) const COMMUNICATIONS: Self = Self(9);

    /// All of them.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..).zip(FACTS).map(|(index, _)| Self(index))
    }

    /// Finds a type by its plural, its singular or its id, whatever the case.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let same = |facts: &KindFacts| {
            [facts.plural, facts.singular, facts.type_id].iter().any(|known| known.eq_ignore_ascii_case(name))
        };
        (0..).zip(FACTS).find(|(_, facts)| same(facts)).map(|(index, _)| Self(index))
    }

    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }

    pub(crate) fn facts(self) -> &'static KindFacts {
        FACTS.get(self.index()).unwrap_or(&CONTACT)
    }

    pub(crate) fn type_id(self) -> &'static str {
        self.facts().type_id
    }

    pub(crate) fn plural(self) -> &'static str {
        self.facts().plural
    }

    pub(crate) fn singular(self) -> &'static str {
        self.facts().singular
    }
}

const CONTACT: KindFacts = KindFacts {
    type_id: "0-1",
    singular: "contact",
    plural: "contacts",
    upper: "CONTACT",
    shown: &["createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"],
    created: "createdate",
    modified: "lastmodifieddate",
    searched: &["firstname", "lastname", "email", "phone", "hs_additional_emails", "fax", "mobilephone", "company"],
    engagement: false,
};

const fn engagement(
    type_id: &'static str,
    singular: &'static str,
    plural: &'static str,
    upper: &'static str,
    searched: &'static [&'static str],
) -> KindFacts {
    KindFacts {
        type_id,
        singular,
        plural,
        upper,
        shown: &["hs_createdate", "hs_lastmodifieddate", "hs_object_id"],
        created: "hs_createdate",
        modified: "hs_lastmodifieddate",
        searched,
        engagement: true,
    }
}

/// In the order of the constants above.
const FACTS: &[KindFacts] = &[
    CONTACT,
    KindFacts {
        type_id: "0-2",
        singular: "company",
        plural: "companies",
        upper: "COMPANY",
        shown: &["createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"],
        created: "createdate",
        modified: "hs_lastmodifieddate",
        searched: &["website", "phone", "name", "domain"],
        engagement: false,
    },
    KindFacts {
        type_id: "0-3",
        singular: "deal",
        plural: "deals",
        upper: "DEAL",
        shown: &[
            "amount",
            "closedate",
            "createdate",
            "dealname",
            "dealstage",
            "hs_lastmodifieddate",
            "hs_object_id",
            "pipeline",
        ],
        created: "createdate",
        modified: "hs_lastmodifieddate",
        searched: &["dealname", "pipeline", "dealstage", "description", "dealtype"],
        engagement: false,
    },
    KindFacts {
        type_id: "0-136",
        singular: "lead",
        plural: "leads",
        upper: "LEAD",
        shown: &["hs_createdate", "hs_lastmodifieddate", "hs_object_id"],
        created: "hs_createdate",
        modified: "hs_lastmodifieddate",
        searched: &["hs_lead_name"],
        engagement: false,
    },
    engagement("0-46", "note", "notes", "NOTE", &["hs_note_body"]),
    engagement("0-27", "task", "tasks", "TASK", &["hs_task_subject", "hs_task_body"]),
    engagement("0-47", "meeting", "meetings", "MEETING", &["hs_meeting_title", "hs_meeting_body"]),
    engagement("0-48", "call", "calls", "CALL", &["hs_call_title", "hs_call_body"]),
    engagement("0-49", "email", "emails", "EMAIL", &["hs_email_subject"]),
    engagement("0-18", "communication", "communications", "COMMUNICATION", &["hs_communication_body"]),
];

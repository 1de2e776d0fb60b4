//! What the fake account holds. No rules here.

use std::collections::HashMap;

use serde_json::Value;

use crate::fake::activecampaign::limits::Limits;
use crate::fake::activecampaign::settings::Settings;
use crate::fake::activecampaign::table::Table;
use crate::fake::dice::Dice;

/// A contact; its e-mail address is unique.
#[derive(Clone, Debug)]
pub(crate) struct Contact {
    pub(crate) email: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) phone: String,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

/// An account; its name is unique.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) url: Option<String>,
    pub(crate) owner: String,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

/// The one account of a contact, and its job there.
#[derive(Clone, Debug)]
pub(crate) struct Association {
    pub(crate) account: u64,
    pub(crate) contact: u64,
    pub(crate) job_title: String,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Deal {
    pub(crate) title: String,
    /// In cents.
    pub(crate) value: i64,
    pub(crate) currency: String,
    pub(crate) contact: Option<u64>,
    pub(crate) account: Option<u64>,
    pub(crate) group: u64,
    pub(crate) stage: u64,
    pub(crate) owner: String,
    pub(crate) percent: String,
    /// 0 open, 1 won, 2 lost.
    pub(crate) status: String,
    pub(crate) description: String,
    pub(crate) created: i64,
    pub(crate) modified: i64,
    /// Of a pipeline that the key's user may not see.
    pub(crate) disabled: bool,
}

/// A pipeline.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) title: String,
    pub(crate) currency: String,
    pub(crate) created: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) group: u64,
    pub(crate) title: String,
    pub(crate) order: usize,
}

/// A custom field of contacts.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) title: String,
    pub(crate) kind: String,
    pub(crate) tag: String,
    /// Value and label of each.
    pub(crate) options: Vec<(String, String)>,
    pub(crate) created: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct FieldValue {
    pub(crate) contact: u64,
    pub(crate) field: u64,
    pub(crate) value: String,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

/// A custom field of accounts or deals.
#[derive(Clone, Debug)]
pub(crate) struct Meta {
    pub(crate) label: String,
    pub(crate) kind: String,
    pub(crate) options: Vec<String>,
    /// Fields that every account has by default are known.
    pub(crate) known: Option<u64>,
    pub(crate) created: i64,
}

/// A value of such a field.
#[derive(Clone, Debug)]
pub(crate) struct Datum {
    pub(crate) of: u64,
    pub(crate) field: u64,
    pub(crate) value: Value,
    pub(crate) currency: Option<String>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

/// The custom fields of accounts, or of deals, and their values.
#[derive(Clone, Debug)]
pub(crate) struct Custom {
    pub(crate) meta: Table<Meta>,
    pub(crate) data: Table<Datum>,
}

#[derive(Clone, Debug)]
pub(crate) struct Membership {
    pub(crate) list: u64,
    pub(crate) contact: u64,
    /// 0 unconfirmed, 1 active, 2 unsubscribed, 3 bounced.
    pub(crate) status: String,
    pub(crate) since: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Tag {
    pub(crate) tag: String,
    pub(crate) created: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Tagging {
    pub(crate) tag: u64,
    pub(crate) contact: u64,
    pub(crate) created: i64,
}

/// A segment: whoever's address ends in this.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) name: String,
    pub(crate) email_ends: String,
    /// When it was evaluated last; its members are frozen for an hour.
    pub(crate) evaluated: Option<i64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) text: String,
    pub(crate) related_type: String,
    pub(crate) related_id: u64,
    pub(crate) created: i64,
    pub(crate) modified: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) events: Vec<String>,
    pub(crate) sources: Vec<String>,
    pub(crate) created: i64,
}

/// A bulk import, done after some looks.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    pub(crate) batch: String,
    pub(crate) contacts: Vec<Value>,
    pub(crate) polls_left: u32,
    pub(crate) outcome: Option<(Vec<String>, Vec<String>)>,
}

/// An event that was tracked: who, what, and what about it.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) data: String,
}

/// The account.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) dice: Dice,
    pub(crate) limits: Limits,
    /// Whether the key was taken back.
    pub(crate) revoked: bool,
    /// Whether the account is lapsed: each call is refused.
    pub(crate) lapsed: bool,
    pub(crate) contacts: Table<Contact>,
    /// Addresses in lower case, and whose they are.
    pub(crate) emails: HashMap<String, u64>,
    pub(crate) accounts: Table<Account>,
    pub(crate) associations: Table<Association>,
    pub(crate) deals: Table<Deal>,
    pub(crate) groups: Table<Group>,
    pub(crate) stages: Table<Stage>,
    pub(crate) deal_contacts: Table<(u64, u64)>,
    pub(crate) fields: Table<Field>,
    pub(crate) field_values: Table<FieldValue>,
    pub(crate) account_fields: Custom,
    pub(crate) deal_fields: Custom,
    pub(crate) lists: Table<String>,
    pub(crate) memberships: Table<Membership>,
    pub(crate) tags: Table<Tag>,
    pub(crate) taggings: Table<Tagging>,
    pub(crate) segments: Table<Segment>,
    pub(crate) notes: Table<Note>,
    pub(crate) webhooks: Table<Webhook>,
    pub(crate) imports: Vec<Import>,
    pub(crate) events: Vec<Event>,
}

impl State {
    pub(crate) fn new(settings: Settings) -> Self {
        let custom = || Custom { meta: Table::from(1), data: Table::from(1) };
        Self {
            dice: Dice::new(settings.rng_seed),
            limits: Limits::default(),
            revoked: false,
            lapsed: false,
            contacts: Table::from(1),
            emails: HashMap::new(),
            accounts: Table::from(1),
            associations: Table::from(1),
            deals: Table::from(1),
            groups: Table::from(1),
            stages: Table::from(1),
            deal_contacts: Table::from(1),
            fields: Table::from(1),
            field_values: Table::from(1),
            account_fields: custom(),
            deal_fields: custom(),
            lists: Table::from(1),
            memberships: Table::from(1),
            tags: Table::from(1),
            taggings: Table::from(1),
            segments: Table::from(1),
            notes: Table::from(1),
            webhooks: Table::from(1),
            imports: Vec::new(),
            events: Vec::new(),
            settings,
        }
    }

    /// The absolute address of a path of the API.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("{}/api/3/{path}", self.settings.base_url)
    }
}

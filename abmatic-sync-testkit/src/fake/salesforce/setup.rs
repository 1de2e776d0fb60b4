//! What every org has before there is a record in it: its users, itself, its stages, its list views.

use crate::fake::salesforce::draft::Changes;
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::turn::Turn;
use crate::fake::salesforce::work::{LEAD_STATUSES, STAGES};
use crate::fake::salesforce::{listviews, store};

/// First name, last name, username and whether active. The first one is the integration's.
const USERS: &[(&str, &str, &str, bool)] = &[
    ("", "Integration", "integration@acme.test", true),
    ("Jo", "Marsh", "jo.marsh@acme.test", true),
    ("Ada", "Okafor", "ada.okafor@acme.test", true),
    ("Lou", "Former", "lou.former@acme.test", false),
];

/// Fills a new org.
pub(crate) fn set_up(state: &mut State, now: i64) {
    let turn = Turn::of_user(now, state.me);
    for (first, last, username, active) in USERS {
        let alias: String = last.to_lowercase().chars().take(8).collect();
        put(
            state,
            &turn,
            Kind::USER,
            &[
                ("Username", username),
                ("FirstName", first),
                ("LastName", last),
                ("Email", username),
                ("Alias", &alias),
                ("IsActive", &active.to_string()),
                ("UserType", "Standard"),
                ("TimeZoneSidKey", "America/Los_Angeles"),
                ("LocaleSidKey", "en_US"),
                ("LanguageLocaleKey", "en_US"),
            ],
        );
    }
    put(
        state,
        &turn,
        Kind::ORGANIZATION,
        &[
            ("Name", "Acme Test Org"),
            ("IsSandbox", "false"),
            ("OrganizationType", "Enterprise Edition"),
            ("InstanceName", "EU42"),
            ("TimeZoneSidKey", "America/Los_Angeles"),
            ("DefaultLocaleSidKey", "en_US"),
        ],
    );
    put(state, &turn, Kind::GROUP, &[("Name", "Inbound"), ("DeveloperName", "Inbound"), ("Type", "Queue")]);
    for (at, (name, probability, closed, won, forecast)) in STAGES.iter().enumerate() {
        put(
            state,
            &turn,
            Kind::STAGE,
            &[
                ("ApiName", name),
                ("MasterLabel", name),
                ("SortOrder", &(at + 1).to_string()),
                ("IsActive", "true"),
                ("IsClosed", &closed.to_string()),
                ("IsWon", &won.to_string()),
                ("DefaultProbability", &probability.to_string()),
                ("ForecastCategory", forecast),
            ],
        );
    }
    for (at, (name, converted, default)) in LEAD_STATUSES.iter().enumerate() {
        put(
            state,
            &turn,
            Kind::LEAD_STATUS,
            &[
                ("ApiName", name),
                ("MasterLabel", name),
                ("SortOrder", &(at + 1).to_string()),
                ("IsConverted", &converted.to_string()),
                ("IsDefault", &default.to_string()),
            ],
        );
    }
    listviews::defaults(state);
}

fn put(state: &mut State, turn: &Turn, kind: Kind, values: &[(&str, &str)]) {
    let catalogue = &state.shelf(kind).catalogue;
    let filled = values.iter().filter(|(_, value)| !value.is_empty());
    let changes: Changes =
        filled.filter_map(|(name, value)| Some((catalogue.id(name)?, Some((*value).to_owned())))).collect();
    store::create(state, turn, kind, &changes);
}

//! The account itself: who it is, what it has used, and how much it may hold.

use serde_json::{Value, json};

use crate::fake::hubspot::kind::Kind;
use crate::fake::hubspot::limits::DAILY_MAX;
use crate::fake::hubspot::outcome::{Outcome, Ruling, Turn};
use crate::fake::hubspot::state::State;
use crate::fake::moment::{self, DAY_MS};

/// `GET /account-info/{v}/details`.
pub(crate) fn details(state: &State, turn: Turn) -> Ruling {
    let mut shown = json!({
        "portalId": state.settings.portal_id, "accountType": "STANDARD", "timeZone": "US/Eastern",
        "companyCurrency": "USD", "additionalCurrencies": [], "utcOffset": "-05:00",
        "utcOffsetMilliseconds": -18_000_000, "uiDomain": "app.hubspot.com", "dataHostingLocation": "na1",
    });
    if turn.version.enforces_write_rules() {
        shown["portalName"] = "Fake account".into();
        shown["createdAt"] = "2022-01-10T09:00:00.000Z".into();
    }
    Ok(Outcome::found(&shown))
}

/// `GET /account-info/{v}/api-usage/daily/private-apps`.
pub(crate) fn usage(state: &State, turn: Turn) -> Ruling {
    let midnight = (turn.now.div_euclid(DAY_MS) + 1) * DAY_MS;
    Ok(Outcome::found(&json!({"results": [{
        "name": "private-apps-api-calls-daily", "usageLimit": DAILY_MAX, "currentUsage": state.limits.today,
        "collectedAt": moment::iso(turn.now), "fetchStatus": "SUCCESS", "resetsAt": moment::iso(midnight),
    }]})))
}

const RECORDS_MAX: usize = 15_000_000;
const CUSTOM_PROPERTIES_MAX: usize = 1000;

#[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
fn share(usage: usize, limit: usize) -> f64 {
    usage as f64 * 100.0 / limit as f64
}

/// `GET /crm/limits/{v}/records`.
pub(crate) fn record_limits(state: &State) -> Ruling {
    let of = |kind: Kind| {
        let usage = state.shelf(kind).live.len();
        json!({
            "objectTypeId": kind.type_id(), "singularLabel": kind.singular(), "pluralLabel": kind.plural(),
            "limit": RECORDS_MAX, "usage": usage, "percentage": share(usage, RECORDS_MAX),
        })
    };
    let all: Vec<Value> = Kind::all().map(of).collect();
    Ok(Outcome::found(&json!({"hubspotDefinedObjectTypes": all, "customObjectTypes": []})))
}

/// `GET /crm/limits/{v}/custom-properties`.
pub(crate) fn property_limits(state: &State) -> Ruling {
    let mut overall = 0;
    let mut by_type = Vec::new();
    for kind in Kind::all() {
        let custom = state.shelf(kind).catalogue.iter().filter(|(_, known)| !known.hubspot_defined);
        let usage = custom.filter(|(_, known)| known.archived_at.is_none()).count();
        overall += usage;
        by_type.push(json!({
            "objectTypeId": kind.type_id(), "singularLabel": kind.singular(), "pluralLabel": kind.plural(),
            "limit": CUSTOM_PROPERTIES_MAX, "usage": usage, "percentage": share(usage, CUSTOM_PROPERTIES_MAX),
        }));
    }
    let limit = CUSTOM_PROPERTIES_MAX * by_type.len();
    Ok(Outcome::found(&json!({
        "overallLimit": limit, "overallUsage": overall, "overallPercentage": share(overall, limit), "byObjectType": by_type,
    })))
}

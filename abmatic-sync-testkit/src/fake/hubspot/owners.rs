//! Owners: the users to whom records belong.

use serde_json::{Value, json};

use crate::fake::hubspot::errors;
use crate::fake::hubspot::objects::write_next;
use crate::fake::hubspot::outcome::{Outcome, Reading, Ruling, Turn};
use crate::fake::hubspot::state::State;
use crate::fake::json;

const LIMIT_MAX: usize = 500;
const LIMIT_DEFAULT: usize = 100;

/// One owner.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    pub(crate) id: &'static str,
    pub(crate) user_id: u64,
    pub(crate) email: &'static str,
    pub(crate) first_name: &'static str,
    pub(crate) last_name: &'static str,
    /// The user has been deactivated; records keep the id.
    pub(crate) archived: bool,
}

/// A small team, one of whom has left.
pub(crate) fn defaults() -> Vec<Owner> {
    let owner = |id, user_id, email, first_name, last_name, archived| Owner {
        id,
        user_id,
        email,
        first_name,
        last_name,
        archived,
    };
    vec![
        owner("41629779", 9_586_504, "jo.marsh@example.com", "Jo", "Marsh", false),
        owner("41629780", 9_586_505, "amir.haddad@example.com", "Amir", "Haddad", false),
        owner("41629781", 9_586_506, "zoë.lindqvist@example.com", "Zoë", "Lindqvist", false),
        owner("41629790", 9_586_600, "left.long.ago@example.com", "Pat", "Gone", true),
    ]
}

impl Owner {
    fn to_json(&self) -> Value {
        let user_id = if self.archived { Value::Null } else { self.user_id.into() };
        json!({
            "id": self.id, "email": self.email, "type": "PERSON", "firstName": self.first_name,
            "lastName": self.last_name, "userId": user_id, "userIdIncludingInactive": self.user_id,
            "createdAt": "2023-01-10T09:00:00.000Z", "updatedAt": "2025-01-10T09:00:00.000Z",
            "archived": self.archived, "teams": [{"id": "178588", "name": "Sales", "primary": true}],
        })
    }
}

/// `GET /crm/owners/{v}`.
pub(crate) fn list(state: &State, turn: Turn, reading: &Reading, email: Option<&str>) -> Ruling {
    let limit = reading.limit(LIMIT_DEFAULT, LIMIT_MAX)?;
    let after = reading.after()?;
    let found = state.owners.iter().filter(|owner| {
        let id: u64 = owner.id.parse().unwrap_or(0);
        id >= after
            && owner.archived == reading.archived
            && email.is_none_or(|email| email.eq_ignore_ascii_case(owner.email))
    });
    let mut found = found;
    let mut out = b"{\"results\":".to_vec();
    json::array(&mut out, found.by_ref().take(limit), |out, owner| {
        out.extend(owner.to_json().to_string().into_bytes())
    });
    if let Some(next) = found.next() {
        let link = turn.version.path("owners", &format!("?limit={limit}&after={}", next.id)).replace("/?", "?");
        write_next(&mut out, state, next.id, Some(&link));
    }
    out.push(b'}');
    Ok(Outcome::Found(out))
}

/// `GET /crm/owners/{v}/{id}`.
pub(crate) fn read(state: &State, id: &str, by_user: bool, archived: bool) -> Ruling {
    let found = state.owners.iter().find(|owner| {
        let same = if by_user { owner.user_id.to_string() == id } else { owner.id == id };
        same && owner.archived == archived
    });
    found.map(|owner| Outcome::found(&owner.to_json())).ok_or_else(|| errors::nothing_named("Owner", id))
}

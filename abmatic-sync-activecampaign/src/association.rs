//! A contact's one account, and its job title there.

use std::collections::BTreeMap;

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_http::retry::Resend;
use http::Method;
use serde_json::{Value as Json, json};

use crate::api::Api;
use crate::wire::{id, rows};

/// Contacts that one call can name.
const IDS_MAX: usize = 100;

/// What is to become of an association: what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The account's id, or none.
    pub(crate) account: Option<Option<String>>,
    pub(crate) job_title: Option<String>,
}

impl Wanted {
    pub(crate) fn is_nothing(&self) -> bool {
        self.account.is_none() && self.job_title.is_none()
    }
}

/// What is known of the association that a contact has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Held<'a> {
    /// This, or none.
    Known(Option<&'a Json>),
    Unknown,
}

/// The association of a contact, if it has one.
pub(crate) async fn of(api: &Api, on: &Connection, operation: &str, contact: &str) -> Result<Option<Json>> {
    let query = [("filters[contact]", contact), ("limit", "100")];
    let answer = api.get(on, operation.to_owned(), "accountContacts", &query).await?;
    let mut body: Json = answer.json()?;
    let rows = rows(&answer, &mut body, "accountContacts")?;
    // Filters that are not known are ignored.
    Ok(rows.into_iter().find(|row| id(row, "contact").as_deref() == Some(contact)))
}

/// The associations of contacts, a hundred a call; nothing where they do not come along.
pub(crate) async fn of_all(
    api: &Api,
    on: &Connection,
    operation: &str,
    contacts: &[&str],
) -> Result<BTreeMap<String, Option<Json>>> {
    let mut known = BTreeMap::new();
    for part in contacts.chunks(IDS_MAX) {
        let mut query = vec![("limit", "100")];
        query.extend(part.iter().map(|id| ("ids[]", *id)));
        query.push(("include", "accountContacts"));
        let answer = api.get(on, operation.to_owned(), "contacts", &query).await?;
        let Some(mut held) = beside(&answer.json()?) else { return Ok(BTreeMap::new()) };
        known.extend(part.iter().map(|id| ((*id).to_owned(), held.remove(*id))));
    }
    Ok(known)
}

/// The associations that stand beside a page of contacts, by contact.
pub(crate) fn beside(page: &Json) -> Option<BTreeMap<String, Json>> {
    let rows = page.get("accountContacts")?.as_array()?;
    Some(rows.iter().filter_map(|row| Some((id(row, "contact")?, row.clone()))).collect())
}

/// Makes a contact's association what is wanted. `held` is the one that it has, where that is known.
///
/// # Errors
/// [`ErrorCode::InvalidReference`] for a job title without an account; else as the calls.
pub(crate) async fn set(
    api: &Api,
    on: &Connection,
    operation: &str,
    (contact, held_before): (&str, Held<'_>),
    wanted: &Wanted,
) -> Result<()> {
    let looked_up;
    let held = match held_before {
        Held::Known(held) => held,
        Held::Unknown => {
            looked_up = of(api, on, operation, contact).await?;
            looked_up.as_ref()
        }
    };
    // Somebody may have made, changed or removed one since: then it is looked for.
    let may_be_old = matches!(held_before, Held::Known(_));
    let held_id = held.and_then(|held| id(held, "id"));
    let account = match &wanted.account {
        Some(account) => account.clone(),
        None => held.and_then(|held| id(held, "account")),
    };
    let title = wanted.job_title.as_deref();
    let operation = operation.to_owned();
    match (held_id, account) {
        (None, None) if title.is_none_or(str::is_empty) => Ok(()),
        (_, None) if title.is_some_and(|title| !title.is_empty()) => {
            let message = "a job title stands on the contact's association with an account, and there is none";
            Err(Error::new(ErrorKind::Invalid, ErrorCode::InvalidReference, message)
                .with_fields(vec!["jobTitle".into()]))
        }
        (Some(held), None) => {
            let path = format!("accountContacts/{held}");
            match api.send(on, operation, (Method::DELETE, &path), None, Resend::Safe).await {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                removed => removed.map(|_| ()),
            }
        }
        (held, Some(account)) => {
            let mut one = json!({"account": account});
            if let Some(title) = title {
                one["jobTitle"] = title.into();
            }
            // A second one is refused, so that twice is as good as once; who refuses may have made it.
            let (method, path) = match held {
                Some(held) => (Method::PUT, format!("accountContacts/{held}")),
                None => {
                    one["contact"] = contact.into();
                    (Method::POST, "accountContacts".to_owned())
                }
            };
            let body = json!({"accountContact": one});
            match api.send(on, operation.clone(), (method, &path), Some(&body), Resend::Safe).await {
                Err(error) if may_be_old && matches!(error.kind(), ErrorKind::Conflict | ErrorKind::NotFound) => {
                    Box::pin(set(api, on, &operation, (contact, Held::Unknown), wanted)).await
                }
                set => set.map(|_| ()),
            }
        }
        (None, None) => Ok(()),
    }
}

//! HubSpot's authorization server, and the scopes that resources need.

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_http::oauth::provider::Provider;
use url::Url;

use crate::api::{ADDRESS, HOSTS};
use crate::object::Object;
use crate::paths::ApiVersion;

/// Where users consent, whatever their data centre ("OAuth": install URL).
const CONSENT: &str = "https://app.hubspot.com";

/// HubSpot's authorization server. Tokens live 30 minutes; the refresh token stays the same until the app is uninstalled.
///
/// ```
/// let hubspot = abmatic_sync_hubspot::oauth::provider()?;
/// assert_eq!(hubspot.token_url.as_str(), "https://api.hubapi.com/oauth/2026-09/token");
/// # Ok::<(), abmatic_sync_core::error::Error>(())
/// ```
///
/// # Errors
/// None that is known.
pub fn provider() -> Result<Provider> {
    at(&parse(CONSENT)?, &parse(ADDRESS)?)
}

/// The same at other addresses, such as a fake's: `consent` for the user's browser, `api` for tokens.
///
/// # Errors
/// [`ErrorCode::InvalidSettings`] for an address that paths cannot be added to.
pub fn at(consent: &Url, api: &Url) -> Result<Provider> {
    let version = ApiVersion::default();
    let join = |base: &Url, path: &str| base.join(path).map_err(unusable);
    let token = join(api, &version.oauth("token"))?;
    let provider = Provider::new("HubSpot", HOSTS, join(consent, "/oauth/authorize")?, token);
    Ok(provider.with_revoke_url(join(api, &version.oauth("token/revoke"))?))
}

/// The scopes of the app's own token, by which its webhooks journal is read ([`crate::journal::HubspotJournal`]).
pub const JOURNAL_SCOPES: [&str; 3] = [
    "developer.webhooks_journal.read",
    "developer.webhooks_journal.subscriptions.read",
    "developer.webhooks_journal.subscriptions.write",
];

/// The scopes that an app needs to read these resources, and to write them where `writes` is set ("Scopes").
pub fn scopes(resources: &[Resource], writes: bool) -> Vec<String> {
    let mut scopes = vec!["oauth".to_owned(), "crm.lists.read".to_owned()];
    let mut names: Vec<&str> =
        resources.iter().filter_map(|resource| Object::of(*resource).ok()).map(Object::name).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        scopes.push(format!("crm.objects.{name}.read"));
        scopes.push(format!("crm.schemas.{name}.read"));
        if writes {
            scopes.push(format!("crm.objects.{name}.write"));
            // For the own unique property, by which creates are exactly-once.
            scopes.push(format!("crm.schemas.{name}.write"));
        }
    }
    scopes
}

fn parse(address: &str) -> Result<Url> {
    Url::parse(address).map_err(unusable)
}

fn unusable(error: url::ParseError) -> Error {
    Error::invalid(ErrorCode::InvalidSettings, "an address of the authorization server is none").caused_by(error)
}

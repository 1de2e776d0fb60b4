//! Pipedrive's authorization server. Scopes are set on the app there, not asked for ("OAuth authorization").

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_http::oauth::provider::{ClientAuth, Provider};
use url::Url;

use crate::api::HOSTS;

const SERVER: &str = "https://oauth.pipedrive.com";

/// Pipedrive's authorization server. Tokens live about an hour; the refresh token dies after 60 days without use.
///
/// ```
/// let pipedrive = abmatic_sync_pipedrive::oauth::provider()?;
/// assert_eq!(pipedrive.token_url.as_str(), "https://oauth.pipedrive.com/oauth/token");
/// # Ok::<(), abmatic_sync_core::error::Error>(())
/// ```
///
/// # Errors
/// None that is known.
pub fn provider() -> Result<Provider> {
    at(&Url::parse(SERVER).map_err(unusable)?)
}

/// The same at another address, such as a fake's.
///
/// # Errors
/// [`ErrorCode::InvalidSettings`] for an address that paths cannot be added to.
pub fn at(server: &Url) -> Result<Provider> {
    let join = |path: &str| server.join(path).map_err(unusable);
    // No proof key is documented, and an unknown parameter might be refused.
    let provider = Provider::new("Pipedrive", HOSTS, join("/oauth/authorize")?, join("/oauth/token")?).with_pkce(false);
    Ok(provider.with_revoke_url(join("/oauth/revoke")?).with_client_auth(ClientAuth::Basic))
}

fn unusable(error: url::ParseError) -> Error {
    Error::invalid(ErrorCode::InvalidSettings, "an address of the authorization server is none").caused_by(error)
}

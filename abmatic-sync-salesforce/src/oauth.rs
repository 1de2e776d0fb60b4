//! Salesforce's authorization servers: production, sandboxes, and My Domain hosts.

use std::time::Duration;

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_http::oauth::provider::Provider;
use url::Url;

use crate::api::HOSTS;

/// Data, and a refresh token ("OAuth Tokens and Scopes"). Without the second there is none.
pub const SCOPES: &[&str] = &["api", "refresh_token"];

/// Where users log in.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// An org's own host, such as `https://acme.my.salesforce.com`. The client credentials flow works only here.
    MyDomain(Url),
    /// `login.salesforce.com`.
    Production,
    /// `test.salesforce.com`.
    Sandbox,
}

/// The authorization server at that login. How long a token lives is the org's setting and not told, 15 minutes at the least;
/// each use makes it live on.
///
/// ```
/// use abmatic_sync_salesforce::oauth::{Login, provider};
/// let sandbox = provider(&Login::Sandbox)?;
/// assert_eq!(sandbox.token_url.as_str(), "https://test.salesforce.com/services/oauth2/token");
/// # Ok::<(), abmatic_sync_core::error::Error>(())
/// ```
///
/// # Errors
/// [`ErrorCode::InvalidSettings`] for a My Domain host that is not Salesforce's.
pub fn provider(login: &Login) -> Result<Provider> {
    let parse = |text: &str| Url::parse(text).map_err(unusable);
    let server = match login {
        Login::MyDomain(url) => url.clone(),
        Login::Production => parse("https://login.salesforce.com")?,
        Login::Sandbox => parse("https://test.salesforce.com")?,
    };
    HOSTS.check(&server)?;
    let join = |path: &str| server.join(path).map_err(unusable);
    let provider =
        Provider::new("Salesforce", HOSTS, join("/services/oauth2/authorize")?, join("/services/oauth2/token")?);
    Ok(provider.with_revoke_url(join("/services/oauth2/revoke")?).with_lifetime(Duration::from_secs(15 * 60)))
}

fn unusable(error: url::ParseError) -> Error {
    Error::invalid(ErrorCode::InvalidSettings, "an address of the authorization server is none").caused_by(error)
}

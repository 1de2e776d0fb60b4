//! Which hosts a token may be sent to: Pipedrive's own, those that the host program allows, and this machine.

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_http::transport::is_loopback;
use url::Url;

/// Where an API token is taken whatever the company's own address is (docs: "How to get the company domain").
const GENERAL: &str = "https://api.pipedrive.com";
const OWN_DOMAIN: &str = ".pipedrive.com";

/// The address of `path` for this connection.
///
/// # Errors
/// [`ErrorCode::InvalidSettings`] for a base URL that the token must not be sent to.
pub(crate) fn address(on: &Connection, path: &str, allowed: &[String]) -> Result<Url> {
    let base = on.base_url.as_ref().map_or(GENERAL, Url::as_str);
    let mut url: Url = base.parse().map_err(|error: url::ParseError| {
        Error::invalid(ErrorCode::InvalidSettings, "the base URL is none").caused_by(error)
    })?;
    check(&url, allowed)?;
    let full = format!("{}{path}", url.path().trim_end_matches('/'));
    url.set_path(&full);
    url.set_query(None);
    Ok(url)
}

fn check(base: &Url, allowed: &[String]) -> Result<()> {
    let refused = |why: &str| Err(Error::invalid(ErrorCode::InvalidSettings, format!("the base URL {why}")));
    let Some(host) = base.host_str() else { return refused("has no host") };
    if is_loopback(host) {
        return Ok(());
    }
    if !base.username().is_empty() || base.password().is_some() {
        return refused("must not hold a user or password");
    }
    if base.scheme() != "https" {
        return refused("has to be https");
    }
    if allowed.iter().any(|own| own.eq_ignore_ascii_case(host)) || host.ends_with(OWN_DOMAIN) {
        return Ok(());
    }
    refused(&format!("is on {host}, which is not Pipedrive's and was not allowed"))
}

#[cfg(test)]
mod tests {
    use abmatic_sync_core::model::connection::Credentials;

    use super::*;

    #[test]
    fn tokens_go_to_pipedrive_only() {
        let on = Connection::new("t", "c", "pipedrive", Credentials::token("x"));
        assert_eq!(address(&on, "/api/v2/persons", &[]).unwrap().as_str(), "https://api.pipedrive.com/api/v2/persons");
        let allowed = ["crm.example.com".to_owned()];
        for (base, good) in [
            ("https://acme.pipedrive.com", true),
            ("https://acme.pipedrive.com/", true),
            ("http://127.0.0.1:8080", true),
            ("https://crm.example.com/proxy", true),
            ("http://acme.pipedrive.com", false),
            ("https://evilpipedrive.com", false),
            ("https://pipedrive.com.evil.net", false),
            ("https://u:p@acme.pipedrive.com", false),
        ] {
            let on = on.clone().with_base_url(base.parse().unwrap());
            assert_eq!(address(&on, "/x", &allowed).is_ok(), good, "{base}");
        }
    }
}

//! Which hosts a token may be sent to: Salesforce's own, those that the host program allows, and this machine.

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_http::transport::is_loopback;
use url::Url;

/// Salesforce's own domains ("Allow the Required Domains"; My Domain hosts all end in the first). Sites that customers
/// control are elsewhere: `my.site.com`, and communities under `force.com`.
const OWN_DOMAINS: &[&str] =
    &["salesforce.com", "cloudforce.com", "database.com", "salesforce.mil", "sfcrmapps.cn", "sfcrmproducts.cn"];

/// The address of `path` in the connection's org. `path` may carry a query.
///
/// # Errors
/// [`ErrorCode::InvalidSettings`] where the connection has no instance URL, or one that the token must not be sent to.
pub(crate) fn address(on: &Connection, path: &str, allowed: &[String]) -> Result<Url> {
    let Some(base) = &on.base_url else {
        let message = "the connection needs the org's instance URL as its base URL, such as \
                       https://example.my.salesforce.com: the token answer names it";
        return Err(Error::invalid(ErrorCode::InvalidSettings, message));
    };
    check(base, allowed)?;
    let mut url = base.clone();
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let full = format!("{}{path}", url.path().trim_end_matches('/'));
    url.set_path(&full);
    url.set_query(query);
    Ok(url)
}

fn check(base: &Url, allowed: &[String]) -> Result<()> {
    let refused = |why: &str| Err(Error::invalid(ErrorCode::InvalidSettings, format!("the instance URL {why}")));
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
    if allowed.iter().any(|own| own.eq_ignore_ascii_case(host)) {
        return Ok(());
    }
    if base.port().is_some() || !OWN_DOMAINS.iter().any(|domain| is_under(host, domain)) {
        return refused(&format!("is on {host}, which is none of Salesforce's domains and was not allowed"));
    }
    Ok(())
}

fn is_under(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use abmatic_sync_core::model::connection::Credentials;

    use super::*;

    #[test]
    fn tokens_go_to_salesforce_only() {
        let on = |base: &str| {
            Connection::new("t", "c", "salesforce", Credentials::token("x")).with_base_url(base.parse().unwrap())
        };
        let allowed = ["crm.example.com".to_owned()];
        let table = [
            ("https://acme.my.salesforce.com", true),
            ("https://acme--dev.sandbox.my.salesforce.com/", true),
            ("https://na15.salesforce.com", true),
            ("http://127.0.0.1:8080", true),
            ("https://crm.example.com:8443/proxy", true),
            ("http://acme.my.salesforce.com", false),
            ("https://evilsalesforce.com", false),
            ("https://salesforce.com.evil.net", false),
            ("https://acme.my.salesforce.com:8443", false),
            ("https://u:p@acme.my.salesforce.com", false),
            ("https://acme.my.site.com", false),
        ];
        for (base, fine) in table {
            assert_eq!(address(&on(base), "/x", &allowed).is_ok(), fine, "{base}");
        }
        let url = address(&on("https://crm.example.com/proxy/"), "/services/data?q=a%20b", &allowed).unwrap();
        assert_eq!(url.as_str(), "https://crm.example.com/proxy/services/data?q=a%20b");
        let nowhere = Connection::new("t", "c", "salesforce", Credentials::token("x"));
        assert_eq!(address(&nowhere, "/x", &[]).unwrap_err().code(), ErrorCode::InvalidSettings);
    }
}

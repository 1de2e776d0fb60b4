//! Which hosts a token may be sent to: the CRM's own, those that the host program allows, and this machine.

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use url::Url;

use crate::transport::is_loopback;

/// The hosts of one CRM.
///
/// ```
/// use abmatic_sync_http::host::Hosts;
///
/// let mut hosts = Hosts::of("Plain CRM", &["plain.example"]);
/// hosts.allow("crm-proxy.example.com");
/// let address = |base: &str| hosts.address(&base.parse().unwrap(), "/contacts?limit=2");
/// assert_eq!(address("https://acme.plain.example").unwrap().as_str(), "https://acme.plain.example/contacts?limit=2");
/// assert!(address("https://crm-proxy.example.com/plain").is_ok());
/// assert!(address("https://plain.example.evil.net").is_err());
/// ```
#[derive(Clone, Debug)]
pub struct Hosts {
    crm: &'static str,
    domains: &'static [&'static str],
    allowed: Vec<String>,
}

impl Hosts {
    /// Those of `crm`: `domains` and what is under them.
    pub const fn of(crm: &'static str, domains: &'static [&'static str]) -> Self {
        Self { crm, domains, allowed: Vec::new() }
    }

    /// Allows one more host, at any port, such as a proxy of the host program's own.
    pub fn allow(&mut self, host: impl Into<String>) {
        self.allowed.push(host.into());
    }

    /// The address of `path`, which may carry a query, at the base URL of a connection.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidSettings`] for a base URL that a token must not be sent to.
    pub fn address(&self, base: &Url, path: &str) -> Result<Url> {
        self.check(base)?;
        let mut url = base.clone();
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let full = format!("{}{path}", url.path().trim_end_matches('/'));
        url.set_path(&full);
        url.set_query(query);
        Ok(url)
    }

    /// Refuses a base URL that a token must not be sent to.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidSettings`], which says why.
    pub fn check(&self, base: &Url) -> Result<()> {
        let refused = |why: &str| Err(Error::invalid(ErrorCode::InvalidSettings, format!("the base URL {why}")));
        let Some(host) = base.host_str() else { return refused("has no host") };
        if !base.username().is_empty() || base.password().is_some() {
            return refused("must not hold a user or password");
        }
        if is_loopback(host) && matches!(base.scheme(), "http" | "https") {
            return Ok(());
        }
        if base.scheme() != "https" {
            return refused("has to be https");
        }
        let is_own = || base.port().is_none() && self.domains.iter().any(|domain| is_under(host, domain));
        if self.allowed.iter().any(|other| other.eq_ignore_ascii_case(host)) || is_own() {
            return Ok(());
        }
        refused(&format!("is on {host}, which is none of {}'s hosts and was not allowed", self.crm))
    }
}

fn is_under(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_go_to_the_crm_only() {
        let mut hosts = Hosts::of("Plain CRM", &["plain.example"]);
        hosts.allow("crm.example.com");
        for (base, good) in [
            ("https://plain.example", true),
            ("https://acme.plain.example/", true),
            ("https://ACME.plain.example", true),
            ("http://127.0.0.1:8080", true),
            ("http://[::1]:8080", true),
            ("http://localhost:8080", true),
            ("https://crm.example.com:8443/proxy", true),
            ("http://acme.plain.example", false),
            ("https://acme.plain.example:8443", false),
            ("https://evilplain.example", false),
            ("https://plain.example.evil.net", false),
            ("https://localhost.evil.net", false),
            ("https://sub.crm.example.com", false),
            ("https://u:p@acme.plain.example", false),
            ("http://u:p@127.0.0.1", false),
            ("ftp://127.0.0.1", false),
            ("mailto:x@plain.example", false),
        ] {
            assert_eq!(hosts.check(&base.parse().unwrap()).is_ok(), good, "{base}");
        }
    }

    #[test]
    fn a_base_url_may_have_a_path_of_its_own() {
        let hosts = Hosts::of("Plain CRM", &["plain.example"]);
        for (base, path, expected) in [
            ("http://127.0.0.1:8080", "/crm/x%2Fy", "http://127.0.0.1:8080/crm/x%2Fy"),
            ("https://plain.example/eu/", "/crm/x?q=a%20b", "https://plain.example/eu/crm/x?q=a%20b"),
            ("https://plain.example/?left=over", "/crm", "https://plain.example/crm"),
        ] {
            assert_eq!(hosts.address(&base.parse().unwrap(), path).unwrap().as_str(), expected);
        }
    }
}

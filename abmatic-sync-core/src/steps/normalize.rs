//! Match keys: the registrable domain of a web address, and an email address in its one spelling.
//!
//! A key is stored, so two spellings of the same thing must give the same key for ever: scheme, `www.`, subdomains, path, port,
//! case, a trailing dot and the script of an international name do not matter. The public suffix list decides what is
//! registrable, with its private part: `acme.github.io` and `other.github.io` are two accounts.

use std::borrow::Cow;
use std::fmt;

use email_address::EmailAddress;
use url::Host;

use crate::model::resource::Resource;

/// The key under which records of `resource` match: domain for accounts, email address for people, none for the rest.
///
/// A free mail provider's domain is no account's key: it would make one account of all who use it.
pub fn match_key(resource: Resource, raw: &str) -> Option<String> {
    match resource {
        Resource::Account => {
            let Domain(domain) = Domain::parse(raw)?;
            (!is_free_mail(&domain)).then_some(domain)
        }
        Resource::Contact | Resource::Lead => Email::parse(raw).ok().map(|Email(email)| email),
        Resource::Opportunity | Resource::Activity => None,
    }
}

/// A registrable domain, lower case, in ASCII: `acme.com`, `xn--rzte-koa.de`.
///
/// ```
/// use abmatic_sync_core::steps::normalize::Domain;
/// assert_eq!(Domain::parse("HTTPS://www.Shop.Acme.co.uk:8080/about?x=1").unwrap().as_str(), "acme.co.uk");
/// assert_eq!(Domain::parse("co.uk"), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(String);

impl Domain {
    /// Reads a web address or bare host. `None` for IP addresses, single names such as `localhost`, bare suffixes such as
    /// `co.uk`, and what is no host at all.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match plain_host(text) {
            Some(host) => registrable(host),
            None => registrable(&url_host(text)?),
        }
    }

    /// The domain as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An email address in its one spelling: lower case, its domain in ASCII. Dots and plus tags stay.
///
/// ```
/// use abmatic_sync_core::steps::normalize::Email;
/// assert_eq!(Email::parse(" Ann+crm@ÄRZTE.de ").unwrap().as_str(), "ann+crm@xn--rzte-koa.de");
/// assert!(Email::parse("ann@").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

impl Email {
    /// Reads an address.
    ///
    /// # Errors
    /// [`EmailError`] says which part is wrong.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        const LENGTH_MAX: usize = 254;
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(EmailError::NoAt)?;
        let host = mail_host(domain).ok_or(EmailError::Domain)?;
        let email = if is_plain_local_part(local) {
            format!("{local}@{host}")
        } else if EmailAddress::is_valid_local_part(local) {
            format!("{}@{host}", local.to_lowercase())
        } else {
            return Err(EmailError::LocalPart);
        };
        if email.len() <= LENGTH_MAX { Ok(Self(email)) } else { Err(EmailError::Length) }
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part after the `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is wrong with an email address.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailError {
    /// What follows the `@` is no domain that mail can go to.
    Domain,
    /// It is longer than 254 bytes.
    Length,
    /// What precedes the `@` is not allowed.
    LocalPart,
    /// It has no `@`.
    NoAt,
}

impl fmt::Display for EmailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Domain => "the part after the @ is not a domain",
            Self::Length => "it is longer than 254 bytes",
            Self::LocalPart => "the part before the @ is not valid",
            Self::NoAt => "it has no @",
        })
    }
}

impl std::error::Error for EmailError {}

/// Whether many unrelated people have addresses under this registrable domain.
pub fn is_free_mail(domain: &str) -> bool {
    let (name, suffix) = domain.split_once('.').unwrap_or((domain, ""));
    FREE_MAIL.binary_search(&domain).is_ok() || (FREE_MAIL_ANY_SUFFIX.contains(&name) && !suffix.is_empty())
}

/// Providers that have one name under many suffixes.
const FREE_MAIL_ANY_SUFFIX: [&str; 2] = ["hotmail", "yahoo"];

/// Sorted.
#[rustfmt::skip]
const FREE_MAIL: &[&str] = &[
    "126.com", "163.com", "aim.com", "alice.it", "aol.com", "arcor.de", "att.net", "bellsouth.net", "bigpond.com",
    "bk.ru", "bluewin.ch", "bol.com.br", "btinternet.com", "charter.net", "comcast.net", "cox.net", "daum.net",
    "duck.com", "earthlink.net", "fastmail.com", "fastmail.fm", "free.fr", "freenet.de", "gmail.com", "gmx.at",
    "gmx.ch", "gmx.com", "gmx.de", "gmx.net", "googlemail.com", "hanmail.net", "hey.com", "icloud.com", "inbox.ru",
    "interia.pl", "juno.com", "laposte.net", "libero.it", "list.ru", "live.ca", "live.co.uk", "live.com", "live.de",
    "live.fr", "live.it", "live.nl", "mac.com", "mail.com", "mail.ru", "me.com", "msn.com", "naver.com", "neuf.fr",
    "o2.pl", "op.pl", "optonline.net", "orange.fr", "outlook.com", "outlook.de", "outlook.es", "outlook.fr",
    "outlook.it", "pm.me", "proton.me", "protonmail.ch", "protonmail.com", "qq.com", "rambler.ru", "rediffmail.com",
    "rocketmail.com", "sbcglobal.net", "sfr.fr", "sina.com", "sky.com", "skynet.be", "sohu.com", "t-online.de",
    "telenet.be", "terra.com.br", "tiscali.it", "tutanota.com", "uol.com.br", "verizon.net", "virgilio.it",
    "virginmedia.com", "wanadoo.fr", "web.de", "wp.pl", "ya.ru", "yandex.com", "yandex.ru", "yeah.net", "ymail.com",
    "zoho.com",
];

/// The host of an address that needs no decoding: lower-case ASCII, after `http://` or `https://` or bare.
fn plain_host(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    let host = rest.split_once('/').map_or(rest, |(host, _)| host);
    let host = host.strip_suffix('.').unwrap_or(host);
    is_plain_host(host).then_some(host)
}

/// Whether a host is its own one spelling already. Names in punycode are not taken for that: they may be wrongly encoded.
fn is_plain_host(host: &str) -> bool {
    let letters = host.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'));
    // A last label that begins with a letter makes it no IP address, in whatever notation.
    let named =
        host.rsplit_once('.').is_some_and(|(_, last)| last.starts_with(|first: char| first.is_ascii_lowercase()));
    letters && named && !host.split('.').any(|label| label.starts_with("xn--"))
}

/// The same by the rules of URLs: case, user, port, percent signs, international names, odd dots.
fn url_host(text: &str) -> Option<String> {
    let rest = match text.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => rest,
        _ => text.strip_prefix("//").unwrap_or(text),
    };
    let parsed = url::Url::parse(&format!("http://{rest}")).ok()?;
    match parsed.host()? {
        Host::Domain(host) => Some(host.strip_suffix('.').unwrap_or(host).to_owned()),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// The host that mail goes to: a name of at least two labels.
fn mail_host(domain: &str) -> Option<Cow<'_, str>> {
    let host = domain.strip_suffix('.').unwrap_or(domain);
    if is_plain_host(host) {
        return has_sound_labels(host).then_some(Cow::Borrowed(host));
    }
    if domain.contains('%') {
        return None;
    }
    match Host::parse(host).ok()? {
        Host::Domain(host) => {
            let host = host.strip_suffix('.').unwrap_or(&host).to_owned();
            (host.contains('.') && has_sound_labels(&host)).then_some(Cow::Owned(host))
        }
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

fn registrable(host: &str) -> Option<Domain> {
    if !has_sound_labels(host) {
        return None;
    }
    let domain = psl::domain_str(host)?;
    // Names below a domain may have underscores, the domain itself cannot.
    (!domain.contains('_')).then(|| Domain(domain.to_owned()))
}

/// Whether every label of a host in ASCII has a sound length and no hyphen at its edge.
fn has_sound_labels(host: &str) -> bool {
    const HOST_MAX: usize = 253;
    const LABEL_MAX: usize = 63;
    let last_is_long = host.rsplit('.').next().is_some_and(|last| last.len() > 1);
    let sound =
        |label: &str| !label.is_empty() && label.len() <= LABEL_MAX && !label.starts_with('-') && !label.ends_with('-');
    host.len() <= HOST_MAX
        && last_is_long
        && host.split('.').all(sound)
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
}

/// Whether what precedes the `@` is valid and its own one spelling already.
fn is_plain_local_part(local: &str) -> bool {
    const LOCAL_PART_MAX: usize = 64;
    let mut before = b'.';
    let sound = local.bytes().all(|byte| {
        let dots = byte == b'.' && before == b'.';
        before = byte;
        matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'+') && !dots
    });
    sound && before != b'.' && local.len() <= LOCAL_PART_MAX
}

#[cfg(test)]
mod tests {
    use email_address::EmailAddress;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::{
        Domain, Email, EmailError, FREE_MAIL, is_free_mail, is_plain_local_part, match_key, plain_host, registrable,
        url_host,
    };
    use crate::model::resource::Resource;

    fn domain(text: &str) -> Option<String> {
        Domain::parse(text).map(|domain| domain.as_str().to_owned())
    }

    #[test]
    fn spellings_of_one_domain_are_one_key() {
        for text in [
            "acme.com",
            "ACME.com",
            " acme.com ",
            "www.acme.com",
            "http://acme.com",
            "https://www.acme.com/",
            "acme.com.",
            "Https://Acme.com:8080/a/b?c=d#e",
            "acme.com/redirect?u=http://x.com",
            "//acme.com",
            "ftp://acme.com",
            "user:pass@acme.com",
            "info@acme.com",
            "shop.eu.acme.com",
            "acme。com",
            "http:acme.com/".trim_start_matches("http:"),
            "acme.com?x",
            "acme.com#x",
            "a_b.acme.com",
            "ａｃｍｅ.com",
            "acme.com:443",
            "foo+bar://Acme.com/x",
            "ac\u{200b}me.com",
        ] {
            assert_eq!(domain(text).as_deref(), Some("acme.com"), "{text}");
        }
        for text in ["ärzte.de", "ÄRZTE.de", "xn--rzte-koa.de", "http://www.XN--RZTE-KOA.de/x"] {
            assert_eq!(domain(text).as_deref(), Some("xn--rzte-koa.de"), "{text}");
        }
    }

    #[test]
    fn the_suffix_list_says_what_is_registrable() {
        let cases = [
            ("www.acme.co.uk", Some("acme.co.uk")),
            ("acme.github.io", Some("acme.github.io")),
            ("www.acme.myshopify.com", Some("acme.myshopify.com")),
            ("食狮.公司.cn", Some("xn--85x722f.xn--55qx5d.cn")),
            ("www.com", Some("www.com")),
            ("company-1.example", Some("company-1.example")),
            ("co.uk", None),
            ("github.io", None),
        ];
        for (text, expected) in cases {
            assert_eq!(domain(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_names_no_domain_has_no_key() {
        for text in [
            "",
            " ",
            ".",
            "..",
            "localhost",
            "http://localhost:3000",
            "127.0.0.1",
            "http://[::1]/",
            "0x7f.1",
            "1.2.3",
            "acme",
            "a..b.com",
            "a..com",
            ".acme.com",
            "acme..com",
            "-bad-.com",
            "bad-.com",
            "-bad.com",
            "n/a",
            "not a site",
            "exa_mple.com",
            "acme.com..",
            "acme.c",
            "http://",
            "://acme.com",
            "acme.com:port",
            "xn--a.com",
        ] {
            assert_eq!(domain(text), None, "{text}");
        }
    }

    #[test]
    fn an_email_address_has_one_spelling_or_an_error() {
        let cases = [
            ("ann@acme.com", Ok("ann@acme.com")),
            ("  Ann.Lee+CRM@Acme.COM. ", Ok("ann.lee+crm@acme.com")),
            ("o'brien@acme.com", Ok("o'brien@acme.com")),
            ("ann@mail.ärzte.de", Ok("ann@mail.xn--rzte-koa.de")),
            ("Jörg@acme.com", Ok("jörg@acme.com")),
            ("acme.com", Err(EmailError::NoAt)),
            ("@acme.com", Err(EmailError::LocalPart)),
            (".ann@acme.com", Err(EmailError::LocalPart)),
            ("a..b@acme.com", Err(EmailError::LocalPart)),
            ("ann lee@acme.com", Err(EmailError::LocalPart)),
            ("a@b@acme.com", Err(EmailError::LocalPart)),
            ("ann@", Err(EmailError::Domain)),
            ("ann@acme", Err(EmailError::Domain)),
            ("ann@127.0.0.1", Err(EmailError::Domain)),
            ("ann@[127.0.0.1]", Err(EmailError::Domain)),
            ("ann@acme..com", Err(EmailError::Domain)),
            ("ann@-acme.com", Err(EmailError::Domain)),
            ("ann@acme.com/x", Err(EmailError::Domain)),
            ("ann@acme.com, bob@acme.com", Err(EmailError::LocalPart)),
        ];
        for (text, expected) in cases {
            let parsed = Email::parse(text);
            assert_eq!(parsed.as_ref().map(Email::as_str), expected.as_ref().map(|text| *text), "{text}");
        }
        for (length, is_valid) in [(64, true), (65, false)] {
            let parsed = Email::parse(&format!("{}@acme.com", "a".repeat(length)));
            assert_eq!(parsed.is_ok(), is_valid, "{length} letters before the @");
        }
        let email = Email::parse("ann@mail.acme.com").unwrap();
        assert_eq!((email.domain(), email.to_string().as_str()), ("mail.acme.com", "ann@mail.acme.com"));
        assert_eq!(Domain::parse("www.acme.com").unwrap().to_string(), "acme.com");
        assert_eq!(EmailError::NoAt.to_string(), "it has no @");
    }

    #[test]
    fn free_mail_is_no_account() {
        assert!(FREE_MAIL.is_sorted());
        for domain in ["gmail.com", "yahoo.co.jp", "hotmail.fr", "gmx.net"] {
            assert!(is_free_mail(domain), "{domain}");
            assert_eq!(match_key(Resource::Account, domain), None);
        }
        for domain in ["acme.com", "yahoo", "gmail.acme.com"] {
            assert!(!is_free_mail(domain), "{domain}");
        }
        assert_eq!(match_key(Resource::Account, "www.acme.com").as_deref(), Some("acme.com"));
        assert_eq!(match_key(Resource::Lead, "Ann@gmail.com").as_deref(), Some("ann@gmail.com"));
        assert_eq!(match_key(Resource::Opportunity, "acme.com"), None);
    }

    proptest! {
        #[test]
        fn the_fast_way_finds_what_the_slow_one_does(
            text in "(https?://)?(www\\.|xn--)?[a-z0-9-]{0,4}[.a-z0-9-]{1,12}(\\.com|\\.co\\.uk|\\.)?(/[a-z?@:.]{0,5})?"
        ) {
            if let Some(host) = plain_host(&text) {
                let slow = url_host(&text).and_then(|host| registrable(&host));
                prop_assert_eq!(registrable(host), slow, "{}", text);
            }
        }

        #[test]
        fn a_plain_first_part_is_valid_and_lower_case(text in "[a-z0-9._+-]{0,12}|[a-zA-Z.]{60,68}") {
            if is_plain_local_part(&text) {
                prop_assert!(EmailAddress::is_valid_local_part(&text) && text == text.to_lowercase(), "{}", text);
            }
        }

        #[test]
        fn a_key_is_its_own_key(text in "\\PC{0,20}", name in "[a-zA-Z0-9äé_.-]{1,12}") {
            for text in [text, format!("{name}.com"), format!("https://{name}.Co.uk/x")] {
                if let Some(key) = Domain::parse(&text) {
                    prop_assert_eq!(Domain::parse(key.as_str()), Some(key));
                }
                if let Ok(key) = Email::parse(&format!("{name}@{text}")) {
                    prop_assert_eq!(Email::parse(key.as_str()), Ok(key));
                }
            }
        }
    }
}

//! Match keys: a key is its own key, and the spellings that do not matter do not change it.

use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::steps::coerce::web_host;
use abmatic_sync_core::steps::normalize::{Domain, Email, is_free_mail, match_key};

/// Normalises a web address.
///
/// # Panics
/// Where a key is no key of itself, or is another with a scheme, a path or capitals around it.
pub fn domain(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(host) = web_host(text) {
        assert_eq!(web_host(&host).as_ref(), Some(&host), "the host of {text:?}");
    }
    let Some(key) = Domain::parse(text) else {
        assert_eq!(match_key(Resource::Account, text), None, "{text:?}");
        return;
    };
    let name = key.as_str();
    assert!(name.is_ascii() && name.contains('.') && name == name.to_ascii_lowercase(), "{text:?} became {name}");
    for spelling in [
        name.to_owned(),
        name.to_uppercase(),
        format!("https://www.{name}:443/a?b=c#d"),
        format!(" http://{name}. "),
        format!("{name}/x"),
    ] {
        assert_eq!(Domain::parse(&spelling).as_ref(), Some(&key), "{spelling:?}, from {text:?}");
    }
    let expected = (!is_free_mail(name)).then(|| name.to_owned());
    assert_eq!(match_key(Resource::Account, text), expected, "{text:?}");
}

/// Normalises an email address.
///
/// # Panics
/// Where a key is no key of itself, or is another with blanks around it.
pub fn email(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let parsed = Email::parse(text);
    let expected = parsed.as_ref().ok().map(|email| email.as_str().to_owned());
    assert_eq!(match_key(Resource::Contact, text), expected, "{text:?}");
    let Ok(key) = parsed else { return };
    let name = key.as_str();
    assert!(name.contains('@') && name.len() <= 254 && key.domain().is_ascii(), "{text:?} became {name}");
    for spelling in [name.to_owned(), format!(" {name}\n"), format!("{name}.")] {
        assert_eq!(Email::parse(&spelling).as_ref(), Ok(&key), "{spelling:?}, from {text:?}");
    }
}

//! Values as people, imports and old integrations write them: what all seeded fakes have in common.

use crate::fake::dice::Dice;
use crate::fake::words::{COMPANY_ENDS, COMPANY_STARTS, ENDINGS, IDN_DOMAINS};

/// A company's name and its domain.
pub(crate) fn company(dice: &mut Dice, number: usize) -> (String, String) {
    let (start, end) = (dice.pick(COMPANY_STARTS), dice.pick(COMPANY_ENDS));
    let name = format!("{start} {end}");
    if dice.chance(3) {
        return (name, format!("{}{number}.de", dice.pick(IDN_DOMAINS)));
    }
    let plain: String = start.chars().filter(char::is_ascii_alphanumeric).collect();
    (name, format!("{}{number}.{}", plain.to_ascii_lowercase(), dice.pick(ENDINGS)))
}

/// A website with that domain, or none, or what is none.
pub(crate) fn website(dice: &mut Dice, domain: &str) -> String {
    match dice.below(16) {
        0 => format!("http://www.{domain}:8080/index.html?utm_source=crm#top"),
        1 => "n/a".to_owned(),
        2 => "http://".to_owned(),
        3 | 4 => String::new(),
        5 => format!("HTTPS://WWW.{}/", domain.to_uppercase()),
        6 | 7 => domain.to_owned(),
        8 => format!("www.{domain}"),
        _ => format!("https://www.{domain}"),
    }
}

/// A person's address at that domain; the number makes it the only one.
pub(crate) fn email((first, last): (&str, &str), domain: Option<&str>, number: usize) -> String {
    let plain = |name: &str| name.to_lowercase().replace([' ', '\''], "");
    let local = format!("{}.{}{number}", plain(first), plain(last));
    let local: String = local.chars().filter(char::is_ascii).collect();
    let domain: String = domain.unwrap_or("gmail.com").chars().filter(char::is_ascii).collect();
    format!("{}@{domain}", local.trim_matches('.'))
}

/// A phone number in one of three spellings.
pub(crate) fn phone(dice: &mut Dice) -> String {
    let (area, line) = (200 + dice.below(700), dice.below(10_000_000));
    match dice.below(3) {
        0 => format!("+1{area}{line:07}"),
        1 => format!("({area}) {:03}-{:04}", line / 10_000, line % 10_000),
        _ => format!("+49 {area} {line}"),
    }
}

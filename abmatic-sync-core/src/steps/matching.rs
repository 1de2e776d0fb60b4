//! Finds the situation of a record: its link, else the one free candidate under its key, else none.
//!
//! Pure: the lookups were made before, one for each side and page.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::policy::AmbiguousRule;

/// What matching found for a record.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Situation {
    /// Several records could be its counterpart, or several records claim the same one.
    Ambiguous,
    /// It has a link.
    Linked,
    /// It has a link to a local record that is gone.
    LocalGone,
    /// It has no link, but its key found a counterpart.
    Matched,
    /// It has no counterpart.
    New,
    /// It left the run's scope.
    OutOfScope,
    /// It has a link to a remote record that is gone.
    RemoteGone,
}

/// A record that the key found on the other side.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its id.
    pub id: String,
    /// When it came to be: the oldest is taken.
    pub created_at: Option<DateTime<Utc>>,
    /// The record that it is linked with already.
    pub taken_by: Option<String>,
}

/// What the candidates under one key come to.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyMatch {
    /// This candidate, by its place; a warning says what else there was.
    Found(usize, Option<String>),
    /// Nothing under the key.
    None,
    /// The record is to be left, for this reason.
    Refused(String),
}

/// Chooses among the candidates under `key`: the free one, of several the oldest (by creation, then id).
pub fn choose(key: &str, candidates: &[Candidate], rule: AmbiguousRule) -> KeyMatch {
    let mut free: Vec<usize> = (0..candidates.len()).filter(|&place| candidates[place].taken_by.is_none()).collect();
    free.sort_by(|&a, &b| age(&candidates[a]).cmp(&age(&candidates[b])));
    match (free.as_slice(), candidates) {
        ([], []) => KeyMatch::None,
        ([], [taken, ..]) => {
            let other = taken.taken_by.as_deref().unwrap_or_default();
            KeyMatch::Refused(format!("{} has the same key {key} and is linked with {other} already", taken.id))
        }
        ([only], _) => KeyMatch::Found(*only, None),
        ([oldest, ..], _) => {
            let ids: Vec<&str> = free.iter().map(|&place| candidates[place].id.as_str()).collect();
            let what = format!("{} candidates for {key}: {}", ids.len(), ids.join(", "));
            match rule {
                AmbiguousRule::Oldest => KeyMatch::Found(*oldest, Some(format!("{what}; the oldest is taken"))),
                AmbiguousRule::Report => KeyMatch::Refused(what),
            }
        }
    }
}

/// A record's key, creation and id.
pub type KeyedAge<'a> = (Option<String>, Option<DateTime<Utc>>, &'a str);

/// For each record of a page the place of the one that stands for its key: the oldest. Records without a key stand for
/// themselves.
pub fn fold_same_keys(page: &[KeyedAge<'_>]) -> Vec<usize> {
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (place, (key, created_at, id)) in page.iter().enumerate() {
        let Some(key) = key else { continue };
        let held = first.entry(key).or_insert(place);
        let (_, held_at, held_id) = &page[*held];
        if (by_age(*created_at), id_order(id)) < (by_age(*held_at), id_order(held_id)) {
            *held = place;
        }
    }
    page.iter()
        .enumerate()
        .map(|(place, (key, ..))| key.as_deref().and_then(|key| first.get(key).copied()).unwrap_or(place))
        .collect()
}

fn age(candidate: &Candidate) -> (DateTime<Utc>, (usize, &str)) {
    (by_age(candidate.created_at), id_order(&candidate.id))
}

/// Unknown creation counts as the youngest.
fn by_age(created_at: Option<DateTime<Utc>>) -> DateTime<Utc> {
    created_at.unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Numbers as ids sort by size.
fn id_order(id: &str) -> (usize, &str) {
    (id.len(), id)
}

#[cfg(test)]
mod tests {
    use super::{Candidate, KeyMatch, choose, fold_same_keys};
    use crate::policy::AmbiguousRule;

    fn candidate(id: &str, taken_by: Option<&str>) -> Candidate {
        Candidate { id: id.to_owned(), created_at: None, taken_by: taken_by.map(str::to_owned) }
    }

    #[test]
    fn of_several_the_oldest_is_taken_with_a_warning() {
        let candidates = [candidate("10", None), candidate("9", None)];
        let KeyMatch::Found(1, Some(warning)) = choose("acme.com", &candidates, AmbiguousRule::Oldest) else {
            panic!("9 is older than 10")
        };
        assert_eq!(warning, "2 candidates for acme.com: 9, 10; the oldest is taken");
        assert!(matches!(choose("acme.com", &candidates, AmbiguousRule::Report), KeyMatch::Refused(_)));
    }

    #[test]
    fn a_taken_candidate_is_never_taken_again() {
        assert_eq!(
            choose("acme.com", &[candidate("9", Some("L1")), candidate("10", None)], AmbiguousRule::Oldest),
            KeyMatch::Found(1, None)
        );
        assert!(matches!(choose("a.com", &[candidate("9", Some("L1"))], AmbiguousRule::Oldest), KeyMatch::Refused(_)));
    }

    #[test]
    fn one_key_on_one_page_is_one_record() {
        let key = |text: &str| Some(text.to_owned());
        let page = [
            (key("a"), None, "12"),
            (None, None, "1"),
            (key("b"), None, "5"),
            (key("a"), None, "7"),
            (None, None, "2"),
        ];
        assert_eq!(fold_same_keys(&page), [3, 1, 2, 3, 4]);
    }
}

//! A relation of which the host holds several and the CRM keeps one: the others are the host's own, and nothing there
//! may take them away.

use std::collections::BTreeSet;

use crate::model::value::Value;

/// What the CRM's record would hold if it kept them all: its one, and those here that it never had room for. In the
/// host's ids; `base` is what both held when they last agreed.
///
/// Without a base its one is added to those here; an empty one says nothing of them.
pub fn completed(remote: &Value, local: &Value, base: Option<(&Value, &Value)>) -> Value {
    let others = match base {
        None if remote.is_blank() => return Value::Null,
        None => ids(local),
        Some((local, kept)) => {
            let kept = ids(kept);
            ids(local).into_iter().filter(|id| !kept.contains(id)).collect()
        }
    };
    reference(ids(remote).into_iter().chain(others).collect())
}

/// The one to send of several: that which the CRM holds already, else the first.
pub fn chosen(several: BTreeSet<String>, held: Option<&Value>) -> BTreeSet<String> {
    let kept = held.and_then(|held| held.ids().find(|id| several.contains(*id)).map(str::to_owned));
    kept.or_else(|| several.into_iter().next()).into_iter().collect()
}

/// Whether all of one stand in the other, and there are any.
pub fn is_part(of: &Value, one: &Value) -> bool {
    let all = ids(of);
    !one.is_blank() && one.ids().all(|id| all.contains(id))
}

/// A reference, blank where it names nobody.
pub fn reference(ids: BTreeSet<String>) -> Value {
    if ids.is_empty() { Value::Null } else { Value::Reference(ids) }
}

fn ids(value: &Value) -> BTreeSet<String> {
    value.ids().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::{chosen, completed, reference};
    use crate::model::value::Value;

    fn of(ids: &str) -> Value {
        reference(ids.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn the_others_stand_beside_the_one_that_the_crm_keeps() {
        let base = (of("a b c"), of("a"));
        let base = Some((&base.0, &base.1));
        for (remote, whole) in [("a", "a b c"), ("d", "b c d"), ("", "b c"), ("b", "b c")] {
            assert_eq!(completed(&of(remote), &of("a b c"), base), of(whole), "the CRM holds {remote:?}");
        }
    }

    #[test]
    fn without_a_base_nobody_is_taken_away() {
        assert_eq!(completed(&of("a"), &of("a b"), None), of("a b"));
        assert_eq!(completed(&of("c"), &of("a b"), None), of("a b c"));
        assert_eq!(completed(&of(""), &of("a b"), None), Value::Null);
    }

    #[test]
    fn the_one_that_is_there_stays() {
        let several = ["1", "2", "3"].map(str::to_owned);
        assert_eq!(reference(chosen(several.clone().into(), Some(&of("2")))), of("2"));
        assert_eq!(reference(chosen(several.into(), Some(&of("9")))), of("1"));
    }
}

//! A relation of which the host holds several and the CRM keeps one: the others are the host's own, and nothing there
//! may take them away.

use std::collections::BTreeSet;

use crate::model::value::Value;

/// A pair's values as if the CRM kept them all, in the host's ids.
#[derive(Debug)]
pub(crate) struct Whole {
    /// What both held when they last agreed.
    pub(crate) base: Option<(Value, Value)>,
    /// What the CRM's record would hold: its one, and those that it never had room for.
    pub(crate) remote: Value,
    /// What it keeps in truth, or is taken to keep.
    pub(crate) kept: Value,
}

/// Whose others stand beside the CRM's one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Others {
    /// Those on which both agreed, so that an edit here is seen.
    Agreed,
    /// Those here, none of which an overwriting run may take away.
    Here,
}

/// Completes what the CRM holds. Without a base its one is added to those here, and an empty one says nothing of them.
/// `keeps_blank`: an emptied one there takes nobody away here.
pub(crate) fn whole(
    held: Value,
    local: &Value,
    base: Option<(&Value, &Value)>,
    others: Others,
    keeps_blank: bool,
) -> Whole {
    let Some((agreed, kept_before)) = base else {
        let remote = if held.is_blank() { Value::Null } else { joined(ids(&held), ids(local)) };
        return Whole { base: None, remote, kept: held };
    };
    let mut kept = ids(kept_before);
    if kept.len() > 1 {
        // Agreed on before it was known that the CRM keeps one.
        let now = ids(&held);
        kept.retain(|id| now.contains(id));
    }
    let without = |several: &Value| ids(several).into_iter().filter(|id| !kept.contains(id)).collect::<BTreeSet<_>>();
    let seen = if held.is_blank() && keeps_blank { reference(kept.clone()) } else { held };
    let beside = without(if others == Others::Agreed { agreed } else { local });
    Whole {
        base: Some((agreed.clone(), joined(kept.clone(), without(agreed)))),
        remote: joined(ids(&seen), beside),
        kept: seen,
    }
}

fn joined(one: BTreeSet<String>, others: BTreeSet<String>) -> Value {
    reference(one.into_iter().chain(others).collect())
}

/// The one to send of several: that which the CRM holds already, else the first.
pub(crate) fn chosen(several: BTreeSet<String>, held: Option<&Value>) -> BTreeSet<String> {
    let kept = held.and_then(|held| held.ids().find(|id| several.contains(*id)).map(str::to_owned));
    kept.or_else(|| several.into_iter().next()).into_iter().collect()
}

/// Whether all of one stand in the other, and there are any.
pub(crate) fn is_part(of: &Value, one: &Value) -> bool {
    let all = ids(of);
    !one.is_blank() && one.ids().all(|id| all.contains(id))
}

/// A reference, blank where it names nobody.
pub(crate) fn reference(ids: BTreeSet<String>) -> Value {
    if ids.is_empty() { Value::Null } else { Value::Reference(ids) }
}

fn ids(value: &Value) -> BTreeSet<String> {
    value.ids().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::{Others, chosen, reference, whole};
    use crate::model::value::Value;

    fn of(ids: &str) -> Value {
        reference(ids.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn the_others_stand_beside_the_one_that_the_crm_keeps() {
        // Agreed, kept before; held now, here now; what the CRM would hold, and would have held.
        for (agreed, before, held, local, expected, was) in [
            ("a b c", "a", "a", "a b c", "a b c", "a b c"),
            ("a b c", "a", "d", "a b c", "b c d", "a b c"),
            ("a b c", "a", "b", "a b c", "b c", "a b c"),
            ("a b c", "a", "", "a b c", "b c", "a b c"),
            ("a", "c", "c", "a", "a c", "a c"),
            ("a b", "a b", "a", "a b", "a b", "a b"),
            ("a b", "a b", "d", "a b", "a b d", "a b"),
        ] {
            let base = (of(agreed), of(before));
            let made = whole(of(held), &of(local), Some((&base.0, &base.1)), Others::Agreed, false);
            assert_eq!((made.remote, made.base.unwrap().1), (of(expected), of(was)), "{agreed} | {before} | {held}");
        }
    }

    #[test]
    fn an_overwriting_run_takes_away_only_what_the_crm_kept() {
        let base = (of("a b"), of("a"));
        let base = Some((&base.0, &base.1));
        assert_eq!(whole(of("a"), &of("a b c"), base, Others::Here, true).remote, of("a b c"));
        assert_eq!(whole(of("d"), &of("a b c"), base, Others::Here, true).remote, of("b c d"));
    }

    #[test]
    fn an_emptied_one_counts_only_where_clears_do() {
        let base = (of("a b"), of("a"));
        let base = Some((&base.0, &base.1));
        assert_eq!(whole(of(""), &of("a b"), base, Others::Agreed, true).remote, of("a b"));
        assert_eq!(whole(of(""), &of("a b"), base, Others::Agreed, false).remote, of("b"));
    }

    #[test]
    fn without_a_base_nobody_is_taken_away() {
        for (held, expected) in [("a", "a b"), ("c", "a b c"), ("", "")] {
            assert_eq!(whole(of(held), &of("a b"), None, Others::Agreed, false).remote, of(expected));
        }
    }

    #[test]
    fn the_one_that_is_there_stays() {
        let several = ["1", "2", "3"].map(str::to_owned);
        assert_eq!(reference(chosen(several.clone().into(), Some(&of("2")))), of("2"));
        assert_eq!(reference(chosen(several.into(), Some(&of("9")))), of("1"));
    }
}

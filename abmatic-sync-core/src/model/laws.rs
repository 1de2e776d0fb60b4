//! The laws of the vocabulary: values mean the same whichever is asked, and stored is what is read again.

use std::collections::BTreeMap;

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use crate::arbitrary::values;
use crate::model::change::Direction;
use crate::model::fields::Fields;
use crate::model::link::Base;
use crate::model::value::Value;

proptest! {
    #[test]
    fn to_mean_the_same_is_mutual(a in values(), b in values()) {
        prop_assert!(a.same_as(&a));
        prop_assert_eq!(a.same_as(&b), b.same_as(&a));
        prop_assert!(a != b || a.same_as(&b));
        prop_assert_eq!(a.is_blank(), a.same_as(&Value::Null));
    }

    #[test]
    fn a_value_means_the_same_as_its_text(value in values()) {
        // References are ids, and a choice is its text.
        if !matches!(value, Value::Null) {
            let text = Value::text(value.to_string());
            prop_assert!(value.is_blank() || text.is_blank() || value.same_as(&text), "{:?}", value);
        }
    }

    #[test]
    fn what_is_stored_is_read_again(value in values(), names in proptest::collection::vec(("[a-c]{1,2}", values()), 0..6)) {
        let text = serde_json::to_string(&value).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        let fields = Fields::from_iter(names);
        let text = serde_json::to_string(&fields).unwrap();
        prop_assert_eq!(serde_json::from_str::<Fields>(&text).unwrap(), fields);
    }

    #[test]
    fn fields_are_a_map(steps in proptest::collection::vec(("[a-d]", values(), 0..4_u8), 0..12)) {
        let (mut fields, mut map) = (Fields::new(), BTreeMap::new());
        for (name, value, what) in steps {
            if what == 0 {
                prop_assert_eq!(fields.remove(&name), map.remove(&name));
            } else {
                prop_assert_eq!(fields.insert(name.as_str(), value.clone()), map.insert(name, value));
            }
            let held: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value)).collect();
            let expected: Vec<_> = map.iter().map(|(name, value)| (name.as_str(), value)).collect();
            prop_assert_eq!(&held, &expected);
            prop_assert_eq!((fields.len(), fields.is_empty()), (map.len(), map.is_empty()));
            prop_assert!(map.iter().all(|(name, value)| fields.get(name) == Some(value)));
            prop_assert_eq!(fields.get("e"), None);
        }
    }

    #[test]
    fn fields_laid_over_others_win(a in proptest::collection::vec(("[a-c]", values()), 0..4), b in proptest::collection::vec(("[a-c]", values()), 0..4)) {
        let (under, over) = (Fields::from_iter(a), Fields::from_iter(b));
        let mut both = under.clone();
        both.extend_from(&over);
        for name in ["a", "b", "c"] {
            prop_assert_eq!(both.get(name), over.get(name).or_else(|| under.get(name)));
        }
    }

    #[test]
    fn a_base_tells_what_was_agreed_on_last(steps in proptest::collection::vec(("[ab]", values(), values(), 0..4_u8), 0..8)) {
        let (mut base, mut agreed, mut under_way) = (Base::new(), BTreeMap::new(), BTreeMap::new());
        for (name, local, remote, what) in steps {
            match what {
                0 => {
                    base.depart(name.as_str().into(), Direction::FromAbmatic, local.clone());
                    under_way.insert((name, true), local);
                }
                1 => {
                    base.depart(name.as_str().into(), Direction::ToAbmatic, remote.clone());
                    under_way.insert((name, false), remote);
                }
                2 => {
                    base.settle();
                    under_way.clear();
                }
                _ => {
                    base.agree(name.as_str().into(), local.clone(), remote.clone());
                    agreed.insert(name, (local, remote));
                }
            }
            let text = serde_json::to_string(&base).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Base>(&text).unwrap(), &base);
            for name in ["a", "b"] {
                prop_assert_eq!(base.local(name), agreed.get(name).map(|(local, _)| local));
                prop_assert_eq!(base.remote(name), agreed.get(name).map(|(_, remote)| remote));
                let there = under_way.get(&(name.to_owned(), true));
                prop_assert_eq!(base.under_way(name, Direction::FromAbmatic), there);
                let here = under_way.get(&(name.to_owned(), false));
                prop_assert_eq!(base.under_way(name, Direction::ToAbmatic), here);
            }
            prop_assert_eq!((base.len(), base.is_empty()), (agreed.len(), agreed.is_empty()));
        }
    }
}

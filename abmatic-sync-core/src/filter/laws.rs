//! The laws of conditions, over records and conditions of every kind.

use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};

use crate::arbitrary::{COMPARISONS, conditions, texts, types, values};
use crate::filter::check::check;
use crate::filter::eval::holds;
use crate::filter::expr::{Comparison, Expr, field, not};
use crate::model::fields::Fields;
use crate::model::schema::{ChoiceOption, Field, Schema};
use crate::model::value::Value;

fn records() -> impl Strategy<Value = Fields> {
    proptest::collection::vec(("[abc]", values()), 0..4).prop_map(Fields::from_iter)
}

fn asked() -> impl Strategy<Value = Expr> {
    conditions("[abc]".prop_map(|name| name), values)
}

proptest! {
    #[test]
    fn not_and_and_or_are_those_of_logic(a in asked(), b in asked(), record in records()) {
        let (holds_a, holds_b) = (holds(&a, &record), holds(&b, &record));
        prop_assert_eq!(holds(&not(a.clone()), &record), !holds_a);
        prop_assert_eq!(holds(&a.clone().and(b.clone()), &record), holds_a && holds_b);
        prop_assert_eq!(holds(&a.clone().or(b.clone()), &record), holds_a || holds_b);
        prop_assert_eq!(holds(&b.clone().and(a.clone()), &record), holds(&a.and(b), &record));
    }

    #[test]
    fn to_be_one_of_several_is_to_equal_one(held in values(), list in proptest::collection::vec(values(), 1..4)) {
        let record = Fields::from_iter([("a", held)]);
        let equals = |value: &Value| holds(&field("a").equals(value.clone()), &record);
        prop_assert_eq!(holds(&field("a").is_in(list.clone()), &record), list.iter().any(equals));
    }

    #[test]
    fn operators_agree_with_each_other(held in values(), value in values()) {
        let record = Fields::from_iter([("a", held.clone())]);
        let says = |how| holds(&field("a").compare(how, value.clone()), &record);
        prop_assert_eq!(says(Comparison::NotEqual), !says(Comparison::Equal));
        // Of two values that can be put in order just one of three holds, of others none.
        let (less, greater) = (says(Comparison::Less), says(Comparison::Greater));
        let (at_most, at_least) = (says(Comparison::LessOrEqual), says(Comparison::GreaterOrEqual));
        prop_assert!(!(less && greater));
        prop_assert_eq!(less, at_most && !at_least);
        prop_assert_eq!(greater, at_least && !at_most);
        // A set's text is no part of it.
        let has_parts = matches!(held, Value::MultiChoice(_) | Value::Reference(_));
        prop_assert!(has_parts || !says(Comparison::StartsWith) || says(Comparison::Contains));
    }

    #[test]
    fn nothing_holds_of_a_blank_but_that_it_is_one(value in values(), at in 0..COMPARISONS.len()) {
        let how = COMPARISONS[at];
        let expr = field("a").compare(how, value.clone());
        for record in [Fields::new(), Fields::from_iter([("a", Value::Null)]), Fields::from_iter([("a", Value::Text(String::new()))])] {
            let expected = match how {
                Comparison::Equal => value.is_blank(),
                Comparison::NotEqual => !value.is_blank(),
                _ => false,
            };
            prop_assert_eq!(holds(&expr, &record), expected);
            prop_assert!(holds(&field("a").is_null(), &record));
        }
    }

    #[test]
    fn what_two_sides_take_for_the_same_is_equal_here(held in values(), value in values()) {
        if held.same_as(&value) {
            let record = Fields::from_iter([("a", held)]);
            prop_assert!(holds(&field("a").equals(value), &record));
        }
    }

    #[test]
    fn what_was_fitted_fits(
        field_type in types(),
        how in proptest::sample::select(COMPARISONS.to_vec()),
        value in values(),
        options in proptest::collection::vec(texts(), 0..3),
    ) {
        let options = options.into_iter().map(|text| ChoiceOption::new(text.trim(), text.to_uppercase())).collect();
        let schema = Schema::new(vec![Field::new("a", field_type).with_options(options)]);
        if let Ok(fitted) = check(&field("a").compare(how, value.clone()), &schema) {
            prop_assert_eq!(check(&fitted, &schema).ok(), Some(fitted.clone()), "from {:?}", value);
        }
    }
}

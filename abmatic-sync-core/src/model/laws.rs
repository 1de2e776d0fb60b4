//! The laws of the vocabulary: values mean the same whichever is asked, and stored is what is read again.

use std::collections::BTreeMap;

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use crate::arbitrary::{TYPES, values};
use crate::model::change::{Direction, FieldChange, Reason};
use crate::model::fields::Fields;
use crate::model::journal::Status;
use crate::model::link::{Awaited, Base, Link, LinkScope};
use crate::model::mapping::{FieldMapping, Mapping, MappingDirection, Transform};
use crate::model::record::{RecordId, Version};
use crate::model::resource::{Resource, Side};
use crate::model::schema::{ChoiceOption, Field, FieldType, Schema};
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

#[test]
fn each_word_is_read_again() {
    for resource in Resource::ALL {
        let plural =
            if resource == Resource::Opportunity { "Opportunities".to_owned() } else { format!("{resource}s") };
        let plural = plural.replace("activitys", "activities");
        assert_eq!(resource.to_string(), resource.as_str());
        assert_eq!(Resource::parse(resource.as_str()), Some(resource));
        assert_eq!(Resource::parse(&plural.to_uppercase()), Some(resource), "{plural}");
        assert_eq!(serde_json::to_string(&resource).unwrap(), format!("\"{resource}\""));
        assert_eq!(resource.is_person(), matches!(resource, Resource::Contact | Resource::Lead));
    }
    assert_eq!(Resource::parse("campaign"), None);
    let statuses = [Status::Created, Status::Deleted, Status::Failed, Status::Skipped, Status::Updated];
    for status in statuses {
        assert_eq!(Status::parse(&status.to_string().to_uppercase()), Some(status));
        assert_eq!(format!("{status:>9}").len(), 9);
    }
    assert_eq!(Status::parse("Lost"), None);
    let names: BTreeMap<&str, FieldType> = TYPES.into_iter().map(|one| (one.as_str(), one)).collect();
    assert_eq!(names.len(), TYPES.len());
    assert!(names.keys().all(|name| !name.is_empty()));
    assert_eq!([Side::Local, Side::Remote].map(Side::name), ["host", "CRM"]);
    assert_eq!(
        [Direction::ToAbmatic, Direction::FromAbmatic].map(|way| way.to_string()),
        ["To Abmatic", "From Abmatic"]
    );
}

#[test]
fn the_two_sides_and_ways_belong_together() {
    for side in [Side::Local, Side::Remote] {
        assert_eq!(side.other().other(), side);
        assert_ne!(side.other(), side);
        assert_eq!(Direction::towards(side).target(), side);
        let id = RecordId::on(side, "7");
        assert_eq!((id.side(), id.as_str()), (side, "7"));
    }
    assert_eq!(Direction::towards(Side::Local), Direction::ToAbmatic);
    assert_eq!(Version::new(7).get(), 7);
    for (direction, to_host, to_crm) in [
        (MappingDirection::Both, true, true),
        (MappingDirection::ImportOnly, true, false),
        (MappingDirection::ExportOnly, false, true),
    ] {
        assert_eq!(direction.allows(Direction::ToAbmatic), to_host);
        assert_eq!(direction.allows(Direction::FromAbmatic), to_crm);
    }
}

#[test]
fn a_change_that_was_only_reported_is_stored_as_such() {
    let change = FieldChange::new("f".into(), Direction::ToAbmatic, Value::Null, Value::text("A"), Reason::OnlyChange);
    let kept = change.clone().not_written();
    assert!(change.written && !kept.written);
    for change in [change, kept] {
        let text = serde_json::to_string(&change).unwrap();
        assert_eq!(serde_json::from_str::<FieldChange>(&text).unwrap(), change);
        assert_eq!(change.reason.to_string(), "changed on one side only");
    }
}

#[test]
fn what_is_built_holds_what_was_said() {
    let options = || vec![ChoiceOption::new("a", "A")];
    let field = Field::new("f", FieldType::Choice).with_label("Field").with_options(options());
    let field = field.required_on_create().read_only().unique();
    assert_eq!((field.label.as_str(), &field.options), ("Field", &options()));
    assert!(field.required_on_create && field.unique && !field.writable);
    let schema = Schema::new(vec![field, Field::new("e", FieldType::Email)])
        .with_required_any(&["e", "f"])
        .with_recommended(&["f"])
        .with_key_field("e");
    assert_eq!(schema.required_any, [["e".into(), "f".into()]]);
    assert_eq!((schema.recommended, schema.key_field), (vec!["f".into()], Some("e".into())));
    let pair = FieldMapping::new("a", "b")
        .with_direction(MappingDirection::ImportOnly)
        .with_source_of_truth(Side::Local)
        .with_transform(Transform::Trim);
    assert_eq!((pair.direction, pair.source_of_truth), (MappingDirection::ImportOnly, Some(Side::Local)));
    assert_eq!(pair.transform, Transform::Trim);
    let mapping = Mapping::new(vec![FieldMapping::new("a", "x"), FieldMapping::new("c", "d")]).with(pair.clone());
    assert_eq!(mapping.fields.len(), 2, "one for each local field");
    assert_eq!(mapping.by_local("a"), Some(&pair));
    assert_eq!(mapping.by_local("b"), None);
}

#[test]
fn a_link_that_is_announced_waits_for_its_record() {
    let mut link = Link::new("l".into(), "r".into());
    link.local_version = Some(Version::new(1));
    let announced = link.announced();
    assert_eq!(announced.local_version, None);
    assert!(announced.waiting_for.contains(&Awaited::LocalRecord));
    let scope = LinkScope::new("t".into(), "c".into(), Resource::Contact).to_remote(Resource::Lead);
    assert_eq!((scope.resource, scope.remote_resource), (Resource::Contact, Resource::Lead));
    let base = Base::equal(Fields::from_iter([("f", Value::text("A"))]));
    assert_eq!((base.local("f"), base.remote("f")), (Some(&Value::text("A")), Some(&Value::text("A"))));
}

#[test]
fn values_are_made_of_what_rust_has() {
    let day = chrono::DateTime::UNIX_EPOCH.date_naive();
    let cases = [
        (Value::from("a"), Value::Text("a".to_owned()), "text"),
        (Value::from(String::from("a")), Value::Text("a".to_owned()), "text"),
        (Value::from(7_i64), Value::Integer(7), "integer"),
        (Value::from(true), Value::Boolean(true), "boolean"),
        (Value::from(rust_decimal::Decimal::TWO), Value::Decimal(rust_decimal::Decimal::TWO), "decimal"),
        (Value::from(day), Value::Date(day), "date"),
        (Value::from(chrono::DateTime::UNIX_EPOCH), Value::Instant(chrono::DateTime::UNIX_EPOCH), "instant"),
        (Value::reference("7"), Value::Reference(["7".to_owned()].into()), "reference"),
    ];
    for (made, expected, name) in cases {
        assert_eq!((&made, made.type_name()), (&expected, name));
    }
    assert_eq!(Value::reference("7").ids().collect::<Vec<_>>(), ["7"]);
    assert_eq!(Value::Text("7".to_owned()).ids().count(), 0);
    assert_eq!((Value::Choice("a".to_owned()).as_text(), Value::Integer(1).as_text()), (Some("a"), None));
}

#[test]
fn what_no_store_wrote_is_refused() {
    for (text, why) in [
        ("18446744073709551615", "integer beyond 64 bits"),
        (r#"{"colour":"red"}"#, "unknown value type"),
        ("{}", "a value object without its type"),
        ("[1]", "a stored value"),
        (r#"{"decimal":"x"}"#, ""),
    ] {
        let error = serde_json::from_str::<Value>(text).unwrap_err().to_string();
        assert!(error.contains(why), "{text}: {error}");
    }
    assert_eq!(serde_json::from_str::<Value>("9223372036854775807").unwrap(), Value::Integer(i64::MAX));
    let error = serde_json::from_str::<Fields>("7").unwrap_err().to_string();
    assert!(error.contains("a map of fields"), "{error}");
}

//! The laws of the pure steps, over values and records of every kind.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

use crate::arbitrary::{moments, texts, types, values};
use crate::error::ErrorCode;
use crate::model::change::{Direction, Reason};
use crate::model::fields::Fields;
use crate::model::link::{Base, Link};
use crate::model::mapping::{FieldMapping, Mapping, MappingDirection, Transform};
use crate::model::record::{LocalRecord, RemoteRecord, Version};
use crate::model::resource::{Resource, Side};
use crate::model::schema::{ChoiceOption, Field, FieldType, Schema};
use crate::model::server_clock::Ahead;
use crate::model::value::Value;
use crate::policy::{
    AmbiguousRule, BlankRule, ConflictRule, Create, DuplicateHandling, GoneRule, Policy, Update, Writes,
};
use crate::steps::arrival::arrived;
use crate::steps::coerce::{coerce, web_host};
use crate::steps::form::is_form_of;
use crate::steps::gone::{ThereRules, why_kept_here, why_kept_there};
use crate::steps::mapping::{CompiledMapping, MappedField, Sides};
use crate::steps::matching::{Candidate, KeyMatch, KeyedAge, Situation, choose, fold_same_keys};
use crate::steps::merge::{Decision, FieldPair, MergeRules, Mode, merge_field};
use crate::steps::plan::{Action, LinkedMode, Pair, PlanRules, Planned, plan_pair};
use crate::steps::references::ReferenceMap;
use crate::steps::single::{Others, chosen, is_part, reference, whole};

const SIDES: [Side; 2] = [Side::Local, Side::Remote];

fn compiled(pairs: Vec<FieldMapping>, local: &Schema, remote: &Schema) -> CompiledMapping {
    CompiledMapping::compile(&Mapping::new(pairs), Sides::new(Resource::Account, local, remote)).unwrap()
}

/// A field of one type on both sides.
fn mapped(field_type: FieldType, transform: Transform) -> MappedField {
    let schema = Schema::new(vec![Field::new("f", field_type)]);
    compiled(vec![FieldMapping::new("f", "f").with_transform(transform)], &schema, &schema).fields.remove(0)
}

fn sides() -> impl Strategy<Value = Side> {
    proptest::sample::select(SIDES.to_vec())
}

fn ids() -> impl Strategy<Value = BTreeSet<String>> {
    proptest::collection::btree_set("[a-e]", 0..4)
}

mod coercion {
    use super::*;

    proptest! {
        #[test]
        fn a_value_that_became_another_stays_it(value in values(), target in types()) {
            let Some(made) = coerce(&value, target) else { return Ok(()) };
            prop_assert_eq!(coerce(&made, target), Some(made.clone()));
            prop_assert!(!value.is_blank() || made == Value::Null);
            prop_assert!(made == Value::Null || !made.is_blank());
        }

        #[test]
        fn a_value_is_of_its_own_type(value in values()) {
            let own = match value {
                Value::Null => FieldType::Any,
                Value::Boolean(_) => FieldType::Boolean,
                Value::Choice(_) => FieldType::Choice,
                Value::Date(_) => FieldType::Date,
                Value::Decimal(_) => FieldType::Decimal,
                Value::Instant(_) => FieldType::Instant,
                Value::Integer(_) => FieldType::Integer,
                Value::MultiChoice(_) => FieldType::MultiChoice,
                Value::Reference(_) => FieldType::Reference,
                Value::Text(_) => FieldType::Text,
            };
            let expected = if value.is_blank() { Value::Null } else { value.clone() };
            prop_assert_eq!(coerce(&value, own), Some(expected));
        }

        /// A moment's day and a word for a truth are all that may be said in another way.
        #[test]
        fn what_a_value_became_means_the_same(value in values(), target in types()) {
            let Some(made) = coerce(&value, target) else { return Ok(()) };
            let says_other = matches!(target, FieldType::Boolean | FieldType::Date | FieldType::Instant | FieldType::MultiChoice);
            let is_set = matches!(value, Value::MultiChoice(_));
            prop_assert!(says_other || is_set || made.same_as(&value) || made.is_blank(), "{:?} became {:?}", value, made);
        }

        #[test]
        fn a_value_comes_back_from_its_text(value in values(), target in types()) {
            // Options are split at a semicolon, and trimmed; ids are no texts; and what may be anything has no type.
            let has_text = !matches!(target, FieldType::Any | FieldType::MultiChoice | FieldType::Reference);
            let Some(typed) = coerce(&value, target).filter(|_| has_text) else { return Ok(()) };
            let text = coerce(&typed, FieldType::Text).unwrap();
            let back = coerce(&text, target);
            prop_assert!(back.as_ref().is_some_and(|back| back.same_as(&typed)), "{:?} came back as {:?}", typed, back);
        }

        #[test]
        fn options_come_back_from_their_text(options in proptest::collection::btree_set("[a-c]{1,2}", 1..4)) {
            let set = Value::MultiChoice(options);
            let text = coerce(&set, FieldType::Text).unwrap();
            prop_assert_eq!(coerce(&text, FieldType::MultiChoice), Some(set));
        }

        #[test]
        fn a_host_is_its_own_host(text in texts()) {
            if let Some(host) = web_host(&text) {
                prop_assert_eq!(web_host(&host), Some(host.clone()));
                prop_assert_eq!(web_host(&format!("https://www.{host}:8080/a?b#c")), Some(host));
            }
        }
    }
}

mod translation {
    use super::*;

    fn transforms() -> impl Strategy<Value = Transform> {
        proptest::sample::select(vec![Transform::None, Transform::Lowercase, Transform::Trim, Transform::Domain])
    }

    proptest! {
        /// What the CRM keeps of a value is told from an edit: sent once more it is the same.
        #[test]
        fn what_is_sent_comes_back_as_what_is_sent(value in values(), field_type in types(), transform in transforms()) {
            let field = mapped(field_type, transform);
            let Some(value) = coerce(&value, field_type) else { return Ok(()) };
            let Ok(sent) = field.to_remote(&value) else { return Ok(()) };
            let kept = field.to_local(&sent).unwrap();
            prop_assert_eq!(field.to_remote(&kept).unwrap(), sent);
            prop_assert!(!value.is_blank() || kept == Value::Null);
        }

        #[test]
        fn without_a_transform_what_comes_back_is_what_was_sent(value in values(), field_type in types()) {
            let field = mapped(field_type, Transform::None);
            let Some(value) = coerce(&value, field_type) else { return Ok(()) };
            let back = field.to_local(&field.to_remote(&value).unwrap()).unwrap();
            prop_assert!(field.same(&value, &back));
        }

        #[test]
        fn to_be_the_same_in_a_field_is_mutual(a in values(), b in values(), field_type in types(), transform in transforms()) {
            let field = mapped(field_type, transform);
            prop_assert!(field.same(&a, &a));
            prop_assert_eq!(field.same(&a, &b), field.same(&b, &a));
            prop_assert!(!field.same(&a, &b) || a.is_blank() == b.is_blank(), "{:?} is no clear of {:?}", a, b);
        }

        /// A table without doubles loses nothing, and what it does not know is refused with the field's name.
        #[test]
        fn options_are_translated_there_and_back(
            names in proptest::collection::btree_set("[a-d]", 1..4),
            asked in proptest::collection::btree_set("[a-e]", 1..3),
        ) {
            let table: BTreeMap<String, String> = names.iter().map(|name| (name.clone(), name.to_uppercase())).collect();
            let options = names.iter().map(|name| ChoiceOption::new(name.to_uppercase(), name.clone())).collect();
            let local = Schema::new(vec![Field::new("f", FieldType::MultiChoice)]);
            let remote = Schema::new(vec![Field::new("f", FieldType::MultiChoice).with_options(options)]);
            let pair = FieldMapping::new("f", "f").with_transform(Transform::Options(table));
            let field = compiled(vec![pair], &local, &remote).fields.remove(0);
            let set = Value::MultiChoice(asked.clone());
            match field.to_remote(&set) {
                Ok(sent) => {
                    prop_assert_eq!(&sent, &Value::MultiChoice(asked.iter().map(|name| name.to_uppercase()).collect()));
                    prop_assert_eq!(field.to_local(&sent).unwrap(), set);
                }
                Err(error) => {
                    prop_assert!(!asked.is_subset(&names));
                    prop_assert_eq!(error.code(), ErrorCode::InvalidField);
                    prop_assert_eq!(error.fields(), ["f"]);
                }
            }
        }
    }
}

mod matching {
    use super::*;

    fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
        let one = ("[0-9]{1,3}", proptest::option::of(moments()), proptest::option::of("[xy]"));
        let one = one.prop_map(|(id, created_at, taken_by)| Candidate { id, created_at, taken_by });
        proptest::collection::vec(one, 0..6).prop_map(|mut all| {
            let mut seen = BTreeSet::new();
            all.retain(|one| seen.insert(one.id.clone()));
            all
        })
    }

    /// The id that is chosen, or what is said instead.
    fn chosen_of(candidates: &[Candidate], rule: AmbiguousRule) -> Result<String, KeyMatch> {
        match choose("k", candidates, rule) {
            KeyMatch::Found(place, _) => Ok(candidates[place].id.clone()),
            other => Err(other),
        }
    }

    proptest! {
        #[test]
        fn the_order_in_which_candidates_come_is_nothing(
            (all, shuffled) in candidates().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
            is_reported in any::<bool>(),
        ) {
            let rule = if is_reported { AmbiguousRule::Report } else { AmbiguousRule::Oldest };
            let (first, second) = (chosen_of(&all, rule), chosen_of(&shuffled, rule));
            prop_assert_eq!(first.is_ok(), second.is_ok());
            if let (Ok(first), Ok(second)) = (first, second) {
                prop_assert_eq!(first, second);
            }
        }

        #[test]
        fn the_oldest_free_one_is_chosen(all in candidates()) {
            let age = |one: &Candidate| (one.created_at.unwrap_or(DateTime::<Utc>::MAX_UTC), one.id.len(), one.id.clone());
            let free: Vec<&Candidate> = all.iter().filter(|one| one.taken_by.is_none()).collect();
            let oldest = free.iter().map(|one| age(one)).min();
            match choose("k", &all, AmbiguousRule::Oldest) {
                KeyMatch::Found(place, warning) => {
                    prop_assert_eq!(Some(age(&all[place])), oldest);
                    prop_assert_eq!(all[place].taken_by.as_ref(), None);
                    prop_assert_eq!(warning.is_some(), free.len() > 1);
                }
                KeyMatch::None => prop_assert!(all.is_empty()),
                KeyMatch::Refused(_) => prop_assert!(free.is_empty() && !all.is_empty()),
            }
            let is_refused = matches!(choose("k", &all, AmbiguousRule::Report), KeyMatch::Refused(_));
            prop_assert_eq!(is_refused, free.len() > 1 || (free.is_empty() && !all.is_empty()));
        }

        #[test]
        fn each_key_of_a_page_has_one_that_stands_for_it(
            page in proptest::collection::vec((proptest::option::of("[ab]"), proptest::option::of(moments()), "[0-9]{1,2}"), 0..8)
        ) {
            let page: Vec<KeyedAge<'_>> = page.iter().map(|(key, at, id)| (key.clone(), *at, id.as_str())).collect();
            let places = fold_same_keys(&page);
            prop_assert_eq!(places.len(), page.len());
            for (own, place) in places.iter().enumerate() {
                let ((key, at, id), (its_key, its_at, its_id)) = (&page[own], &page[*place]);
                prop_assert_eq!(key, its_key);
                prop_assert_eq!(places[*place], *place, "who stands for others stands for itself");
                let age = |at: &Option<DateTime<Utc>>, id: &str| (at.unwrap_or(DateTime::<Utc>::MAX_UTC), id.len(), id.to_owned());
                prop_assert!(age(its_at, its_id) <= age(at, id));
                prop_assert!(key.is_some() || *place == own);
                for (other, (other_key, ..)) in page.iter().enumerate() {
                    prop_assert!(key.is_none() || key != other_key || places[other] == *place);
                }
            }
        }
    }
}

mod references {
    use super::*;

    proptest! {
        #[test]
        fn each_id_is_translated_or_waits(links in ids(), asked in ids()) {
            let mut map = ReferenceMap::default();
            for id in &links {
                map.insert(Resource::Account, id, &id.to_uppercase());
            }
            // What another page knows changes nothing about these.
            let mut other = ReferenceMap::default();
            other.insert(Resource::Contact, "a", "other");
            map.absorb(other);
            prop_assert_eq!(map.to_remote(Resource::Contact, &Value::reference("a")).value(), Value::reference("other"));
            let value = reference(asked.clone());
            let there = map.to_remote(Resource::Account, &value);
            prop_assert_eq!(&there.waiting, &asked.difference(&links).cloned().collect::<BTreeSet<_>>());
            prop_assert_eq!(there.ids.len() + there.waiting.len(), asked.len());
            let back = map.to_local(Resource::Account, &there.value());
            prop_assert_eq!(back.ids, asked.intersection(&links).cloned().collect::<BTreeSet<_>>());
            prop_assert!(back.waiting.is_empty());
            prop_assert_eq!(there.value().is_blank(), there.ids.is_empty());
        }

        #[test]
        fn of_several_one_is_sent_and_that_which_is_there_stays(several in ids(), held in ids()) {
            let sent = chosen(several.clone(), Some(&reference(held.clone())));
            prop_assert_eq!(sent.len(), several.len().min(1));
            prop_assert!(sent.is_subset(&several));
            prop_assert!(several.is_disjoint(&held) || sent.is_subset(&held));
            prop_assert_eq!(chosen(sent.clone(), Some(&reference(held))), sent);
        }

        #[test]
        fn a_part_is_a_subset_of_somebody(several in ids(), one in ids()) {
            prop_assert_eq!(is_part(&reference(several.clone()), &reference(one.clone())), !one.is_empty() && one.is_subset(&several));
        }

        /// Where the CRM changed nothing, it would hold what it would have held: its side has no edit.
        #[test]
        fn what_the_crm_did_not_touch_is_no_edit(agreed in ids(), kept in proptest::option::of("[a-e]"), local in ids(), keeps_blank in any::<bool>()) {
            let kept = reference(kept.into_iter().collect());
            let base = (reference(agreed.clone()), kept.clone());
            let made = whole(kept, &reference(local), Some((&base.0, &base.1)), Others::Agreed, keeps_blank);
            prop_assert_eq!(Some(made.remote), made.base.map(|(_, remote)| remote));
        }

        /// Whatever the CRM's one becomes, those that it never had room for stay.
        #[test]
        fn the_others_are_never_taken_away(
            agreed in ids(),
            kept in proptest::option::of("[a-e]"),
            held in proptest::option::of("[a-e]"),
            local in ids(),
            is_agreed in any::<bool>(),
        ) {
            let kept_ids: BTreeSet<String> = kept.into_iter().collect();
            let base = (reference(agreed.clone()), reference(kept_ids.clone()));
            let others = if is_agreed { Others::Agreed } else { Others::Here };
            let held = reference(held.into_iter().collect());
            let made = whole(held.clone(), &reference(local.clone()), Some((&base.0, &base.1)), others, false);
            let own = if is_agreed { &agreed } else { &local };
            let of_value = |value: &Value| value.ids().map(str::to_owned).collect::<BTreeSet<_>>();
            let mut expected: BTreeSet<String> = own.difference(&kept_ids).cloned().collect();
            expected.extend(of_value(&held));
            prop_assert_eq!(of_value(&made.remote), expected);
            prop_assert_eq!(made.kept, held);
        }
    }
}

mod deletion {
    use super::*;

    fn version() -> impl Strategy<Value = Version> {
        (0_i64..3).prop_map(Version::new)
    }

    proptest! {
        #[test]
        fn a_survivor_here_goes_only_in_the_version_that_is_known(known in proptest::option::of(version()), now in version(), is_deleted in any::<bool>()) {
            let mut link = Link::new("l".into(), "r".into());
            link.local_version = known;
            let mut record = LocalRecord::new("l", Fields::new(), now, DateTime::UNIX_EPOCH);
            record.deleted = is_deleted;
            let goes = why_kept_here(&link, Some(&record)).is_none();
            prop_assert_eq!(goes, !is_deleted && known == Some(now));
            prop_assert!(why_kept_here(&link, None).is_some());
        }

        #[test]
        fn a_survivor_there_goes_only_untouched(
            base in values(),
            now in proptest::option::of(values()),
            field_type in types(),
            seconds in (proptest::option::of(0_i64..4), 0_i64..4),
            known in proptest::option::of(0_i64..4),
            is_told in any::<bool>(),
            ahead in proptest::option::of(-2_i64..3),
            id in "[rs]",
        ) {
            let at = |second: i64| DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
            let field = mapped(field_type, Transform::None);
            let Some(base) = coerce(&base, field_type) else { return Ok(()) };
            let schema = Schema::new(vec![Field::new("f", field_type)]);
            let mapping = compiled(vec![FieldMapping::new("f", "f")], &schema, &schema);
            let mut link = Link::new("l".into(), "r".into());
            link.base.agree("f".into(), base.clone(), base.clone());
            link.remote_modified_at = known.map(at);
            let mut deleted = LocalRecord::new("l", Fields::new(), Version::new(1), at(seconds.1));
            deleted.deleted = true;
            let fields = now.iter().map(|now| ("f", now.clone()));
            let mut survivor = RemoteRecord::new(id.as_str(), Fields::from_iter(fields));
            survivor.modified_at = seconds.0.map(at);
            let ahead = ahead.map(|ahead| Ahead { at_least: TimeDelta::seconds(ahead), at_most: TimeDelta::seconds(ahead) });
            let rules = ThereRules { mapping: &mapping, ahead };
            let goes = why_kept_there(&link, Some(&deleted).filter(|_| is_told), Some(&survivor), &rules).is_none();
            let is_equal = now.as_ref().is_none_or(|now| field.to_local(now).is_ok_and(|now| field.same(&now, &base)));
            let ahead = ahead.map_or(0, |ahead| ahead.at_least.num_seconds());
            let is_before = seconds.0.is_none_or(|second| if is_told { second - ahead <= seconds.1 } else { Some(second) == known });
            prop_assert_eq!(goes, id == "r" && is_equal && is_before);
            survivor.deleted = true;
            prop_assert!(why_kept_there(&link, None, Some(&survivor), &rules).is_some());
        }
    }
}

mod arrival {
    use super::*;

    proptest! {
        #[test]
        fn what_is_held_is_a_form_of_itself_and_of_longer_ones(text in "[a-zA-Zäß ]{10,20}", more in "[a-z ]{0,5}") {
            let held = Value::text(text.as_str());
            prop_assert!(is_form_of(&held, &held));
            prop_assert!(is_form_of(&Value::text(text.to_lowercase()), &held));
            // Blanks at a cut go with it.
            if text.trim().chars().count() >= 10 {
                let sent = Value::text(text + &more);
                prop_assert!(is_form_of(&held, &sent));
            }
        }

        #[test]
        fn a_short_beginning_is_an_edit(text in "[a-z]{1,9}", more in "[a-z]{1,5}") {
            let sent = Value::text(text.clone() + &more);
            prop_assert!(!is_form_of(&Value::text(text), &sent));
        }

        /// Nothing arrives that was not under way, and what arrived is what was.
        #[test]
        fn only_what_was_under_way_arrives(
            before in values(),
            sent in proptest::option::of(values()),
            written in proptest::option::of(values()),
            local in values(),
            remote in values(),
        ) {
            let field = mapped(FieldType::Any, Transform::None);
            let mut base = Base::new();
            base.agree("f".into(), before.clone(), before.clone());
            if let Some(sent) = &sent {
                base.depart("f".into(), Direction::FromAbmatic, sent.clone());
            }
            if let Some(written) = &written {
                base.depart("f".into(), Direction::ToAbmatic, written.clone());
            }
            match arrived(&base, &field, &local, &remote) {
                Some(came) if came.way == Direction::FromAbmatic => {
                    prop_assert_eq!(Some(&came.local), sent.as_ref());
                    prop_assert_eq!(&came.remote, &remote);
                    prop_assert!(field.same(&came.local, &remote) || is_form_of(&remote, &came.local));
                }
                Some(came) => {
                    prop_assert_eq!(Some(&came.remote), written.as_ref());
                    prop_assert_eq!(&came.local, &local);
                    prop_assert!(field.same(&local, &came.remote));
                }
                None => {
                    prop_assert!(sent.is_none_or(|sent| !field.same(&sent, &remote)));
                    prop_assert!(written.is_none_or(|written| !field.same(&written, &local)));
                }
            }
        }

        /// A target that did not move got nothing, however much it looks like a part of what was sent.
        #[test]
        fn a_target_that_did_not_move_got_nothing(text in "[a-z]{10,14}", more in "[a-z]{1,4}", local in values()) {
            let field = mapped(FieldType::Text, Transform::None);
            let (held, sent) = (Value::text(text.as_str()), Value::text(format!("{text}{more}")));
            let mut base = Base::new();
            base.depart("f".into(), Direction::FromAbmatic, sent.clone());
            prop_assert!(arrived(&base, &field, &local, &held).is_some(), "nobody knows what was there before");
            base.agree("f".into(), Value::Null, held.clone());
            prop_assert!(arrived(&base, &field, &local, &held).is_none());
            base.agree("f".into(), Value::Null, Value::Null);
            prop_assert!(arrived(&base, &field, &local, &held).is_some());
        }
    }
}

mod merging {
    use super::*;

    fn at(second: i64) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(second, 0)
    }

    /// Every case of three values and a blank, of two edit times, and of each rule.
    #[test]
    fn each_small_case_keeps_the_laws_of_a_merge() {
        let holds = ["", "A", "B", "C"].map(Value::text);
        let directions = [MappingDirection::Both, MappingDirection::ImportOnly, MappingDirection::ExportOnly];
        for (direction, conflict, blank) in directions.into_iter().flat_map(|direction| {
            let conflicts =
                [ConflictRule::LatestEdit, ConflictRule::Always(Side::Local), ConflictRule::Always(Side::Remote)];
            conflicts
                .into_iter()
                .flat_map(move |conflict| [BlankRule::Keep, BlankRule::Clear].map(|blank| (direction, conflict, blank)))
        }) {
            let schema = Schema::new(vec![Field::new("f", FieldType::Text)]);
            let pair = FieldMapping::new("f", "f").with_direction(direction);
            let field = compiled(vec![pair], &schema, &schema).fields.remove(0);
            let rules = MergeRules::of(&Policy::default().with_conflict(conflict).with_blank(blank));
            for (base, local, remote) in holds.iter().flat_map(|base| {
                holds.iter().flat_map(|local| holds.iter().map(|remote| (base.clone(), local.clone(), remote.clone())))
            }) {
                for (here, there, tie) in
                    [(1, 2, Side::Local), (2, 1, Side::Remote), (1, 1, Side::Local), (1, 1, Side::Remote)]
                {
                    let rules = MergeRules { tie, ..rules };
                    let pair = FieldPair::new(Some((&base, &base)), &local, &remote).edited(at(here), at(there));
                    let decision = merge_field(&field, pair, Mode::ThreeWay { source: Side::Local }, &rules);
                    let case =
                        format!("{direction:?} {conflict:?} {blank:?} base {base:?} local {local:?} remote {remote:?}");
                    // Who changed it, as far as that may travel.
                    let wants = |now: &Value, way| {
                        *now != base && direction.allows(way) && (!now.is_blank() || blank == BlankRule::Clear)
                    };
                    let (to_crm, to_host) =
                        (wants(&local, Direction::FromAbmatic), wants(&remote, Direction::ToAbmatic));
                    let winner = match (to_crm, to_host) {
                        _ if local == remote => None,
                        (true, true) => Some(match conflict {
                            ConflictRule::Always(side) => side,
                            ConflictRule::LatestEdit if here == there => tie,
                            ConflictRule::LatestEdit if here > there => Side::Local,
                            ConflictRule::LatestEdit => Side::Remote,
                        }),
                        (true, false) => Some(Side::Local),
                        (false, true) => Some(Side::Remote),
                        (false, false) => None,
                    };
                    match (decision, winner) {
                        (Decision::Travel(way, reason), Some(side)) => {
                            assert_eq!(way.target(), side.other(), "{case}");
                            let expected = match conflict {
                                _ if !(to_crm && to_host) => Reason::OnlyChange,
                                ConflictRule::Always(_) => Reason::ConflictSourceOfTruth,
                                ConflictRule::LatestEdit if here == there => Reason::ConflictTie,
                                ConflictRule::LatestEdit => Reason::ConflictLatestEdit,
                            };
                            assert_eq!(reason, expected, "{case}");
                        }
                        (Decision::Agree, None) => assert_eq!(local, remote, "{case}"),
                        (Decision::Stay(reason), None) => {
                            assert_eq!(reason.is_none(), local == base && remote == base, "{case}");
                        }
                        (decision, winner) => panic!("{case}: {decision:?}, and not {winner:?}"),
                    }
                }
            }
        }
    }
}

mod planning {
    use super::*;

    const NAMES: [&str; 3] = ["a", "b", "c"];

    fn writes() -> impl Strategy<Value = Writes> {
        (any::<bool>(), any::<bool>()).prop_map(|(create, update)| {
            let create = if create { Create::Allowed } else { Create::Closed };
            Writes::new(create, if update { Update::Allowed } else { Update::Closed })
        })
    }

    fn policies() -> impl Strategy<Value = Policy> {
        let handlings =
            vec![DuplicateHandling::OverwriteAll, DuplicateHandling::Skip, DuplicateHandling::UpdateMissing];
        let gone = proptest::sample::select(vec![GoneRule::Propagate, GoneRule::Report, GoneRule::Unlink]);
        let conflict = prop_oneof![Just(ConflictRule::LatestEdit), sides().prop_map(ConflictRule::Always)];
        (proptest::sample::select(handlings), conflict, any::<bool>(), writes(), writes(), gone).prop_map(
            |(handling, conflict, clears, import, export, gone)| {
                Policy::default()
                    .with_duplicates(handling)
                    .with_conflict(conflict)
                    .with_blank(if clears { BlankRule::Clear } else { BlankRule::Keep })
                    .with_import(import)
                    .with_export(export)
                    .with_gone(gone)
            },
        )
    }

    fn mappings() -> impl Strategy<Value = Vec<FieldMapping>> {
        let directions = vec![MappingDirection::Both, MappingDirection::ExportOnly, MappingDirection::ImportOnly];
        let one = (proptest::sample::select(directions), proptest::option::of(sides()));
        proptest::collection::vec(one, NAMES.len()).prop_map(|all| {
            let field = |(name, (direction, truth)): (&str, (MappingDirection, Option<Side>))| {
                let field = FieldMapping::new(name, name).with_direction(direction);
                truth.map_or(field.clone(), |side| field.with_source_of_truth(side))
            };
            NAMES.into_iter().zip(all).map(field).collect()
        })
    }

    fn fields() -> impl Strategy<Value = Fields> {
        let value = prop_oneof![Just(Value::Null), "[AB]".prop_map(Value::text)];
        proptest::collection::vec(value, NAMES.len())
            .prop_map(|values| Fields::from_iter(NAMES.into_iter().zip(values)))
    }

    fn schema() -> Schema {
        Schema::new(NAMES.map(|name| Field::new(name, FieldType::Text)).to_vec())
    }

    fn pair(situation: Situation, source: Side, base: &[Fields; 2], local: &Fields, remote: &Fields) -> Pair {
        let is_new = situation == Situation::New;
        let mut pair = Pair::new(source, situation);
        if !is_new || source == Side::Local {
            pair.local = Some(LocalRecord::new("l", local.clone(), Version::new(1), DateTime::UNIX_EPOCH));
        }
        if !is_new || source == Side::Remote {
            pair.remote = Some(RemoteRecord::new("r", remote.clone()));
        }
        if situation == Situation::Linked {
            let mut link = Link::new("l".into(), "r".into());
            for (name, value) in base[0].iter() {
                link.base.agree(name.clone(), value.clone(), base[1].get(name.as_str()).cloned().unwrap_or_default());
            }
            pair.link = Some(link);
        }
        pair
    }

    fn carried_out(planned: &Planned, mapping: &CompiledMapping, local: &Fields, remote: &Fields) -> Pair {
        let (mut here, mut there) = (local.clone(), remote.clone());
        here.extend_from(&planned.to_local);
        there.extend_from(&planned.to_remote);
        let mut pair = Pair::new(planned.pair.source, Situation::Linked);
        let mut link = planned.pair.link.clone().unwrap_or_else(|| Link::new("l".into(), "r".into()));
        for agreement in &planned.agreements {
            let name = mapping.fields[agreement.place].local.clone();
            link.base.agree(name, agreement.local.clone(), agreement.remote.clone());
        }
        pair.link = Some(link);
        pair.local = Some(LocalRecord::new("l", here, Version::new(2), DateTime::UNIX_EPOCH));
        pair.remote = Some(RemoteRecord::new("r", there));
        pair
    }

    proptest! {
        /// I11 and I8: only open fields of open sides are written, and only with what they do not hold yet.
        #[test]
        fn a_plan_writes_only_what_is_open_and_differs(
            (policy, pairs) in (policies(), mappings()),
            base in [fields(), fields()],
            (local, remote) in (fields(), fields()),
            source in sides(),
            situation in proptest::sample::select(vec![Situation::Linked, Situation::Matched, Situation::Ambiguous, Situation::New]),
            is_import in any::<bool>(),
        ) {
            let schema = schema();
            let mapping = compiled(pairs, &schema, &schema);
            let linked = if is_import { LinkedMode::DuplicateHandling } else { LinkedMode::ThreeWay };
            let rules = PlanRules::of(&policy, linked, &mapping, &schema, &schema);
            let planned = plan_pair(pair(situation, source, &base, &local, &remote), &ReferenceMap::default(), &rules);
            let is_new = situation == Situation::New;
            let written = planned.changes.iter().filter(|change| change.written).count();
            prop_assert_eq!(planned.to_local.len() + planned.to_remote.len(), written);
            for (side, sent, held) in [(Side::Local, &planned.to_local, &local), (Side::Remote, &planned.to_remote, &remote)] {
                let writes = policy.writes(side);
                let may_write = if is_new { writes.create && side == source.other() } else { writes.update };
                prop_assert!(may_write || sent.is_empty());
                for (name, value) in sent.iter() {
                    let field = mapping.by_remote(name.as_str()).unwrap();
                    prop_assert!(field.is_open(Direction::towards(side)));
                    prop_assert!(is_new || held.get(name.as_str()) != Some(value));
                }
            }
            let is_existing = situation != Situation::Linked || is_import;
            let is_skipped = is_existing && policy.duplicates == DuplicateHandling::Skip;
            match &planned.action {
                Action::Create(side) => prop_assert!(is_new && *side == source.other()),
                Action::Update => prop_assert!(!is_new && written > 0),
                Action::Unchanged => prop_assert!(!is_new && written == 0 && !is_skipped),
                Action::Leave(_) => prop_assert!(written == 0 && (is_new || is_skipped)),
                other => prop_assert!(false, "{:?}", other),
            }
        }

        /// I1 and I2: what a plan does is done, and its own writes are nobody's edits.
        #[test]
        fn a_plan_that_was_carried_out_leaves_nothing_to_do(
            (policy, pairs) in (policies(), mappings()),
            base in [fields(), fields()],
            (local, remote) in (fields(), fields()),
            source in sides(),
            situation in proptest::sample::select(vec![Situation::Linked, Situation::Matched, Situation::New]),
        ) {
            let schema = schema();
            let mapping = compiled(pairs, &schema, &schema);
            let rules = PlanRules::of(&policy, LinkedMode::ThreeWay, &mapping, &schema, &schema);
            let planned = plan_pair(pair(situation, source, &base, &local, &remote), &ReferenceMap::default(), &rules);
            if situation == Situation::New && matches!(planned.action, Action::Leave(_)) {
                return Ok(());
            }
            let (local, remote) = match (situation, source) {
                (Situation::New, Side::Local) => (local, Fields::new()),
                (Situation::New, Side::Remote) => (Fields::new(), remote),
                _ => (local, remote),
            };
            let next = carried_out(&planned, &mapping, &local, &remote);
            let again = plan_pair(next, &ReferenceMap::default(), &rules);
            prop_assert!(again.to_local.is_empty() && again.to_remote.is_empty(), "{:?} is left of {:?}", again, planned);
        }

        /// I3: where one side only was edited, its value is on both sides afterwards, or nothing is written.
        #[test]
        fn an_edit_of_one_side_is_not_lost(base in fields(), edited in fields(), side in sides(), policy in policies(), pairs in mappings()) {
            let schema = schema();
            let mapping = compiled(pairs, &schema, &schema);
            let rules = PlanRules::of(&policy, LinkedMode::ThreeWay, &mapping, &schema, &schema);
            let (local, remote) = if side == Side::Local { (&edited, &base) } else { (&base, &edited) };
            let made = pair(Situation::Linked, side, &[base.clone(), base.clone()], local, remote);
            let planned = plan_pair(made, &ReferenceMap::default(), &rules);
            let (own, other) = match side {
                Side::Local => (&planned.to_local, &planned.to_remote),
                Side::Remote => (&planned.to_remote, &planned.to_local),
            };
            prop_assert!(own.is_empty(), "the edited side is written: {:?}", planned);
            for (name, value) in other.iter() {
                prop_assert_eq!(Some(value), edited.get(name.as_str()));
            }
        }

        /// A create that lacks what its target needs fails with the field's name; another passes.
        #[test]
        fn a_create_holds_what_is_required(
            needed in proptest::collection::vec(any::<bool>(), NAMES.len()),
            group in proptest::collection::btree_set(proptest::sample::select(NAMES.to_vec()), 0..3),
            recommended in proptest::collection::btree_set(proptest::sample::select(NAMES.to_vec()), 0..3),
            held in fields(),
            source in sides(),
        ) {
            let plain = schema();
            let mut strict = schema();
            for (field, needed) in strict.fields.iter_mut().zip(&needed) {
                field.required_on_create = *needed;
            }
            let of_group: Vec<&str> = group.iter().copied().collect();
            if !of_group.is_empty() {
                strict = strict.with_required_any(&of_group);
            }
            strict = strict.with_recommended(&recommended.iter().copied().collect::<Vec<_>>());
            let pairs = NAMES.map(|name| FieldMapping::new(name, name)).to_vec();
            let (local, remote) = if source == Side::Local { (&plain, &strict) } else { (&strict, &plain) };
            let mapping = compiled(pairs, local, remote);
            let policy = Policy::default();
            let rules = PlanRules::of(&policy, LinkedMode::ThreeWay, &mapping, local, remote);
            let made = pair(Situation::New, source, &[Fields::new(), Fields::new()], &held, &held);
            let planned = plan_pair(made, &ReferenceMap::default(), &rules);
            let is_filled = |name: &str| held.get(name).is_some_and(|value| !value.is_blank());
            let missing: Vec<&str> =
                NAMES.into_iter().zip(&needed).filter(|(name, needed)| **needed && !is_filled(name)).map(|(name, _)| name).collect();
            let lacks_group = !of_group.is_empty() && !of_group.iter().any(|name| is_filled(name));
            match &planned.action {
                Action::Fail(error) => {
                    prop_assert_eq!(error.code(), ErrorCode::RequiredFieldMissing);
                    let told: Vec<&str> = error.fields().iter().map(String::as_str).collect();
                    let expected = missing.first().map_or(of_group, |first| vec![*first]);
                    prop_assert_eq!(told, expected);
                    prop_assert!(lacks_group || !missing.is_empty());
                    if let Some(first) = missing.first() {
                        let hint =
                            if source == Side::Local { format!("fill \"{}\"", first) } else { "map a field to it".to_owned() };
                        prop_assert!(error.message().ends_with(&hint), "{}", error.message());
                    }
                }
                _ => {
                    prop_assert!(missing.is_empty() && !lacks_group);
                    let warned = recommended.iter().filter(|name| !is_filled(name)).count();
                    prop_assert_eq!(planned.pair.warnings.len(), warned);
                }
            }
        }

        /// No situation falls through, and a vanished counterpart writes no field.
        #[test]
        fn what_is_gone_is_left_unlinked_or_deleted(
            policy in policies(),
            held in fields(),
            gone in sides(),
            version in 0_i64..2,
            was_known in any::<bool>(),
        ) {
            let schema = schema();
            let mapping = compiled(NAMES.map(|name| FieldMapping::new(name, name)).to_vec(), &schema, &schema);
            let rules = PlanRules::of(&policy, LinkedMode::ThreeWay, &mapping, &schema, &schema);
            let situation = if gone == Side::Local { Situation::LocalGone } else { Situation::RemoteGone };
            let mut made = pair(Situation::Linked, gone.other(), &[held.clone(), held.clone()], &held, &held);
            made.situation = situation;
            if let Some(link) = &mut made.link {
                link.local_version = Some(Version::new(version));
                link.gone = was_known.then_some(gone);
            }
            match gone {
                Side::Local => made.local = None,
                Side::Remote => made.remote = None,
            }
            let planned = plan_pair(made, &ReferenceMap::default(), &rules);
            prop_assert!(planned.to_local.is_empty() && planned.to_remote.is_empty());
            let survivor = gone.other();
            let is_untouched = survivor == Side::Remote || version == 1;
            let may_go = policy.gone == GoneRule::Propagate && policy.writes(survivor).update && !was_known && is_untouched;
            match &planned.action {
                Action::Delete(side) => prop_assert!(may_go && *side == survivor),
                Action::Unlink(_) => prop_assert_eq!(policy.gone, GoneRule::Unlink),
                Action::Leave(_) => prop_assert!(!may_go && policy.gone != GoneRule::Unlink),
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }
}

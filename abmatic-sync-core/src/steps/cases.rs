//! Tables of what takes a whole pair: first matches, references, values that were under way, and what a plan tells of itself.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::change::Direction::{self, FromAbmatic, ToAbmatic};
use crate::model::change::Reason;
use crate::model::fields::Fields;
use crate::model::link::{Awaited, Base, Link};
use crate::model::mapping::{FieldMapping, Mapping, MappingDirection};
use crate::model::record::{LocalRecord, RemoteRecord, Version};
use crate::model::resource::{Resource, Side};
use crate::model::schema::{Field, FieldType, Schema};
use crate::model::value::Value;
use crate::policy::{BlankRule, DuplicateHandling, Policy, Writes};
use crate::steps::arrival::arrived;
use crate::steps::mapping::{CompiledMapping, Sides};
use crate::steps::matching::Situation;
use crate::steps::merge::{Decision, FieldPair, MergeRules, Mode, merge_field};
use crate::steps::plan::{Action, LinkedMode, Pair, PlanRules, Planned, plan_pair};
use crate::steps::references::ReferenceMap;
use crate::steps::single::reference;

/// Ids in a text, as a reference; blank where there are none.
fn of(ids: &str) -> Value {
    reference(ids.split_whitespace().map(str::to_owned).collect())
}

/// Opportunities with a name, and with the relations that are named.
struct Deals {
    schema: Schema,
    mapping: CompiledMapping,
    references: ReferenceMap,
    policy: Policy,
}

impl Deals {
    /// Of the contacts the CRM keeps one where `keeps_one`.
    fn new(keeps_one: bool) -> Self {
        let schema = Schema::new(vec![Field::new("name", FieldType::Text)]);
        let single: &[&str] = if keeps_one { &["contacts"] } else { &[] };
        let sides = Sides {
            relations: &["account", "contacts"],
            single_relations: single,
            ..Sides::new(Resource::Opportunity, &schema, &schema)
        };
        let mapping = CompiledMapping::compile(&Mapping::new(vec![FieldMapping::new("name", "name")]), sides).unwrap();
        let mut references = ReferenceMap::default();
        for id in ["a", "b", "c", "d"] {
            references.insert(Resource::Contact, id, &id.to_uppercase());
            references.insert(Resource::Account, id, &id.to_uppercase());
        }
        Self { schema, mapping, references, policy: Policy::default() }
    }

    fn plan(&self, pair: Pair) -> Planned {
        let rules = PlanRules::of(&self.policy, LinkedMode::ThreeWay, &self.mapping, &self.schema, &self.schema);
        plan_pair(pair, &self.references, &rules)
    }

    /// A linked pair with that base, of which one field is looked at.
    fn pair(field: &str, base: Option<[&str; 2]>, local: &str, remote: &str) -> Pair {
        let mut pair = Pair::new(Side::Remote, Situation::Linked);
        pair.local = Some(local_record(&[(field, of(local))]));
        pair.remote = Some(RemoteRecord::new("r", Fields::from_iter([(field, of(remote))])));
        let mut link = Link::new("l".into(), "r".into());
        if let Some([local, remote]) = base {
            link.base.agree(field.into(), of(local), of(remote));
        }
        pair.link = Some(link);
        pair
    }
}

fn local_record(fields: &[(&str, Value)]) -> LocalRecord {
    let fields = fields.iter().map(|(name, value)| (*name, value.clone()));
    LocalRecord::new("l", Fields::from_iter(fields), Version::new(1), DateTime::UNIX_EPOCH)
}

/// What of a field is written here, what there, and what both agree on afterwards.
fn outcome(planned: &Planned, field: &str, deals: &Deals) -> [String; 3] {
    let place = deals.mapping.fields.iter().position(|one| one.local.as_str() == field).unwrap();
    let shown = |value: Option<&Value>| value.map_or_else(|| "–".to_owned(), ToString::to_string);
    let agreed = planned.agreements.iter().filter(|one| one.place == place);
    let agreed: Vec<String> = agreed.map(|one| format!("{}|{}", one.local, one.remote)).collect();
    assert!(agreed.len() <= 1, "agreed on twice: {planned:?}");
    [shown(planned.to_local.get(field)), shown(planned.to_remote.get(field)), agreed.join(", ")]
}

#[test]
fn references_travel_in_the_other_side_s_ids() {
    let deals = Deals::new(false);
    // Field, base, local, remote; written here, written there, agreed on.
    let cases = [
        ("account", Some(["a", "a"]), "a", "A", ["–", "–", "a|a"]),
        ("account", Some(["a", "a"]), "b", "A", ["–", "B", "b|b"]),
        ("account", Some(["a", "a"]), "a", "B", ["b", "–", "b|b"]),
        ("contacts", Some(["a", "a"]), "a b", "A", ["–", "A;B", "a;b|a;b"]),
        ("contacts", Some(["a b", "a b"]), "a b", "B", ["b", "–", "b|b"]),
        // Those there that this side does not know yet stay there, and are waited for.
        ("contacts", Some(["a", "a"]), "a b", "A X", ["–", "A;B;X", "a;b|a;b"]),
        // One that has no counterpart keeps all of them, and what is agreed on stays.
        ("contacts", Some(["a", "a"]), "a x", "A", ["–", "–", ""]),
        ("contacts", None, "x", "", ["–", "–", "|"]),
        ("account", None, "", "X", ["–", "–", "|"]),
        ("account", None, "a", "X", ["–", "–", ""]),
        ("account", Some(["a", "a"]), "a", "X", ["–", "–", ""]),
        ("contacts", None, "", "X", ["–", "–", "|"]),
    ];
    for (field, base, local, remote, expected) in cases {
        let planned = deals.plan(Deals::pair(field, base, local, remote));
        assert_eq!(outcome(&planned, field, &deals), expected, "{field} {base:?} local {local:?} remote {remote:?}");
    }
}

#[test]
fn what_waits_is_noted_with_its_reason() {
    let mut deals = Deals::new(false);
    let waits = |planned: &Planned| planned.waiting_for.clone();
    let there = deals.plan(Deals::pair("contacts", Some(["a", "a"]), "a x", "A"));
    assert_eq!(waits(&there), BTreeSet::from([Awaited::Local(Resource::Contact, "x".into())]));
    let told = |planned: &Planned| {
        let change = &planned.changes[0];
        (change.direction, change.reason, change.written)
    };
    assert_eq!(told(&there), (FromAbmatic, Reason::ParentMissing, false));
    let here = deals.plan(Deals::pair("account", Some(["a", "a"]), "a", "X"));
    assert_eq!(waits(&here), BTreeSet::from([Awaited::Remote(Resource::Account, "X".into())]));
    assert_eq!(told(&here), (ToAbmatic, Reason::ParentMissing, false));
    // Several of which one is known are as good as that one.
    let some = deals.plan(Deals::pair("contacts", Some(["a", "a"]), "a", "B X"));
    assert_eq!(outcome(&some, "contacts", &deals), ["b", "–", "b|b"]);
    assert_eq!(waits(&some), BTreeSet::from([Awaited::Remote(Resource::Contact, "X".into())]));
    // Of several none of which is known nothing is said, and nobody was taken away.
    deals.policy = Policy::default().with_blank(BlankRule::Clear);
    let none = deals.plan(Deals::pair("contacts", Some(["a", "a"]), "a", "X"));
    assert_eq!(
        (outcome(&none, "contacts", &deals), told(&none)),
        (["–", "–", ""].map(str::to_owned), (ToAbmatic, Reason::ParentMissing, false))
    );
    // What was not read is not judged.
    let mut unread = Deals::pair("contacts", Some(["a", "a"]), "b", "A");
    unread.remote = Some(RemoteRecord::new("r", Fields::new()));
    let unread = deals.plan(unread);
    assert_eq!(outcome(&unread, "contacts", &deals), ["–", "–", ""]);
    assert!(matches!(unread.action, Action::Unchanged));
}

#[test]
fn of_several_contacts_the_crm_keeps_one() {
    let deals = Deals::new(true);
    let cases = [
        // A first one is sent, the first of several; what it will keep is agreed on beside all.
        (Some(["", ""]), "a b", "", ["–", "A", "a;b|a"]),
        // The one that is there stays, however many come to it.
        (Some(["a", "a"]), "a b", "A", ["–", "–", "a;b|a"]),
        (Some(["a b", "a"]), "a b", "A", ["–", "–", "a;b|a"]),
        // Its one changes there: that one only moves here.
        (Some(["a b", "a"]), "a b", "C", ["b;c", "–", "b;c|c"]),
        (Some(["a b", "a"]), "a b", "B", ["b", "–", "b|b"]),
        // Its one is taken away here: another takes its place.
        (Some(["a b", "a"]), "b", "A", ["–", "B", "b|b"]),
        // An emptied one takes nobody away.
        (Some(["a b", "a"]), "a b", "", ["–", "–", "a;b|a"]),
        (None, "a b", "C", ["–", "–", "a;b|c"]),
        (None, "", "C", ["c", "–", "c|c"]),
    ];
    for (base, local, remote, expected) in cases {
        let planned = deals.plan(Deals::pair("contacts", base, local, remote));
        assert_eq!(outcome(&planned, "contacts", &deals), expected, "{base:?} local {local:?} remote {remote:?}");
    }
    // A settled difference of the contacts says nothing of the field before them.
    let mut both = Deals::pair("contacts", Some(["a b", "c"]), "a b", "C");
    both.local.as_mut().unwrap().fields.insert("account", of("a"));
    both.remote.as_mut().unwrap().fields.insert("account", of("A"));
    let both = deals.plan(both);
    assert_eq!(outcome(&both, "account", &deals)[2], "a|a");
    assert_eq!(outcome(&both, "contacts", &deals), ["–", "–", ""]);
    let planned = deals.plan(Deals::pair("contacts", Some(["", ""]), "a b", ""));
    assert_eq!(planned.pair.warnings, ["the CRM keeps one of 2 contacts"]);
    assert_eq!(planned.references_before.get("contacts"), Some(&Value::Null));
    let alone = deals.plan(Deals::pair("contacts", Some(["", ""]), "a", ""));
    assert!(alone.pair.warnings.is_empty());
}

#[test]
fn what_was_under_way_arrived_or_did_not() {
    let deals = Deals::new(true);
    let field = |name| deals.mapping.fields.iter().find(|field| field.local.as_str() == name).unwrap();
    let text = Value::text;
    let (long, cut) = ("a long name of a company", "a long name");
    // Field, agreed on, sent, written, local, remote; the way that it came.
    let cases = [
        ("name", text("A"), Some(text("B")), None, text("B"), text("B"), Some(FromAbmatic)),
        ("name", text("A"), Some(text("B")), None, text("B"), text("A"), None),
        ("name", text("A"), Some(text(long)), None, text(long), text(cut), Some(FromAbmatic)),
        ("name", text(cut), Some(text(long)), None, text(long), text(cut), None),
        ("name", text("A"), None, Some(text("B")), text("B"), text("C"), Some(ToAbmatic)),
        ("name", text("A"), None, Some(text("B")), text("A"), text("B"), None),
        ("name", text("A"), Some(text("B")), Some(text("C")), text("C"), text("A"), Some(ToAbmatic)),
        ("contacts", of("a"), Some(of("a b")), None, of("a b"), of("b"), Some(FromAbmatic)),
        ("contacts", of("a"), Some(of("a b")), None, of("a b"), of("a"), None),
        ("contacts", of("a"), Some(of("a b")), None, of("a b"), of("c"), None),
        ("contacts", of("a"), None, Some(of("b c")), of("b c"), of("b"), Some(ToAbmatic)),
        ("contacts", of("a"), None, Some(of("b c")), of("b c"), of("d"), None),
        ("contacts", of("a"), None, Some(of("b c")), of("a"), of("b"), None),
    ];
    for (name, agreed, sent, written, local, remote, expected) in cases {
        let mut base = Base::new();
        base.agree(name.into(), agreed.clone(), agreed);
        for (way, value) in [(FromAbmatic, &sent), (ToAbmatic, &written)] {
            if let Some(value) = value {
                base.depart(name.into(), way, value.clone());
            }
        }
        let came = arrived(&base, field(name), &local, &remote).map(|arrived| arrived.way);
        assert_eq!(came, expected, "{name} sent {sent:?} written {written:?} local {local:?} remote {remote:?}");
    }
}

#[test]
fn what_arrived_unseen_is_told_and_agreed_on() {
    let deals = Deals::new(false);
    let named = |name: &str| Fields::from_iter([("name", Value::text(name))]);
    let mut pair = Pair::new(Side::Remote, Situation::Linked);
    pair.local = Some(local_record(&[("name", Value::text("B"))]));
    pair.remote = Some(RemoteRecord::new("r", named("B")));
    let mut link = Link::new("l".into(), "r".into());
    link.base.agree("name".into(), Value::text("A"), Value::text("A"));
    link.base.depart("name".into(), FromAbmatic, Value::text("B"));
    pair.link = Some(link);
    let planned = deals.plan(pair.clone());
    assert_eq!(outcome(&planned, "name", &deals), ["–", "–", "B|B"]);
    let change = &planned.changes[0];
    assert_eq!((change.direction, &change.old, &change.new), (FromAbmatic, &Value::text("A"), &Value::text("B")));
    assert!(matches!(planned.action, Action::Update), "it was written, by a run that could not say so");
    // An edit of the host's on top of it is that side's alone.
    pair.local = Some(local_record(&[("name", Value::text("C"))]));
    let planned = deals.plan(pair.clone());
    assert_eq!(outcome(&planned, "name", &deals), ["–", "C", "C|C"]);
    // And one in the CRM too: what was under way there is gone, the times decide.
    pair.remote = Some(RemoteRecord::new("r", named("D")));
    assert_eq!(outcome(&deals.plan(pair), "name", &deals), ["D", "–", "D|D"]);
}

#[test]
fn a_first_match_fills_what_is_empty_where_that_is_open() {
    let schema = Schema::new(vec![Field::new("name", FieldType::Text)]);
    let compiled = |direction| {
        let mapping = Mapping::new(vec![FieldMapping::new("name", "name").with_direction(direction)]);
        let sides = Sides::new(Resource::Account, &schema, &schema);
        CompiledMapping::compile(&mapping, sides).unwrap().fields.remove(0)
    };
    use DuplicateHandling::{OverwriteAll, Skip, UpdateMissing};
    use MappingDirection::{Both, ExportOnly, ImportOnly};
    let (fills, overwrites) = (Reason::FillsEmpty, Reason::OverwritesExisting);
    let settle = |reason| Decision::Settle(Some(reason));
    let stay = |reason| Decision::Stay(Some(reason));
    // Handling, direction, open here and there, whether there is a base, local, remote, what is decided. The CRM was read.
    let cases = [
        (UpdateMissing, Both, [true, true], false, "", "B", Decision::Travel(ToAbmatic, fills)),
        (UpdateMissing, Both, [true, true], true, "", "B", Decision::Travel(ToAbmatic, fills)),
        (UpdateMissing, Both, [false, true], false, "", "B", Decision::SettleBlank),
        (UpdateMissing, Both, [false, true], true, "", "B", Decision::Stay(None)),
        (UpdateMissing, Both, [true, false], false, "A", "", Decision::SettleBlank),
        (UpdateMissing, ExportOnly, [true, true], false, "", "B", settle(Reason::DirectionClosed)),
        (UpdateMissing, ExportOnly, [true, true], true, "", "B", stay(Reason::DirectionClosed)),
        (UpdateMissing, ImportOnly, [true, true], false, "A", "", Decision::Settle(None)),
        (UpdateMissing, ImportOnly, [true, true], true, "A", "", Decision::Stay(None)),
        (UpdateMissing, Both, [true, true], true, "A", "B", stay(Reason::KeptExisting)),
        (OverwriteAll, Both, [true, true], true, "A", "B", Decision::Travel(ToAbmatic, overwrites)),
        (OverwriteAll, Both, [false, true], false, "A", "B", Decision::Stay(None)),
        (OverwriteAll, ExportOnly, [true, true], false, "A", "B", settle(Reason::DirectionClosed)),
        (Skip, Both, [true, true], true, "", "B", stay(Reason::KeptExisting)),
        (Skip, Both, [true, true], false, "", "B", settle(Reason::KeptExisting)),
    ];
    for (handling, direction, open, is_based, local, remote, expected) in cases {
        let (local, remote) = (Value::text(local), Value::text(remote));
        let base = is_based.then_some((&local, &remote));
        let pair = FieldPair::new(base, &local, &remote);
        let mut rules = MergeRules::of(&Policy::default().with_duplicates(handling));
        [rules.local_open, rules.remote_open] = open;
        let mode = Mode::Existing { source: Side::Remote };
        let decision = merge_field(&compiled(direction), pair, mode, &rules);
        assert_eq!(decision, expected, "{handling:?} {direction:?} {open:?} {is_based} {local:?} {remote:?}");
    }
    // Nobody skips a field of a linked pair that nobody could fill before.
    let (local, remote) = (Value::Null, Value::text("B"));
    let rules = MergeRules::of(&Policy::default().with_duplicates(Skip));
    let pair = FieldPair::new(None, &local, &remote);
    let decision = merge_field(&compiled(Both), pair, Mode::ThreeWay { source: Side::Local }, &rules);
    assert_eq!(decision, Decision::Travel(ToAbmatic, fills));
    let new = |direction| merge_field(&compiled(direction), pair, Mode::New { source: Side::Remote }, &rules);
    assert_eq!(new(Both), Decision::Travel(ToAbmatic, Reason::NewRecord));
    assert_eq!(new(ExportOnly), Decision::Settle(None));
    // A new record's blank agrees with the nothing that its counterpart holds.
    let blank = FieldPair::new(None, &remote, &local);
    let decision = merge_field(&compiled(Both), blank, Mode::New { source: Side::Remote }, &rules);
    assert_eq!(decision, Decision::Agree);
}

#[test]
fn a_plan_says_what_it_clears_and_whether_times_decided() {
    let mut deals = Deals::new(false);
    deals.policy = Policy::default().with_blank(BlankRule::Clear);
    let at = |second| DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
    let pair = |local: &str, remote: &str, times: [DateTime<Utc>; 2]| {
        let mut pair = Pair::new(Side::Local, Situation::Linked);
        let mut record = local_record(&[("name", Value::text(local))]);
        record.modified_at = times[0];
        pair.local = Some(record);
        let mut record = RemoteRecord::new("r", Fields::from_iter([("name", Value::text(remote))]));
        record.modified_at = Some(times[1]);
        pair.remote = Some(record);
        let mut link = Link::new("l".into(), "r".into());
        link.base.agree("name".into(), Value::text("A"), Value::text("A"));
        pair.link = Some(link);
        pair
    };
    // Local, remote, times; written here and there, cleared fields, whether times decided.
    for (local, remote, times, expected, cleared, is_timed) in [
        ("", "A", [1, 2], ["–", ""], 1, false),
        ("B", "A", [1, 2], ["–", "B"], 0, false),
        ("B", "", [1, 2], ["", "–"], 1, true),
        ("B", "", [2, 1], ["–", "B"], 0, true),
        ("B", "C", [1, 1], ["C", "–"], 0, true),
        ("A", "A", [1, 2], ["–", "–"], 0, false),
    ] {
        let planned = deals.plan(pair(local, remote, times.map(at)));
        assert_eq!(outcome(&planned, "name", &deals)[..2], expected, "{local} {remote} {times:?}");
        assert_eq!((planned.cleared_fields(), planned.has_timed_conflict()), (cleared, is_timed), "{local} {remote}");
    }
    // A field's own time of edit is better than its record's, on either side.
    let mut exact = pair("B", "C", [at(9), at(5)]);
    exact.local.as_mut().unwrap().edited_at.insert("name".into(), at(3));
    assert_eq!(outcome(&deals.plan(exact.clone()), "name", &deals)[0], "C");
    exact.remote.as_mut().unwrap().edited_at.insert("name".into(), at(1));
    assert_eq!(outcome(&deals.plan(exact), "name", &deals)[1], "B");
    // What is only reported clears nothing.
    deals.policy = Policy::default();
    let kept = deals.plan(pair("", "A", [at(1), at(2)]));
    assert_eq!((kept.cleared_fields(), kept.changes.len(), kept.changes[0].written), (0, 1, false));
}

#[test]
fn what_stays_is_told_as_it_would_have_travelled() {
    let deals = Deals::new(false);
    for (source, expected) in [(Side::Remote, (ToAbmatic, "A", "B")), (Side::Local, (FromAbmatic, "B", "A"))] {
        let mut pair = Pair::new(source, Situation::Matched);
        pair.local = Some(local_record(&[("name", Value::text("A"))]));
        pair.remote = Some(RemoteRecord::new("r", Fields::from_iter([("name", Value::text("B"))])));
        let planned = deals.plan(pair);
        let told: Vec<(Direction, String, String)> = planned
            .changes
            .iter()
            .map(|change| (change.direction, change.old.to_string(), change.new.to_string()))
            .collect();
        assert_eq!(told, [(expected.0, expected.1.to_owned(), expected.2.to_owned())]);
        assert_eq!(planned.changes[0].reason, Reason::KeptExisting);
    }
}

#[test]
fn a_pair_that_matching_refused_or_nobody_may_make_is_left() {
    let mut deals = Deals::new(false);
    let mut refused = Deals::pair("account", Some(["a", "a"]), "b", "A");
    refused.refused = Some("two candidates".to_owned());
    assert!(matches!(deals.plan(refused).action, Action::Leave(why) if why == "two candidates"));
    let out = Pair::new(Side::Remote, Situation::OutOfScope);
    assert!(matches!(deals.plan(out).action, Action::Leave(why) if why == "it left the scope of this run"));
    deals.policy = Policy::default().with_import(Writes::NONE);
    for (source, expected) in
        [(Side::Remote, "new records are not created in the host: closed by the settings"), (Side::Local, "")]
    {
        let mut pair = Pair::new(source, Situation::New);
        pair.local = (source == Side::Local).then(|| local_record(&[("name", Value::text("A"))]));
        pair.remote =
            (source == Side::Remote).then(|| RemoteRecord::new("r", Fields::from_iter([("name", Value::text("A"))])));
        match deals.plan(pair).action {
            Action::Leave(why) => assert_eq!(why, expected),
            action => assert!(expected.is_empty() && matches!(action, Action::Create(Side::Remote))),
        }
    }
}

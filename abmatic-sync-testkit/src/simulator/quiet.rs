//! What has to be true once people and faults have stopped: both sides agree, nothing is missing, and nothing moves any more.

use std::collections::HashMap;

use abmatic_sync_core::model::journal::Status;
use abmatic_sync_core::model::resource::{Resource, Side};
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::policy::{BlankRule, GoneRule};
use abmatic_sync_core::run::report::RunReport;
use abmatic_sync_core::steps::normalize::match_key;

use crate::simulator::fields::{FieldKind, fields_of, same};
use crate::simulator::model::PairOf;
use crate::simulator::script::Operation;
use crate::simulator::world::World;

/// A shorter beginning of a text is no cut.
const CUT_MIN: usize = 10;
const DAY_SECONDS: i64 = 86_400;
/// How far back a failure excuses a record.
const EXCUSED_SECONDS: i64 = 150;

/// Lets everything settle and checks it.
pub(crate) fn check_quiet(world: &mut World) -> Result<(), String> {
    // Longer than any lease, and than any search is late.
    world.journal.advance_millis(400_000);
    for crm in 0..world.crms.len() {
        for run in world.open_runs(crm).into_iter().take(1) {
            world.tell(|_| format!("the open run {run} is resumed"));
            world.quiet_run(crm, Resource::Account, Operation::Resume)?;
            // What it wrote is to be seen by searches before two cycles can be enough.
            world.journal.advance_millis(100_000);
        }
    }
    for crm in 0..world.crms.len() {
        for resource in world.setting.resources.clone() {
            if !world.setting.crms[crm].tombstones {
                world.quiet_run(crm, resource, Operation::Sweep)?;
            }
        }
    }
    cycle(world)?;
    world.journal.advance_millis(100_000);
    cycle(world)?;
    if world.crms.len() > 1 && world.setting.crms.iter().any(|habits| !habits.spelling.zeros.is_empty()) {
        // What a CRM filled in by itself travels on to the others.
        world.journal.advance_millis(100_000);
        cycle(world)?;
    }
    if !failed_ids(world, DAY_SECONDS).is_empty() {
        // Longer than any failed record is set aside.
        world.journal.advance_millis(2 * DAY_SECONDS * 1_000);
        cycle(world)?;
        cycle(world)?;
    }
    check_equal(world)?;
    check_complete(world)?;
    world.journal.advance_millis(100_000);
    still(world, "I1: the cycle after two")?;
    // A window of changes ends by the earlier clock until an answer tells the CRM's: one that is ahead is read further back.
    let ahead = world.setting.crms.iter().any(|habits| habits.skew_seconds > 0);
    let pairs =
        (0..world.crms.len()).flat_map(|crm| world.setting.resources.iter().map(move |resource| (crm, *resource)));
    let pairs: Vec<(usize, Resource)> = pairs.collect();
    for ((crm, resource), report) in pairs.into_iter().zip(still(world, "I1: a cycle in which nothing is to be done")?)
    {
        if report.calls > world.crms[crm].idle_calls(resource) && report.counts.failed == 0 && !ahead {
            return Err(format!("I1: {} calls for {resource} of which nothing changed", report.calls));
        }
    }
    Ok(())
}

/// A sync of everything.
fn cycle(world: &mut World) -> Result<Vec<RunReport>, String> {
    let mut reports = Vec::new();
    for crm in 0..world.crms.len() {
        for resource in world.setting.resources.clone() {
            reports.push(world.quiet_run(crm, resource, Operation::Sync)?);
        }
    }
    Ok(reports)
}

/// A cycle that may not write anything.
fn still(world: &mut World, what: &str) -> Result<Vec<RunReport>, String> {
    let before = world.written();
    let reports = cycle(world)?;
    match world.written() - before {
        0 => Ok(reports),
        written => Err(format!("{what} writes {written} times")),
    }
}

fn check_equal(world: &World) -> Result<(), String> {
    for crm in 0..world.crms.len() {
        for &resource in &world.setting.resources {
            check_pairs(world, crm, resource)?;
        }
    }
    Ok(())
}

fn check_pairs(world: &World, crm: usize, resource: Resource) -> Result<(), String> {
    let failed = failed_ids(world, EXCUSED_SECONDS);
    let local: HashMap<_, _> =
        world.store.records_of(resource).into_iter().map(|record| (record.id.to_string(), record)).collect();
    let remote: HashMap<_, _> =
        world.crms[crm].records(resource).into_iter().map(|record| (record.id.to_string(), record)).collect();
    for link in world.links(crm, resource) {
        let pair = PairOf { crm, resource, local: link.local_id.to_string(), remote: link.remote_id.to_string() };
        let (Some(here), Some(there)) = (local.get(&pair.local), remote.get(&pair.remote)) else { continue };
        check_gone(world, &pair, here.deleted, there.deleted)?;
        if here.deleted || there.deleted || failed.contains(&pair.local) || failed.contains(&pair.remote) {
            continue;
        }
        for field in fields_of(resource) {
            let a = here.fields.get(field.name).unwrap_or(&Value::Null);
            let b = there.fields.get(field.name).unwrap_or(&Value::Null);
            let keeps_blank = world.setting.blank == BlankRule::Keep && (a.is_blank() || b.is_blank());
            let spelled_otherwise = world.doubted && is_spelling(a, b);
            if !same(field, a, b, world.setting.crms[crm].spelling)
                && !keeps_blank
                && !spelled_otherwise
                && world.model.has_to_agree(&pair, field.name)
            {
                return Err(format!(
                    "I1: {resource} {} and {} of crm {crm} differ in {}: {a} and {b}",
                    pair.local, pair.remote, field.name
                ));
            }
        }
        check_relations(world, &pair, &here.fields, &there.fields)?;
    }
    Ok(())
}

/// A deletion that is to be carried over was, unless somebody edited the survivor, be it in another CRM; after a crash or a
/// lost answer an engine may not know that nobody did, and then keeps it.
fn check_gone(world: &World, pair: &PairOf, here: bool, there: bool) -> Result<(), String> {
    let is_alone = world.crms.len() == 1;
    let is_due = is_alone && here != there && world.setting.gone == GoneRule::Propagate;
    let (lost, survivor) = if here { (Side::Local, Side::Remote) } else { (Side::Remote, Side::Local) };
    // What was gone before the two were one takes nothing with it.
    let is_due = is_due && world.model.was_touched(pair, lost);
    if is_due && !world.doubted && !world.model.was_touched(pair, survivor) {
        let (gone, left) = if here { (&pair.local, &pair.remote) } else { (&pair.remote, &pair.local) };
        return Err(format!("I1: {} {gone} is deleted, and {left} is still there", pair.resource));
    }
    Ok(())
}

/// Whether one value is the other, cut or in another case.
fn is_spelling(a: &Value, b: &Value) -> bool {
    let (Some(a), Some(b)) = (a.as_text(), b.as_text()) else { return false };
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let is_cut = |long: &str, short: &str| short.chars().count() >= CUT_MIN && long.starts_with(short);
    a == b || is_cut(&a, &b) || is_cut(&b, &a)
}

fn check_relations(
    world: &World,
    pair: &PairOf,
    here: &abmatic_sync_core::model::fields::Fields,
    there: &abmatic_sync_core::model::fields::Fields,
) -> Result<(), String> {
    if world.deleted {
        return Ok(());
    }
    for relation in pair.resource.relations() {
        let links = world.links(pair.crm, relation.target);
        let to_local =
            |id: &str| links.iter().find(|link| link.remote_id.as_str() == id).map(|link| link.local_id.to_string());
        let mut a: Vec<String> = here.get(relation.field).into_iter().flat_map(Value::ids).map(str::to_owned).collect();
        let b: Option<Vec<String>> = there.get(relation.field).into_iter().flat_map(Value::ids).map(to_local).collect();
        let (Some(mut b), true) = (b, a.iter().all(|id| links.iter().any(|link| link.local_id.as_str() == id))) else {
            continue;
        };
        a.sort();
        b.sort();
        let keeps_blank = world.setting.blank == BlankRule::Keep && (a.is_empty() || b.is_empty());
        if world.setting.crms[pair.crm].single_contact && relation.many && b.len() == 1 {
            // One of them is all that it can have.
            a.retain(|id| b.contains(id));
        }
        if a != b && !keeps_blank && world.model.has_to_agree(pair, relation.field) {
            return Err(format!(
                "I12: {} {} and {} of crm {} differ in {}: {a:?} and {b:?}",
                pair.resource, pair.local, pair.remote, pair.crm, relation.field
            ));
        }
    }
    Ok(())
}

/// Records that the last cycles could not write, with the reason in the log, are excused.
fn failed_ids(world: &World, seconds: i64) -> Vec<String> {
    let since = world.journal.time() - chrono::Duration::seconds(seconds);
    let failures = world.log_of(Status::Failed).into_iter().filter(|entry| entry.at >= since);
    failures
        .flat_map(|entry| {
            entry.local_id.map(|id| id.to_string()).into_iter().chain(entry.remote_id.map(|id| id.to_string()))
        })
        .collect()
}

/// Records that were left once, with the reason in the log.
fn skipped_ids(world: &World) -> Vec<String> {
    let left = world.log_of(Status::Skipped).into_iter();
    left.flat_map(|entry| {
        entry.local_id.map(|id| id.to_string()).into_iter().chain(entry.remote_id.map(|id| id.to_string()))
    })
    .collect()
}

/// Each record whose key is its own has a counterpart.
fn check_complete(world: &World) -> Result<(), String> {
    for crm in 0..world.crms.len() {
        for &resource in &world.setting.resources {
            let mut failed = failed_ids(world, EXCUSED_SECONDS);
            failed.extend(skipped_ids(world));
            let links = world.links(crm, resource);
            let here: Vec<Seen> = world
                .store
                .records_of(resource)
                .iter()
                .filter(|record| !record.deleted)
                .map(|record| seen(record.id.as_str(), resource, |name| record.fields.get(name).cloned()))
                .collect();
            let there: Vec<Seen> = world.crms[crm]
                .records(resource)
                .iter()
                .filter(|record| !record.deleted)
                .map(|record| seen(record.id.as_str(), resource, |name| record.fields.get(name).cloned()))
                .collect();
            let is_lone = |key: &Option<String>| {
                key.is_none() || here.iter().chain(&there).filter(|other| other.key == *key).count() == 1
            };
            let lost_here = here.iter().filter(|one| !links.iter().any(|link| link.local_id.as_str() == one.id));
            let lost_there = there.iter().filter(|one| !links.iter().any(|link| link.remote_id.as_str() == one.id));
            let sides = lost_here.map(|one| (one, crm + 1)).chain(lost_there.map(|one| (one, 0)));
            for (one, side) in sides {
                let own_side = if side == 0 { crm + 1 } else { 0 };
                let excused = failed.contains(&one.id)
                    || world.model.knows_tag(side, resource, &one.tag)
                    || world.model.came_back_unseen(own_side, resource, &one.id);
                if is_lone(&one.key) && !excused {
                    return Err(format!("I1: {resource} {} ({}) has no counterpart on side {side}", one.id, one.tag));
                }
            }
        }
    }
    Ok(())
}

struct Seen {
    id: String,
    tag: String,
    key: Option<String>,
}

fn seen(id: &str, resource: Resource, value: impl Fn(&str) -> Option<Value>) -> Seen {
    let text = |wanted: FieldKind| {
        let field = fields_of(resource).iter().find(|field| field.kind == wanted)?;
        value(field.name)
    };
    let key = text(FieldKind::Website).or_else(|| text(FieldKind::Email));
    Seen {
        id: id.to_owned(),
        tag: value("tag").map(|tag| tag.to_string()).unwrap_or_default(),
        key: key.and_then(|key| match_key(resource, key.as_text()?)),
    }
}

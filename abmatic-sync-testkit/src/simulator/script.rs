//! What one seed comes to: the accounts' habits, the settings, and what people and runs do. Data, so that it can be shrunk.

use abmatic_sync_core::model::mapping::MappingDirection;
use abmatic_sync_core::model::resource::{Resource, Side};
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::policy::{BlankRule, DuplicateHandling, GoneRule};

use crate::fake::dice::Dice;
use crate::simulator::account::{Fault, Spelling};
use crate::simulator::fields::{FieldKind, fields_of};

/// A simulated history.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) setting: Setting,
    pub(crate) steps: Vec<Step>,
}

/// What does not change in a history.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) crms: Vec<CrmHabits>,
    pub(crate) resources: Vec<Resource>,
    /// Records and state in two databases.
    pub(crate) separate_stores: bool,
    /// Whether the host knows when single fields were edited.
    pub(crate) field_times: bool,
    pub(crate) block_records: usize,
    pub(crate) duplicates: DuplicateHandling,
    pub(crate) blank: BlankRule,
    pub(crate) tie: Side,
    pub(crate) gone: GoneRule,
}

/// How one simulated CRM behaves, and how it is mapped.
#[derive(Clone, Debug)]
pub(crate) struct CrmHabits {
    pub(crate) batch_max: usize,
    pub(crate) page_max: usize,
    pub(crate) find_max: usize,
    /// A change shows in searches after so many seconds at the latest.
    pub(crate) lag_seconds: u32,
    /// An own unique property makes creates repeatable.
    pub(crate) own_key: bool,
    /// Whether a record that the engine made is recognised whatever people did to it meanwhile.
    pub(crate) recognises_creates: bool,
    pub(crate) unique_email: bool,
    /// Whether a record that is restored counts as changed.
    pub(crate) tells_of_restored: bool,
    pub(crate) whole_seconds: bool,
    pub(crate) spelling: Spelling,
    pub(crate) lowercases_email: bool,
    /// Whether it knows when single fields were edited.
    pub(crate) field_times: bool,
    /// How far its clock is ahead of the host's; none where it does not tell its time.
    pub(crate) skew_seconds: i64,
    /// Whether its answers say what time it is there.
    pub(crate) tells_time: bool,
    /// Whether it tells of deleted records.
    pub(crate) tombstones: bool,
    /// Whether an opportunity has one contact at the most.
    pub(crate) single_contact: bool,
    /// For each field, by its place: the way it travels, and whose word counts.
    pub(crate) directions: Vec<MappingDirection>,
    pub(crate) truths: Vec<Option<Side>>,
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Somebody does something.
    Act(Act),
    /// A run over one connection and resource.
    Run(Run),
    /// Nothing happens for so many seconds.
    Wait(u32),
}

/// What somebody does, on the host's side (`at` 0) or in the CRM `at - 1`.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub(crate) at: usize,
    pub(crate) resource: Resource,
    /// Chooses among the records there are by then.
    pub(crate) pick: u64,
    pub(crate) deed: Deed,
}

#[derive(Clone, Debug)]
pub(crate) enum Deed {
    Create(Vec<(&'static str, Value)>),
    Delete,
    Edit(&'static str, Value),
    Merge,
    Restore,
    /// Points a relation at the record that the number chooses, or at none. The host's many-to-many relations get one more.
    Relate(&'static str, Option<u64>),
}

/// A run, and what befalls it.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) crm: usize,
    pub(crate) resource: Resource,
    pub(crate) operation: Operation,
    /// Faults by the number of the call that they hit.
    pub(crate) faults: Vec<(u64, Fault)>,
    /// Killed at this step of its work.
    pub(crate) crash_at: Option<u32>,
    /// What people do while it works, by its steps.
    pub(crate) meanwhile: Vec<(u32, Act)>,
    /// A second run on the same connection begins at this step.
    pub(crate) rival_at: Option<u32>,
    /// How the two take turns.
    pub(crate) turns: u64,
    /// The host is away for so long at this step: its lease runs out.
    pub(crate) stalls_at: Option<u32>,
    /// So many records may be written of each kind of write; a run that would write more stops before it writes any.
    pub(crate) cap: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    AutoPush,
    Import,
    Push,
    Resume,
    Sweep,
    Sync,
}

const TEXTS: [&str; 8] =
    ["", "Ann", "Ann B", "ann", "Zoë Ångström", "A name that is longer than some CRMs keep", "12", "Bob"];
const DOMAINS: [&str; 8] =
    ["", "acme.com", "https://www.acme.com/", "globex.io", "Globex.IO", "initech.co.uk", "umbrella.org", "hooli.xyz"];
const EMAILS: [&str; 8] = [
    "",
    "ann@acme.com",
    "Ann@Acme.com",
    "bob@globex.io",
    "eve@initech.co.uk",
    "kim@umbrella.org",
    "Lee@Hooli.xyz",
    "max@acme.com",
];

impl Script {
    /// The history of a seed, over some of `resources`.
    pub(crate) fn of(seed: u64, resources: &[Resource]) -> Self {
        let mut dice = Dice::new(seed.wrapping_mul(0x2545_F491_4F6C_DD1D));
        let mut setting = setting(&mut dice);
        setting.resources.retain(|resource| resources.contains(resource));
        let count = 4 + dice.below(22);
        let mut steps = Vec::new();
        for _ in 0..count {
            steps.push(step(&mut dice, &setting));
        }
        Self { setting, steps }
    }
}

fn setting(dice: &mut Dice) -> Setting {
    let mut resources = vec![Resource::Account];
    if dice.chance(70) {
        resources.push(Resource::Contact);
    }
    if dice.chance(35) {
        resources.push(Resource::Opportunity);
    }
    let crms = 1 + usize::from(dice.chance(30)) + usize::from(dice.chance(8));
    Setting {
        crms: (0..crms).map(|_| habits(dice)).collect(),
        resources,
        separate_stores: dice.chance(35),
        field_times: dice.chance(60),
        block_records: choose(dice, &[1, 2, 3, 5, 1_000]),
        duplicates: choose(
            dice,
            &[DuplicateHandling::UpdateMissing, DuplicateHandling::UpdateMissing, DuplicateHandling::OverwriteAll],
        ),
        blank: choose(dice, &[BlankRule::Clear, BlankRule::Keep]),
        tie: choose(dice, &[Side::Local, Side::Remote]),
        gone: choose(dice, &[GoneRule::Propagate, GoneRule::Report, GoneRule::Unlink]),
    }
}

fn habits(dice: &mut Dice) -> CrmHabits {
    let directions = (0..8).map(|_| match dice.below(10) {
        0 => MappingDirection::ImportOnly,
        1 => MappingDirection::ExportOnly,
        _ => MappingDirection::Both,
    });
    let directions = directions.collect();
    let truths = (0..8).map(|_| match dice.below(8) {
        0 => Some(Side::Local),
        1 => Some(Side::Remote),
        _ => None,
    });
    let truths = truths.collect();
    let tells_time = dice.chance(80);
    let skew_seconds = choose(dice, &[0, 0, -200, -3, 2, 90]);
    CrmHabits {
        batch_max: choose(dice, &[1, 2, 3, 10]),
        page_max: choose(dice, &[1, 2, 3, 10]),
        find_max: choose(dice, &[1, 2, 25]),
        lag_seconds: choose(dice, &[0, 10, 60]),
        own_key: dice.chance(60),
        recognises_creates: true,
        tells_of_restored: true,
        unique_email: dice.chance(50),
        whole_seconds: dice.chance(40),
        spelling: Spelling { text_max: choose(dice, &[12, 1_000]), ..Spelling::default() },
        lowercases_email: dice.chance(50),
        field_times: dice.chance(40),
        skew_seconds: if tells_time { skew_seconds } else { 0 },
        tells_time,
        tombstones: dice.chance(70),
        single_contact: dice.chance(30),
        directions,
        truths,
    }
}

fn step(dice: &mut Dice, setting: &Setting) -> Step {
    match dice.below(10) {
        0 => Step::Wait(choose(dice, &[1, 15, 90, 700])),
        1..=6 => Step::Act(act(dice, setting)),
        _ => Step::Run(run(dice, setting)),
    }
}

fn act(dice: &mut Dice, setting: &Setting) -> Act {
    let resource = choose(dice, &setting.resources);
    let deed = match dice.below(20) {
        8 => Deed::Delete,
        9 => choose(dice, &[Deed::Merge, Deed::Restore]),
        0..=5 => Deed::Create(new_fields(dice, resource)),
        6..=7 => match resource.relations() {
            [] => edit(dice, resource),
            relations => {
                let relation = choose(dice, relations);
                let target = dice.chance(80).then(|| dice.next());
                Deed::Relate(relation.field, target)
            }
        },
        _ => edit(dice, resource),
    };
    let at = usize::try_from(dice.below(setting.crms.len() as u64 + 1)).unwrap_or(0);
    Act { at, resource, pick: dice.next(), deed }
}

fn edit(dice: &mut Dice, resource: Resource) -> Deed {
    let editable: Vec<_> = fields_of(resource).iter().filter(|field| field.name != "tag").collect();
    let field = choose(dice, &editable);
    Deed::Edit(field.name, value(dice, field.kind))
}

fn new_fields(dice: &mut Dice, resource: Resource) -> Vec<(&'static str, Value)> {
    let fields = fields_of(resource).iter().filter(|field| field.name != "tag");
    fields.map(|field| (field.name, value(dice, field.kind))).collect()
}

fn value(dice: &mut Dice, kind: FieldKind) -> Value {
    match kind {
        FieldKind::Email => Value::text(choose(dice, &EMAILS)),
        FieldKind::Number if dice.chance(15) => Value::Null,
        FieldKind::Number => Value::from(i64::try_from(dice.below(5)).unwrap_or(0)),
        FieldKind::Text => Value::text(choose(dice, &TEXTS)),
        FieldKind::Website => Value::text(choose(dice, &DOMAINS)),
    }
}

fn run(dice: &mut Dice, setting: &Setting) -> Run {
    let operation = match dice.below(12) {
        0 => Operation::AutoPush,
        1 => Operation::Import,
        2 => Operation::Push,
        3 => choose(dice, &[Operation::Resume, Operation::Resume, Operation::Sweep]),
        _ => Operation::Sync,
    };
    let mut faults = Vec::new();
    while dice.chance(30) {
        faults.push((dice.below(12), choose(dice, &Fault::ALL)));
    }
    let crm = usize::try_from(dice.below(setting.crms.len() as u64)).unwrap_or(0);
    let resource = choose(dice, &setting.resources);
    let mut meanwhile = Vec::new();
    while dice.chance(50) {
        // Mostly of what the run is about.
        let act = match dice.below(4) {
            0 => act(dice, setting),
            1 | 2 => Act { at: 0, resource, pick: dice.next(), deed: edit(dice, resource) },
            _ => Act { at: crm + 1, resource, pick: dice.next(), deed: edit(dice, resource) },
        };
        meanwhile.push((small(dice, 40), act));
    }
    meanwhile.sort_by_key(|(at, _)| *at);
    Run {
        crm,
        resource,
        operation,
        faults,
        crash_at: dice.chance(25).then(|| small(dice, 60)),
        meanwhile,
        rival_at: dice.chance(12).then(|| small(dice, 40)),
        turns: dice.next(),
        stalls_at: dice.chance(6).then(|| small(dice, 40)),
        cap: dice.chance(12).then(|| dice.below(3)),
    }
}

fn small(dice: &mut Dice, limit: u64) -> u32 {
    u32::try_from(dice.below(limit)).unwrap_or(0)
}

fn choose<T: Clone>(dice: &mut Dice, items: &[T]) -> T {
    let place = usize::try_from(dice.below(items.len() as u64)).unwrap_or(0);
    items[place].clone()
}

//! Makes a failing history short: steps and troubles are left out as long as the same invariant fails.

use crate::simulator::script::{Script, Step};
use crate::simulator::world::{Scene, play};

/// The shortest history found, and its breach.
pub(crate) fn shrink(mut script: Script, on: Scene<'_>, mut breach: String) -> (Script, String) {
    let invariant = kind_of(&breach);
    loop {
        let shorter = candidates(&script).into_iter().find_map(|candidate| match play(&candidate, on) {
            Err(breach) if kind_of(&breach) == invariant => Some((candidate, breach)),
            Err(_) | Ok(_) => None,
        });
        match shorter {
            Some(found) => (script, breach) = found,
            None => return (script, breach),
        }
    }
}

fn kind_of(breach: &str) -> String {
    breach.chars().take_while(|letter| *letter != ':').collect()
}

/// The history with one thing less.
fn candidates(script: &Script) -> Vec<Script> {
    let mut candidates = Vec::new();
    for place in (0..script.steps.len()).rev() {
        let mut without = script.clone();
        without.steps.remove(place);
        candidates.push(without);
    }
    for (place, step) in script.steps.iter().enumerate() {
        let Step::Run(run) = step else { continue };
        let mut simpler = Vec::new();
        for fault in 0..run.faults.len() {
            let mut run = run.clone();
            run.faults.remove(fault);
            simpler.push(run);
        }
        for act in 0..run.meanwhile.len() {
            let mut run = run.clone();
            run.meanwhile.remove(act);
            simpler.push(run);
        }
        if run.crash_at.is_some() {
            simpler.push(crate::simulator::script::Run { crash_at: None, ..run.clone() });
        }
        if run.rival_at.is_some() {
            simpler.push(crate::simulator::script::Run { rival_at: None, ..run.clone() });
        }
        if run.stalls_at.is_some() {
            simpler.push(crate::simulator::script::Run { stalls_at: None, ..run.clone() });
        }
        if run.cap.is_some() {
            simpler.push(crate::simulator::script::Run { cap: None, ..run.clone() });
        }
        for run in simpler {
            let mut changed = script.clone();
            changed.steps[place] = Step::Run(run);
            candidates.push(changed);
        }
    }
    candidates
}

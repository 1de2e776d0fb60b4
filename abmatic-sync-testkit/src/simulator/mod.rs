//! A simulated world for the engine: one seed makes a history of people, runs, faults and crashes, and every invariant is
//! checked against a plain model after each step.
//!
//! Time is simulated and nothing waits, so thousands of histories pass in a minute. What fails prints its seed and the
//! shortest history found that still fails.
//!
//! ```
//! use abmatic_sync_testkit::simulator::simulate;
//! let history = simulate(7, None).map_err(|failure| failure.to_string())?;
//! assert!(history.events > 0);
//! # Ok::<(), String>(())
//! ```

mod account;
mod crm;
mod fields;
mod gate;
mod journal;
mod model;
mod quiet;
mod sabotage;
mod script;
mod shrink;
mod side;
mod store;
mod watched;
mod world;

use std::fmt;

use abmatic_sync_core::model::resource::Resource;
pub use account::{Account, Fault, Opening, Spelling, Stage};
pub use gate::{Turn, turn};
pub use sabotage::Sabotage;

use crate::simulator::script::Script;
use crate::simulator::world::Scene;

/// What a history that held came to.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub struct History {
    /// Records written on any side, by people and by the engine.
    pub events: usize,
    /// Runs, crashed ones too.
    pub runs: u64,
}

/// An invariant that did not hold.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed of the history.
    pub seed: u64,
    /// The CRM under test, if it was not a simulated one.
    pub crm: Option<&'static str>,
    /// What is wrong, with the number of the invariant.
    pub breach: String,
    /// The steps of the shortest history found that fails, each with what came of it.
    pub trace: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let crm = self.crm.map_or_else(String::new, |crm| format!(" on {crm}"));
        writeln!(f, "seed {}{crm}: {}", self.seed, self.breach)?;
        for line in &self.trace {
            writeln!(f, "  {line}")?;
        }
        Ok(())
    }
}

/// Plays the history of a seed on simulated CRMs, with all protections or without one.
///
/// # Errors
/// The invariant that did not hold, with the shortest history found.
pub fn simulate(seed: u64, sabotage: Option<Sabotage>) -> Result<History, Box<Failure>> {
    let resources = [Resource::Account, Resource::Contact, Resource::Opportunity];
    play(seed, &resources, Scene { stage: None, sabotage })
}

/// Plays the history of a seed on accounts of a CRM under test, through its own connector.
///
/// # Errors
/// As [`simulate`].
pub fn simulate_on(stage: &dyn Stage, seed: u64, sabotage: Option<Sabotage>) -> Result<History, Box<Failure>> {
    play(seed, stage.resources(), Scene { stage: Some(stage), sabotage })
}

fn play(seed: u64, resources: &[Resource], on: Scene<'_>) -> Result<History, Box<Failure>> {
    let script = Script::of(seed, resources);
    match world::play(&script, on) {
        Ok(world) => Ok(History { events: world.written(), runs: world.runs }),
        Err(breach) => {
            let (script, breach) = shrink::shrink(script, on, breach);
            let trace = world::retell(&script, on);
            Err(Box::new(Failure { seed, crm: on.stage.map(Stage::name), breach, trace }))
        }
    }
}

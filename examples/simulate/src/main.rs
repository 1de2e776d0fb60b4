//! `simulate`: plays the histories of many seeds and checks every invariant after each step.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use abmatic_sync_testkit::simulator::{Failure, History, Sabotage, Stage, simulate, simulate_on};
use clap::Parser;
use simulate::{STAGES, stage};

/// Plays simulated histories of a host and its CRMs, with faults and crashes, and checks that nothing is lost, doubled or echoed.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many histories.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The seed of the first one.
    #[arg(long, default_value_t = 0)]
    first_seed: u64,
    /// Plays on accounts of this CRM, through its connector and its fake, in place of simulated CRMs.
    #[arg(long, value_parser = stage_of)]
    crm: Option<&'static dyn Stage>,
    /// Switches a protection off, or each in turn with `all`, and expects every one to be missed.
    #[arg(long)]
    sabotage: Option<String>,
    /// How many threads play; as many as there are cores unless told.
    #[arg(long)]
    threads: Option<usize>,
}

impl Arguments {
    fn history(&self, seed: u64, sabotage: Option<Sabotage>) -> Result<History, Box<Failure>> {
        match self.crm {
            None => simulate(seed, sabotage),
            Some(stage) => simulate_on(stage, seed, sabotage),
        }
    }
}

fn stage_of(name: &str) -> Result<&'static dyn Stage, String> {
    stage(name).ok_or_else(|| {
        let names: Vec<&str> = STAGES.iter().map(|stage| stage.name()).collect();
        format!("there are: {}", names.join(", "))
    })
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let held = match arguments.sabotage.as_deref() {
        None => all_hold(&arguments),
        Some("all") => Sabotage::ALL.map(|one| is_caught(&arguments, one)).into_iter().all(|caught| caught),
        Some(name) => match Sabotage::parse(name) {
            Some(one) => is_caught(&arguments, one),
            None => {
                let names: Vec<&str> = Sabotage::ALL.into_iter().map(Sabotage::as_str).collect();
                eprintln!("there is no protection \"{name}\"; there are: {}, all", names.join(", "));
                return ExitCode::from(2);
            }
        },
    };
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[expect(clippy::disallowed_methods, reason = "how long it took is told to a person, and decides nothing")]
fn all_hold(arguments: &Arguments) -> bool {
    let begun = Instant::now();
    let played = play(arguments, None);
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{} histories with {} runs and {} writes in {seconds:.1} s: {}",
        played.histories,
        played.runs,
        played.events,
        if played.failure.is_some() { "an invariant did not hold" } else { "every invariant held" }
    );
    if let Some((_, failure)) = &played.failure {
        println!("{failure}");
        let crm = failure.crm.map_or_else(String::new, |crm| format!(" --crm {crm}"));
        println!("again: cargo run --release --bin simulate -- --first-seed {} --seeds 1{crm}", failure.seed);
    }
    played.failure.is_none()
}

fn is_caught(arguments: &Arguments, sabotage: Sabotage) -> bool {
    let played = play(arguments, Some(sabotage));
    match &played.failure {
        Some((after, failure)) => {
            let (name, seed, breach) = (sabotage.as_str(), failure.seed, &failure.breach);
            println!("without {name}: caught after {after} histories, by seed {seed}: {breach}");
        }
        None => println!("without {}: NOT caught by {} histories", sabotage.as_str(), played.histories),
    }
    played.failure.is_some()
}

#[derive(Debug, Default)]
struct Played {
    histories: u64,
    runs: u64,
    events: u64,
    /// The first failure, and after how many histories it came.
    failure: Option<(u64, Box<Failure>)>,
}

fn play(arguments: &Arguments, sabotage: Option<Sabotage>) -> Played {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = arguments.threads.unwrap_or(cores).max(1);
    let next = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let played = Mutex::new(Played::default());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= arguments.seeds {
                        return;
                    }
                    let outcome = arguments.history(arguments.first_seed + number, sabotage);
                    let Ok(mut played) = played.lock() else { return };
                    played.histories += 1;
                    match outcome {
                        Ok(history) => {
                            played.runs += history.runs;
                            played.events += history.events as u64;
                        }
                        Err(failure) => {
                            stop.store(true, Ordering::Relaxed);
                            let after = played.histories;
                            played.failure.get_or_insert((after, failure));
                        }
                    }
                    if played.histories % 5_000 == 0 {
                        eprint!("\r{} of {} histories", played.histories, arguments.seeds);
                        let _ = std::io::stderr().flush();
                    }
                }
            });
        }
    });
    eprintln!();
    played.into_inner().unwrap_or_default()
}

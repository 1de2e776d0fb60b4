//! A bounded run of every fuzz target: its seeds, and so many inputs that are made of them by a fixed seed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails shall stop, in its helpers too")]

use std::path::Path;

use abmatic_sync_fuzz_entry::{TARGETS, Target};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// How many made inputs each target gets.
const INPUTS: usize = 1_500;
const CHANGES_MAX: usize = 6;
/// What hurts decoders.
const WORDS: [&str; 28] = [
    "null",
    "true",
    "\"\"",
    "{}",
    "[]",
    "0",
    "-1",
    "1e400",
    "18446744073709551616",
    "9223372036854775807",
    "NaN",
    "\\u0000",
    "\\ud800",
    "\u{feff}",
    "\u{202e}",
    "é",
    "İ",
    "9999-12-31T23:59:59Z",
    "+262143-01-01T00:00:00Z",
    "-0001-01-01",
    "\n~\n",
    "429 retry-after: 99999999999\n",
    "200 date: Mon, 01 Jan 0001 00:00:00 GMT\n",
    "\"",
    "'",
    "(",
    ";",
    "%",
];

/// Shows what a target fell over, whoever panics.
struct Shown<'a>(&'a str, &'a [u8]);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{} fell over {:?}", self.0, String::from_utf8_lossy(self.1));
            eprintln!("as bytes: {:?}", self.1);
        }
    }
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../seeds").join(name);
    let mut paths: Vec<_> =
        std::fs::read_dir(&folder).expect("each target has seeds").map(|one| one.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn made(rng: &mut ChaCha8Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut made = seeds[rng.random_range(0..seeds.len())].clone();
    for _ in 0..rng.random_range(1..=CHANGES_MAX) {
        let at = rng.random_range(0..=made.len());
        let end = rng.random_range(at..=made.len().min(at + 16));
        match rng.random_range(0..7) {
            0 if at < made.len() => made[at] = rng.random(),
            1 if at < made.len() => made[at] ^= 1 << rng.random_range(0..8),
            2 => drop(made.drain(at..end)),
            3 => made.truncate(at),
            4 => {
                let other = &seeds[rng.random_range(0..seeds.len())];
                let from = rng.random_range(0..=other.len());
                let to = rng.random_range(from..=other.len().min(from + 64));
                drop(made.splice(at..end, other[from..to].iter().copied()));
            }
            _ => drop(made.splice(at..end, WORDS[rng.random_range(0..WORDS.len())].bytes())),
        }
    }
    made
}

fn run(name: &str, target: Target) {
    let seeds = seeds(name);
    assert!(!seeds.is_empty(), "{name} has no seeds");
    let mut rng = ChaCha8Rng::seed_from_u64(20_261_201);
    let inputs = seeds.iter().cloned().chain(std::iter::once(Vec::new()));
    let chance = (0..INPUTS).map(|_| made(&mut rng, &seeds));
    for input in inputs.chain(chance.collect::<Vec<_>>()) {
        let shown = Shown(name, &input);
        target(&input);
        drop(shown);
    }
}

macro_rules! bounded {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            run(stringify!($name), abmatic_sync_fuzz_entry::$name);
        })*

        #[test]
        fn every_target_is_run_and_has_a_program() {
            let run = [$(stringify!($name)),*];
            assert_eq!(TARGETS.map(|(name, _)| name), run);
            for name in run {
                let program = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../fuzz_targets/{name}.rs"));
                assert!(program.exists(), "{}", program.display());
            }
        }
    };
}

bounded! {
    activecampaign
    domain
    email
    filter
    hubspot
    merge
    pipedrive
    salesforce
    salesforce_bulk
    webhook_activecampaign
    webhook_hubspot
    webhook_pipedrive
    webhook_salesforce
}

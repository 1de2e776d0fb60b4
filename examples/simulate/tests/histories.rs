//! Some histories on each real CRM's connector and fake, and each protection missed there when it is switched off.
//!
//! More of them: `cargo run --release --bin simulate -- --crm hubspot --seeds 10000`.

use abmatic_sync_testkit::simulator::{Sabotage, simulate_on};
use simulate::{STAGES, stage};

const HISTORIES: u64 = 40;

#[test]
fn every_invariant_holds_on_each_crm() {
    for stage in STAGES {
        for seed in 0..HISTORIES {
            if let Err(failure) = simulate_on(stage, seed, None) {
                panic!("{failure}");
            }
        }
    }
}

#[test]
fn a_missing_protection_is_seen_on_each_crm() {
    for stage in STAGES {
        let seen = (0..HISTORIES).any(|seed| simulate_on(stage, seed, Some(Sabotage::Base)).is_err());
        assert!(seen, "nobody misses the bases on {}", stage.name());
    }
}

#[test]
fn a_failure_names_its_crm() {
    let stage = stage("pipedrive").unwrap_or(STAGES[0]);
    let told = (0..HISTORIES).find_map(|seed| simulate_on(stage, seed, Some(Sabotage::Base)).err());
    assert!(told.is_some_and(|failure| failure.to_string().contains(" on pipedrive: ")));
}

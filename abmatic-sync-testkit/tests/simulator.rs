//! Some hundreds of simulated histories, and each protection missed when it is switched off.
//!
//! More of them: `cargo run --release --bin simulate -- --seeds 100000`.

use abmatic_sync_testkit::simulator::{Sabotage, simulate};

const HISTORIES: u64 = 400;
/// The first seed for each protection by which its absence was seen: it has to be seen again.
const CAUGHT_BY: [(Sabotage, u64); 7] = [
    (Sabotage::Base, 4),
    (Sabotage::Checkpoint, 154),
    (Sabotage::InPageDedup, 10),
    (Sabotage::Intent, 57),
    (Sabotage::Lease, 110),
    (Sabotage::OptimisticLocalWrite, 909),
    (Sabotage::OverlapWindow, 4),
];

#[test]
fn every_invariant_holds_in_some_hundreds_of_histories() {
    for seed in 0..HISTORIES {
        if let Err(failure) = simulate(seed, None) {
            panic!("{failure}");
        }
    }
}

#[test]
fn a_missing_protection_is_seen() {
    assert_eq!(CAUGHT_BY.map(|(sabotage, _)| sabotage), Sabotage::ALL);
    for (sabotage, seed) in CAUGHT_BY {
        assert!(simulate(seed, Some(sabotage)).is_err(), "nobody misses {}", sabotage.as_str());
    }
}

#[test]
fn a_seed_tells_the_same_history_each_time() {
    let told = |seed| simulate(seed, Some(Sabotage::Base)).err().map(|failure| failure.to_string());
    let seeds = 0..40;
    let first: Vec<_> = seeds.clone().map(told).collect();
    assert!(first.iter().any(Option::is_some));
    assert_eq!(first, seeds.map(told).collect::<Vec<_>>());
}

//! The real program on a real file, killed at each of its calls to the CRM and resumed, ends where one ends that nobody
//! disturbed (I4, I5, I6).
//!
//! A kill is a SIGKILL at a call that the fake CRM holds: right before it is carried out, or right after. In between come
//! kills as soon as an answer has left, which hit whatever the program does with it, its commit among others; the end has
//! to be the same wherever they hit. `cargo test -p crm-cli --test kills -- --nocapture` prints how many there were.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod portrait;
mod story;
mod world;

use abmatic_sync_testkit::fake::hubspot::{Builder, FakeHubspot};

use crate::story::tell;
use crate::world::{Kills, World};

/// Tells a story in a world that nobody disturbs and in one that is killed at each call of each stage, and compares.
async fn compare(account: impl Fn() -> Builder, resources: &[&str]) {
    let mut undisturbed = World::start(account(), Kills::None).await;
    tell(&mut undisturbed, resources).await;
    let mut killed = World::start(account(), Kills::EachCall).await;
    tell(&mut killed, resources).await;

    let stages = &killed.kills;
    println!("{} kills: {stages:?}", stages.values().sum::<usize>());
    assert!(stages.values().sum::<usize>() >= 50, "{stages:?}");
    assert!(stages.values().all(|kills| *kills >= 2), "{stages:?}");
    killed.portrait().await.compare(&undisturbed.portrait().await);
    for world in [&mut undisturbed, &mut killed] {
        for resource in resources {
            world.settle(resource).await;
        }
    }
    killed.portrait().await.compare(&undisturbed.portrait().await);
}

fn account(contacts: usize) -> Builder {
    FakeHubspot::builder().seed_records(contacts).rng_seed(7).search_lag_seconds(0.0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_each_call_and_resumed_it_ends_as_if_never_killed() {
    compare(|| account(1_050), &["accounts", "contacts", "opportunities"]).await;
}

/// Creates are then no upserts: after a kill it is by their e-mails that they are found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_where_the_crm_takes_no_key_of_ours() {
    compare(|| account(150).allow_property_creation(false), &["contacts"]).await;
}

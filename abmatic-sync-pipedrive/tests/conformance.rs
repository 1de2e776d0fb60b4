//! The connector keeps the contract, against the fake Pipedrive.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails shall stop, in its helpers too")]

mod world;

use abmatic_sync_testkit::conformance::suite::Suite;

#[tokio::test]
async fn it_keeps_the_contract() {
    let fake = world::company().start().await.unwrap();
    let report = Suite::new(world::subject(&fake).await).run().await;
    println!("{report}");
    report.assert_passed();
}

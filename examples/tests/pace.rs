//! Limits are kept and used: under a fake that enforces them no call is refused, and nearly all that is allowed is used.

#![allow(clippy::unwrap_used, reason = "a test that fails shall stop, in its helpers too")]

use std::time::Duration;

use abmatic_sync_activecampaign::{self as active, ActiveCampaignConnector};
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::connector::request::{Read, ReadRequest};
use abmatic_sync_core::error::ErrorKind;
use abmatic_sync_core::filter::parse::parse;
use abmatic_sync_core::ids::{FieldName, RemoteId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::resource::Resource::Contact;
use abmatic_sync_hubspot::{HubspotConnector, Pacing};
use abmatic_sync_pipedrive::PipedriveConnector;
use abmatic_sync_testkit::fake::activecampaign::FakeActiveCampaign;
use abmatic_sync_testkit::fake::hubspot::FakeHubspot;
use abmatic_sync_testkit::fake::pipedrive::FakePipedrive;

const START_MS: i64 = 1_790_000_000_000;

/// Reads one contact so many times.
async fn read_again_and_again(connector: &impl CrmConnector, on: &Connection, id: &str, calls: u64) {
    connector.describe(on, Contact).await.unwrap();
    while on.calls.total() < calls {
        let read = Read::Ids(vec![RemoteId::from(id)]);
        connector.read(on, ReadRequest::new(Contact, read).with_fields([FieldName::from("email")])).await.unwrap();
    }
}

fn connection(connector: &str, url: &str, token: String) -> Connection {
    Connection::new("acme", "acme/main", connector, Credentials::token(token)).with_base_url(url.parse().unwrap())
}

#[tokio::test]
async fn hubspot_s_burst_limit_is_kept_and_used() {
    const WINDOWS: u64 = 6;
    let fake = FakeHubspot::builder().seed_records(1).rate_limits(true).simulated_clock(START_MS);
    let fake = fake.start().await.unwrap();
    let hubspot = HubspotConnector::builder().pacing(Pacing::Documented).clock(fake.clock());
    let on = connection("hubspot", &fake.base_url(), fake.token());
    let id = fake.user().records("contacts")[0].id.clone();
    // Each ten seconds allow 190 calls (a private app), the first of which tells so.
    read_again_and_again(&hubspot.build(), &on, &id, 190 * WINDOWS * 95 / 100).await;
    assert_eq!(fake.calls().by_status.get(&429), None);
    let windows = (fake.now_ms() - START_MS) / 10_000 + 1;
    assert!(windows <= i64::try_from(WINDOWS).unwrap(), "{windows} windows of ten seconds were taken");
}

#[tokio::test]
async fn hubspot_s_searches_are_kept_and_used() {
    const SEARCHES: u64 = 190;
    let fake = FakeHubspot::builder().seed_records(1).rate_limits(true).simulated_clock(START_MS);
    let fake = fake.start().await.unwrap();
    let clock = fake.clock();
    let hubspot = HubspotConnector::builder().pacing(Pacing::Documented).clock(clock).build();
    let on = connection("hubspot", &fake.base_url(), fake.token());
    for _ in 0..SEARCHES {
        let read = Read::Filter(parse("email = \"nobody@acme.com\"").unwrap());
        hubspot.read(&on, ReadRequest::new(Contact, read)).await.unwrap();
    }
    assert_eq!(fake.calls().by_status.get(&429), None);
    // Five a second are allowed.
    let took = fake.now_ms() - START_MS;
    assert!(took * 95 / 100 <= i64::try_from(SEARCHES).unwrap() * 1_000 / 5, "{SEARCHES} searches took {took} ms");
}

#[tokio::test]
async fn activecampaign_s_limit_is_kept_and_used() {
    const CALLS: u64 = 190;
    let fake = FakeActiveCampaign::builder().seed_records(1).rate_limits(true).simulated_clock(START_MS);
    let fake = fake.start().await.unwrap();
    let clock = fake.clock();
    let connector = ActiveCampaignConnector::builder().pacing(active::Pacing::Documented).clock(clock).build();
    let on = connection("activecampaign", &fake.base_url(), fake.token());
    read_again_and_again(&connector, &on, "1", CALLS).await;
    assert_eq!(fake.calls().by_status.get(&429), None);
    // Five a second are allowed.
    let took = fake.now_ms() - START_MS;
    assert!(took * 95 / 100 <= i64::try_from(on.calls.total()).unwrap() * 1_000 / 5, "{CALLS} calls took {took} ms");
}

#[tokio::test]
async fn pipedrive_s_burst_limit_is_kept_and_used() {
    const WINDOWS: u64 = 20;
    let fake = FakePipedrive::builder().seed_records(1).rate_limits(true).simulated_clock(START_MS);
    let fake = fake.start().await.unwrap();
    let pipedrive = PipedriveConnector::builder().clock(fake.clock());
    let on = connection("pipedrive", &fake.base_url(), fake.token());
    let id = fake.user().records("persons")[0].id.to_string();
    // Each two seconds allow 20 calls (the smallest plan).
    read_again_and_again(&pipedrive.build(), &on, &id, 20 * WINDOWS * 95 / 100).await;
    assert_eq!(fake.calls().by_status.get(&429), None);
    let windows = (fake.now_ms() - START_MS) / 2_000 + 1;
    assert!(windows <= i64::try_from(WINDOWS).unwrap(), "{windows} windows of two seconds were taken");
}

#[tokio::test]
async fn the_host_s_share_of_hubspot_s_day_is_not_exceeded() {
    let fake = FakeHubspot::builder().seed_records(1).rate_limits(true).simulated_clock(START_MS);
    let fake = fake.start().await.unwrap();
    let hubspot = HubspotConnector::builder().budget_percent(0).clock(fake.clock()).build();
    let on = connection("hubspot", &fake.base_url(), fake.token());
    hubspot.describe(&on, Contact).await.unwrap();
    let refused = hubspot.read(&on, ReadRequest::new(Contact, Read::All)).await.unwrap_err();
    assert_eq!((refused.kind(), on.calls.total()), (ErrorKind::RateLimited, 1), "the first call told: {refused}");
    assert_eq!(refused.retry_after(), Some(Duration::from_secs(3_600)));
}

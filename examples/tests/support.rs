//! The README's table of what each connector offers is what they say themselves.

#![allow(clippy::unwrap_used, reason = "tests")]

use abmatic_sync_activecampaign::ActiveCampaignConnector;
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_examples::support::table;
use abmatic_sync_hubspot::HubspotConnector;
use abmatic_sync_pipedrive::PipedriveConnector;
use abmatic_sync_salesforce::SalesforceConnector;

#[test]
fn the_readme_says_what_the_connectors_say() {
    let (hubspot, pipedrive) = (HubspotConnector::builder().build(), PipedriveConnector::new());
    let (activecampaign, salesforce) = (ActiveCampaignConnector::new(), SalesforceConnector::new());
    let table =
        table(&[activecampaign.descriptor(), hubspot.descriptor(), pipedrive.descriptor(), salesforce.descriptor()]);
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    assert!(readme.contains(&table), "the README should hold this table:\n{table}");
}

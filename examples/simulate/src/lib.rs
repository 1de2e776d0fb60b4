//! The stages of the simulator: the connectors of real CRMs over their fakes, without a socket and in simulated time.

mod activecampaign;
mod fields;
mod hubspot;
mod pipedrive;
mod salesforce;
mod site;

use abmatic_sync_testkit::simulator::Stage;

/// Every CRM on which histories can be played besides simulated ones.
pub const STAGES: [&dyn Stage; 4] = [
    &activecampaign::ActiveCampaignStage,
    &hubspot::HubspotStage,
    &pipedrive::PipedriveStage,
    &salesforce::SalesforceStage,
];

/// The one of that name.
pub fn stage(name: &str) -> Option<&'static dyn Stage> {
    STAGES.into_iter().find(|stage| stage.name() == name)
}

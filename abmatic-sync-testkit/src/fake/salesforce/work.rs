//! The fields of what people work on: opportunities, tasks, campaigns, and the small tables that explain them.

use crate::fake::salesforce::columns::{
    area, audit, date, double, external_id, flag, head, int, money, owner, pick, reference, text,
};
use crate::fake::salesforce::field::{Field, FieldType, Source};
use crate::fake::salesforce::people::customs;

/// A sales stage: its name, probability, whether it closes and wins, and its forecast category.
pub(crate) type Stage = (&'static str, u32, bool, bool, &'static str);

/// The stages of a new org.
pub(crate) const STAGES: &[Stage] = &[
    ("Prospecting", 10, false, false, "Pipeline"),
    ("Qualification", 10, false, false, "Pipeline"),
    ("Needs Analysis", 20, false, false, "Pipeline"),
    ("Value Proposition", 50, false, false, "Pipeline"),
    ("Id. Decision Makers", 60, false, false, "Pipeline"),
    ("Perception Analysis", 70, false, false, "Pipeline"),
    ("Proposal/Price Quote", 75, false, false, "BestCase"),
    ("Negotiation/Review", 90, false, false, "Forecast"),
    ("Closed Won", 100, true, true, "Closed"),
    ("Closed Lost", 0, true, false, "Omitted"),
];

/// The lead statuses of a new org: name, whether it means converted, whether it is the default.
pub(crate) const LEAD_STATUSES: &[(&str, bool, bool)] = &[
    ("Open - Not Contacted", false, true),
    ("Working - Contacted", false, false),
    ("Closed - Converted", true, false),
    ("Closed - Not Converted", false, false),
];

pub(crate) fn opportunity() -> Vec<Field> {
    let stages: Vec<&str> = STAGES.iter().map(|(name, ..)| *name).collect();
    let mut contact = reference("ContactId", "Contact ID", &["Contact"]);
    contact.updateable = false;
    let mut fields = head("Opportunity", None);
    fields.extend([
        reference("AccountId", "Account ID", &["Account"]).with_children("Opportunities", true),
        text("Name", "Name", 120).required().naming().looked_up(),
        area("Description", "Description", 32_000),
        pick("StageName", "Stage", &stages).required(),
        money("Amount", "Amount", 2),
        Field::new("Probability", "Probability (%)", FieldType::Percent).digits(3, 0),
        money("ExpectedRevenue", "Expected Amount", 2).from(Source::ExpectedRevenue),
        double("TotalOpportunityQuantity", "Quantity", 18, 2),
        date("CloseDate", "Close Date").required(),
        pick(
            "Type",
            "Opportunity Type",
            &[
                "Existing Customer - Upgrade",
                "Existing Customer - Replacement",
                "Existing Customer - Downgrade",
                "New Customer",
            ],
        ),
        text("NextStep", "Next Step", 255),
        pick("LeadSource", "Lead Source", &["Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other"]),
        flag("IsClosed", "Closed").read_only(),
        flag("IsWon", "Won").read_only(),
        pick("ForecastCategory", "Forecast Category", &["Omitted", "Pipeline", "BestCase", "Forecast", "Closed"])
            .read_only(),
        reference("CampaignId", "Campaign ID", &["Campaign"]).with_children("Opportunities", false),
        owner(&["User"]),
        contact,
    ]);
    fields.extend(audit());
    fields.push(date("LastActivityDate", "Last Activity").read_only());
    fields.extend(customs());
    fields
}

pub(crate) fn contact_role() -> Vec<Field> {
    let mut fields = head("Contact Role", None);
    fields.extend([
        reference("OpportunityId", "Opportunity ID", &["Opportunity"])
            .with_children("OpportunityContactRoles", true)
            .required(),
        reference("ContactId", "Contact ID", &["Contact"]).with_children("OpportunityContactRoles", true).required(),
        pick("Role", "Role", &["Business User", "Decision Maker", "Economic Buyer", "Evaluator", "Other"]),
        flag("IsPrimary", "Primary"),
    ]);
    fields.extend(audit());
    fields
}

pub(crate) fn task() -> Vec<Field> {
    let mut fields = head("Activity", None);
    fields.extend([
        polymorphic("WhoId", "Name ID", &["Contact", "Lead"]).with_children("Tasks", false),
        polymorphic("WhatId", "Related To ID", &["Account", "Opportunity", "Campaign"]).with_children("Tasks", false),
        text("Subject", "Subject", 255).naming(),
        date("ActivityDate", "Due Date Only"),
        pick("Status", "Status", &["Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred"])
            .required()
            .or_default("Not Started"),
        pick("Priority", "Priority", &["High", "Normal", "Low"]).required().or_default("Normal"),
        owner(&["Group", "User"]),
        area("Description", "Description", 32_000),
        flag("IsClosed", "Closed").read_only(),
        pick("TaskSubtype", "Task Subtype", &["Task", "Email", "ListEmail", "Call"]).or_default("Task"),
        pick("Type", "Type", &["Call", "Meeting", "Other"]),
        reference("AccountId", "Account ID", &["Account"]).read_only(),
        int("CallDurationInSeconds", "Call Duration", 8),
    ]);
    fields.extend(audit());
    fields.push(external_id());
    fields
}

fn polymorphic(name: &str, label: &str, targets: &'static [&'static str]) -> Field {
    reference(name, label, targets)
}

pub(crate) fn campaign() -> Vec<Field> {
    let mut fields = head("Campaign", None);
    fields.extend([
        text("Name", "Name", 80).required().naming().looked_up(),
        reference("ParentId", "Parent Campaign ID", &["Campaign"]).with_children("ChildCampaigns", false),
        pick("Type", "Type", &["Conference", "Webinar", "Trade Show", "Email", "Advertisement", "Other"]),
        pick("Status", "Status", &["Planned", "In Progress", "Completed", "Aborted"]).or_default("Planned"),
        date("StartDate", "Start Date"),
        date("EndDate", "End Date"),
        money("BudgetedCost", "Budgeted Cost", 0),
        flag("IsActive", "Active"),
        area("Description", "Description", 32_000),
        owner(&["User"]),
    ]);
    fields.extend(audit());
    fields.push(external_id());
    fields
}

pub(crate) fn campaign_member() -> Vec<Field> {
    let mut fields = head("Campaign Member", None);
    let mut campaign = reference("CampaignId", "Campaign ID", &["Campaign"]).with_children("CampaignMembers", true);
    campaign.updateable = false;
    fields.extend([
        campaign.required(),
        reference("LeadId", "Lead ID", &["Lead"]).with_children("CampaignMembers", true),
        reference("ContactId", "Contact ID", &["Contact"]).with_children("CampaignMembers", true),
        pick("Status", "Status", &["Sent", "Responded"]).or_default("Sent"),
        flag("HasResponded", "Responded").read_only(),
        date("FirstRespondedDate", "First Responded Date").read_only(),
    ]);
    fields.extend(audit());
    fields
}

pub(crate) fn group() -> Vec<Field> {
    vec![
        head("Group", None).swap_remove(0),
        text("Name", "Name", 40).required().naming(),
        text("DeveloperName", "Developer Name", 80),
        pick("Type", "Type", &["Regular", "Queue", "Organization"]),
        email_of_group(),
    ]
    .into_iter()
    .chain(audit())
    .collect()
}

fn email_of_group() -> Field {
    Field::new("Email", "Email", FieldType::Email).long(80)
}

pub(crate) fn organization() -> Vec<Field> {
    vec![
        head("Organization", None).swap_remove(0),
        text("Name", "Name", 80).naming(),
        flag("IsSandbox", "Is Sandbox"),
        pick("OrganizationType", "Edition", &["Developer Edition", "Enterprise Edition", "Unlimited Edition"]),
        text("InstanceName", "Instance Name", 5),
        text("TimeZoneSidKey", "Time Zone", 40),
        text("DefaultLocaleSidKey", "Locale", 40),
    ]
    .into_iter()
    .chain(audit())
    .collect()
}

pub(crate) fn opportunity_stage() -> Vec<Field> {
    let mut fields = described("Opportunity Stage");
    fields.extend([
        flag("IsActive", "Active").or_default("true"),
        flag("IsClosed", "Closed"),
        flag("IsWon", "Won"),
        Field::new("DefaultProbability", "Probability (%)", FieldType::Percent).digits(3, 0),
        text("ForecastCategory", "Forecast Category", 40),
    ]);
    fields.extend(audit());
    fields
}

pub(crate) fn lead_status() -> Vec<Field> {
    let mut fields = described("Lead Status");
    fields.extend([flag("IsDefault", "Is Default"), flag("IsConverted", "Converted")]);
    fields.extend(audit());
    fields
}

/// What the tables behind a standard picklist have in common.
fn described(label: &str) -> Vec<Field> {
    vec![
        head(label, None).swap_remove(0),
        text("ApiName", "API Name", 255),
        text("MasterLabel", "Master Label", 255).naming(),
        int("SortOrder", "Sort Order", 9),
    ]
}

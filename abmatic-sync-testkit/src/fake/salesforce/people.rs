//! The fields of the objects that stand for companies and people: accounts, contacts, leads and users.

use crate::fake::salesforce::columns::area;
use crate::fake::salesforce::columns::{
    address, audit, date, datetime, double, email, external_id, flag, head, int, money, owner, person_name, phone,
    pick, reference, text, url,
};
use crate::fake::salesforce::field::{Field, FieldType, Source};

const INDUSTRIES: &[&str] = &[
    "Agriculture",
    "Apparel",
    "Banking",
    "Biotechnology",
    "Chemicals",
    "Communications",
    "Construction",
    "Consulting",
    "Education",
    "Electronics",
    "Energy",
    "Engineering",
    "Entertainment",
    "Environmental",
    "Finance",
    "Food & Beverage",
    "Government",
    "Healthcare",
    "Hospitality",
    "Insurance",
    "Machinery",
    "Manufacturing",
    "Media",
    "Not For Profit",
    "Recreation",
    "Retail",
    "Shipping",
    "Technology",
    "Telecommunications",
    "Transportation",
    "Utilities",
    "Other",
];
const SOURCES: &[&str] = &["Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other"];
const RATINGS: &[&str] = &["Hot", "Warm", "Cold"];

/// Custom fields of each kind, the same on each of the four objects that a host syncs.
pub(crate) fn customs() -> Vec<Field> {
    vec![
        external_id(),
        Field::picklist("Segment__c", &["Enterprise", "Mid Market", "SMB"]),
        Field::picklist("Tier__c", &["A", "B", "C"]).restricted().with_inactive("D"),
        Field::multipicklist("Interests__c", &["Analytics", "Billing", "Security", "Support"]),
        Field::number("Score__c", 2),
        Field::number("Rank__c", 0),
        Field::checkbox("Is_Target__c").labelled("Target"),
        Field::date("Renewal_Date__c"),
        Field::datetime("Last_Sync__c"),
        Field::long_text("Research__c", 32_000),
        Field::text("Host_Key__c", 40).external_id(),
    ]
}

pub(crate) fn account() -> Vec<Field> {
    let mut fields = head("Account", Some(&["Account"]));
    fields.push(text("Name", "Account Name", 255).required().naming().looked_up());
    fields.push(pick(
        "Type",
        "Account Type",
        &[
            "Prospect",
            "Customer - Direct",
            "Customer - Channel",
            "Channel Partner / Reseller",
            "Installation Partner",
            "Technology Partner",
            "Other",
        ],
    ));
    fields.push(reference("ParentId", "Parent Account ID", &["Account"]).with_children("ChildAccounts", false));
    fields.extend(address("Billing", "BillingAddress", "Billing"));
    fields.extend(address("Shipping", "ShippingAddress", "Shipping"));
    fields.extend([
        phone("Phone", "Account Phone"),
        phone("Fax", "Account Fax"),
        text("AccountNumber", "Account Number", 40),
        url("Website", "Website").looked_up(),
        text("Sic", "SIC Code", 20),
        pick("Industry", "Industry", INDUSTRIES),
        money("AnnualRevenue", "Annual Revenue", 0),
        int("NumberOfEmployees", "Employees", 8),
        pick("Ownership", "Ownership", &["Public", "Private", "Subsidiary", "Other"]),
        text("TickerSymbol", "Ticker Symbol", 20),
        area("Description", "Account Description", 32_000),
        pick("Rating", "Account Rating", RATINGS),
        text("Site", "Account Site", 80),
        owner(&["User"]),
    ]);
    fields.extend(audit());
    fields.extend([
        date("LastActivityDate", "Last Activity").read_only(),
        pick("AccountSource", "Account Source", SOURCES),
    ]);
    fields.extend(customs());
    let formula = Field::new("Name_Length__c", "Name Length", FieldType::Double).digits(18, 0);
    fields.push(formula.from(Source::NameLength));
    fields
}

pub(crate) fn contact() -> Vec<Field> {
    let mut fields = head("Contact", Some(&["Contact"]));
    fields.push(reference("AccountId", "Account ID", &["Account"]).with_children("Contacts", true));
    fields.extend(person_name(true));
    fields.extend(address("Other", "OtherAddress", "Other"));
    fields.extend(address("Mailing", "MailingAddress", "Mailing"));
    fields.extend([
        phone("Phone", "Business Phone"),
        phone("Fax", "Business Fax"),
        phone("MobilePhone", "Mobile Phone"),
        phone("HomePhone", "Home Phone"),
        phone("OtherPhone", "Other Phone"),
        phone("AssistantPhone", "Asst. Phone"),
        reference("ReportsToId", "Reports To ID", &["Contact"]).with_children("Reports", false),
        email("Email", "Email").by_id_lookup(),
        text("Title", "Title", 128),
        text("Department", "Department", 80),
        text("AssistantName", "Assistant's Name", 40),
        pick("LeadSource", "Lead Source", SOURCES),
        date("Birthdate", "Birthdate"),
        area("Description", "Contact Description", 32_000),
        owner(&["User"]),
        flag("HasOptedOutOfEmail", "Email Opt Out"),
        flag("DoNotCall", "Do Not Call"),
    ]);
    fields.extend(audit());
    fields.extend([
        date("LastActivityDate", "Last Activity").read_only(),
        datetime("EmailBouncedDate", "Email Bounced Date"),
        text("EmailBouncedReason", "Email Bounced Reason", 255),
    ]);
    fields.extend(customs());
    fields
}

pub(crate) fn lead() -> Vec<Field> {
    let mut fields = head("Lead", Some(&["Lead"]));
    fields.extend(person_name(true));
    fields.extend([text("Title", "Title", 128), text("Company", "Company", 255).required().looked_up()]);
    fields.extend(address("", "Address", ""));
    fields.extend([
        phone("Phone", "Phone"),
        phone("MobilePhone", "Mobile Phone"),
        phone("Fax", "Fax"),
        email("Email", "Email").by_id_lookup(),
        url("Website", "Website").looked_up(),
        area("Description", "Description", 32_000),
        pick("LeadSource", "Lead Source", SOURCES),
        pick(
            "Status",
            "Status",
            &["Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted"],
        )
        .required()
        .or_default("Open - Not Contacted"),
        pick("Industry", "Industry", INDUSTRIES),
        pick("Rating", "Rating", RATINGS),
        money("AnnualRevenue", "Annual Revenue", 0),
        int("NumberOfEmployees", "Employees", 8),
        owner(&["Group", "User"]),
        flag("HasOptedOutOfEmail", "Email Opt Out"),
        flag("DoNotCall", "Do Not Call"),
        flag("IsConverted", "Converted").read_only(),
        date("ConvertedDate", "Converted Date").read_only(),
        reference("ConvertedAccountId", "Converted Account ID", &["Account"]).read_only(),
        reference("ConvertedContactId", "Converted Contact ID", &["Contact"]).read_only(),
        reference("ConvertedOpportunityId", "Converted Opportunity ID", &["Opportunity"]).read_only(),
        flag("IsUnreadByOwner", "Unread By Owner").or_default("true"),
    ]);
    fields.extend(audit());
    fields.push(date("LastActivityDate", "Last Activity").read_only());
    fields.extend(customs());
    fields
}

pub(crate) fn user() -> Vec<Field> {
    let mut fields = head("User", None);
    fields.retain(|field| field.name == "Id");
    fields.push(text("Username", "Username", 80).required().unique().by_id_lookup());
    fields.extend(person_name(true));
    fields.extend(address("", "Address", ""));
    fields.extend([
        text("CompanyName", "Company Name", 80),
        text("Title", "Title", 80),
        email("Email", "Email").required().by_id_lookup(),
        text("Alias", "Alias", 8).required(),
        flag("IsActive", "Active").or_default("true"),
        text("TimeZoneSidKey", "Time Zone", 40).or_default("America/Los_Angeles"),
        text("LocaleSidKey", "Locale", 40).or_default("en_US"),
        text("LanguageLocaleKey", "Language", 40).or_default("en_US"),
        pick("UserType", "User Type", &["Standard", "PowerPartner", "Guest"]).read_only(),
        text("FederationIdentifier", "SAML Federation ID", 512).by_id_lookup(),
        phone("Phone", "Phone"),
    ]);
    fields.extend(audit());
    fields.push(double("NumberOfFailedLogins", "Failed Login Attempts", 8, 0).read_only());
    fields
}

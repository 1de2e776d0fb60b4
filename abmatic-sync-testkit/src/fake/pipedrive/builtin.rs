//! The fields that every account has, and those that a feature brings.

use crate::fake::pipedrive::field::{Choice, ChoiceId, Shape, Writes};
use crate::fake::pipedrive::kind::Kind;

/// A built-in field.
pub(crate) struct BuiltIn {
    pub(crate) code: &'static str,
    pub(crate) name: &'static str,
    pub(crate) type_name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) writes: Writes,
    pub(crate) left_out: bool,
}

impl BuiltIn {
    /// Its key in a record.
    pub(crate) fn key(&self) -> &'static str {
        match (self.shape, self.code) {
            (Shape::Contacts, "email") => "emails",
            (Shape::Contacts, "phone") => "phones",
            _ => self.code,
        }
    }
}

const fn field(code: &'static str, name: &'static str, type_name: &'static str, shape: Shape) -> BuiltIn {
    BuiltIn { code, name, type_name, shape, writes: Writes::Always, left_out: false }
}

const fn given(code: &'static str, name: &'static str, type_name: &'static str, shape: Shape) -> BuiltIn {
    BuiltIn { writes: Writes::Never, ..field(code, name, type_name, shape) }
}

const fn at_start(code: &'static str, name: &'static str, type_name: &'static str, shape: Shape) -> BuiltIn {
    BuiltIn { writes: Writes::OnCreate, ..field(code, name, type_name, shape) }
}

const fn rare(field: BuiltIn) -> BuiltIn {
    BuiltIn { left_out: true, ..field }
}

const TEXT: Shape = Shape::Text(255);
const LONG: Shape = Shape::Text(100_000);

/// The fields of every account.
pub(crate) fn fields(kind: Kind) -> Vec<BuiltIn> {
    match kind {
        Kind::Activity => activity(),
        Kind::Deal => deal(),
        Kind::Organization => organization(),
        Kind::Person => person(),
    }
}

fn organization() -> Vec<BuiltIn> {
    vec![
        field("name", "Name", "varchar", TEXT),
        field("owner_id", "Owner", "user", Shape::User),
        at_start("add_time", "Organization created", "date", Shape::Moment),
        given("update_time", "Update time", "date", Shape::Moment),
        field("visible_to", "Visible to", "visible_to", Shape::Visibility),
        field("address", "Address", "address", Shape::Address),
        field("label_ids", "Labels", "set", Shape::Labels),
    ]
}

/// Only on accounts where the feature is switched on.
pub(crate) fn firmographics() -> Vec<BuiltIn> {
    vec![
        field("website", "Website", "varchar", TEXT),
        field("linkedin", "LinkedIn profile", "varchar", TEXT),
        field("industry", "Industry", "enum", Shape::OptionId),
        field("annual_revenue", "Annual revenue", "int", Shape::Integer),
        field("employee_count", "Number of employees", "int", Shape::Integer),
    ]
}

fn person() -> Vec<BuiltIn> {
    vec![
        field("name", "Name", "varchar", TEXT),
        field("first_name", "First name", "varchar", TEXT),
        field("last_name", "Last name", "varchar", TEXT),
        field("owner_id", "Owner", "user", Shape::User),
        field("org_id", "Organization", "org", Shape::Record(Kind::Organization)),
        at_start("add_time", "Person created", "date", Shape::Moment),
        given("update_time", "Update time", "date", Shape::Moment),
        field("email", "Email", "varchar", Shape::Contacts),
        field("phone", "Phone", "phone", Shape::Contacts),
        field("visible_to", "Visible to", "visible_to", Shape::Visibility),
        field("label_ids", "Labels", "set", Shape::Labels),
        given("picture_id", "Profile picture", "picture", Shape::Integer),
    ]
}

/// Only on accounts where contact sync was set up.
pub(crate) fn contact_sync() -> Vec<BuiltIn> {
    vec![
        field("postal_address", "Postal address", "address", Shape::Address),
        field("notes", "Notes", "text", Shape::Text(10_000)),
        field("im", "Instant messenger", "varchar", Shape::Contacts),
        field("birthday", "Birthday", "date", Shape::Date),
        field("job_title", "Job title", "varchar", TEXT),
    ]
}

fn deal() -> Vec<BuiltIn> {
    vec![
        field("title", "Title", "varchar", TEXT),
        given("creator_user_id", "Creator", "user", Shape::User),
        field("owner_id", "Owner", "user", Shape::User),
        field("person_id", "Contact person", "people", Shape::Record(Kind::Person)),
        field("org_id", "Organization", "org", Shape::Record(Kind::Organization)),
        field("pipeline_id", "Pipeline", "int", Shape::Pipeline),
        field("stage_id", "Stage", "stage", Shape::Stage),
        field("value", "Value", "monetary", Shape::Number),
        field("currency", "Currency", "varchar", Shape::Currency),
        at_start("add_time", "Deal created", "date", Shape::Moment),
        given("update_time", "Update time", "date", Shape::Moment),
        given("stage_change_time", "Last stage change", "date", Shape::Moment),
        field("status", "Status", "status", Shape::Status),
        field("is_archived", "Archived", "boolean", Shape::Boolean),
        rare(field("archive_time", "Archive time", "date", Shape::Moment)),
        field("probability", "Probability", "double", Shape::Number),
        field("lost_reason", "Lost reason", "varchar_options", TEXT),
        field("visible_to", "Visible to", "visible_to", Shape::Visibility),
        rare(field("close_time", "Deal closed on", "date", Shape::Moment)),
        rare(field("won_time", "Won time", "date", Shape::Moment)),
        rare(field("lost_time", "Lost time", "date", Shape::Moment)),
        rare(field("expected_close_date", "Expected close date", "date", Shape::Date)),
        field("label_ids", "Labels", "set", Shape::Labels),
        given("origin", "Source origin", "varchar", TEXT),
        given("origin_id", "Source origin ID", "varchar", TEXT),
        given("channel", "Source channel", "enum", Shape::Integer),
        given("channel_id", "Source channel ID", "varchar", TEXT),
        given("acv", "ACV", "double", Shape::Number),
        given("arr", "ARR", "double", Shape::Number),
        given("mrr", "MRR", "double", Shape::Number),
    ]
}

fn activity() -> Vec<BuiltIn> {
    vec![
        field("subject", "Subject", "varchar", TEXT),
        field("type", "Type", "varchar", TEXT),
        field("owner_id", "Assigned to user", "user", Shape::User),
        given("creator_user_id", "Creator", "user", Shape::User),
        given("add_time", "Add time", "date", Shape::Moment),
        given("update_time", "Update time", "date", Shape::Moment),
        field("deal_id", "Deal", "deal", Shape::Record(Kind::Deal)),
        field("lead_id", "Lead", "lead", TEXT),
        given("person_id", "Contact person", "people", Shape::Record(Kind::Person)),
        field("org_id", "Organization", "org", Shape::Record(Kind::Organization)),
        field("project_id", "Project", "project", Shape::Integer),
        field("due_date", "Due date", "date", Shape::Date),
        field("due_time", "Due time", "time", Shape::Clock),
        field("duration", "Duration", "time", Shape::Clock),
        field("busy", "Free/busy", "boolean", Shape::Boolean),
        field("done", "Done", "boolean", Shape::Boolean),
        given("marked_as_done_time", "Marked as done time", "date", Shape::Moment),
        field("location", "Location", "address", Shape::Address),
        field("participants", "Participants", "json", Shape::Participants),
        field("public_description", "Public description", "text", LONG),
        field("priority", "Priority", "int", Shape::Integer),
        field("note", "Note", "text", LONG),
    ]
}

/// The options of a built-in field.
pub(crate) fn choices(kind: Kind, field: &BuiltIn) -> Option<Vec<Choice>> {
    let words = |words: &[(&'static str, &str)]| {
        let choice = |(id, label): &(&'static str, &str)| Choice { id: ChoiceId::Word(id), label: (*label).to_owned() };
        words.iter().map(choice).collect()
    };
    let numbers = |first: u64, labels: &[&str]| {
        let choice = |(id, label): (u64, &&str)| Choice { id: ChoiceId::Number(id), label: (*label).to_owned() };
        (first..).zip(labels).map(choice).collect()
    };
    match field.shape {
        Shape::Visibility => Some(words(&[
            ("1", "Item owner"),
            ("3", "Item owner's visibility group"),
            ("5", "Item owner's visibility group and sub-groups"),
            ("7", "All users"),
        ])),
        Shape::Status => Some(words(&[("open", "Open"), ("won", "Won"), ("lost", "Lost"), ("deleted", "Deleted")])),
        Shape::Labels => Some(match kind {
            Kind::Deal => numbers(20, &["Hot", "Warm", "Cold"]),
            Kind::Organization => numbers(5, &["Customer", "Hot lead", "Warm lead", "Cold lead"]),
            Kind::Activity | Kind::Person => numbers(1, &["Customer", "Hot lead", "Warm lead", "Cold lead"]),
        }),
        Shape::OptionId if field.code == "industry" => Some(numbers(1, INDUSTRIES)),
        _ => None,
    }
}

pub(crate) const INDUSTRIES: &[&str] = &[
    "Computer Software",
    "Information Technology and Services",
    "Financial Services",
    "Retail",
    "Construction",
    "Biotechnology",
    "Higher Education",
    "Insurance",
];

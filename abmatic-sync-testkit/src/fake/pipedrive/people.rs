//! Users, pipelines, stages, activity types and currencies: what is set up once.

/// Someone with a seat.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) email: &'static str,
    pub(crate) active: bool,
}

/// The users of a new company; the token is the first one's.
pub(crate) fn users() -> Vec<User> {
    let user = |id, name, email, active| User { id, name, email, active };
    vec![
        user(11, "Ada Admin", "ada@acme.test", true),
        user(12, "Sam Seller", "sam@acme.test", true),
        user(13, "Kim Closer", "kim@acme.test", true),
        user(14, "Former Colleague", "former@acme.test", false),
    ]
}

/// A stage of a pipeline.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) id: u64,
    pub(crate) pipeline: u64,
    pub(crate) order: u64,
    pub(crate) name: &'static str,
    pub(crate) probability: u64,
}

/// The pipelines of a new company.
pub(crate) const PIPELINES: &[(u64, &str)] = &[(1, "Sales"), (2, "Renewals")];

/// The stages of a new company.
pub(crate) fn stages() -> Vec<Stage> {
    let stage = |id, pipeline, order, name, probability| Stage { id, pipeline, order, name, probability };
    vec![
        stage(1, 1, 1, "Qualified", 20),
        stage(2, 1, 2, "Contact made", 40),
        stage(3, 1, 3, "Demo scheduled", 60),
        stage(4, 1, 4, "Proposal made", 80),
        stage(5, 1, 5, "Negotiations started", 90),
        stage(6, 2, 1, "Renewal due", 70),
        stage(7, 2, 2, "Renewal sent", 90),
    ]
}

/// Id, key and name of an activity type.
#[derive(Clone, Debug)]
pub(crate) struct ActivityType {
    pub(crate) id: u64,
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) icon: String,
    pub(crate) custom: bool,
}

/// The activity types of a new company.
pub(crate) fn activity_types() -> Vec<ActivityType> {
    let names = ["Call", "Meeting", "Task", "Deadline", "Email", "Lunch"];
    let of = |(id, name): (u64, &str)| {
        let key = name.to_lowercase();
        ActivityType { id, icon: key.clone(), key, name: name.to_owned(), custom: false }
    };
    (1..).zip(names).map(of).collect()
}

/// Code, name, decimals and symbol.
pub(crate) const CURRENCIES: &[(&str, &str, u64, &str)] = &[
    ("EUR", "Euro", 2, "€"),
    ("USD", "US Dollar", 2, "US$"),
    ("GBP", "British Pound", 2, "£"),
    ("JPY", "Japanese Yen", 0, "JP¥"),
    ("SEK", "Swedish Krona", 2, "SEK"),
];

/// The company's currency.
pub(crate) const HOME_CURRENCY: &str = "EUR";

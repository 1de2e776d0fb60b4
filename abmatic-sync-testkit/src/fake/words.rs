//! The words that seeded records are made of.

pub(crate) const FIRST_NAMES: &[&str] = &[
    "Ann",
    "José",
    "Zoë",
    "Łukasz",
    "Mary-Jane",
    "O'Neil",
    "Søren",
    "李",
    "Priya",
    "Mohammed",
    "Chloé",
    "Björn",
    "Anastasia",
    "Юлия",
    "Kwame",
    "Sinéad",
    "James",
    "Olivia",
    "Noah",
    "Emma",
    "Liam",
    "Ava",
    "Mateo",
    "Yuki",
];

pub(crate) const LAST_NAMES: &[&str] = &[
    "Müller",
    "O'Brien",
    "Nguyễn",
    "García Márquez",
    "Smith",
    "de la Cruz",
    "Åkesson",
    "Kowalczyk",
    "王",
    "Johnson",
    "Van den Berg",
    "Al-Farsi",
    "Иванова",
    "Okafor",
    "Brown",
    "Schröder",
    "Dubois",
    "Rossi",
    "Tanaka",
    "Jones",
];

pub(crate) const JOB_TITLES: &[&str] = &[
    "CEO",
    "Chief Marketing Officer",
    "VP Sales",
    "Head of Growth",
    "marketing manager",
    "Software Engineer",
    "Account Executive",
    "Leiter Einkauf",
    "Directeur général",
    "Founder & CEO",
    "Consultant",
    "SDR / BDR",
    "RevOps",
];

pub(crate) const COMPANY_STARTS: &[&str] = &[
    "Acme",
    "Globex",
    "Initech",
    "Umbrella",
    "Northwind",
    "Contoso",
    "Fabrikam",
    "Bäckerei",
    "Société",
    "Blue Sun",
    "Stark",
    "Wayne",
    "Hooli",
    "Pied Piper",
    "Vandelay",
    "Massive",
    "Tyrell",
    "Cyberdyne",
    "Aperture",
    "Wonka",
];

pub(crate) const COMPANY_ENDS: &[&str] = &[
    "Inc.",
    "Inc",
    "GmbH",
    "GmbH & Co. KG",
    "Ltd",
    "LLC",
    "S.A.",
    "Software",
    "Industries",
    "Holding",
    "Group",
    "& Sons",
    "Labs",
    "Partners",
];

/// First parts of domains beyond ASCII, as people write them and as registries do.
pub(crate) const IDN_DOMAINS: &[&str] = &["bücher", "xn--mnchen-3ya", "straße", "café"];

pub(crate) const ENDINGS: &[&str] = &["com", "com", "com", "io", "de", "co.uk", "com.au", "fr", "org", "ai"];

pub(crate) const INDUSTRIES: &[&str] = &[
    "COMPUTER_SOFTWARE",
    "COMPUTER_SOFTWARE",
    "INFORMATION_TECHNOLOGY_AND_SERVICES",
    "FINANCIAL_SERVICES",
    "INTERNET",
    "MARKETING_AND_ADVERTISING",
    "HOSPITAL_HEALTH_CARE",
    "RETAIL",
    "BANKING",
    "INSURANCE",
    "CONSTRUCTION",
    "HIGHER_EDUCATION",
    "MACHINERY",
    "LOGISTICS_AND_SUPPLY_CHAIN",
    "BIOTECHNOLOGY",
];

pub(crate) const TYPES: &[&str] =
    &["CUSTOMER", "CUSTOMER", "PROSPECT", "PROSPECT", "PARTNER", "RESELLER", "VENDOR", "OTHER"];

pub(crate) const LIFECYCLES: &[&str] =
    &["subscriber", "lead", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", ""];

pub(crate) const CITIES: &[(&str, &str)] = &[
    ("Boston", "United States"),
    ("São Paulo", "Brazil"),
    ("München", "Germany"),
    ("London", "United Kingdom"),
    ("Paris", "France"),
    ("Zürich", "Switzerland"),
    ("New York", "USA"),
    ("東京", "Japan"),
    ("Kraków", "Poland"),
    ("Dublin", "Ireland"),
    ("Austin", "United States"),
    ("Toronto", "Canada"),
];

pub(crate) const DEAL_WORDS: &[&str] =
    &["new business", "Renewal 2026", "Upsell", "Pilot", "Q4 expansion", "POC (paid)"];

//! The main job, end to end: connect → preview → import → enrich → push → edit both sides → sync → sync again.
//!
//! `cargo run --release --example quickstart` runs it against a fake HubSpot with a few thousand messy records, and with
//! `-- activecampaign`, `-- pipedrive` or `-- salesforce` against a fake of those. With `HUBSPOT_TOKEN`, `PIPEDRIVE_TOKEN`,
//! `ACTIVECAMPAIGN_TOKEN` and `ACTIVECAMPAIGN_URL`, or `SALESFORCE_TOKEN` and `SALESFORCE_INSTANCE_URL`, it runs against the
//! real one: there it reads the partners' companies, and writes only to three demo companies and contacts that it makes
//! itself.

use std::sync::Arc;

use abmatic_sync_activecampaign::ActiveCampaignConnector;
use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::connector::request::{Write, WriteOutcome};
use abmatic_sync_core::engine::Engine;
use abmatic_sync_core::filter::expr::field;
use abmatic_sync_core::filter::parse::parse;
use abmatic_sync_core::ids::{LocalId, TenantId};
use abmatic_sync_core::model::connection::{Connection, Credentials};
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::link::LinkScope;
use abmatic_sync_core::model::mapping::FieldMapping;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::value::Value;
use abmatic_sync_core::policy::{DuplicateHandling, Policy, Scope, Selection};
use abmatic_sync_core::run::report::RunReport;
use abmatic_sync_core::run::request::{RunRequest, Settings};
use abmatic_sync_core::store::state::{LinkEnds, LogQuery, StateStore};
use abmatic_sync_examples::show;
use abmatic_sync_http::clock::{SystemClock, SystemIds};
use abmatic_sync_hubspot::HubspotConnector;
use abmatic_sync_pipedrive::PipedriveConnector;
use abmatic_sync_salesforce::SalesforceConnector;
use abmatic_sync_sql::store::SqliteStore;
use abmatic_sync_testkit::fake::activecampaign::FakeActiveCampaign;
use abmatic_sync_testkit::fake::hubspot::FakeHubspot;
use abmatic_sync_testkit::fake::pipedrive::FakePipedrive;
use abmatic_sync_testkit::fake::salesforce::FakeSalesforce;
use anyhow::Context;

const DEMO: [(&str, &str); 3] =
    [("Aurora Demo", "aurora-demo.com"), ("Borealis Demo", "borealis-demo.com"), ("Cirrus Demo", "cirrus-demo.com")];

/// What the tour has to know of a CRM: its words.
struct Words {
    connector: &'static str,
    title: &'static str,
    /// A filter for partners.
    partners: &'static str,
    name: &'static str,
    city: &'static str,
    website: &'static str,
}

const ACTIVECAMPAIGN: Words = Words {
    connector: "activecampaign",
    title: "ActiveCampaign",
    partners: "NOT accountUrl IS NULL\nindustry IN (\"Software\", \"Banking\")",
    name: "name",
    city: "field_4",
    website: "accountUrl",
};

const HUBSPOT: Words = Words {
    connector: "hubspot",
    title: "HubSpot",
    partners: "type = \"PARTNER\"\nnumberofemployees > 50 OR hs_is_target_account = true",
    name: "name",
    city: "city",
    website: "domain",
};

const PIPEDRIVE: Words = Words {
    connector: "pipedrive",
    title: "Pipedrive",
    partners: "NOT website IS NULL\nemployee_count > 5000 OR industry = \"Insurance\"",
    name: "name",
    city: "address",
    website: "website",
};

const SALESFORCE: Words = Words {
    connector: "salesforce",
    title: "Salesforce",
    partners: "Type = \"Channel Partner / Reseller\"\nNumberOfEmployees > 50 OR Rating = \"Hot\"",
    name: "Name",
    city: "BillingCity",
    website: "Website",
};

/// A fake CRM, which runs for as long as it is held.
type Fake = Box<dyn std::any::Any>;

struct Tour {
    engine: Engine,
    store: SqliteStore,
    connection: Connection,
    tenant: TenantId,
    words: &'static Words,
    /// Which of the CRM's accounts the two-way sync is about.
    scope: Scope,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let asked = std::env::args().nth(1);
    let token_of = |words: &Words| std::env::var(format!("{}_TOKEN", words.connector.to_uppercase())).ok();
    let by_name = |words: &&&Words| asked.as_deref() == Some(words.connector);
    let by_token = |words: &&&Words| token_of(words).is_some();
    let all = [&HUBSPOT, &ACTIVECAMPAIGN, &PIPEDRIVE, &SALESFORCE];
    let words: &'static Words = all.iter().find(by_name).or_else(|| all.iter().find(by_token)).unwrap_or(&&HUBSPOT);
    let token = token_of(words);
    let (fake, connection) = connection(words, token).await?;
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(&folder.path().join("host.db")).await?;
    let engine = Engine::new(Arc::new(store.clone()), Arc::new(SystemClock), Arc::new(SystemIds));
    let engine = match words.connector {
        "activecampaign" => engine.with_connector(ActiveCampaignConnector::new()),
        "pipedrive" => engine.with_connector(PipedriveConnector::new()),
        "salesforce" => engine.with_connector(SalesforceConnector::builder().build()),
        _ => engine.with_connector(HubspotConnector::builder().build()),
    };
    let demo_sites = DEMO.iter().flat_map(|(_, domain)| [(*domain).to_owned(), site(domain)]);
    let scope = match &fake {
        Some(_) => Scope::All,
        None => Scope::Filter(field(words.website).is_in(demo_sites)),
    };
    let tour = Tour { engine, store, connection, tenant: TenantId::from("acme"), words, scope };
    tour.connect().await?;
    tour.preview_and_import(fake.is_some()).await?;
    let demo = tour.enrich(fake.is_some()).await?;
    tour.push(&demo).await?;
    tour.edit_both_sides(&demo).await?;
    tour.sync_twice(&demo).await?;
    if fake.is_none() {
        tour.clean_up(&demo).await?;
    }
    Ok(())
}

/// A connection to the real CRM where there is a token for it, else to a fake.
async fn connection(words: &Words, token: Option<String>) -> anyhow::Result<(Option<Fake>, Connection)> {
    let to = |token| {
        Connection::new("acme", format!("acme/{}", words.connector), words.connector, Credentials::token(token))
    };
    if let Some(token) = token {
        let connection = to(token);
        let own_url = match words.connector {
            "activecampaign" => "ACTIVECAMPAIGN_URL",
            "salesforce" => "SALESFORCE_INSTANCE_URL",
            _ => return Ok((None, connection)),
        };
        let url = std::env::var(own_url).with_context(|| format!("{own_url} is set"))?;
        return Ok((None, connection.with_base_url(url.parse()?)));
    }
    if words.connector == ACTIVECAMPAIGN.connector {
        let crm = FakeActiveCampaign::builder().seed_records(3_500).rng_seed(7).start().await?;
        let connection = to(crm.token()).with_base_url(crm.base_url().parse()?);
        return Ok((Some(Box::new(crm)), connection));
    }
    if words.connector == PIPEDRIVE.connector {
        let crm = FakePipedrive::builder().seed_records(3_500).rng_seed(7).start().await?;
        let connection = to(crm.token()).with_base_url(crm.base_url().parse()?);
        return Ok((Some(Box::new(crm)), connection));
    }
    if words.connector == SALESFORCE.connector {
        let crm = FakeSalesforce::builder().seed_records(3_500).rng_seed(7).start().await?;
        let connection = to(crm.token()).with_base_url(crm.base_url().parse()?);
        return Ok((Some(Box::new(crm)), connection));
    }
    let crm = FakeHubspot::builder().seed_records(3_500).rng_seed(7).search_lag_seconds(0.0).start().await?;
    let connection = to(crm.token()).with_base_url(crm.base_url().parse()?);
    Ok((Some(Box::new(crm)), connection))
}

fn site(domain: &str) -> String {
    format!("https://www.{domain}/")
}

impl Tour {
    async fn connect(&self) -> anyhow::Result<()> {
        heading(&format!("1 · connect: the mapping is checked against {}'s own field definitions", self.words.title));
        let policy = Policy::default().with_duplicates(DuplicateHandling::OverwriteAll);
        let offered = self.engine.offered_mapping(&self.connection, Resource::Account, &policy).await?;
        let mapping = offered.with(FieldMapping::new("field_01", self.words.city));
        let wrong = mapping.clone().with(FieldMapping::new("field_02", "favourite_colour"));
        let refused =
            self.engine.save_settings(&self.connection, Resource::Account, &Settings::new(wrong, policy.clone())).await;
        if let Err(error) = refused {
            println!("a wrong mapping is refused: {error}");
        }
        self.engine.save_settings(&self.connection, Resource::Account, &Settings::new(mapping, policy)).await?;
        println!("saved");
        Ok(())
    }

    async fn preview_and_import(&self, everything: bool) -> anyhow::Result<()> {
        heading("2 · preview: what an import of partners would do");
        println!("{}\n", self.words.partners);
        let partners =
            RunRequest::import(Resource::Account, Scope::Filter(parse(self.words.partners)?)).with_plan_items_max(2);
        let plan = self.engine.preview(&self.connection, &partners).await?;
        println!("{}", show::plan_table(&plan, 2));
        println!("matching: {:?}; it would be: {}", plan.matching, show::counts_line(&plan.counts));

        heading("3 · import");
        self.run(partners).await?;
        if everything {
            self.run(RunRequest::import(Resource::Account, Scope::All)).await?;
            self.run(RunRequest::import(Resource::Contact, Scope::All)).await?;
            self.run(RunRequest::import(Resource::Opportunity, Scope::All)).await?;
        }
        Ok(())
    }

    /// The host's own work: new records, and in the fake's data a missing value filled in.
    async fn enrich(&self, everything: bool) -> anyhow::Result<Vec<LocalId>> {
        heading("4 · enrich here");
        let mut demo = Vec::new();
        for (name, domain) in DEMO {
            let fields = Fields::from_iter([("name", Value::from(name)), ("website", Value::from(site(domain)))]);
            let account = self.store.create(&self.tenant, Resource::Account, fields, SystemClock.now()).await?.id;
            let person = Fields::from_iter([
                ("work_email", Value::from(format!("jo@{domain}"))),
                ("first_name", Value::from("Jo")),
                ("last_name", Value::from("Demo")),
                ("account", Value::reference(account.as_str())),
            ]);
            self.store.create(&self.tenant, Resource::Contact, person, SystemClock.now()).await?;
            demo.push(account);
        }
        let mut filled = 0;
        if everything {
            for record in self.store.list(&self.tenant, Resource::Account, 200, None).await? {
                if record.fields.get("employee_count").is_none_or(Value::is_blank) {
                    let fields = Fields::from_iter([("employee_count", Value::Integer(42))]);
                    self.store.edit(&self.tenant, Resource::Account, &record.id, fields, SystemClock.now()).await?;
                    filled += 1;
                }
            }
        }
        println!("{} new accounts with a contact each, {filled} employee counts filled in", demo.len());
        Ok(demo)
    }

    async fn push(&self, demo: &[LocalId]) -> anyhow::Result<()> {
        heading("5 · push: accounts first, then the contacts that hang on them");
        self.run(RunRequest::push(Resource::Account, Selection::Ids(demo.to_vec()))).await?;
        self.run(RunRequest::auto_push(Resource::Contact)).await?;
        Ok(())
    }

    /// The same field on both sides, and one more on each.
    async fn edit_both_sides(&self, demo: &[LocalId]) -> anyhow::Result<()> {
        heading("6 · both sides edit the same account");
        let account = demo.first().context("there is a demo account")?;
        let scope = LinkScope::new(self.tenant.clone(), self.connection.id.clone(), Resource::Account);
        let links = self.store.links(&scope, &LinkEnds::Local(vec![account.clone()])).await?;
        let remote_id = links.first().context("the demo account was pushed")?.remote_id.clone();
        let theirs = Fields::from_iter([
            (self.words.name, Value::from(format!("Aurora (renamed in {})", self.words.title))),
            (self.words.city, Value::from("Lyon")),
        ]);
        let write =
            Write::Update { id: remote_id, fields: theirs, references_before: Fields::new(), unmodified_since: None };
        self.write_in_crm(vec![write]).await?;
        let ours = Fields::from_iter([
            ("name", Value::from("Aurora (renamed here, later)")),
            ("employee_count", Value::from(7)),
        ]);
        self.store.edit(&self.tenant, Resource::Account, account, ours, SystemClock.now()).await?;
        println!("name on both sides, city in {}, employee count here", self.words.title);
        Ok(())
    }

    async fn sync_twice(&self, demo: &[LocalId]) -> anyhow::Result<()> {
        heading("7 · sync: each edit travels, the conflict goes to the later one");
        let report = self.run(RunRequest::sync(Resource::Account, self.scope.clone())).await?;
        let mut query = LogQuery::new(self.tenant.clone()).of_run(report.run);
        query.local_id = demo.first().cloned();
        let entries = self.engine.log(&query).await?;
        println!("{}", show::log_table(&entries));
        for change in entries.iter().flat_map(|entry| &entry.changes).filter(|change| change.field.as_str() == "name") {
            println!("the conflict: \"{}\" gave way to \"{}\": {}", change.old, change.new, change.reason);
        }
        heading("8 · sync again: nothing is left to do");
        self.run(RunRequest::sync(Resource::Account, self.scope.clone())).await?;
        Ok(())
    }

    /// Takes the demo companies out of a real account again.
    async fn clean_up(&self, demo: &[LocalId]) -> anyhow::Result<()> {
        let scope = LinkScope::new(self.tenant.clone(), self.connection.id.clone(), Resource::Account);
        let links = self.store.links(&scope, &LinkEnds::Local(demo.to_vec())).await?;
        self.write_in_crm(links.into_iter().map(|link| Write::Archive { id: link.remote_id }).collect()).await
    }

    async fn write_in_crm(&self, writes: Vec<Write>) -> anyhow::Result<()> {
        for outcome in self.engine.connectors()[0].write(&self.connection, Resource::Account, writes).await? {
            if let WriteOutcome::Failed(error) = outcome {
                return Err(error.into());
            }
        }
        Ok(())
    }

    async fn run(&self, request: RunRequest) -> anyhow::Result<RunReport> {
        let what = format!("{} {}", request.operation.as_str(), request.resource);
        let bar = show::progress_bar(&what);
        let moved = bar.clone();
        let request = request.with_observer(move |progress| show::advance(&moved, progress));
        let report = self.engine.run(&self.connection, &request).await;
        bar.finish_and_clear();
        let report = report?;
        println!("{what:20} {}; {} calls", show::counts_line(&report.counts), report.calls);
        Ok(report)
    }
}

fn heading(text: &str) {
    println!("\n── {text}");
}

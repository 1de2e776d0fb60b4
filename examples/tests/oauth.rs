//! The whole journey of an OAuth connection against the fakes, on SQLite: consent, callback, expiry in mid-run, refresh by
//! one of two processes, revocation, and consent again, with no token in anything that comes out.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails shall stop, in its helpers too")]

mod traced;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::engine::Engine;
use abmatic_sync_core::error::{Error, ErrorKind};
use abmatic_sync_core::ids::{ConnectionId, TenantId};
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::policy::Scope;
use abmatic_sync_core::run::report::RunReport;
use abmatic_sync_core::schedule::scheduler::Opener;
use abmatic_sync_core::store::connections::{ConnectionStatus, ConnectionStore, KeptConnection};
use abmatic_sync_core::store::state::LogQuery;
use abmatic_sync_http::clock::SystemIds;
use abmatic_sync_http::oauth::assertion::SigningKey;
use abmatic_sync_http::oauth::authorizer::{Authorizer, Stores};
use abmatic_sync_http::oauth::opener::KeptCredentials;
use abmatic_sync_http::oauth::provider::{App, Provider};
use abmatic_sync_http::transport::{ReqwestTransport, Transport};
use abmatic_sync_hubspot::HubspotConnector;
use abmatic_sync_pipedrive::PipedriveConnector;
use abmatic_sync_salesforce::SalesforceConnector;
use abmatic_sync_salesforce::oauth::Login;
use abmatic_sync_sql::store::SqliteStore;
use abmatic_sync_sql::vault::Keyring;
use abmatic_sync_testkit::fake::hubspot::FakeHubspot;
use abmatic_sync_testkit::fake::pipedrive::FakePipedrive;
use abmatic_sync_testkit::fake::salesforce::FakeSalesforce;
use abmatic_sync_testkit::fake::{hubspot, pipedrive, salesforce};
use async_trait::async_trait;
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::Request;
use secrecy::SecretString;
use tracing_subscriber::util::SubscriberInitExt as _;
use url::Url;

use crate::traced::Traced;

const START_MS: i64 = 1_790_000_000_000;

/// Follows the fakes' clocks, which stand still until they are moved.
#[derive(Debug)]
struct StepClock(AtomicI64);

#[async_trait]
impl Clock for StepClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.load(Ordering::SeqCst)).unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.fetch_add(duration.as_millis() as i64, Ordering::SeqCst);
        // Somebody else may do what is waited for.
        tokio::task::yield_now().await;
    }
}

/// What differs between the CRMs.
struct Case {
    connector: &'static str,
    provider: Provider,
    client: [&'static str; 2],
    /// How the account's id begins, where the CRM names one with the tokens.
    account: &'static str,
    /// How the call to the token endpoint is counted.
    token_call: &'static str,
    /// How long an access token lives, in milliseconds.
    lifetime_ms: i64,
    /// What tokens and secrets of this fake begin with.
    secrets: Vec<String>,
    fake: Fake,
}

enum Fake {
    Hubspot(FakeHubspot),
    Pipedrive(FakePipedrive),
    Salesforce(FakeSalesforce),
}

macro_rules! each {
    ($fake:expr, $one:ident => $what:expr) => {
        match $fake {
            Fake::Hubspot($one) => $what,
            Fake::Pipedrive($one) => $what,
            Fake::Salesforce($one) => $what,
        }
    };
}

impl Fake {
    fn url(&self) -> Url {
        each!(self, fake => fake.base_url()).parse().unwrap()
    }

    fn advance_ms(&self, by: i64) {
        each!(self, fake => fake.advance_ms(by));
    }

    fn uninstall(&self) {
        each!(self, fake => fake.uninstall());
    }

    fn calls_of(&self, call: &str) -> u64 {
        each!(self, fake => fake.calls().of(call))
    }
}

/// One process of the host, on the database that it shares with others.
struct Process {
    store: SqliteStore,
    clock: Arc<StepClock>,
    authorizer: Authorizer,
    opener: KeptCredentials,
    engine: Engine,
    tenant: TenantId,
    id: ConnectionId,
}

impl Process {
    async fn start(case: &Case, clock: &Arc<StepClock>, file: &Path) -> Self {
        let store = SqliteStore::open(file).await.unwrap();
        let credentials = Arc::new(store.credentials(Keyring::new(1, [7; 32])));
        let [id, secret] = case.client;
        let app = App::new(id, secret, "https://app.example.com/callback".parse().unwrap());
        let app = app.with_signing_key(SigningKey::from_pem(&signing_key()).unwrap());
        let stores = Stores::new(Arc::new(store.clone()), Arc::clone(&credentials) as _);
        let transport: Arc<dyn Transport> = Arc::new(ReqwestTransport::default());
        let clock = Arc::clone(clock);
        let authorizer = Authorizer::new(
            case.connector,
            case.provider.clone(),
            app,
            Arc::clone(&transport),
            Arc::clone(&clock) as _,
            stores,
        );
        let opener = KeptCredentials::new(credentials).with_authorizer(authorizer.clone());
        let hubspot = HubspotConnector::builder().clock(Arc::clone(&clock) as _).transport(Arc::clone(&transport));
        let pipedrive = PipedriveConnector::builder().clock(Arc::clone(&clock) as _).transport(Arc::clone(&transport));
        let salesforce = SalesforceConnector::builder().clock(Arc::clone(&clock) as _).transport(transport);
        let engine = Engine::new(Arc::new(store.clone()), Arc::clone(&clock) as _, Arc::new(SystemIds))
            .with_connector(hubspot.build())
            .with_connector(pipedrive.build())
            .with_connector(salesforce.build());
        let id = ConnectionId::from(format!("acme/{}", case.connector));
        Self { store, clock, authorizer, opener, engine, tenant: TenantId::from("acme"), id }
    }

    /// What a user's browser does: the consent page, and back with the query.
    async fn consent(&self) -> Result<KeptConnection, Error> {
        let consent = self.authorizer.begin(&self.tenant, &self.id, &["api", "refresh_token"]).await?;
        let query = redirected(&consent.url).await;
        let foreign = self.authorizer.callback(&query, "the state of another session").await.unwrap_err();
        assert_eq!(foreign.kind(), ErrorKind::Forbidden);
        let connected = self.authorizer.callback(&query, &consent.state).await?;
        let again = self.authorizer.callback(&query, &consent.state).await.unwrap_err();
        assert_eq!(again.kind(), ErrorKind::Forbidden, "a state is good once");
        Ok(connected)
    }

    async fn open(&self) -> Result<Connection, Error> {
        self.opener.open(&self.kept().await).await
    }

    async fn kept(&self) -> KeptConnection {
        self.store.connection(&self.tenant, &self.id).await.unwrap().unwrap()
    }

    async fn sync(&self) -> Result<RunReport, Error> {
        self.engine.sync(&self.open().await?, Resource::Contact, Scope::All).await
    }
}

/// A new private key as PEM.
fn signing_key() -> SecretString {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let text = STANDARD.encode(der.as_ref());
    SecretString::from(format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"))
}

/// Where the consent page sends the browser.
async fn redirected(page: &Url) -> String {
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = page.as_str().parse().unwrap();
    let answer = ReqwestTransport::default().send(request).await.unwrap();
    assert_eq!(answer.status(), 302, "{page}");
    let back: Url = answer.headers()["location"].to_str().unwrap().parse().unwrap();
    assert_eq!(back.host_str(), Some("app.example.com"));
    back.query().unwrap().to_owned()
}

async fn journey(case: Case) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("host.db");
    let clock = Arc::new(StepClock(AtomicI64::new(START_MS)));
    let traced = Traced::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing_subscriber::filter::LevelFilter::TRACE);
    let _guard = subscriber.with_ansi(false).with_writer(traced.clone()).set_default();
    let mut said = String::new();
    let process = Process::start(&case, &clock, &file).await;
    let pass = |by: i64| {
        case.fake.advance_ms(by);
        clock.0.fetch_add(by, Ordering::SeqCst);
    };

    let connected = process.consent().await.unwrap();
    assert_eq!(connected.status, ConnectionStatus::Active);
    assert!(connected.account.as_deref().unwrap_or_default().starts_with(case.account), "{connected:?}");
    // HubSpot's answer names no address: it has one for all.
    let mut reached = connected.clone();
    reached.base_url = Some(case.fake.url());
    process.store.keep_connection(&reached).await.unwrap();
    said += &format!("{connected:?} {:?}", process.authorizer);

    let first = process.sync().await.unwrap();
    assert!(first.counts.created > 0, "{:?}", first.counts);
    let exchanged = case.fake.calls_of(case.token_call);
    assert_eq!(exchanged, 1, "a token is used as long as it lives");

    // It ends between two runs: refreshed ahead, so that no call is refused.
    pass(case.lifetime_ms);
    process.sync().await.unwrap();
    assert_eq!(case.fake.calls_of(case.token_call), exchanged + 1);

    // It ends earlier than was said, in mid-run: refreshed on the refusal, once.
    case.fake.advance_ms(case.lifetime_ms + 60_000);
    process.sync().await.unwrap();
    assert_eq!(case.fake.calls_of(case.token_call), exchanged + 2);
    clock.0.fetch_add(case.lifetime_ms + 60_000, Ordering::SeqCst);

    // Two processes find it ended at the same time: one refreshes.
    process.sync().await.unwrap();
    let before = case.fake.calls_of(case.token_call);
    pass(case.lifetime_ms);
    let other = Process::start(&case, &clock, &file).await;
    let (one, two) = (process.open().await.unwrap(), other.open().await.unwrap());
    let (same, again) = (process.open().await.unwrap(), other.open().await.unwrap());
    let (a, b, c, d) = futures_of(&one, &two, &same, &again).await;
    assert!(a == b && b == c && c == d, "all have the same token");
    assert_eq!(case.fake.calls_of(case.token_call), before + 1);
    said += &format!("{one:?} {:?}", process.opener);

    // The user removes the app: the connection says so, and is good again after the next consent.
    case.fake.uninstall();
    pass(case.lifetime_ms);
    let refused = process.sync().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unauthorized, "{refused}");
    said += &format!("{refused} {refused:?}");
    let ConnectionStatus::NeedsReauthorisation { reason } = process.kept().await.status else {
        panic!("it needs that")
    };
    said += &reason;
    process.consent().await.unwrap();
    process.sync().await.unwrap();

    // The host revokes: nothing is left to use.
    process.authorizer.revoke(&process.tenant, &process.id).await.unwrap();
    assert_eq!(process.open().await.unwrap_err().kind(), ErrorKind::Unauthorized);

    let log = process.engine.log(&LogQuery::new("acme").with_limit(100_000)).await.unwrap();
    said += &format!("{log:?}");
    let runs = abmatic_sync_core::store::contract::Store::state(&process.store);
    said += &format!("{:?}", runs.runs(&process.tenant, &process.id, 100).await.unwrap());
    process.store.close().await;
    other.store.close().await;
    no_secret(&case, "what was said", said.as_bytes());
    no_secret(&case, "what was traced", &traced.bytes());
    assert!(!traced.bytes().is_empty());
    for file in files(folder.path()) {
        no_secret(&case, "the database", &std::fs::read(file).unwrap());
    }
    drop((process.clock, other.clock));
}

async fn futures_of(
    one: &Connection,
    two: &Connection,
    same: &Connection,
    again: &Connection,
) -> (String, String, String, String) {
    use secrecy::ExposeSecret as _;
    let token = |on: &Connection| {
        let credentials = on.credentials.clone();
        async move { credentials.current().await.unwrap().expose_secret().to_owned() }
    };
    tokio::join!(token(one), token(two), token(same), token(again))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn no_secret(case: &Case, place: &str, bytes: &[u8]) {
    for secret in case.secrets.iter().map(String::as_str).chain([case.client[1]]) {
        let found = bytes.windows(secret.len()).position(|window| window == secret.as_bytes());
        let shown = found.map(|at| String::from_utf8_lossy(&bytes[at.saturating_sub(60)..at + 20]).into_owned());
        assert!(found.is_none(), "{secret} is in {place} of {}: {shown:?}", case.connector);
    }
}

fn words(secrets: &[&str]) -> Vec<String> {
    secrets.iter().map(|secret| (*secret).to_owned()).collect()
}

#[tokio::test]
async fn hubspot_s_journey() {
    let fake =
        FakeHubspot::builder().seed_records(30).portal_id(62_515).simulated_clock(START_MS).start().await.unwrap();
    let url = fake.base_url().parse().unwrap();
    let [id, secret, _, refresh] = hubspot::OAUTH_CLIENT;
    journey(Case {
        connector: "hubspot",
        provider: abmatic_sync_hubspot::oauth::at(&url, &url).unwrap(),
        client: [id, secret],
        account: "62515",
        token_call: "POST /oauth/{v}/token",
        lifetime_ms: TimeDelta::minutes(30).num_milliseconds(),
        secrets: words(&["CFAKE", refresh]),
        fake: Fake::Hubspot(fake),
    })
    .await;
}

#[tokio::test]
async fn pipedrive_s_journey() {
    let fake = FakePipedrive::builder().seed_records(30).simulated_clock(START_MS).start().await.unwrap();
    let url = fake.base_url().parse().unwrap();
    let [id, secret, _, refresh] = pipedrive::OAUTH_CLIENT;
    journey(Case {
        connector: "pipedrive",
        provider: abmatic_sync_pipedrive::oauth::at(&url).unwrap(),
        client: [id, secret],
        account: "",
        token_call: "POST /oauth/token",
        lifetime_ms: TimeDelta::hours(1).num_milliseconds(),
        secrets: words(&["v1u:", refresh]),
        fake: Fake::Pipedrive(fake),
    })
    .await;
}

/// Connections of servers have no refresh token: what they were made by is asked for again.
async fn without_a_user(connect: impl AsyncFn(&Process) -> Result<KeptConnection, Error>) {
    let fake = FakeSalesforce::builder().seed_records(30).simulated_clock(START_MS).session_seconds(900);
    let case = salesforce_case(fake.start().await.unwrap());
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(StepClock(AtomicI64::new(START_MS)));
    let process = Process::start(&case, &clock, &folder.path().join("host.db")).await;
    let connected = connect(&process).await.unwrap();
    assert_eq!(connected.status, ConnectionStatus::Active);
    let exchanged = case.fake.calls_of(case.token_call);
    assert!(process.sync().await.unwrap().counts.created > 0);
    assert_eq!(case.fake.calls_of(case.token_call), exchanged);
    case.fake.advance_ms(case.lifetime_ms);
    clock.0.fetch_add(case.lifetime_ms, Ordering::SeqCst);
    process.sync().await.unwrap();
    assert_eq!(case.fake.calls_of(case.token_call), exchanged + 1);
    process.store.close().await;
    for file in files(folder.path()) {
        no_secret(&case, "the database", &std::fs::read(file).unwrap());
    }
}

#[tokio::test]
async fn a_server_connects_to_salesforce_by_signed_assertions() {
    without_a_user(async |process| {
        let stranger = process.authorizer.connect_as(&process.tenant, &process.id, "nobody@example.com").await;
        let refused = stranger.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Invalid, "{refused}");
        process.authorizer.connect_as(&process.tenant, &process.id, "integration@acme.test").await
    })
    .await;
}

#[tokio::test]
async fn a_server_connects_to_salesforce_by_its_own_credentials() {
    without_a_user(async |process| process.authorizer.connect_server(&process.tenant, &process.id).await).await;
}

fn salesforce_case(fake: FakeSalesforce) -> Case {
    let url = fake.base_url().parse().unwrap();
    let [id, secret, refresh] = salesforce::OAUTH_CLIENT;
    Case {
        connector: "salesforce",
        provider: abmatic_sync_salesforce::oauth::provider(&Login::MyDomain(url)).unwrap(),
        client: [id, secret],
        account: "00D",
        token_call: "POST /services/oauth2/token",
        lifetime_ms: TimeDelta::minutes(15).num_milliseconds(),
        secrets: words(&["5Aep861", "!AQ", refresh]),
        fake: Fake::Salesforce(fake),
    }
}

#[tokio::test]
async fn salesforce_s_journey_with_rotation() {
    let fake = FakeSalesforce::builder()
        .seed_records(30)
        .simulated_clock(START_MS)
        .session_seconds(900)
        .rotate_refresh_tokens(true)
        .start()
        .await
        .unwrap();
    journey(salesforce_case(fake)).await;
}

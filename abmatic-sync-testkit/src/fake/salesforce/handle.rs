//! The fake in a test's hands: built, started, looked into, made to fail.

use std::io;

use crate::fake::clock::FakeClock;
use crate::fake::handle::forward;
use crate::fake::running::Running;
use crate::fake::salesforce::field::Field;
use crate::fake::salesforce::kind::Kind;
use crate::fake::salesforce::oauth::{CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN};
use crate::fake::salesforce::seed::{self, Amounts};
use crate::fake::salesforce::settings::{AssignmentRule, DuplicateRule, Settings};
use crate::fake::salesforce::setup;
use crate::fake::salesforce::state::State;
use crate::fake::salesforce::user::CrmUser;

/// What the token endpoint accepts: client id, client secret and refresh token. Authorisation codes come from
/// `/services/oauth2/authorize`, which redirects at once.
pub const OAUTH_CLIENT: [&str; 3] = [CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN];

/// Settings of a fake that is still to be made. Objects are named as in the API; unknown ones are ignored.
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    settings: Settings,
    clock: FakeClock,
    amounts: Amounts,
    port: u16,
}

impl Builder {
    /// Seeds so many contacts, a seventh as many accounts and opportunities, a third as many leads; none unless set.
    pub fn seed_records(mut self, contacts: usize) -> Self {
        self.amounts.contacts = contacts;
        self
    }

    /// Seeds so many accounts, whatever the number of contacts.
    pub fn seed_accounts(mut self, accounts: usize) -> Self {
        self.amounts.accounts = Some(accounts);
        self
    }

    /// The seed of all random choices.
    pub fn rng_seed(mut self, seed: u64) -> Self {
        self.settings.rng_seed = seed;
        self
    }

    /// The access token of the session that is open from the start.
    pub fn token(mut self, token: &str) -> Self {
        token.clone_into(&mut self.settings.token);
        self
    }

    /// The calls of a rolling day; without end unless set.
    pub fn daily_limit(mut self, calls: u64) -> Self {
        self.settings.daily_limit = calls;
        self
    }

    /// The newest API version, for example 68, which it is unless set.
    pub fn newest_version(mut self, version: u16) -> Self {
        self.settings.newest_version = version;
        self
    }

    /// The largest page of queries, which the server may make smaller than asked for; 2,000 unless set.
    pub fn query_page_max(mut self, records: usize) -> Self {
        self.settings.query_page_max = records.max(1);
        self
    }

    /// The largest page of bulk results; 50,000 unless set.
    pub fn bulk_page_max(mut self, records: usize) -> Self {
        self.settings.bulk_page_max = records.max(1);
        self
    }

    /// How many rows of an ingest job are processed before it fails, its other rows left unprocessed; all unless set.
    pub fn bulk_rows_max(mut self, rows: usize) -> Self {
        self.settings.bulk_rows_max = rows;
        self
    }

    /// How many polls a bulk job is on its way; 1 unless set.
    pub fn bulk_polls(mut self, polls: u32) -> Self {
        self.settings.bulk_polls = polls;
        self
    }

    /// How long a session lasts after its last call; two hours unless set.
    pub fn session_seconds(mut self, seconds: i64) -> Self {
        self.settings.session_seconds = seconds;
        self
    }

    /// Each refresh gives a new refresh token and ends the old one with its sessions; off unless set.
    pub fn rotate_refresh_tokens(mut self, on: bool) -> Self {
        self.settings.rotates_refresh_tokens = on;
        self
    }

    /// A custom field of an object, or another definition of one that is there.
    pub fn field(mut self, object: &str, field: Field) -> Self {
        self.settings.custom_fields.extend(Kind::parse(object).map(|kind| (kind, field)));
        self
    }

    /// Field-level security hides a field from the integration's user.
    pub fn hide_field(mut self, object: &str, field: &str) -> Self {
        self.settings.hidden_fields.extend(Kind::parse(object).map(|kind| (kind, field.to_owned())));
        self
    }

    /// Field-level security lets the integration's user read a field, and not write it.
    pub fn read_only_field(mut self, object: &str, field: &str) -> Self {
        self.settings.read_only_fields.extend(Kind::parse(object).map(|kind| (kind, field.to_owned())));
        self
    }

    /// The integration's user may not see an object.
    pub fn hide_object(mut self, object: &str) -> Self {
        self.settings.hidden_objects.extend(Kind::parse(object));
        self
    }

    /// Switches on a duplicate rule: a record that has the same in all of `fields` as another one is not saved.
    /// With `allow_save` the caller may insist (`Sforce-Duplicate-Rule-Header`).
    pub fn duplicate_rule(mut self, object: &str, fields: &[&str], allow_save: bool) -> Self {
        let fields = fields.iter().map(|name| (*name).to_owned()).collect();
        let rule = Kind::parse(object).map(|kind| DuplicateRule { kind, fields, allow_save });
        self.settings.duplicate_rules.extend(rule);
        self
    }

    /// Switches on an assignment rule: new records go to that user unless `Sforce-Auto-Assign` is `FALSE`.
    pub fn assignment_rule(mut self, object: &str, username: &str) -> Self {
        let rule = Kind::parse(object).map(|kind| AssignmentRule { kind, username: username.to_owned() });
        self.settings.assignment_rules.extend(rule);
        self
    }

    /// A clock that stands at this time, in milliseconds since 1970, until it is advanced.
    pub fn simulated_clock(mut self, now_ms: i64) -> Self {
        self.clock = FakeClock::Simulated { now_ms };
        self
    }

    /// The port to listen on; a free one unless set.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Makes the fake without a socket, for [`FakeSalesforce::answer`].
    #[must_use]
    pub fn build(self) -> FakeSalesforce {
        let now = self.clock.now_ms();
        let mut state = State::new(self.settings);
        setup::set_up(&mut state, now);
        seed::seed(&mut state, self.amounts, now);
        FakeSalesforce { running: Running::new(state, self.clock) }
    }

    /// Makes the fake and listens on loopback.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn start(self) -> io::Result<FakeSalesforce> {
        let port = self.port;
        let mut fake = self.build();
        let address = fake.running.listen(port).await?;
        fake.with(|state, _| state.settings.base_url = address);
        Ok(fake)
    }
}

/// A fake Salesforce org. Its socket, if it has one, closes when it is dropped.
#[derive(Debug)]
pub struct FakeSalesforce {
    running: Running<State>,
}

impl FakeSalesforce {
    /// Settings for a new fake.
    pub fn builder() -> Builder {
        Builder {
            settings: Settings::default(),
            clock: FakeClock::Following { ahead_ms: 0 },
            amounts: Amounts::default(),
            port: 0,
        }
    }

    /// Ends all sessions, also the one of [`FakeSalesforce::token`]; refresh tokens stay good.
    pub fn expire_sessions(&self) {
        self.with(|state, _| state.tokens.expire_sessions());
    }

    /// Removes the app: every access token and refresh token is worthless from now on.
    pub fn uninstall(&self) {
        self.with(|state, _| state.tokens.revoke_all());
    }

    /// Open query results are gone.
    pub fn expire_locators(&self) {
        self.with(|state, _| state.cursors.drop_all());
    }

    /// Calls of the rolling day that other integrations have made.
    pub fn use_calls(&self, calls: u64) {
        self.with(|state, _| state.limits.others = state.limits.others.saturating_add(calls));
    }

    /// Someone who works in Salesforce's own interface: looks at records, and changes them.
    #[must_use]
    pub fn user(&self) -> CrmUser<'_> {
        CrmUser::new(self)
    }
}

forward!(FakeSalesforce, State);

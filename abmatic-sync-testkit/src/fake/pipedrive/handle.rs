//! The fake in a test's hands: built, started, looked into, made to fail.

use std::io;

use crate::fake::clock::FakeClock;
use crate::fake::handle::forward;
use crate::fake::pipedrive::field::Field;
use crate::fake::pipedrive::kind::Kind;
use crate::fake::pipedrive::oauth::{AUTHORIZATION_CODE, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN};
use crate::fake::pipedrive::seed::{self, Amounts};
use crate::fake::pipedrive::settings::Settings;
use crate::fake::pipedrive::state::State;
use crate::fake::pipedrive::user::CrmUser;
use crate::fake::running::Running;

/// What the token endpoint accepts: client id, client secret, authorization code and refresh token.
pub const OAUTH_CLIENT: [&str; 4] = [CLIENT_ID, CLIENT_SECRET, AUTHORIZATION_CODE, REFRESH_TOKEN];

/// Settings of a fake that is still to be made. Objects are named as in paths; unknown ones are ignored.
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    settings: Settings,
    clock: FakeClock,
    amounts: Amounts,
    port: u16,
}

impl Builder {
    /// Seeds so many persons, and a seventh as many organizations and deals; none unless set.
    pub fn seed_records(mut self, persons: usize) -> Self {
        self.amounts.persons = persons;
        self
    }

    /// Seeds so many organizations, whatever the number of persons.
    pub fn seed_organizations(mut self, organizations: usize) -> Self {
        self.amounts.organizations = Some(organizations);
        self
    }

    /// The seed of all random choices.
    pub fn rng_seed(mut self, seed: u64) -> Self {
        self.settings.rng_seed = seed;
        self
    }

    /// The API token.
    pub fn token(mut self, token: &str) -> Self {
        token.clone_into(&mut self.settings.token);
        self
    }

    /// Enforces the day's token budget and the calls of two seconds; off unless set.
    pub fn rate_limits(mut self, enforced: bool) -> Self {
        self.settings.rate_limits = enforced;
        self
    }

    /// Tokens a day (30,000 × plan × seats); 30,000 unless set.
    pub fn daily_tokens(mut self, tokens: u64) -> Self {
        self.settings.daily_tokens = tokens;
        self
    }

    /// Calls in two seconds; 20 unless set, as the smallest plan has for an API token.
    pub fn burst(mut self, calls: u64) -> Self {
        self.settings.burst = calls;
        self
    }

    /// The largest page of lists, which the server may make smaller than asked for; 500 unless set.
    pub fn page_max(mut self, records: usize) -> Self {
        self.settings.page_max = records.max(1);
        self
    }

    /// How long a change stays invisible to searches; not at all unless set.
    pub fn search_lag_seconds(mut self, seconds: u32) -> Self {
        self.settings.search_lag_ms = i64::from(seconds) * 1000;
        self
    }

    /// Whether contact sync was set up, which brings `job_title`, `birthday` and the like; off unless set.
    pub fn contact_sync(mut self, on: bool) -> Self {
        self.settings.contact_sync = on;
        self
    }

    /// Whether organizations have `website`, `industry`, `employee_count` and the like; on unless set.
    pub fn firmographics(mut self, on: bool) -> Self {
        self.settings.firmographics = on;
        self
    }

    /// Whether persons can be written by `first_name` and `last_name`; on unless set.
    pub fn name_parts(mut self, on: bool) -> Self {
        self.settings.name_parts = on;
        self
    }

    /// Whether a deleted record still answers to its id, with `is_deleted`; on unless set.
    pub fn shows_deleted(mut self, on: bool) -> Self {
        self.settings.shows_deleted = on;
        self
    }

    /// A custom field.
    pub fn field(mut self, object: &str, field: Field) -> Self {
        self.settings.custom_fields.extend(Kind::by_path(object).map(|kind| (kind, field)));
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

    /// Makes the fake without a socket, for [`FakePipedrive::answer`].
    #[must_use]
    pub fn build(self) -> FakePipedrive {
        let now = self.clock.now_ms();
        let mut state = State::new(self.settings, now);
        seed::seed(&mut state, self.amounts, now);
        FakePipedrive { running: Running::new(state, self.clock) }
    }

    /// Makes the fake and listens on loopback.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn start(self) -> io::Result<FakePipedrive> {
        let port = self.port;
        let mut fake = self.build();
        let address = fake.running.listen(port).await?;
        fake.with(|state, _| state.settings.base_url = address);
        Ok(fake)
    }
}

/// A fake Pipedrive company. Its socket, if it has one, closes when it is dropped.
#[derive(Debug)]
pub struct FakePipedrive {
    running: Running<State>,
}

impl FakePipedrive {
    /// Settings for a new fake.
    pub fn builder() -> Builder {
        Builder {
            settings: Settings::default(),
            clock: FakeClock::Following { ahead_ms: 0 },
            amounts: Amounts::default(),
            port: 0,
        }
    }

    /// Regenerates the API token and uninstalls the app: no token is good from now on.
    pub fn uninstall(&self) {
        self.with(|state, _| state.tokens.revoke_all());
    }

    /// Tokens of the day's budget that other integrations have spent.
    pub fn spend_tokens(&self, tokens: u64) {
        self.with(|state, now| state.limits.spend(now, tokens));
    }

    /// Tokens of the day's budget that are spent.
    #[must_use]
    pub fn tokens_spent(&self) -> u64 {
        self.with(|state, _| state.limits.used())
    }

    /// Someone who works in Pipedrive's own interface: looks at records, and changes them.
    #[must_use]
    pub fn user(&self) -> CrmUser<'_> {
        CrmUser::new(self)
    }
}

forward!(FakePipedrive, State);

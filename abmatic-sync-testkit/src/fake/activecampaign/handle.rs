//! The fake in a test's hands: built, started, looked into, made to fail.

use std::io;

use crate::fake::activecampaign::import;
use crate::fake::activecampaign::seed;
use crate::fake::activecampaign::settings::Settings;
use crate::fake::activecampaign::state::State;
use crate::fake::activecampaign::user::CrmUser;
use crate::fake::clock::FakeClock;
use crate::fake::handle::forward;
use crate::fake::running::Running;

/// Settings of a fake that is still to be made.
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    settings: Settings,
    clock: FakeClock,
    contacts: usize,
    port: u16,
}

impl Builder {
    /// How many contacts it holds, and a seventh as many accounts and deals.
    pub fn seed_records(mut self, contacts: usize) -> Self {
        self.contacts = contacts;
        self
    }

    /// The seed of all that is random in it.
    pub fn rng_seed(mut self, seed: u64) -> Self {
        self.settings.rng_seed = seed;
        self
    }

    /// The API key.
    pub fn token(mut self, token: &str) -> Self {
        token.clone_into(&mut self.settings.token);
        self
    }

    /// Whether more than five calls a second are refused. Off unless told.
    pub fn rate_limits(mut self, enforced: bool) -> Self {
        self.settings.rate_limits = enforced;
        self
    }

    /// Whether answers carry `RateLimit-*` headers, as is documented. Off unless told, as was recorded.
    pub fn rate_headers(mut self, on: bool) -> Self {
        self.settings.rate_headers = on;
        self
    }

    /// How many rows a page holds at the most. 100 unless told.
    pub fn page_max(mut self, rows: usize) -> Self {
        self.settings.page_max = rows.max(1);
        self
    }

    /// Whether `include` brings rows beside contacts. On unless told.
    pub fn includes(mut self, on: bool) -> Self {
        self.settings.includes = on;
        self
    }

    /// After how many looks an import is done. One unless told.
    pub fn import_polls(mut self, polls: u32) -> Self {
        self.settings.import_polls = polls;
        self
    }

    /// Whether the plan has accounts and deals. On unless told.
    pub fn crm(mut self, on: bool) -> Self {
        self.settings.crm = on;
        self
    }

    /// Lets the time stand still until it is moved.
    pub fn simulated_clock(mut self, now_ms: i64) -> Self {
        self.clock = FakeClock::Simulated { now_ms };
        self
    }

    /// The port; 0, as unless told, takes any that is free.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The fake without a socket.
    #[must_use]
    pub fn build(self) -> FakeActiveCampaign {
        let now = self.clock.now_ms();
        let mut state = State::new(self.settings);
        seed::furnish(&mut state, now);
        seed::seed(&mut state, self.contacts, now);
        FakeActiveCampaign { running: Running::new(state, self.clock) }
    }

    /// The fake on a socket of this machine.
    ///
    /// # Errors
    /// Where the port cannot be had.
    pub async fn start(self) -> io::Result<FakeActiveCampaign> {
        let port = self.port;
        let mut fake = self.build();
        let address = fake.running.listen(port).await?;
        fake.with(|state, _| state.settings.base_url = address);
        Ok(fake)
    }
}

/// A fake ActiveCampaign account.
///
/// ```
/// use abmatic_sync_testkit::fake::activecampaign::FakeActiveCampaign;
/// use abmatic_sync_testkit::fake::exchange::Request;
/// let fake = FakeActiveCampaign::builder().seed_records(3).build();
/// let request = Request::new("GET", "/api/3/contacts").with_header("Api-Token", &fake.token());
/// assert_eq!(fake.answer(&request).json()["meta"]["total"], "3");
/// ```
#[derive(Debug)]
pub struct FakeActiveCampaign {
    running: Running<State>,
}

impl FakeActiveCampaign {
    /// An empty account.
    pub fn builder() -> Builder {
        Builder { settings: Settings::default(), clock: FakeClock::Following { ahead_ms: 0 }, contacts: 0, port: 0 }
    }

    /// Takes the API key back.
    pub fn revoke(&self) {
        self.with(|state, _| state.revoked = true);
    }

    /// Lets the account lapse, or be paid for again.
    pub fn lapse(&self, lapsed: bool) {
        self.with(|state, _| state.lapsed = lapsed);
    }

    /// Carries out every import that is queued, whether or not somebody looks.
    pub fn finish_imports(&self) {
        self.with(|state, now| (0..state.imports.len()).for_each(|place| import::finish(state, now, place)));
    }

    /// What a person does in the application.
    #[must_use]
    pub fn user(&self) -> CrmUser<'_> {
        CrmUser::new(self)
    }
}

forward!(FakeActiveCampaign, State);

//! The fake in a test's hands: built, started, looked into, made to fail.

use std::io;

use crate::fake::clock::FakeClock;
use crate::fake::handle::forward;
use crate::fake::hubspot::kind::Kind;
use crate::fake::hubspot::oauth::{AUTHORIZATION_CODE, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN};
use crate::fake::hubspot::seed;
use crate::fake::hubspot::settings::{AdminRule, Settings};
use crate::fake::hubspot::state::State;
use crate::fake::hubspot::user::CrmUser;
use crate::fake::running::Running;

/// What the token endpoint accepts: client id, client secret, authorization code and refresh token.
pub const OAUTH_CLIENT: [&str; 4] = [CLIENT_ID, CLIENT_SECRET, AUTHORIZATION_CODE, REFRESH_TOKEN];

/// Settings of a fake that is still to be made.
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    settings: Settings,
    clock: FakeClock,
    seed_records: usize,
    port: u16,
}

impl Builder {
    /// Seeds so many contacts, and a seventh as many companies and deals; none unless set.
    pub fn seed_records(mut self, contacts: usize) -> Self {
        self.seed_records = contacts;
        self
    }

    /// The seed of all random choices.
    pub fn rng_seed(mut self, seed: u64) -> Self {
        self.settings.rng_seed = seed;
        self
    }

    /// The private-app token.
    pub fn token(mut self, token: &str) -> Self {
        token.clone_into(&mut self.settings.token);
        self
    }

    /// The account's id.
    pub fn portal_id(mut self, portal_id: u64) -> Self {
        self.settings.portal_id = portal_id;
        self
    }

    /// How long a change stays invisible to searches; 2 unless set.
    pub fn search_lag_seconds(mut self, seconds: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "a lag of seconds is far below 2^63 ms")]
        let lag_ms = (seconds * 1000.0).round() as i64;
        self.settings.search_lag_ms = lag_ms;
        self
    }

    /// Enforces the account's rate limits (190 calls in 10 s, 5 searches a second); off unless set.
    pub fn rate_limits(mut self, enforced: bool) -> Self {
        self.settings.rate_limits = enforced;
        self
    }

    /// The largest page of lists; 100 unless set.
    pub fn list_page_max(mut self, records: usize) -> Self {
        self.settings.list_page_max = records;
        self
    }

    /// The largest page of searches; 200 unless set.
    pub fn search_page_max(mut self, records: usize) -> Self {
        self.settings.search_page_max = records;
        self
    }

    /// The account's setting "create and associate companies with contacts"; off unless set.
    pub fn auto_association(mut self, on: bool) -> Self {
        self.settings.auto_association = on;
        self
    }

    /// Whether the token may make properties (`crm.schemas.*.write`); it may unless set.
    pub fn allow_property_creation(mut self, allowed: bool) -> Self {
        for kind in Kind::all() {
            let scope = format!("crm.schemas.{}.write", kind.plural());
            if allowed {
                self.settings.withheld_scopes.remove(&scope);
            } else {
                self.settings.withheld_scopes.insert(scope);
            }
        }
        self
    }

    /// Takes a scope from the token, for example `crm.objects.deals.write`.
    pub fn without_scope(mut self, scope: &str) -> Self {
        self.settings.withheld_scopes.insert(scope.to_owned());
        self
    }

    /// An admin's rule, enforced on 2026-09 paths: `property` is required when a record of `object` is created.
    /// Unknown objects are ignored.
    pub fn require_on_create(mut self, object: &str, property: &str) -> Self {
        self.settings.admin_rules.extend(rule(object, property, None));
        self
    }

    /// An admin's rule, enforced on 2026-09 paths: a write that touches `controlling` needs `property`.
    pub fn require_with(mut self, object: &str, controlling: &str, property: &str) -> Self {
        self.settings.admin_rules.extend(rule(object, property, Some(controlling)));
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

    /// Makes the fake without a socket, for [`FakeHubspot::answer`].
    #[must_use]
    pub fn build(self) -> FakeHubspot {
        let mut state = State::new(self.settings);
        seed::seed(&mut state, self.seed_records, self.clock.now_ms());
        FakeHubspot { running: Running::new(state, self.clock) }
    }

    /// Makes the fake and listens on loopback.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn start(self) -> io::Result<FakeHubspot> {
        let port = self.port;
        let mut fake = self.build();
        let address = fake.running.listen(port).await?;
        fake.with(|state, _| state.settings.base_url = address);
        Ok(fake)
    }
}

fn rule(object: &str, required: &str, controlling: Option<&str>) -> Option<AdminRule> {
    let kind = Kind::parse(object)?;
    Some(AdminRule { kind, required: required.to_owned(), controlling: controlling.map(str::to_owned) })
}

/// A fake HubSpot account. Its socket, if it has one, closes when it is dropped.
#[derive(Debug)]
pub struct FakeHubspot {
    running: Running<State>,
}

impl FakeHubspot {
    /// Settings for a new fake.
    pub fn builder() -> Builder {
        Builder { settings: Settings::default(), clock: FakeClock::Following { ahead_ms: 0 }, seed_records: 0, port: 0 }
    }

    /// The account's id.
    #[must_use]
    pub fn portal_id(&self) -> u64 {
        self.running.lock().crm.settings.portal_id
    }

    /// Uninstalls the app: every access token and the refresh token are worthless from now on.
    pub fn uninstall(&self) {
        self.running.lock().crm.tokens.revoke_all();
    }

    /// Someone who works in HubSpot's own interface: looks at records, and changes them.
    #[must_use]
    pub fn user(&self) -> CrmUser<'_> {
        CrmUser::new(self)
    }
}

forward!(FakeHubspot, State);

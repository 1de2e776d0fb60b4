//! A CRM of one's own under the simulator: what histories need to know of an account, and to do in it.

use std::fmt;
use std::sync::Arc;

use abmatic_sync_core::clock::Clock;
use abmatic_sync_core::connector::contract::CrmConnector;
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::connection::Connection;
use abmatic_sync_core::model::fields::Fields;
use abmatic_sync_core::model::mapping::Mapping;
use abmatic_sync_core::model::record::RemoteRecord;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::Field;
use abmatic_sync_core::model::value::Value;
use chrono::{DateTime, TimeDelta, Utc};

/// A kind of CRM on which histories are played: it opens an account for each.
pub trait Stage: fmt::Debug + Sync {
    /// The name by which the command line knows it.
    fn name(&self) -> &'static str;

    /// Which resources its accounts have.
    fn resources(&self) -> &'static [Resource];

    /// A new and empty account.
    fn open(&self, opening: Opening) -> Box<dyn Account>;
}

/// What a new account gets from the simulated world.
#[non_exhaustive]
#[derive(Debug)]
pub struct Opening {
    /// The time of the world, for the connector to wait by. Nothing waits for real.
    pub clock: Arc<dyn Clock>,
    /// How far the CRM's own clock is ahead.
    pub skew: TimeDelta,
    /// Whether the account lets a connector have a unique field of its own, where the CRM has such.
    pub own_key: bool,
}

impl Opening {
    /// What the CRM's own clock says.
    pub fn crm_time(&self) -> DateTime<Utc> {
        self.clock.now() + self.skew
    }
}

/// An account of a CRM: its connector, the people who use it, and what it holds.
///
/// Fields are named as the simulated host names them: accounts have `tag`, `name`, `website` and `size`, contacts `tag`,
/// `work_email`, `name` and `note`, opportunities `tag`, `name` and `amount`, and all have the relations of their resource.
/// Nobody edits a `tag`: it says which record another one was made from, so the account has to keep it as it is.
///
/// The connector has to take a [`turn`](crate::simulator::turn) before and after each call, so that the rest of the world
/// can act in between; whatever one poll of it does to the account counts as one event.
pub trait Account: fmt::Debug + Send + Sync {
    /// The connector under test.
    fn connector(&self) -> Arc<dyn CrmConnector>;

    /// A connection to the account. The world gives it a name of its own.
    fn connection(&self) -> Connection;

    /// The mapping of the host's fields; which way each travels is the world's choice.
    fn mapping(&self, resource: Resource) -> Mapping;

    /// Fields of the host that people never edit, for what this CRM wants of each new record.
    fn constants(&self, _resource: Resource) -> Vec<(Field, Value)> {
        Vec::new()
    }

    /// How the CRM spells what it keeps, as far as the judge has to know it.
    fn spelling(&self) -> Spelling {
        Spelling::default()
    }

    /// The most calls that a sync of a resource makes in which nothing is to be done.
    fn idle_calls(&self, _resource: Resource) -> u64 {
        2
    }

    /// Whether the connector recognises a record that it made and never heard of, whatever people did to it meanwhile: by
    /// a key of its own. Without one it can only look for what it sent.
    fn recognises_creates(&self) -> bool;

    /// Whether a record that people restore counts as changed. Where it does not, one that nobody ever linked is not seen.
    fn tells_of_restored(&self) -> bool {
        true
    }

    /// The live records.
    fn records(&self, resource: Resource) -> Vec<RemoteRecord>;

    /// A person makes a record. What the CRM refuses does not happen; that goes for all that people do.
    fn create(&self, resource: Resource, fields: &Fields);

    /// A person edits a record.
    fn edit(&self, resource: Resource, id: &RemoteId, fields: &Fields);

    /// A person deletes a record.
    fn delete(&self, resource: Resource, id: &RemoteId);

    /// A person restores a deleted record.
    fn restore(&self, resource: Resource, id: &RemoteId);

    /// A person merges two records.
    fn merge(&self, resource: Resource, survivor: &RemoteId, loser: &RemoteId);

    /// From now on these faults hit, and no others, each by the number of the call.
    fn expect_faults(&self, faults: &[(u64, Fault)]);
}

/// How a CRM spells what it keeps.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub struct Spelling {
    /// Longer texts are cut.
    pub text_max: usize,
    /// Whether it keeps the domain of a website only.
    pub domains: bool,
    /// Fields that hold 0 where there is no number.
    pub zeros: &'static [&'static str],
}

impl Default for Spelling {
    fn default() -> Self {
        Self { text_max: usize::MAX, domains: false, zeros: &[] }
    }
}

impl Spelling {
    /// Keeps the domain of a website only.
    #[must_use]
    pub fn with_domains(mut self) -> Self {
        self.domains = true;
        self
    }

    /// Keeps 0 in these fields where there is no number.
    #[must_use]
    pub fn with_zeros(mut self, fields: &'static [&'static str]) -> Self {
        self.zeros = fields;
        self
    }
}

/// What befalls one call.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is done, and the answer is lost. A read is just lost.
    LostAnswer,
    /// It never arrives, but nobody can tell.
    LostRequest,
    /// Half a batch is done, and the answer is lost; all of it where the CRM does a batch as a whole.
    HalfDone,
    /// The CRM wants fewer calls for some seconds.
    RateLimited,
    /// The page before comes once more.
    RepeatedPage,
    /// The token has expired.
    Unauthorized,
    /// The CRM is down.
    Unavailable,
}

impl Fault {
    pub(crate) const ALL: [Self; 7] = [
        Self::LostAnswer,
        Self::LostRequest,
        Self::HalfDone,
        Self::RateLimited,
        Self::RepeatedPage,
        Self::Unauthorized,
        Self::Unavailable,
    ];

    /// Whether nobody knows afterwards what the CRM did.
    pub(crate) fn leaves_doubt(self) -> bool {
        match self {
            Self::LostAnswer | Self::LostRequest | Self::HalfDone => true,
            Self::RateLimited | Self::RepeatedPage | Self::Unauthorized | Self::Unavailable => false,
        }
    }
}

//! Runs the checks against a subject, one after the other, and clears up behind them.

use std::collections::BTreeMap;
use std::time::Duration;

use abmatic_sync_core::model::resource::Resource;

use crate::conformance::check::{Check, Finding, Scope};
use crate::conformance::checks;
use crate::conformance::polls::caught;
use crate::conformance::probe::Probe;
use crate::conformance::report::{Report, Row, Verdict};
use crate::conformance::stand::{Offer, Stand};
use crate::conformance::subject::Subject;

/// How long one check of one resource may take, by the runtime's clock: a sandbox is slow, and a connector that hangs is slower.
const CHECK_MAX: Duration = Duration::from_secs(20 * 60);

/// The checks of the contract, and the subject that they are run against.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use abmatic_sync_core::clock::Clock;
/// use abmatic_sync_core::model::connection::{Connection, Credentials};
/// use abmatic_sync_testkit::conformance::subject::Subject;
/// use abmatic_sync_testkit::conformance::suite::Suite;
/// use abmatic_sync_testkit::memory::crm::MemoryCrm;
/// use chrono::{DateTime, Utc};
///
/// #[derive(Debug)]
/// struct Still;
///
/// #[async_trait::async_trait]
/// impl Clock for Still {
///     fn now(&self) -> DateTime<Utc> {
///         DateTime::UNIX_EPOCH
///     }
///     async fn sleep(&self, _: Duration) {}
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let clock = Arc::new(Still);
/// let connection = Connection::new("tenant", "connection", "memory", Credentials::token("secret"));
/// let subject = Subject::new(MemoryCrm::new(clock.clone()), connection, clock);
/// let report = Suite::new(subject).only(&["every_page_is_read"]).run().await;
/// report.assert_passed();
/// assert_eq!((report.passed(), report.not_applicable(), report.failed()), (4, 0, 0));
/// # }
/// ```
#[derive(Debug)]
pub struct Suite {
    subject: Subject,
    checks: Vec<Check>,
}

impl Suite {
    /// All checks.
    pub fn new(subject: Subject) -> Self {
        Self { subject, checks: Self::checks() }
    }

    /// Only the checks of these names.
    #[must_use]
    pub fn only(mut self, names: &[&str]) -> Self {
        self.checks.retain(|check| names.contains(&check.name));
        self
    }

    /// All checks, in the order in which they run.
    pub fn checks() -> Vec<Check> {
        checks::ALL.concat()
    }

    /// Runs them, within a Tokio runtime that tells the time. A check that fails, panics or hangs stops no other one.
    pub async fn run(self) -> Report {
        let connector = self.subject.connector.descriptor().title.to_owned();
        let (stand, unusable) = Stand::new(self.subject).await;
        let mut rows = Vec::new();
        for check in &self.checks {
            match check.scope {
                Scope::Connector => rows.push(Row::new(check, None, on_first(&stand, &unusable, check).await)),
                Scope::Resource => {
                    for (resource, offer) in &stand.offers {
                        rows.push(Row::new(check, Some(*resource), judge(&stand, offer, check).await));
                    }
                    let undescribed = unusable.iter();
                    rows.extend(undescribed.map(|(of, why)| Row::new(check, Some(*of), Verdict::Failed(why.clone()))));
                }
            }
        }
        Report::new(connector, rows, stand.clear_up().await)
    }
}

async fn on_first(stand: &Stand, unusable: &BTreeMap<Resource, String>, check: &Check) -> Verdict {
    match stand.offers.values().next() {
        Some(offer) => judge(stand, offer, check).await,
        None => Verdict::Failed(unusable.values().next().map_or("no resource is offered", String::as_str).to_owned()),
    }
}

async fn judge(stand: &Stand, offer: &Offer, check: &Check) -> Verdict {
    let judged = caught((check.run)(Probe { stand, offer }));
    match tokio::time::timeout(CHECK_MAX, judged).await {
        Ok(Ok(Ok(()))) => Verdict::Passed,
        Ok(Ok(Err(Finding::Fault(what)))) => Verdict::Failed(what),
        Ok(Ok(Err(Finding::NotApplicable(why)))) => Verdict::NotApplicable(why),
        Ok(Err(panic)) => Verdict::Failed(format!("it panicked: {panic}")),
        Err(_) => Verdict::Failed(format!("it did not end within {} minutes", CHECK_MAX.as_secs() / 60)),
    }
}

//! What all checks of one run share: the subject, what it said of its resources, and what was made so far.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use abmatic_sync_core::connector::capabilities::ResourceCapabilities;
use abmatic_sync_core::connector::request::{Write, WriteOutcome};
use abmatic_sync_core::error::{ErrorKind, Result};
use abmatic_sync_core::ids::RemoteId;
use abmatic_sync_core::model::resource::Resource;
use abmatic_sync_core::model::schema::Schema;
use tokio::sync::OnceCell;

use crate::conformance::subject::Subject;

/// How long a batch of deletions may take.
const BATCH_MAX: Duration = Duration::from_secs(20 * 60);
/// So many words there are, each of at most six letters: short fields hold a tag and more.
const WORDS: u64 = 36_u64.pow(6);

/// One run of the suite.
#[derive(Debug)]
pub(crate) struct Stand {
    pub(crate) subject: Subject,
    /// In the order in which records need each other: accounts first.
    pub(crate) offers: BTreeMap<Resource, Offer>,
    /// A word that stands in every text of this run, and in none of another one.
    word: String,
    numbers: AtomicU64,
    made: Mutex<Vec<(Resource, RemoteId)>>,
}

/// A resource that is judged.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) capabilities: ResourceCapabilities,
    pub(crate) schema: Schema,
    /// More records than a page holds, made once.
    pub(crate) crowd: OnceCell<Vec<RemoteId>>,
    /// Records with texts and numbers to filter by, made once, and the tag in their texts.
    pub(crate) mixed: OnceCell<String>,
}

impl Stand {
    /// Gets the CRM ready and asks for its fields. The resources that could not be had come with why.
    pub(crate) async fn new(subject: Subject) -> (Self, BTreeMap<Resource, String>) {
        let word = base36(subject.clock.now().timestamp_millis().unsigned_abs() % WORDS);
        let mut offers = BTreeMap::new();
        let mut unusable = BTreeMap::new();
        // An activity is pushed and never read back.
        let offered = subject.connector.descriptor().resources.iter();
        for capabilities in offered.filter(|offered| offered.resource != Resource::Activity) {
            match described(&subject, capabilities.resource).await {
                Ok(schema) => {
                    let capabilities = capabilities.clone();
                    let offer = Offer { capabilities, schema, crowd: OnceCell::new(), mixed: OnceCell::new() };
                    offers.insert(offer.capabilities.resource, offer);
                }
                Err(error) => {
                    unusable.insert(capabilities.resource, error.to_string());
                }
            }
        }
        (Self { subject, offers, word, numbers: AtomicU64::new(0), made: Mutex::default() }, unusable)
    }

    /// The next number that no record of this run has.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// The word that only the record of this number has.
    pub(crate) fn tag(&self, number: u64) -> String {
        format!("q{}x{number}z", self.word)
    }

    /// Notes what has to be deleted in the end.
    pub(crate) fn note_made(&self, resource: Resource, id: RemoteId) {
        self.made().push((resource, id));
    }

    /// Whether the suite made this record.
    pub(crate) fn is_made(&self, resource: Resource, id: &RemoteId) -> bool {
        self.made().iter().any(|(of, made)| *of == resource && made == id)
    }

    /// Deletes what was made, the youngest first. How many records it could not delete.
    pub(crate) async fn clear_up(&self) -> usize {
        let made = std::mem::take(&mut *self.made());
        let mut left = 0;
        for (resource, offer) in self.offers.iter().rev() {
            let own = made.iter().rev().filter(|(of, _)| of == resource);
            let writes: Vec<Write> = own.map(|(_, id)| Write::Archive { id: id.clone() }).collect();
            for batch in writes.chunks(offer.capabilities.batch_max.max(1)) {
                let write = self.subject.connector.write(&self.subject.on, *resource, batch.to_vec());
                let answer = tokio::time::timeout(BATCH_MAX, write).await;
                left += answer.map_or(batch.len(), |answer| answer.map_or(batch.len(), |outcomes| kept(&outcomes)));
            }
        }
        left
    }

    fn made(&self) -> MutexGuard<'_, Vec<(Resource, RemoteId)>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many records are still there after a batch of deletions.
fn kept(outcomes: &[WriteOutcome]) -> usize {
    let is_gone = |outcome: &&WriteOutcome| match outcome {
        WriteOutcome::Written(_) => true,
        WriteOutcome::Failed(error) => error.kind() == ErrorKind::NotFound,
        _ => false,
    };
    outcomes.len() - outcomes.iter().filter(is_gone).count()
}

async fn described(subject: &Subject, resource: Resource) -> Result<Schema> {
    subject.connector.prepare(&subject.on, resource).await?;
    subject.connector.describe(&subject.on, resource).await
}

fn base36(mut number: u64) -> String {
    let mut letters = Vec::new();
    while number > 0 {
        letters.push(b"0123456789abcdefghijklmnopqrstuvwxyz"[usize::try_from(number % 36).unwrap_or(0)]);
        number /= 36;
    }
    letters.iter().rev().map(|letter| char::from(*letter)).collect()
}

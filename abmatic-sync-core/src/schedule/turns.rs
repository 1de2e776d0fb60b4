//! The turns at work. They go on whatever else is waited for: what that waits for may be in the hands of one of them, as a
//! connection to the database is.

use std::collections::BTreeSet;

use futures::future::{Either, select};
use futures::pin_mut;
use futures::stream::{FuturesUnordered, StreamExt as _};

use crate::error::{Error, Result};
use crate::ids::ConnectionId;

pub(crate) struct Turns<F> {
    at_work: FuturesUnordered<F>,
    busy: BTreeSet<ConnectionId>,
    /// Whether one has ended since somebody waited for that.
    has_ended: bool,
    failure: Option<Error>,
}

impl<F: Future<Output = (ConnectionId, Result<()>)>> Turns<F> {
    pub(crate) fn new() -> Self {
        Self { at_work: FuturesUnordered::new(), busy: BTreeSet::new(), has_ended: false, failure: None }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at_work.is_empty()
    }

    /// The connections that are worked on.
    pub(crate) fn busy(&self) -> &BTreeSet<ConnectionId> {
        &self.busy
    }

    pub(crate) fn begin(&mut self, connection: ConnectionId, turn: F) {
        self.busy.insert(connection);
        self.at_work.push(turn);
    }

    /// The store's failure at the end of a turn, told once.
    pub(crate) fn failure(&mut self) -> Option<Error> {
        self.failure.take()
    }

    /// Waits for something else.
    pub(crate) async fn beside<T>(&mut self, work: impl Future<Output = T>) -> T {
        pin_mut!(work);
        loop {
            if self.at_work.is_empty() {
                return work.await;
            }
            match select(self.at_work.next(), work.as_mut()).await {
                Either::Left((ended, _)) => self.note(ended),
                Either::Right((done, _)) => return done,
            }
        }
    }

    /// Waits for news, or for a turn to end, which is news as well.
    pub(crate) async fn until_one_ends(&mut self, news: impl Future<Output = ()>) {
        pin_mut!(news);
        if !self.has_ended && self.at_work.is_empty() {
            news.await;
        } else if !self.has_ended
            && let Either::Left((ended, _)) = select(self.at_work.next(), news).await
        {
            self.note(ended);
        }
        self.has_ended = false;
    }

    fn note(&mut self, ended: Option<(ConnectionId, Result<()>)>) {
        let Some((connection, outcome)) = ended else { return };
        self.busy.remove(&connection);
        self.has_ended = true;
        self.failure = outcome.err().or(self.failure.take());
    }
}

//! Wakes the scheduler that sleeps: one sleeper, any number of wakers, no wake is lost.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use futures::task::AtomicWaker;

#[derive(Debug, Default)]
pub(crate) struct Wake {
    rung: AtomicBool,
    sleeper: AtomicWaker,
}

impl Wake {
    pub(crate) fn ring(&self) {
        self.rung.store(true, Ordering::Release);
        self.sleeper.wake();
    }

    /// Returns once it was rung, also when that was before.
    pub(crate) async fn rung(&self) {
        poll_fn(|context| {
            self.sleeper.register(context.waker());
            if self.rung.swap(false, Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

//! The places where the world can step in: before and after whatever a run does to a store or a CRM.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Gives the rest of a simulated world a turn: people, rivals and crashes. Whoever awaits it goes on at its next poll.
#[must_use]
pub fn turn() -> Turn {
    Turn { taken: false }
}

/// What [`turn`] gives: it is pending once.
#[derive(Debug)]
pub struct Turn {
    taken: bool,
}

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.taken {
            return Poll::Ready(());
        }
        self.taken = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

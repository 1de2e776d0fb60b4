//! A future that is dropped before it is done, and one that may panic.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// Polls a future so many times at the most and then drops it. `true` where it was not done by then.
pub(crate) async fn abandon(future: impl Future + Send, polls: usize) -> bool {
    let mut future = pin!(future);
    let mut polled = 0;
    poll_fn(move |context| {
        if future.as_mut().poll(context).is_ready() {
            return Poll::Ready(false);
        }
        polled += 1;
        if polled >= polls { Poll::Ready(true) } else { Poll::Pending }
    })
    .await
}

/// What a future comes to while another one runs beside it.
pub(crate) async fn beside<T>(other: impl Future<Output = ()> + Send, future: impl Future<Output = T> + Send) -> T {
    let (mut other, mut future) = (pin!(other), pin!(future));
    let mut ended = false;
    poll_fn(move |context| {
        if !ended {
            ended = other.as_mut().poll(context).is_ready();
        }
        future.as_mut().poll(context)
    })
    .await
}

/// What a future comes to, or the text of its panic.
pub(crate) async fn caught<T>(future: impl Future<Output = T> + Send) -> Result<T, String> {
    let mut future = pin!(future);
    poll_fn(move |context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(done)) => Poll::Ready(Ok(done)),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Poll::Ready(Err(text.unwrap_or_default()))
        }
    })
    .await
}

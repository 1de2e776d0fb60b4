//! Keeps a run's lease while it works or waits, and stops the run once the lease is lost.
//!
//! Commits extend the lease as they go. What takes long between two of them (a job of the CRM's, an index that is slow, a
//! filter that leaves nothing of a hundred pages) would let it run out, and another run would take the connection over.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use chrono::{DateTime, Duration, Utc};
use futures::future::{BoxFuture, FutureExt as _};

use crate::error::Result;
use crate::run::context::RunContext;
use crate::store::state::Lease;

/// How long a run that says nothing keeps its connection, in seconds.
pub(crate) const LEASE_SECONDS: i64 = 120;
/// How old a lease gets before it is renewed, in seconds. What is left of it is longer than any one wait for an answer, and
/// a run can only renew when something wakes it.
const RENEWAL_SECONDS: i64 = 40;

/// Carries out `work`, and renews the lease beside it whenever the work moves and the lease has grown old. It needs no timer
/// and so no runtime: a run that waits wakes with each answer.
///
/// # Errors
/// What the work ends with, or [`crate::error::ErrorCode::LeaseHeld`] when another run took the connection over: the work
/// goes no further then.
pub(crate) async fn hold<T>(context: &RunContext, lease: &Lease, work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut work = pin!(work);
    let mut renewal: Option<(DateTime<Utc>, BoxFuture<'_, Result<()>>)> = None;
    let mut renewed_at = context.clock.now();
    poll_fn(|cx| {
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(done);
        }
        let now = context.clock.now();
        if renewal.is_none() && now - renewed_at >= Duration::seconds(RENEWAL_SECONDS) {
            let extended = context.extended(lease);
            let renews = async move { context.store.state().extend(&extended).await };
            renewal = Some((now, renews.boxed()));
        }
        let Some((begun_at, renews)) = &mut renewal else { return Poll::Pending };
        match renews.poll_unpin(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) => {
                renewed_at = *begun_at;
                renewal = None;
                Poll::Pending
            }
        }
    })
    .await
}

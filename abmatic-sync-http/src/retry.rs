//! What may be sent again, and when.

use std::time::Duration;

use abmatic_sync_core::error::{Error, ErrorKind};
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// Whether a request may be sent twice. Said by who sends it, never guessed from its verb.
#[expect(clippy::exhaustive_enums, reason = "every client must decide for each")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resend {
    /// It changes nothing: send again after any passing failure.
    Read,
    /// It changes something, but twice is as good as once: upserts by an own key, updates by id, archives.
    Safe,
    /// Twice may be one too many, as for plain creates: only what surely was not carried out is sent again.
    Verify,
}

impl Resend {
    /// Whether a failure of that kind may be followed by the same request.
    pub fn allows(self, kind: ErrorKind) -> bool {
        match kind {
            ErrorKind::RateLimited | ErrorKind::Unavailable => true,
            ErrorKind::Ambiguous => self != Self::Verify,
            ErrorKind::Cancelled
            | ErrorKind::Conflict
            | ErrorKind::Duplicate
            | ErrorKind::Forbidden
            | ErrorKind::Invalid
            | ErrorKind::NotFound
            | ErrorKind::Store
            | ErrorKind::Unauthorized
            | ErrorKind::Undocumented => false,
            _ => false,
        }
    }
}

/// How often and how slowly a request is sent again.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct RetryOptions {
    /// How often a request is sent again at most.
    pub resends_max: usize,
    /// The first wait; each further one is about twice as long.
    pub delay_min: Duration,
    /// The longest wait that is chosen here.
    pub delay_max: Duration,
    /// The longest wait that the server may ask for; beyond it the error goes to the caller, who can checkpoint and pause.
    pub wait_max: Duration,
    /// The seed of the jitter, so that waits repeat under test.
    pub jitter_seed: u64,
}

impl Default for RetryOptions {
    /// Five times, from half a second to 30 s, and up to a minute where the server asks for it.
    fn default() -> Self {
        Self {
            resends_max: 5,
            delay_min: Duration::from_millis(500),
            delay_max: Duration::from_secs(30),
            wait_max: Duration::from_secs(60),
            jitter_seed: 0x0ab3_a71c,
        }
    }
}

impl RetryOptions {
    /// Never sends again.
    pub fn never() -> Self {
        Self { resends_max: 0, ..Self::default() }
    }

    /// The waits of one request.
    pub(crate) fn start(&self) -> Waits<'_> {
        let delays = ExponentialBuilder::default()
            .with_min_delay(self.delay_min)
            .with_max_delay(self.delay_max)
            .with_factor(2.0)
            .with_max_times(self.resends_max)
            .with_jitter()
            .with_jitter_seed(self.jitter_seed)
            .build();
        Waits { options: self, delays }
    }
}

/// The waits of one request, until none is left.
#[derive(Debug)]
pub(crate) struct Waits<'a> {
    options: &'a RetryOptions,
    delays: ExponentialBackoff,
}

impl Waits<'_> {
    /// How long to wait before the request may go again; `None` when it may not.
    pub(crate) fn after(&mut self, error: &Error, resend: Resend) -> Option<Duration> {
        if !resend.allows(error.kind()) {
            return None;
        }
        let delay = self.delays.next()?;
        match error.retry_after() {
            Some(asked) => (asked <= self.options.wait_max).then_some(asked),
            None => Some(delay),
        }
    }
}

#[cfg(test)]
mod tests {
    use abmatic_sync_core::error::ErrorCode;

    use super::*;

    fn failure(kind: ErrorKind) -> Error {
        Error::new(kind, ErrorCode::UnknownError, "failed")
    }

    #[test]
    fn what_may_be_sent_again() {
        // (kind, read, safe, verify)
        let table = [
            (ErrorKind::Ambiguous, true, true, false),
            (ErrorKind::Unavailable, true, true, true),
            (ErrorKind::RateLimited, true, true, true),
            (ErrorKind::Invalid, false, false, false),
            (ErrorKind::Unauthorized, false, false, false),
            (ErrorKind::Duplicate, false, false, false),
        ];
        for (kind, read, safe, verify) in table {
            assert_eq!(Resend::Read.allows(kind), read, "{kind:?}");
            assert_eq!(Resend::Safe.allows(kind), safe, "{kind:?}");
            assert_eq!(Resend::Verify.allows(kind), verify, "{kind:?}");
        }
    }

    #[test]
    fn waits_grow_repeat_and_end() {
        let options = RetryOptions { resends_max: 3, ..RetryOptions::default() };
        let waits = || {
            let mut waits = options.start();
            std::iter::from_fn(move || waits.after(&failure(ErrorKind::Unavailable), Resend::Read)).collect::<Vec<_>>()
        };
        assert_eq!(waits().len(), 3);
        assert_eq!(waits(), waits());
        assert!(waits().is_sorted());
    }

    #[test]
    fn the_server_chooses_the_wait_up_to_the_cap() {
        let options = RetryOptions::default();
        let asked = |seconds| {
            let error = failure(ErrorKind::RateLimited).with_retry_after(Duration::from_secs(seconds));
            options.start().after(&error, Resend::Verify)
        };
        assert_eq!(asked(10), Some(Duration::from_secs(10)));
        assert_eq!(asked(3600), None);
    }
}

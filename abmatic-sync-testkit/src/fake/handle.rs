//! What every fake offers in a test's hands, whichever CRM it is: calls without a socket, faults, the journal, time.

/// Gives a fake with a field `running: Running<$state>` the methods that all fakes have.
macro_rules! forward {
    ($fake:ty, $state:ty) => {
        impl $fake {
            /// Where it listens, for example `http://127.0.0.1:41234`; the CRM's own address when it has no socket.
            #[must_use]
            pub fn base_url(&self) -> String {
                self.running.lock().crm.settings.base_url.clone()
            }

            /// The token that is good from the start.
            #[must_use]
            pub fn token(&self) -> String {
                self.running.lock().crm.settings.token.clone()
            }

            /// Answers a request without a socket; delay and delivery are then for the caller to act out.
            #[must_use]
            pub fn answer(&self, request: &$crate::fake::exchange::Request) -> $crate::fake::exchange::Response {
                self.running.lock().answer(request)
            }

            /// Hangs a fault on coming calls.
            pub fn inject(&self, fault: $crate::fake::fault::Fault) {
                self.running.lock().faults.add(fault);
            }

            /// Takes all faults away.
            pub fn clear_faults(&self) {
                self.running.lock().faults.clear();
            }

            /// What was called so far.
            #[must_use]
            pub fn calls(&self) -> $crate::fake::traffic::Traffic {
                self.running.lock().traffic.clone()
            }

            /// Returns once what was called over the socket so far is as `wanted`: whatever such a call does has been done by
            /// then. Together with [`FaultKind::Hang`](crate::fake::fault::FaultKind::Hang) and its kin a test stops a client
            /// at the very call that it chooses.
            pub async fn called(&self, wanted: impl Fn(&$crate::fake::traffic::Traffic) -> bool) {
                self.running.called(wanted).await;
            }

            /// Forgets what was called.
            pub fn reset_calls(&self) {
                self.running.lock().traffic = $crate::fake::traffic::Traffic::default();
            }

            /// Keeps what is exchanged from now on, call by call, until the fake is dropped.
            pub fn record(&self) {
                self.running.lock().recorder.keep();
            }

            /// Writes what is exchanged from now on to a file, in place of what it held, as JSON lines: each as soon as its call was answered.
            ///
            /// # Errors
            /// When the file cannot be made.
            pub fn record_to(&self, path: impl AsRef<std::path::Path>) -> std::io::Result<()> {
                self.running.lock().recorder.write_to(path.as_ref())
            }

            /// What was exchanged since [`Self::record`]; nothing without it.
            #[must_use]
            pub fn recorded(&self) -> Vec<$crate::fake::recording::Exchange> {
                self.running.lock().recorder.kept().to_vec()
            }

            /// The same as JSON lines, one call a line; see [`Exchange`](crate::fake::recording::Exchange).
            #[must_use]
            pub fn recorded_lines(&self) -> String {
                self.running.lock().recorder.lines().unwrap_or_default()
            }

            /// The fake's present, in milliseconds since 1970.
            #[must_use]
            pub fn now_ms(&self) -> i64 {
                self.running.lock().clock.now_ms()
            }

            /// Moves the fake's time forward.
            pub fn advance_ms(&self, by_ms: i64) {
                self.running.lock().clock.advance(by_ms);
            }

            /// The fake's time as the clock of a program under test. Whoever waits by it moves it on, so that where it is
            /// simulated nothing waits for real.
            #[must_use]
            pub fn clock(&self) -> std::sync::Arc<dyn abmatic_sync_core::clock::Clock> {
                self.running.clock()
            }

            /// Works on the state under its lock.
            pub(crate) fn with<T>(&self, work: impl FnOnce(&mut $state, i64) -> T) -> T {
                self.running.with(work)
            }
        }
    };
}

pub(crate) use forward;

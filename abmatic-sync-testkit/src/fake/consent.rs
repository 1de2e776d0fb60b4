//! The consent page, on which everybody agrees at once, and the codes that it hands out: each good once, and for a while.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::fake::exchange::{Request, Response, encoded};

/// Codes that are not exchanged yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Codes(BTreeMap<String, Code>);

#[derive(Clone, Debug)]
struct Code {
    redirect_uri: String,
    challenge: Option<String>,
    made: i64,
}

/// Why a code is not exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejected {
    Code,
    RedirectUri,
    Verifier,
}

impl Codes {
    /// Sends whoever asks back with `code`, or nowhere when the request names no address for that.
    pub(crate) fn agree(&mut self, request: &Request, code: String, now: i64) -> Option<Response> {
        let target = request.query("redirect_uri").filter(|target| !target.is_empty())?;
        let mark = if target.contains('?') { '&' } else { '?' };
        let mut location = format!("{target}{mark}code={}", encoded(&code));
        if let Some(state) = request.query("state") {
            location = format!("{location}&state={}", encoded(state));
        }
        let challenge = request.query("code_challenge").map(str::to_owned);
        self.0.insert(code, Code { redirect_uri: target.to_owned(), challenge, made: now });
        let mut response = Response::new(302, Vec::new());
        response.set("Location", location);
        Some(response)
    }

    /// Takes a code out, if it was made within `lifetime_ms` for that address and whoever knows the verifier.
    pub(crate) fn redeem(
        &mut self,
        code: &str,
        (redirect_uri, verifier): (&str, &str),
        (now, lifetime_ms): (i64, i64),
    ) -> Result<(), Rejected> {
        let code = self.0.remove(code).filter(|code| now - code.made < lifetime_ms).ok_or(Rejected::Code)?;
        if redirect_uri != code.redirect_uri {
            return Err(Rejected::RedirectUri);
        }
        let sent = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        if code.challenge.is_some_and(|challenge| challenge.trim_end_matches('=') != sent) {
            return Err(Rejected::Verifier);
        }
        Ok(())
    }

    /// Makes every code worthless.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

//! Signed assertions (RFC 7523): how a server asks for tokens in a user's name without the user being there.

use std::fmt;
use std::sync::Arc;

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

/// The grant of an assertion.
pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// How long an assertion is good, in seconds (Salesforce: three minutes at the most, by its own clock).
const LIFETIME_SECONDS: i64 = 120;

/// The private RSA key whose certificate the CRM has. Never shown by `Debug`.
#[derive(Clone)]
pub struct SigningKey(Arc<RsaKeyPair>);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

impl SigningKey {
    /// A key as PEM (`-----BEGIN PRIVATE KEY-----`, PKCS #8), of 2048 bits at least.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidSettings`] for anything else; the message does not quote it.
    pub fn from_pem(pem: &SecretString) -> Result<Self> {
        let refused = || {
            let message =
                "the signing key is no private RSA key in PEM: \"openssl pkcs8 -topk8 -nocrypt\" makes one of others";
            Error::invalid(ErrorCode::InvalidSettings, message)
        };
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem.expose_secret().as_bytes()).map_err(|_| refused())?;
        let pair = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).map_err(|_| refused())?;
        Ok(Self(Arc::new(pair)))
    }

    /// An assertion by `issuer` for `subject`, signed with RS256.
    pub(super) fn assertion(
        &self,
        (issuer, subject): (&str, &str),
        audience: &str,
        now: DateTime<Utc>,
    ) -> Result<SecretString> {
        let claims = json!({
            "iss": issuer, "sub": subject, "aud": audience, "exp": now.timestamp() + LIFETIME_SECONDS,
        });
        let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
        let signed = format!("{}.{}", encode(r#"{"alg":"RS256","typ":"JWT"}"#), encode(&claims.to_string()));
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| Error::invalid(ErrorCode::InvalidSettings, "the signing key signs nothing"))?;
        Ok(SecretString::from(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn an_assertion_is_signed_by_its_key() {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let der = STANDARD.encode(der.as_ref());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n");
        let key = SigningKey::from_pem(&SecretString::from(pem)).unwrap();
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let made = key.assertion(("app", "int@acme.test"), "https://login.salesforce.com", now).unwrap();
        let (signed, signature) = made.expose_secret().rsplit_once('.').unwrap();
        let claims = URL_SAFE_NO_PAD.decode(signed.split('.').nth(1).unwrap()).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["sub"], "int@acme.test");
        assert_eq!(claims["exp"], 1_790_000_120);
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        public.verify(signed.as_bytes(), &signature).unwrap();
        assert!(public.verify(b"something else", &signature).is_err());
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_quoted() {
        for wrong in ["", "secret", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"] {
            let error = SigningKey::from_pem(&SecretString::from(wrong)).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidSettings);
            assert!(!error.to_string().contains("c2Vj"));
        }
    }
}

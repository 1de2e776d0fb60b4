//! What makes a hook's address unguessable: a secret of the host's, from which each connection's own is made.

use abmatic_sync_core::error::{Error, ErrorCode, Result};
use abmatic_sync_core::store::connections::KeptConnection;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// The shortest key, in bytes.
const KEY_MIN: usize = 32;

/// What a secret is for: one of them tells nothing of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Address,
    Password,
}

/// The host's secrets, from which the secrets in hooks' addresses are made. Never shown by `Debug`.
///
/// ```
/// use abmatic_sync_http::webhook::key::HookKeys;
/// let keys = HookKeys::new("5b1f6dd0c2a94b2c8a2fb0e6b6f1d0aa".to_owned())?;
/// assert!(!format!("{keys:?}").contains("5b1f"));
/// # Ok::<(), abmatic_sync_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct HookKeys {
    /// The first makes, all are taken.
    keys: Vec<SecretString>,
}

impl HookKeys {
    /// A secret of at least 32 bytes, as random as it can be. It is kept by the host, not beside the connections.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidSettings`] for a shorter one.
    pub fn new(key: impl Into<SecretString>) -> Result<Self> {
        Ok(Self { keys: vec![checked(key.into())?] })
    }

    /// Takes hooks by the addresses of an older secret too, until every subscription was made anew.
    ///
    /// # Errors
    /// As [`HookKeys::new`].
    pub fn accepting(mut self, older: impl Into<SecretString>) -> Result<Self> {
        self.keys.push(checked(older.into())?);
        Ok(self)
    }

    /// The keys, the one that makes new addresses first.
    pub(crate) fn each(&self) -> impl Iterator<Item = &SecretString> {
        self.keys.iter()
    }

    /// A connection's secret by one of the keys.
    pub(crate) fn secret(key: &SecretString, purpose: Purpose, of: &KeptConnection) -> Result<SecretString> {
        let made = mac(key, purpose, of)?.finalize().into_bytes();
        Ok(SecretString::from(URL_SAFE_NO_PAD.encode(made)))
    }

    /// Whether somebody knows a connection's secret. Takes as long for a wrong one as for another wrong one.
    pub(crate) fn knows(&self, purpose: Purpose, of: &KeptConnection, told: &str) -> bool {
        let Ok(told) = URL_SAFE_NO_PAD.decode(told) else { return false };
        self.keys.iter().any(|key| mac(key, purpose, of).is_ok_and(|mac| mac.verify_slice(&told).is_ok()))
    }
}

fn mac(key: &SecretString, purpose: Purpose, of: &KeptConnection) -> Result<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes()).map_err(|_| unusable())?;
    let purpose = match purpose {
        Purpose::Address => "abmatic-sync webhook address",
        Purpose::Password => "abmatic-sync webhook password",
    };
    for part in [purpose, of.tenant.as_str(), of.id.as_str()] {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    Ok(mac)
}

fn checked(key: SecretString) -> Result<SecretString> {
    let length = key.expose_secret().len();
    if length >= KEY_MIN {
        return Ok(key);
    }
    let message = format!("a secret for webhook addresses has to have {KEY_MIN} bytes at least, not {length}");
    Err(Error::invalid(ErrorCode::InvalidSettings, message))
}

fn unusable() -> Error {
    Error::invalid(ErrorCode::InvalidSettings, "the secret for webhook addresses cannot be used")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "0123456789abcdef0123456789abcdef";
    const NEW: &str = "fedcba9876543210fedcba9876543210";

    fn first(keys: &HookKeys, of: &KeptConnection) -> SecretString {
        HookKeys::secret(keys.each().next().unwrap(), Purpose::Address, of).unwrap()
    }

    #[test]
    fn a_secret_is_good_for_one_connection_and_one_purpose() {
        let keys = HookKeys::new(OLD.to_owned()).unwrap();
        let (mine, other) = (KeptConnection::new("a", "bc", "x"), KeptConnection::new("ab", "c", "x"));
        let secret = first(&keys, &mine);
        let secret = secret.expose_secret();
        assert!(keys.knows(Purpose::Address, &mine, secret));
        assert!(!keys.knows(Purpose::Address, &other, secret));
        assert!(!keys.knows(Purpose::Password, &mine, secret));
        for wrong in ["", "x", &secret[1..], "ä"] {
            assert!(!keys.knows(Purpose::Address, &mine, wrong), "{wrong}");
        }
    }

    #[test]
    fn an_older_secret_is_taken_and_makes_nothing() {
        let mine = KeptConnection::new("a", "b", "x");
        let old = first(&HookKeys::new(OLD.to_owned()).unwrap(), &mine);
        let rotated = HookKeys::new(NEW.to_owned()).unwrap().accepting(OLD.to_owned()).unwrap();
        assert!(rotated.knows(Purpose::Address, &mine, old.expose_secret()));
        assert_ne!(first(&rotated, &mine).expose_secret(), old.expose_secret());
        assert!(!HookKeys::new(NEW.to_owned()).unwrap().knows(Purpose::Address, &mine, old.expose_secret()));
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert_eq!(HookKeys::new("short".to_owned()).unwrap_err().code(), ErrorCode::InvalidSettings);
    }
}

//! Seals secrets before they reach the database: XChaCha20-Poly1305 under a key of the host's, bound to the row it is for.

use std::collections::BTreeMap;
use std::fmt;

use abmatic_sync_core::error::{Error, ErrorCode, ErrorKind, Result};
use chacha20poly1305::aead::{Aead as _, Generate as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};

const NONCE_BYTES: usize = 24;

/// The host's keys, by number: the newest seals, older ones still open what they sealed.
///
/// Keys come from the host's own vault or environment and are never stored. To rotate, add the new key as the current one,
/// keep the old ones, and call [`crate::credentials::SqliteCredentials::reseal`]; then the old ones may go.
///
/// ```
/// use abmatic_sync_sql::vault::Keyring;
/// let keys = Keyring::new(2, [7; 32]).with_old(1, [9; 32]);
/// assert_eq!(format!("{keys:?}"), "Keyring { current: 2, numbers: [1, 2] }");
/// ```
#[derive(Clone)]
pub struct Keyring {
    current: u32,
    keys: BTreeMap<u32, SecretSlice<u8>>,
}

/// A sealed secret and the number of its key.
pub(crate) struct Sealed {
    pub(crate) key: u32,
    pub(crate) bytes: Vec<u8>,
}

impl Keyring {
    /// Seals with `key`, which is known as `number`. It has to be random: no password.
    pub fn new(number: u32, key: [u8; 32]) -> Self {
        Self { current: number, keys: BTreeMap::from([(number, SecretSlice::from(key.to_vec()))]) }
    }

    /// Still opens what the key of that number sealed.
    #[must_use]
    pub fn with_old(mut self, number: u32, key: [u8; 32]) -> Self {
        self.keys.entry(number).or_insert_with(|| SecretSlice::from(key.to_vec()));
        self
    }

    /// The number of the key that seals.
    pub fn current(&self) -> u32 {
        self.current
    }

    /// Seals `secret` for the row that `place` names; it opens in no other.
    pub(crate) fn seal(&self, place: &[&str], secret: &SecretString) -> Result<Sealed> {
        let nonce = XNonce::generate();
        let aad = aad(place, self.current);
        let payload = Payload { msg: secret.expose_secret().as_bytes(), aad: &aad };
        let sealed = self.cipher(self.current)?.encrypt(&nonce, payload).map_err(|_| failed("could not be sealed"))?;
        Ok(Sealed { key: self.current, bytes: [nonce.as_slice(), &sealed].concat() })
    }

    /// Opens what was sealed for that row.
    pub(crate) fn open(&self, place: &[&str], sealed: &Sealed) -> Result<SecretString> {
        let (nonce, text) = sealed.bytes.split_at_checked(NONCE_BYTES).ok_or_else(|| failed("is cut short"))?;
        let nonce = XNonce::try_from(nonce).map_err(|_| failed("is cut short"))?;
        let aad = aad(place, sealed.key);
        let opened = self.cipher(sealed.key)?.decrypt(&nonce, Payload { msg: text, aad: &aad });
        let opened = opened.map_err(|_| failed("does not open: the key is another one, or the row was changed"))?;
        String::from_utf8(opened).map(SecretString::from).map_err(|_| failed("is no text"))
    }

    fn cipher(&self, number: u32) -> Result<XChaCha20Poly1305> {
        let key = self.keys.get(&number).ok_or_else(|| failed(&format!("needs key {number}, which was not given")))?;
        XChaCha20Poly1305::new_from_slice(key.expose_secret()).map_err(|_| failed("has a key of a wrong length"))
    }
}

/// What binds a sealed secret to its row and key.
fn aad(place: &[&str], key: u32) -> Vec<u8> {
    let mut aad = key.to_be_bytes().to_vec();
    for word in place {
        aad.extend_from_slice(&(word.len() as u64).to_be_bytes());
        aad.extend_from_slice(word.as_bytes());
    }
    aad
}

fn failed(what: &str) -> Error {
    Error::new(ErrorKind::Store, ErrorCode::StoreFailed, format!("a kept secret {what}"))
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("current", &self.current)
            .field("numbers", &self.keys.keys().collect::<Vec<_>>())
            .finish()
    }
}

//! Signatures: what a CRM makes of a hook with a secret that both sides know.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// Whether `told`, in base64, is the HMAC-SHA256 of the parts, one after the other. Compares in constant time.
pub fn is_hmac_sha256(secret: &SecretString, parts: &[&[u8]], told: &str) -> bool {
    let (Ok(mut mac), Ok(told)) =
        (Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()), STANDARD.decode(told.trim()))
    else {
        return false;
    };
    for part in parts {
        mac.update(part);
    }
    mac.verify_slice(&told).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hubspot_s_published_example_fits() {
        let secret = SecretString::from("yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy");
        let body = "{'example_field':'example_value'}";
        let parts = ["POST", "https://www.example.com/webhook_uri", body, "1693657560000"].map(str::as_bytes);
        let told = "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=";
        assert!(is_hmac_sha256(&secret, &parts, told));
        assert!(!is_hmac_sha256(&secret, &parts[..3], told));
        assert!(!is_hmac_sha256(&secret, &parts, "not base64"));
        assert!(!is_hmac_sha256(&SecretString::from("another"), &parts, told));
    }
}

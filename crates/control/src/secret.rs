//! Keys and tokens: 256 bits from the kernel, shown once, kept as a hash.
//!
//! A plain SHA-256 is enough: what is hashed cannot be guessed, so that a slow hash would only slow us.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::audit::hex;
use crate::store::{StoreError, Stored};

/// A secret that was just made.
pub(crate) struct Fresh {
    /// The whole text, for whom it is made.
    pub text: String,
    /// What is stored.
    pub hash: [u8; 32],
}

/// A new secret whose text begins with `prefix`.
///
/// A kernel without randomness is a fault of ours, like a store that cannot be written.
pub(crate) fn fresh(prefix: &str) -> Stored<Fresh> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Failed(error.to_string()))?;
    let text = format!("{prefix}_{}", hex(&bytes));
    let hash = hash(&text);
    Ok(Fresh { text, hash })
}

/// What is stored of a secret.
pub(crate) fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// Whether `text` is the secret with this hash, in a time that does not tell how much of it is right.
pub(crate) fn matches(text: &str, stored: &[u8; 32]) -> bool {
    hash(text).ct_eq(stored).into()
}

/// The id inside `prefix_<32 hexadecimal digits>_<secret>`.
pub(crate) fn id_of(prefix: &str, text: &str) -> Option<u128> {
    let (id, secret) = text.strip_prefix(prefix)?.strip_prefix('_')?.split_once('_')?;
    let plain = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if id.len() != 32 || secret.len() != 64 || !id.bytes().chain(secret.bytes()).all(plain) {
        return None;
    }
    u128::from_str_radix(id, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_itself_and_nothing_else() {
        let id = 0x0192_f0c1_d2e3_7abc_8def_0123_4567_89ab_u128;
        let fresh = fresh(&format!("gmb_{id:032x}")).unwrap();
        assert_eq!(id_of("gmb", &fresh.text), Some(id));
        assert!(matches(&fresh.text, &fresh.hash));
        let mut other = fresh.text.clone();
        let last = other.pop().unwrap();
        other.push(if last == '0' { '1' } else { '0' });
        assert!(!matches(&other, &fresh.hash));
        for bad in ["", "gmb_", "gmb__", &fresh.text[1..], &fresh.text.to_uppercase(), &format!("{}x", fresh.text)] {
            assert_eq!(id_of("gmb", bad), None, "{bad}");
        }
    }
}

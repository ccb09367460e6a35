//! The key of one subject, and what is done with it (XChaCha20-Poly1305).

use crate::error::SubjectError;
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use std::fmt;

/// Bytes of a key.
pub(crate) const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

/// A key in memory.
#[derive(Clone)]
pub(crate) struct Key(pub(crate) [u8; KEY_BYTES]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Key {
    /// Fewest bytes of what is sealed.
    pub(crate) const SEALED_MIN: usize = NONCE_BYTES + TAG_BYTES;

    /// A random key.
    pub(crate) fn generate() -> Result<Self, SubjectError> {
        random().map(Self)
    }

    /// Encrypts bytes; they open only with the same context.
    pub(crate) fn seal(&self, plain: &[u8], context: &[u8]) -> Result<Vec<u8>, SubjectError> {
        let nonce: [u8; NONCE_BYTES] = random()?;
        let payload = Payload { msg: plain, aad: context };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.expect("an event is far shorter than the cipher's limit");
        Ok([&nonce[..], &sealed].concat())
    }

    /// Decrypts bytes; none if they were not sealed with this key and context.
    pub(crate) fn open(&self, sealed: &[u8], context: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: sealed, aad: context };
        self.cipher().decrypt(&XNonce::from(*nonce), payload).ok()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

/// Random bytes of the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], SubjectError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| SubjectError::Random)?;
    Ok(bytes)
}

//! The key that secrets are encrypted with, and what is done with it (XChaCha20-Poly1305).

use crate::{error::SecretError, file, value::SecretValue};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

const KEY_LENGTH: usize = 32;
const NONCE_LENGTH: usize = 24;
const OTHERS: u32 = 0o077;

/// A key in memory.
pub(crate) struct Key(XChaCha20Poly1305);

impl Key {
    /// Reads the key; `None` if there is none yet.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, SecretError> {
        let Some(bytes) = file::read(path)? else { return Ok(None) };
        let metadata = fs::metadata(path).map_err(SecretError::io("look at", path))?;
        if metadata.permissions().mode() & OTHERS != 0 {
            return Err(SecretError::KeyExposed(path.to_owned()));
        }
        let bytes: [u8; KEY_LENGTH] =
            bytes.try_into().map_err(|_| SecretError::KeyDamaged(path.to_owned()))?;
        Ok(Some(Self(XChaCha20Poly1305::new(&bytes.into()))))
    }

    /// Makes a random key and keeps it. To be called under the lock of the directory.
    pub(crate) fn create(path: &Path) -> Result<Self, SecretError> {
        let bytes: [u8; KEY_LENGTH] = random()?;
        file::replace(path, &bytes)?;
        Ok(Self(XChaCha20Poly1305::new(&bytes.into())))
    }

    /// Encrypts a value; it opens only with the same context.
    pub(crate) fn seal(&self, value: &SecretValue, context: &[u8]) -> Result<Vec<u8>, SecretError> {
        let nonce: [u8; NONCE_LENGTH] = random()?;
        let payload = Payload { msg: value.expose().as_bytes(), aad: context };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.expect("a secret is far shorter than the cipher's limit");
        Ok([&nonce[..], &sealed].concat())
    }

    /// Decrypts a value; `None` if it was not sealed with this key and context.
    pub(crate) fn open(&self, sealed: &[u8], context: &[u8]) -> Option<SecretValue> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LENGTH>()?;
        let payload = Payload { msg: sealed, aad: context };
        let bytes = self.0.decrypt(&XNonce::from(*nonce), payload).ok()?;
        SecretValue::from_bytes(bytes).ok()
    }
}

fn random<const N: usize>() -> Result<[u8; N], SecretError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(SecretError::Random)?;
    Ok(bytes)
}

//! Secrets of environments: encrypted on disk, versioned, and masked in logs.
//!
//! A value is never in `Debug` output, in an error or in a file name; its name and version are. The
//! key is a file beside the secrets that only its owner can read: this guards backups, copies and
//! glances, not against who can read both.

mod error;
mod file;
mod key;
mod masker;
mod patterns;
mod secrets;
mod value;

pub use error::{SecretError, ValueError};
pub use masker::Masker;
pub use patterns::{MASK, MASKED_MIN};
pub use secrets::{SECRETS_MAX, SecretInfo, SecretVersion, Secrets};
pub use value::{SECRET_BYTES_MAX, SecretValue};

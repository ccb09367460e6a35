//! What can go wrong with secrets. No message has a value in it.

use fairway_model::{EnvironmentName, SecretName};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a text cannot be a secret's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Nothing.
    #[error("a secret's value cannot be empty")]
    Empty,
    /// More than [`crate::SECRET_BYTES_MAX`] bytes.
    #[error("a secret's value has at most {} bytes", crate::SECRET_BYTES_MAX)]
    TooLong,
    /// A NUL byte, which no environment variable can hold.
    #[error("a secret's value cannot have a NUL byte")]
    Nul,
    /// Not UTF-8.
    #[error("a secret's value has to be UTF-8 text; encode other bytes, for example in base64")]
    NotText,
}

/// Why secrets could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// There are secrets, but the key that they are encrypted with has gone.
    #[error("the key `{}` is missing, so secrets cannot be read; restore it, or remove the directory and set them again", .0.display())]
    KeyMissing(PathBuf),
    /// The file is no key.
    #[error("`{}` is not a key", .0.display())]
    KeyDamaged(PathBuf),
    /// Others may read the key.
    #[error("the key `{}` can be read by others; set its mode to 0600", .0.display())]
    KeyExposed(PathBuf),
    /// The file of an environment is not what Fairway writes.
    #[error("`{}` is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A later Fairway wrote the file of an environment.
    #[error("`{}` was written by a newer Fairway; use that", .0.display())]
    Newer(PathBuf),
    /// The value does not open with the key, for this name and environment.
    #[error(
        "secret `{name}` of `{environment}` cannot be decrypted: its file or the key was replaced"
    )]
    Undecryptable {
        /// The environment.
        environment: EnvironmentName,
        /// The secret.
        name: SecretName,
    },
    /// More than [`crate::SECRETS_MAX`] secrets.
    #[error("an environment has at most {} secrets", crate::SECRETS_MAX)]
    TooMany,
    /// No space is left; nothing was changed.
    #[error("the disk that holds `{}` is full", path.display())]
    DiskFull {
        /// What was being written.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Another failure of the file system.
    #[error("could not {action} `{}`", path.display())]
    Io {
        /// The verb of what failed.
        action: &'static str,
        /// What it failed on.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random(#[source] getrandom::Error),
}

impl SecretError {
    /// Names the file of a failure; to be used with `map_err`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { path, source }
            }
            _ => Self::Io { action, path, source },
        }
    }
}

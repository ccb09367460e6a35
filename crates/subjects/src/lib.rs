//! Forgetting a person in a ledger that forgets nothing: what is personal is encrypted under a key of
//! its subject, and the key is what is removed (crypto-shredding).
//!
//! An event names in its metadata what of its data is personal, and of whom:
//! `{"$personal": {"subject": "customer-7", "fields": ["/name", "/address/street"]}}`. A ledger that
//! is opened with [`over`] keeps these fields sealed and hands them out opened, so that no client has
//! to know; once a subject is forgotten, they are null, in every copy and backup, because the keys
//! are in neither. The ledger says which keys are its own, and nothing is sealed in it with others.

mod error;
mod fields;
mod forget;
mod kept;
mod key;
mod keys;
mod keys_file;
mod keys_server;
mod opening;
mod personal;
mod sealed;
mod sealing;
mod session;
mod snapshot;
mod store;
mod turns;

pub use error::SubjectError;
pub use forget::{FORGOTTEN_KIND, ForgetError, SUBJECTS_STREAM, forget};
pub use kept::{KEPT_KIND, KEYS_STREAM, KeptError, adopt, is_kept_by_others};
pub use keys::Subjects;
pub use personal::{FIELDS_MAX, PERSONAL, Personal, SUBJECT_MAX};
pub use store::over;

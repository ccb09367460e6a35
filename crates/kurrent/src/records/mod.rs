//! Appends to several streams at once, all or none: the calls of KurrentDB's second protocol.

mod failure;
pub(crate) mod record;
mod session;

pub(crate) use session::{append_records, append_session};

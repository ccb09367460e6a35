//! The messages of KurrentDB's protocol as far as they are used here: one file per service, with the
//! field numbers of its published descriptors.

pub(crate) mod features;
pub(crate) mod gossip;
pub(crate) mod persistent;
pub(crate) mod records;
pub(crate) mod shared;
pub(crate) mod streams;

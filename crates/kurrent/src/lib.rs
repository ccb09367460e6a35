//! The ledger as clients of KurrentDB see it: the gRPC calls of its first protocol, and the appends
//! of its second, so that its official clients work unmodified. Revisions count from 0 there and
//! versions from 1 here; commit and prepare positions are both the ledger's position.
//!
//! [`Kurrent::handle`] answers one request; who serves HTTP/2 mounts it for those that
//! [`is_grpc`] is true of. It opens no socket and knows tokens only through [`Rights`].

mod append;
mod ask;
mod batch;
mod batch_outcome;
mod calls;
mod codec;
#[cfg(test)]
mod damage;
mod delete;
mod expected;
mod faults;
mod features;
mod filter;
mod following;
#[cfg(test)]
mod fuzz;
mod gossip;
mod groups;
mod keeping;
mod links;
mod proposed;
mod reading;
mod recorded;
mod records;
mod rights;
mod room;
mod service;
mod status;
mod wire;

pub use rights::{Act, On, Open, Refused, Rights};
pub use room::{CALLS_MAX, MESSAGES_BYTES_MAX};
pub use service::{Kurrent, is_grpc};

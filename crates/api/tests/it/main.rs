//! The service as clients see it: a ledger on disk, a server on a socket, HTTP over TCP.

#![allow(clippy::unwrap_used, reason = "a failed expectation fails the test")]

mod appends;
mod cloud_events;
mod description;
mod groups;
mod hostile;
mod live;
mod page;
mod read_models;
mod reads;
mod sdks;
mod secure;
mod streams;
mod tokens;
mod world;

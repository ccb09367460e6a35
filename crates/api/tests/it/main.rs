//! The service as clients see it: a ledger on disk, a server on a socket, HTTP over TCP.

#![allow(clippy::unwrap_used, reason = "a failed expectation fails the test")]

mod appends;
mod certificate;
mod cloud_events;
mod described;
mod description;
mod early;
mod fuzz;
mod groups;
mod hostile;
mod live;
#[path = "../../../kurrent/tests/it/memory.rs"]
mod memory;
#[path = "../../../kurrent/tests/it/packages.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod packages;
mod page;
mod read_models;
mod reads;
mod rights;
mod sdks;
mod secure;
mod streams;
mod subjects;
mod tokens;
mod world;

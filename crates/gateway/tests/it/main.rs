//! The gateway between real sockets: every behaviour it promises, against backends and clients that
//! speak byte by byte.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod backend;
mod headers;
mod limits;
mod log;
mod messages;
mod refusals;
mod retry;
mod shutdown;
mod site;
mod streaming;
mod swap;
mod timeouts;
mod upgrade;
mod wire;

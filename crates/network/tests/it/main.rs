//! Networks with real namespaces. These tests need root.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod container;
mod docker;
mod faults;
mod host;
mod names;
mod services;

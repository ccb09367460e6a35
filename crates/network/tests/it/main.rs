//! Networks with real namespaces. These tests need root.

mod container;
mod faults;
mod host;
mod names;
mod services;

//! Configuration as a user meets it: texts in, a fleet or diagnostics out.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

mod across;
mod init;
mod pages;
mod properties;
mod read_models;
mod schema;
mod shop;
mod speed;
mod valid;
mod wrong;

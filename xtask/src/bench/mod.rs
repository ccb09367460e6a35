//! `cargo xtask bench`: how Fairway compares with what people use today.
//!
//! What is compared is measured in one run, in turns, so that a busy machine is busy for both; each
//! figure is a median. A missed target is reported, and is no error; a measured command that ends
//! with anything but exit code 0 is.

mod binary;
mod catalog;
mod containers;
mod docker;
mod gateway;
mod images;
mod keeper;
mod ledger;
mod peer_images;
mod peers;
mod place;
mod runs;
mod samples;
mod table;

pub use catalog::{run, try_out};

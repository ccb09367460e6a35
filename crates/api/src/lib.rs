//! Events over HTTP: JSON, lines of JSON, server-sent events and CloudEvents.
//!
//! [`Api`] is one ledger as an HTTP service under `/v1`; [`serve`] puts it on a listener.

mod access;
mod answer;
mod api;
mod appends;
mod body;
mod call;
mod events_in;
mod expected;
mod feed;
mod form;
mod json_out;
mod lines;
mod live;
mod pace;
mod page;
mod params;
mod problem;
mod reads;
mod routes;
mod serve;
mod waiting;

pub use api::Api;
pub use serve::serve;

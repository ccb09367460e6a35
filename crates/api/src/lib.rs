//! Events over HTTP: JSON, lines of JSON, server-sent events and CloudEvents.
//!
//! [`Api`] is one ledger as an HTTP service under `/v1`; [`Server`] puts it on a listener.

mod access;
mod answer;
mod api;
mod appends;
mod body;
mod call;
mod cloud_events;
#[cfg(test)]
mod damage;
mod events_in;
mod expected;
mod feed;
mod form;
#[cfg(test)]
mod given;
mod groups;
mod json_in;
mod json_out;
mod lines;
mod lingering;
mod live;
mod monitoring;
mod openapi;
mod outgoing;
mod page;
mod params;
mod patience;
mod problem;
mod read_models;
mod reads;
mod routes;
mod segment;
mod server;
mod single;
mod snapshots;
mod socket;
mod streams;
mod subjects;
mod tls;
mod tokens;
mod waiting;
mod whole;

pub use access::{Access, Grants, Right};
pub use api::{Api, READERS_MAX};
pub use body::{BODIES_BYTES_MAX, BODY_BYTES_MAX};
pub use openapi::openapi;
pub use outgoing::ANSWERS_BYTES_MAX;
pub use page::LIMIT_MAX;
pub use patience::Patience;
pub use server::{CONNECTIONS_MAX, Server};
pub use tls::{Tls, TlsError};
pub use tokens::{TOKENS_MAX, Token, TokenError, TokenName, Tokens, is_prefix};
pub use waiting::WAIT_MAX;

//! CloudEvents 1.0 over HTTP, both ways: binary, structured and batched, with JSON.
//!
//! An event keeps the attributes of the CloudEvent that it came as in its metadata, under their own
//! names, so that it goes out as it came in. An event that came in another way gets attributes from
//! what is known of it.

mod attributes;
mod binary;
mod incoming;
mod outgoing;

pub(crate) use attributes::CloudEventError;
pub(crate) use binary::{from_headers, is_binary, to_response};
pub(crate) use incoming::{batch, structured};
pub(crate) use outgoing::write;

//! The keys of all files: which there are, in which form, and what they are for.

mod command;
mod fleet;
mod neighbour;
mod pipeline;
mod probe;
mod read_model;
mod route;
mod service;

pub(crate) use fleet::service_patterns;

use super::form::Form;
use super::reporter::Reporter;
use super::yaml::Document;

/// A file after decoding. Whatever is wrong with it was reported.
pub(crate) struct Decoded<V> {
    /// The value, if nothing was so wrong that there is none.
    pub(crate) value: Option<V>,
    /// The tree it was read from, which knows where everything stands.
    pub(crate) document: Option<Document>,
}

/// Decodes a text.
pub(crate) fn decode<F: Form>(text: &str, log: &mut Reporter) -> Decoded<F::Value> {
    let document = Document::read(text, log);
    let value = document.as_ref().and_then(|document| F::read(document.root(), log));
    Decoded { value, document }
}

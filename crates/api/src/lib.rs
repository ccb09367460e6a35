//! Events over HTTP.

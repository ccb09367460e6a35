//! A YAML document as a tree in which every node knows its place.
//!
//! Anchors, aliases and merge keys (`<<`) are resolved; scalars keep the text they were written
//! with. Whatever a text does to it, reading ends within the limits below.

mod builder;
mod document;
mod limits;
mod merge;
mod node;
mod position;
mod syntax;

pub(crate) use document::Document;
pub use limits::{DEPTH_MAX, DIAGNOSTICS_MAX, FILE_MAX, NODES_MAX};
pub(crate) use node::{Entry, Kind, Node, Scalar, Style};

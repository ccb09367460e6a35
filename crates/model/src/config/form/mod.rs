//! Forms: each says once how a value is read, and the same as a JSON Schema.
//!
//! A form is a type that is never made: `List<Port>` reads a list of ports. A [`record!`] lists the
//! keys of a mapping with their forms; from that list come the reading, the suggestions for
//! misspelt keys and the schemas, so that they cannot differ.

mod choice;
mod collection;
mod fields;
mod key;
mod number;
mod path;
mod record;
mod scalar;
mod schema;
mod text;

use super::reporter::Reporter;
use super::yaml::Node;

pub(crate) use choice::{Choice, Word};
pub(crate) use collection::{List, Map, Named, NonEmpty, OneOrMore, Unique, read_key};
pub(crate) use fields::Fields;
pub(crate) use key::{Key, Keys, Presence};
pub(crate) use number::{Integer, Pids, Port, Replicas, Strip};
pub(crate) use path::{AbsolutePath, CachePath, FolderPattern, InnerPath, InputPath};
pub(crate) use record::{Record, record};
pub(crate) use scalar::{Text, VariableName, Wait};
pub(crate) use schema::{Definitions, Schema};
pub(crate) use text::{plain, read_text, refuse, short};

/// How a value is read and described.
pub(crate) trait Form {
    /// What is read.
    type Value;

    /// The form as a JSON Schema; records are put into the definitions and referred to.
    fn schema(definitions: &mut Definitions) -> Schema;

    /// Reads a node. `None` says that something was reported and there is no value.
    fn read(node: &Node, log: &mut Reporter) -> Option<Self::Value>;
}

//! Commands: one text for a shell, or a program with its arguments.

use crate::config::form::{Definitions, Form, NonEmpty, Schema, Text, read_text};
use crate::config::reporter::Reporter;
use crate::config::yaml::{Kind, Node};

/// `[program, argument]`, or a text that `sh -c` runs.
pub(super) struct Command;

impl Form for Command {
    type Value = Vec<String>;

    fn schema(definitions: &mut Definitions) -> Schema {
        Schema::any(vec![Schema::of("string"), NonEmpty::<Text>::schema(definitions)])
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<Vec<String>> {
        match &node.kind {
            Kind::Scalar(_) => {
                let text = read_text(node, log)?;
                Some(vec!["sh".to_owned(), "-c".to_owned(), text.to_owned()])
            }
            Kind::Sequence(_) | Kind::Mapping(_) => NonEmpty::<Text>::read(node, log),
        }
    }
}

//! Values that are parsed from one text.

use super::text::{parse, read_text, refuse, short};
use super::{Definitions, Form, Schema};
use crate::config::Template;
use crate::config::reporter::Reporter;
use crate::config::yaml::Node;
use crate::{
    ByteSize, Cpus, EnvironmentName, FleetName, ImageRef, NAME_MAX, NeighbourName, ReadModelName,
    SecretName, ServiceName, StageName, parse_duration,
};
use std::time::Duration;

const LABEL: &str = "^[a-z]([a-z0-9-]*[a-z0-9])?$";

fn label() -> Schema {
    Schema { max_length: Some(NAME_MAX), ..Schema::text(LABEL) }
}

fn secret() -> Schema {
    Schema { max_length: Some(NAME_MAX), ..Schema::text("^[a-z][a-z0-9_]*$") }
}

fn quantity() -> Schema {
    Schema { kinds: vec!["string", "number"], ..Schema::default() }
}

/// A form for a type that says by itself how it is parsed.
macro_rules! parsed {
    ($($type:ty => $schema:expr;)+) => {$(
        impl Form for $type {
            type Value = $type;

            fn schema(_: &mut Definitions) -> Schema {
                $schema
            }

            fn read(node: &Node, log: &mut Reporter) -> Option<$type> {
                parse(node, log)
            }
        }
    )+};
}

parsed! {
    FleetName => label();
    ServiceName => label();
    EnvironmentName => label();
    StageName => label();
    NeighbourName => label();
    ReadModelName => label();
    SecretName => secret();
    ImageRef => Schema::of("string");
    Template => Schema::source_text();
    ByteSize => quantity();
    Cpus => quantity();
}

/// Text of any kind; its source text counts.
pub(crate) struct Text;

impl Form for Text {
    type Value = String;

    fn schema(_: &mut Definitions) -> Schema {
        Schema::source_text()
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<String> {
        read_text(node, log).map(str::to_owned)
    }
}

/// A time to wait, longer than nothing.
pub(crate) struct Wait;

/// The longest wait: a day.
const WAIT_MAX: Duration = Duration::from_hours(24);

impl Form for Wait {
    type Value = Duration;

    fn schema(_: &mut Definitions) -> Schema {
        Schema::text("^([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$")
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<Duration> {
        let text = read_text(node, log)?;
        let message = match parse_duration(text) {
            Ok(wait) if wait.is_zero() => format!("`{}` is no time at all", short(text)),
            Ok(wait) if wait > WAIT_MAX => format!("`{}` is longer than a day", short(text)),
            Ok(wait) => return Some(wait),
            Err(error) => error.to_string(),
        };
        refuse(node, log, &message);
        None
    }
}

/// The name of an environment variable. Images also use `.` and `-` in theirs.
pub(crate) struct VariableName;

impl Form for VariableName {
    type Value = String;

    fn schema(_: &mut Definitions) -> Schema {
        Schema::text("^[A-Za-z_][A-Za-z0-9_.-]*$")
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<String> {
        let text = read_text(node, log)?;
        let is_start = |c: char| c.is_ascii_alphabetic() || c == '_';
        let is_part = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        if text.starts_with(is_start) && text.chars().all(is_part) {
            return Some(text.to_owned());
        }
        let rule = "use letters, digits and `_`, not starting with a digit";
        refuse(node, log, &format!("`{}` is not a variable; {rule}", short(text)));
        None
    }
}

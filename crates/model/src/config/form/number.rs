//! Numbers within bounds.

use super::text::{read_text, short};
use super::{Definitions, Form, Schema};
use crate::config::Prefix;
use crate::config::reporter::Reporter;
use crate::config::yaml::{Kind, Node, Style};
use std::marker::PhantomData;

/// A whole number from `MIN` to `MAX`.
pub(crate) struct Integer<T, const MIN: u32, const MAX: u32>(PhantomData<T>);

/// A TCP port.
pub(crate) type Port = Integer<u16, 1, 65535>;

/// How many of a service run.
pub(crate) type Replicas = Integer<u16, 1, 100>;

/// Processes and threads, up to the most that Linux counts (`PID_MAX_LIMIT`).
pub(crate) type Pids = Integer<u32, 1, 4_194_304>;

impl<T: TryFrom<u32>, const MIN: u32, const MAX: u32> Form for Integer<T, MIN, MAX> {
    type Value = T;

    fn schema(_: &mut Definitions) -> Schema {
        Schema { minimum: Some(MIN), maximum: Some(MAX), ..Schema::of("integer") }
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<T> {
        let text = read_text(node, log)?;
        let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_octal = text.len() > 1 && text.starts_with('0');
        if !is_digits || is_octal || !is_plain(node) {
            let quoted = is_digits && !is_octal;
            let wrong = log.diagnose(node.span, format!("`{}` is not a number", short(text)));
            let advice = if quoted { "write it without quotes" } else { "write a whole number" };
            log.report(wrong.label(advice));
            return None;
        }
        let number = text.parse().ok().filter(|number| (MIN..=MAX).contains(number));
        let value = number.and_then(|number| T::try_from(number).ok());
        if value.is_none() {
            let message = format!("`{}` is not from {MIN} to {MAX}", short(text));
            log.error(node.span, message);
        }
        value
    }
}

/// Whether the matched prefix is taken off the path: `true` or `false`.
pub(crate) struct Strip;

impl Form for Strip {
    type Value = Prefix;

    fn schema(_: &mut Definitions) -> Schema {
        Schema::of("boolean")
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<Prefix> {
        Some(if read_bool(node, log)? { Prefix::Stripped } else { Prefix::Kept })
    }
}

/// Reads `true` or `false`.
fn read_bool(node: &Node, log: &mut Reporter) -> Option<bool> {
    let text = read_text(node, log)?;
    match text {
        "true" if is_plain(node) => Some(true),
        "false" if is_plain(node) => Some(false),
        _ => {
            let message = format!("`{}` is neither `true` nor `false`", short(text));
            log.error(node.span, message);
            None
        }
    }
}

fn is_plain(node: &Node) -> bool {
    matches!(&node.kind, Kind::Scalar(scalar) if scalar.style == Style::Plain)
}

//! The `--name=value` flags before the arguments of an instruction.

use super::{
    instruction::Text,
    parser::{Fault, Input},
    word::split_quoted,
};
use fairway_model::{Span, closest};

/// Flags of one instruction.
pub(super) struct Flags(Vec<Flag>);

pub(super) struct Flag {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) span: Span,
}

impl Flags {
    /// Reads flags of these names; returns where the arguments start.
    pub(super) fn read(input: &Input<'_>, known: &[&str]) -> Result<(Self, usize), Fault> {
        let mut flags: Vec<Flag> = Vec::new();
        for word in split_quoted(&input.line.text, input.from, input.escape) {
            let Some(text) = word.text.strip_prefix("--") else {
                return Ok((Self(flags), word.at.start));
            };
            if text.is_empty() {
                return Ok((Self(flags), word.at.end));
            }
            let (name, value) = text.split_once('=').unwrap_or((text, ""));
            if !known.contains(&name) {
                let message = format!("`{}` has no flag `--{name}`", input.keyword);
                let near = closest(name, known.iter().copied());
                return Err(input.fault(&word.at, message).suggest(near));
            }
            if flags.iter().any(|flag| flag.name == name) && name != "mount" {
                return Err(input.fault(&word.at, format!("`--{name}` is there twice")));
            }
            let span = input.line.span(&word.at);
            flags.push(Flag { name: name.to_owned(), value: value.to_owned(), span });
        }
        Ok((Self(flags), input.line.text.len()))
    }

    /// The value of a flag, with the place of the whole flag.
    pub(super) fn get(&self, name: &str) -> Option<Text> {
        let flag = self.0.iter().find(|flag| flag.name == name)?;
        Some(Text { raw: flag.value.clone(), span: flag.span })
    }

    /// The first flag that is not accepted.
    pub(super) fn first_but(&self, accepted: impl Fn(&str, &str) -> bool) -> Option<&Flag> {
        self.0.iter().find(|flag| !accepted(&flag.name, &flag.value))
    }
}

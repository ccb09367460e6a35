//! A Dockerfile as a checked value. Nothing here does I/O; variables are filled in when an
//! instruction is built, because only then are they known.

mod arguments;
mod copy;
mod expand;
mod flags;
mod healthcheck;
mod instruction;
mod line;
mod parser;
mod word;

pub(crate) use expand::{ExpandError, expand};
pub(crate) use instruction::{
    ArgDeclaration, Check, CommandForm, Copy, CopyKind, From, Instruction, Located, Pair, Text,
};
pub use instruction::{Dockerfile, Stage};
pub(crate) use parser::parse_trigger;
pub use parser::{DOCKERFILE_MAX, INSTRUCTIONS_MAX};
pub(crate) use word::split_words;

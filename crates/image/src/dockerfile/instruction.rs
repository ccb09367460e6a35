//! The instructions of a Dockerfile as types. Texts still have their variables.

use super::parser;
use fairway_layers::Healthcheck;
use fairway_model::{Diagnostic, SourceText, Span};

/// A Dockerfile whose every instruction has been read.
#[derive(Debug, Clone)]
pub struct Dockerfile {
    pub(crate) path: String,
    pub(crate) source: String,
    /// `\` unless a directive says otherwise.
    pub(crate) escape: char,
    /// What stands before the first FROM.
    pub(crate) globals: Vec<(Span, ArgDeclaration)>,
    pub(crate) stages: Vec<Stage>,
}

/// What one FROM begins.
#[derive(Debug, Clone)]
pub struct Stage {
    pub(crate) from: From,
    pub(crate) instructions: Vec<Located>,
}

/// A FROM.
#[derive(Debug, Clone)]
pub(crate) struct From {
    pub(crate) span: Span,
    pub(crate) image: Text,
    pub(crate) platform: Option<Text>,
    /// In lower case: names of stages are compared without case.
    pub(crate) name: Option<String>,
}

/// A text with its variables and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) raw: String,
    pub(crate) span: Span,
}

/// An instruction and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Located {
    pub(crate) span: Span,
    /// As it was written, on one line.
    pub(crate) text: String,
    pub(crate) instruction: Instruction,
}

/// One instruction.
#[derive(Debug, Clone)]
pub(crate) enum Instruction {
    Arg(Vec<ArgDeclaration>),
    Env(Vec<Pair>),
    Label(Vec<Pair>),
    Run(CommandForm),
    Cmd(CommandForm),
    Entrypoint(CommandForm),
    Copy(Copy),
    Workdir(Text),
    User(Text),
    Expose(Vec<Text>),
    Volume(Vec<Text>),
    StopSignal(Text),
    Healthcheck(Check),
    Shell(Vec<String>),
    /// An instruction for images built on this one, as it was written.
    OnBuild(String),
    Maintainer(String),
}

/// `NAME` or `NAME=default`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ArgDeclaration {
    pub(crate) name: String,
    pub(crate) default: Option<Text>,
}

/// `NAME=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) name: Text,
    pub(crate) value: Text,
}

/// A command in one of its two forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CommandForm {
    /// For the shell.
    Shell(String),
    /// A JSON list: program and arguments.
    Exec(Vec<String>),
}

/// HEALTHCHECK with its options; the command still needs the shell of its stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Check {
    /// `NONE`: the base's check does not count.
    None,
    /// `CMD`; the options are filled in, `test` is empty.
    Command(CommandForm, Healthcheck),
}

/// COPY or ADD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copy {
    pub(crate) kind: CopyKind,
    pub(crate) from: Option<Text>,
    pub(crate) owner: Option<Text>,
    pub(crate) mode: Option<Text>,
    pub(crate) sources: Vec<Text>,
    pub(crate) destination: Text,
}

/// Which of the two instructions that copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CopyKind {
    Copy,
    /// Unpacks archives.
    Add,
}

impl Dockerfile {
    /// Reads a Dockerfile; `path` is what it is called in messages. All errors are reported.
    pub fn parse(path: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        parser::parse(path, text)
    }

    /// Says what is wrong at a place of this file.
    pub(crate) fn diagnose(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        SourceText::new(&self.path, &self.source).diagnose(span, message)
    }
}

impl Instruction {
    /// Its keyword.
    pub(crate) fn keyword(&self) -> &'static str {
        match self {
            Self::Arg(_) => "ARG",
            Self::Env(_) => "ENV",
            Self::Label(_) => "LABEL",
            Self::Run(_) => "RUN",
            Self::Cmd(_) => "CMD",
            Self::Entrypoint(_) => "ENTRYPOINT",
            Self::Copy(Copy { kind: CopyKind::Copy, .. }) => "COPY",
            Self::Copy(Copy { kind: CopyKind::Add, .. }) => "ADD",
            Self::Workdir(_) => "WORKDIR",
            Self::User(_) => "USER",
            Self::Expose(_) => "EXPOSE",
            Self::Volume(_) => "VOLUME",
            Self::StopSignal(_) => "STOPSIGNAL",
            Self::Healthcheck(_) => "HEALTHCHECK",
            Self::Shell(_) => "SHELL",
            Self::OnBuild(_) => "ONBUILD",
            Self::Maintainer(_) => "MAINTAINER",
        }
    }
}

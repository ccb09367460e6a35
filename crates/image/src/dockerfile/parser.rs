//! Reads a Dockerfile line by line and reports all that is wrong with it at once.

use super::{
    arguments,
    instruction::{Dockerfile, From, Instruction, Located, Stage},
    line::{self, ESCAPE, Line},
    word::split_plain,
};
use fairway_model::{Diagnostic, SourceText, Span, closest};
use std::ops::Range;

/// Most bytes of a Dockerfile.
pub const DOCKERFILE_MAX: usize = 1 << 20;
/// Most instructions of a Dockerfile.
pub const INSTRUCTIONS_MAX: usize = 2000;
/// Most errors that are reported of one file.
const ERRORS_MAX: usize = 50;

/// All keywords but FROM.
const KEYWORDS: [&str; 18] = [
    "FROM",
    "ARG",
    "ENV",
    "LABEL",
    "RUN",
    "CMD",
    "ENTRYPOINT",
    "COPY",
    "ADD",
    "WORKDIR",
    "USER",
    "EXPOSE",
    "VOLUME",
    "STOPSIGNAL",
    "HEALTHCHECK",
    "SHELL",
    "ONBUILD",
    "MAINTAINER",
];

/// What is wrong and where, before the text of the line is added to it.
pub(super) struct Fault {
    pub(super) span: Span,
    pub(super) message: String,
    pub(super) label: Option<String>,
    pub(super) suggestion: Option<String>,
}

impl Fault {
    pub(super) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), label: None, suggestion: None }
    }

    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    pub(super) fn suggest(mut self, word: Option<&str>) -> Self {
        self.suggestion = word.map(str::to_owned);
        self
    }

    fn into_diagnostic(self, source: &SourceText<'_>) -> Diagnostic {
        let diagnostic = source.diagnose(self.span, self.message).suggest(self.suggestion);
        match self.label {
            Some(label) => diagnostic.label(label),
            None => diagnostic,
        }
    }
}

/// One line on its way to an instruction: its keyword has been read.
pub(super) struct Input<'a> {
    pub(super) line: &'a Line,
    pub(super) keyword: String,
    /// Where the keyword is.
    pub(super) at: Range<usize>,
    /// Where the arguments start.
    pub(super) from: usize,
    pub(super) escape: char,
}

impl Input<'_> {
    pub(super) fn fault(&self, at: &Range<usize>, message: impl Into<String>) -> Fault {
        Fault::new(self.line.span(at), message)
    }

    /// A fault of the instruction as a whole, shown at its keyword.
    pub(super) fn fault_here(&self, message: impl Into<String>) -> Fault {
        self.fault(&self.at, message)
    }

    /// The arguments as they stand.
    pub(super) fn rest(&self) -> &str {
        self.line.text[self.from..].trim()
    }
}

pub(super) fn parse(path: &str, text: &str) -> Result<Dockerfile, Vec<Diagnostic>> {
    let source = SourceText::new(path, text);
    if text.len() > DOCKERFILE_MAX {
        let message = format!("a Dockerfile has at most {DOCKERFILE_MAX} bytes");
        return Err(vec![source.diagnose(Span::START, message)]);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parser = Parser::default();
    let escape = line::escape_of(text).unwrap_or_else(|number| {
        let span = Span::rest_of_line(number, 1);
        parser.faults.push(Fault::new(span, "the escape character is `\\` or a backtick"));
        ESCAPE
    });
    let lines = line::join(text, escape);
    for line in lines.iter().take(INSTRUCTIONS_MAX) {
        parser.line(line, escape);
    }
    if let Some(line) = lines.get(INSTRUCTIONS_MAX) {
        let message = format!("a Dockerfile has at most {INSTRUCTIONS_MAX} instructions");
        parser.faults.push(Fault::new(line.whole(), message));
    }
    if parser.stages.is_empty() && parser.faults.is_empty() {
        let message = "the Dockerfile has no `FROM`";
        parser.faults.push(Fault::new(Span::START, message).label("start with `FROM image`"));
    }
    if parser.faults.is_empty() {
        let Parser { globals, stages, .. } = parser;
        return Ok(Dockerfile {
            path: path.to_owned(),
            source: text.to_owned(),
            escape,
            globals,
            stages,
        });
    }
    let faults = parser.faults.into_iter().take(ERRORS_MAX);
    Err(faults.map(|fault| fault.into_diagnostic(&source)).collect())
}

/// Reads an instruction that a base left for images built on it.
pub(crate) fn parse_trigger(text: &str) -> Result<Instruction, String> {
    let lines = line::join(text, ESCAPE);
    let [line] = lines.as_slice() else {
        return Err("it is not one instruction".to_owned());
    };
    let input = keyword(line, ESCAPE).map_err(|fault| fault.message)?;
    arguments::instruction(&input).map_err(|fault| fault.message)
}

#[derive(Default)]
struct Parser {
    globals: Vec<(Span, super::ArgDeclaration)>,
    stages: Vec<Stage>,
    faults: Vec<Fault>,
}

impl Parser {
    fn line(&mut self, line: &Line, escape: char) {
        if let Err(fault) = self.try_line(line, escape) {
            self.faults.push(fault);
        }
    }

    fn try_line(&mut self, line: &Line, escape: char) -> Result<(), Fault> {
        let input = keyword(line, escape)?;
        if input.keyword == "FROM" {
            // A broken FROM still starts a stage, or all that follows would be reported too.
            let from = arguments::from(&input);
            let (from, fault) = match from {
                Ok(from) => (from, None),
                Err(fault) => (From::unreadable(line), Some(fault)),
            };
            let repeated = self.check_name(&from);
            self.stages.push(Stage { from, instructions: Vec::new() });
            return fault.or(repeated).map_or(Ok(()), Err);
        }
        let instruction = arguments::instruction(&input)?;
        let span = line.whole();
        match (self.stages.last_mut(), instruction) {
            (Some(stage), instruction) => {
                let text = line.text.trim().to_owned();
                stage.instructions.push(Located { span, text, instruction });
                Ok(())
            }
            (None, Instruction::Arg(declarations)) => {
                self.globals.extend(declarations.into_iter().map(|arg| (span, arg)));
                Ok(())
            }
            (None, other) => {
                let message = format!("`{}` stands before the first `FROM`", other.keyword());
                Err(input.fault_here(message).label("only `ARG` may"))
            }
        }
    }

    fn check_name(&self, from: &From) -> Option<Fault> {
        let name = from.name.as_ref()?;
        let earlier = self.stages.iter().find(|stage| stage.from.name.as_ref() == Some(name))?;
        let line = earlier.from.span.line;
        Some(Fault::new(from.span, format!("stage `{name}` is on line {line} already")))
    }
}

fn keyword(line: &Line, escape: char) -> Result<Input<'_>, Fault> {
    let words = split_plain(&line.text, 0);
    let Some(word) = words.first() else {
        return Err(Fault::new(line.whole(), "the line holds no instruction"));
    };
    let keyword = word.text.to_ascii_uppercase();
    let input = Input { line, keyword, at: word.at.clone(), from: word.at.end, escape };
    if KEYWORDS.contains(&input.keyword.as_str()) {
        return Ok(input);
    }
    let shown: String = word.text.chars().take(40).collect();
    let fault = input.fault(&word.at, format!("unknown instruction `{shown}`"));
    Err(fault.suggest(closest(&input.keyword, KEYWORDS)))
}

#[cfg(test)]
mod tests;

//! The arguments of each instruction.

use super::{
    copy,
    flags::Flags,
    healthcheck,
    instruction::{ArgDeclaration, CommandForm, CopyKind, From, Instruction, Pair, Text},
    line::Line,
    parser::{Fault, Input},
    word::{Word, split_plain, split_quoted},
};
use fairway_model::Span;

pub(super) fn instruction(input: &Input<'_>) -> Result<Instruction, Fault> {
    if input.rest().is_empty() {
        return Err(input.fault_here(format!("`{}` needs an argument", input.keyword)));
    }
    match input.keyword.as_str() {
        "ARG" => arg(input).map(Instruction::Arg),
        "ENV" => pairs(input).map(Instruction::Env),
        "LABEL" => pairs(input).map(Instruction::Label),
        "RUN" => run(input),
        "CMD" => Ok(Instruction::Cmd(command(input.rest()))),
        "ENTRYPOINT" => Ok(Instruction::Entrypoint(command(input.rest()))),
        "COPY" => copy::copy(input, CopyKind::Copy).map(Instruction::Copy),
        "ADD" => copy::copy(input, CopyKind::Add).map(Instruction::Copy),
        "WORKDIR" => Ok(Instruction::Workdir(whole(input))),
        "USER" => one_word(input).map(Instruction::User),
        "EXPOSE" => Ok(Instruction::Expose(texts(input, split_quoted))),
        "VOLUME" => Ok(Instruction::Volume(volumes(input))),
        "STOPSIGNAL" => one_word(input).map(Instruction::StopSignal),
        "HEALTHCHECK" => healthcheck::check(input).map(Instruction::Healthcheck),
        "SHELL" => shell(input),
        "ONBUILD" => on_build(input),
        "MAINTAINER" => Ok(Instruction::Maintainer(input.rest().to_owned())),
        other => Err(input.fault_here(format!("`{other}` cannot stand here"))),
    }
}

impl From {
    /// Stands for a FROM that could not be read.
    pub(super) fn unreadable(line: &Line) -> Self {
        let span = line.whole();
        Self { span, image: Text { raw: String::new(), span }, platform: None, name: None }
    }
}

pub(super) fn from(input: &Input<'_>) -> Result<From, Fault> {
    let (flags, at) = Flags::read(input, &["platform"])?;
    let words = split_plain(&input.line.text, at);
    let (image, name) = match words.as_slice() {
        [image] => (image, None),
        [image, by, name] if by.text.eq_ignore_ascii_case("as") => (image, Some(name)),
        [_, extra, ..] => {
            let fault = input.fault(&extra.at, "`FROM` takes one image and a name");
            return Err(fault.label("write `FROM image AS name`"));
        }
        [] => return Err(input.fault_here("`FROM` needs an image")),
    };
    Ok(From {
        span: input.line.whole(),
        image: text(input, image),
        platform: flags.get("platform"),
        name: name.map(|name| stage_name(input, name)).transpose()?,
    })
}

fn stage_name(input: &Input<'_>, word: &Word) -> Result<String, Fault> {
    let name = word.text.to_lowercase();
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    if name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(good) {
        return Ok(name);
    }
    let fault = input.fault(&word.at, "this is not a name for a stage");
    Err(fault.label("use letters, digits, `-`, `_` and `.`, starting with a letter"))
}

fn arg(input: &Input<'_>) -> Result<Vec<ArgDeclaration>, Fault> {
    let words = split_quoted(&input.line.text, input.from, input.escape);
    let declare = |word: &Word| {
        let (name, default) = match word.text.split_once('=') {
            Some((name, _)) => (name, Some(value(input, word, name.len() + 1))),
            None => (word.text.as_str(), None),
        };
        if !is_variable(name) {
            return Err(input.fault(&word.at, "this is not a name for a variable"));
        }
        Ok(ArgDeclaration { name: name.to_owned(), default })
    };
    words.iter().map(declare).collect()
}

/// `NAME=value ..`, or the old `NAME value with spaces`.
fn pairs(input: &Input<'_>) -> Result<Vec<Pair>, Fault> {
    let words = split_quoted(&input.line.text, input.from, input.escape);
    let first = words.first().expect("the caller saw an argument");
    if !first.text.contains('=') {
        let rest = first.at.end..input.line.text.trim_end().len().max(first.at.end);
        let raw = input.line.text[rest.clone()].trim();
        if raw.is_empty() {
            let fault = input.fault(&first.at, format!("`{}` needs a value", input.keyword));
            return Err(fault.label(format!("write `{}=value`", first.text)));
        }
        let value = Text { raw: raw.to_owned(), span: input.line.span(&rest) };
        return Ok(vec![Pair { name: text(input, first), value }]);
    }
    let pair = |word: &Word| match word.text.split_once('=') {
        None => Err(input.fault(&word.at, "`=` is missing").label("write `NAME=value`, quoted")),
        Some(("", _)) => Err(input.fault(&word.at, "the name before `=` is missing")),
        Some((name, _)) => {
            let at = word.at.start..word.at.start + name.len();
            let name_text = Text { raw: name.to_owned(), span: input.line.span(&at) };
            Ok(Pair { name: name_text, value: value(input, word, name.len() + 1) })
        }
    };
    words.iter().map(pair).collect()
}

fn run(input: &Input<'_>) -> Result<Instruction, Fault> {
    let (flags, at) = Flags::read(input, &["mount", "network", "security"])?;
    if let Some(flag) = flags.first_but(|name, value| name == "network" && value == "default") {
        let message = format!("`RUN --{}` is not supported yet", flag.name);
        return Err(Fault::new(flag.span, message));
    }
    refuse_heredoc(input, at)?;
    let rest = input.line.text[at..].trim();
    if rest.is_empty() {
        return Err(input.fault_here("`RUN` needs a command"));
    }
    match command(rest) {
        CommandForm::Exec(words) if words.is_empty() => {
            Err(input.fault_here("`RUN` needs a command"))
        }
        form => Ok(Instruction::Run(form)),
    }
}

/// `<<NAME` would go on in the lines that follow.
pub(super) fn refuse_heredoc(input: &Input<'_>, from: usize) -> Result<(), Fault> {
    let words = split_quoted(&input.line.text, from, input.escape);
    let heredoc = words.iter().find(|word| is_heredoc(&word.text));
    match heredoc {
        Some(word) => {
            let fault = input.fault(&word.at, "heredocs are not supported yet");
            Err(fault.label("join the lines with `&& \\`"))
        }
        None => Ok(()),
    }
}

fn is_heredoc(word: &str) -> bool {
    let word = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let Some(name) = word.strip_prefix("<<") else { return false };
    let name = name.strip_prefix('-').unwrap_or(name).trim_start_matches(['"', '\'']);
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// A JSON list of texts is the exec form; all else is for the shell.
pub(super) fn command(rest: &str) -> CommandForm {
    match serde_json::from_str(rest) {
        Ok(words) => CommandForm::Exec(words),
        Err(_) => CommandForm::Shell(rest.to_owned()),
    }
}

fn volumes(input: &Input<'_>) -> Vec<Text> {
    match serde_json::from_str::<Vec<String>>(input.rest()) {
        Ok(paths) => {
            let span = whole(input).span;
            paths.into_iter().map(|raw| Text { raw, span }).collect()
        }
        Err(_) => texts(input, |line, from, _| split_plain(line, from)),
    }
}

fn shell(input: &Input<'_>) -> Result<Instruction, Fault> {
    match serde_json::from_str::<Vec<String>>(input.rest()) {
        Ok(words) if !words.is_empty() => Ok(Instruction::Shell(words)),
        _ => {
            let fault = Fault::new(whole(input).span, "`SHELL` takes a JSON list");
            Err(fault.label("write `[\"/bin/sh\", \"-c\"]`"))
        }
    }
}

fn on_build(input: &Input<'_>) -> Result<Instruction, Fault> {
    let words = split_plain(&input.line.text, input.from);
    let first = words.first().expect("the caller saw an argument");
    let keyword = first.text.to_ascii_uppercase();
    if matches!(keyword.as_str(), "ONBUILD" | "FROM" | "MAINTAINER") {
        return Err(input.fault(&first.at, format!("`ONBUILD {keyword}` is not allowed")));
    }
    let inner = Input {
        line: input.line,
        keyword,
        at: first.at.clone(),
        from: first.at.end,
        escape: input.escape,
    };
    instruction(&inner)?;
    Ok(Instruction::OnBuild(input.rest().to_owned()))
}

fn one_word(input: &Input<'_>) -> Result<Text, Fault> {
    match split_quoted(&input.line.text, input.from, input.escape).as_slice() {
        [word] => Ok(text(input, word)),
        [_, extra, ..] => {
            Err(input.fault(&extra.at, format!("`{}` takes one argument", input.keyword)))
        }
        [] => Err(input.fault_here(format!("`{}` needs an argument", input.keyword))),
    }
}

fn texts(input: &Input<'_>, split: impl Fn(&str, usize, char) -> Vec<Word>) -> Vec<Text> {
    let words = split(&input.line.text, input.from, input.escape);
    words.iter().map(|word| text(input, word)).collect()
}

pub(super) fn text(input: &Input<'_>, word: &Word) -> Text {
    Text { raw: word.text.clone(), span: input.line.span(&word.at) }
}

/// The part of a word after its first bytes.
fn value(input: &Input<'_>, word: &Word, skip: usize) -> Text {
    let at = word.at.start + skip..word.at.end;
    Text { raw: word.text[skip..].to_owned(), span: input.line.span(&at) }
}

/// All arguments as one text.
fn whole(input: &Input<'_>) -> Text {
    let line = &input.line.text;
    let start = line.len() - line[input.from..].trim_start().len();
    let span: Span = input.line.span(&(start..line.trim_end().len()));
    Text { raw: input.rest().to_owned(), span }
}

/// Whether a text may name a variable.
fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

//! The arguments of COPY and ADD.

use super::{
    arguments::{refuse_heredoc, text},
    flags::Flags,
    instruction::{Copy, CopyKind, Text},
    parser::{Fault, Input},
    word::split_plain,
};

/// Flags of Docker that this build does not have.
const LATER: [&str; 5] = ["parents", "exclude", "keep-git-dir", "checksum", "unpack"];

pub(super) fn copy(input: &Input<'_>, kind: CopyKind) -> Result<Copy, Fault> {
    let known: &[&str] = match kind {
        CopyKind::Copy => &["from", "chown", "chmod", "link", "parents", "exclude"],
        CopyKind::Add => {
            &["chown", "chmod", "link", "keep-git-dir", "checksum", "unpack", "exclude"]
        }
    };
    let (flags, at) = Flags::read(input, known)?;
    if let Some(flag) = flags.first_but(|name, _| !LATER.contains(&name)) {
        let message = format!("`{} --{}` is not supported yet", input.keyword, flag.name);
        return Err(Fault::new(flag.span, message));
    }
    refuse_heredoc(input, at)?;
    let mut sources = paths(input, at);
    let destination = sources.pop().filter(|_| !sources.is_empty());
    let destination = destination.ok_or_else(|| {
        let fault =
            input.fault_here(format!("`{}` needs a source and a destination", input.keyword));
        fault.label(format!("write `{} source destination`", input.keyword))
    })?;
    let from = flags.get("from");
    if from.as_ref().is_some_and(|from| from.raw.is_empty()) {
        return Err(input.fault_here("`--from` needs a stage or an image"));
    }
    let copy = Copy {
        kind,
        from,
        owner: flags.get("chown"),
        mode: flags.get("chmod"),
        sources,
        destination,
    };
    refuse_urls(&copy)?;
    Ok(copy)
}

fn paths(input: &Input<'_>, at: usize) -> Vec<Text> {
    let rest = input.line.text[at..].trim();
    match serde_json::from_str::<Vec<String>>(rest) {
        Ok(paths) => {
            let span = input.line.span(&(at..input.line.text.trim_end().len()));
            paths.into_iter().map(|raw| Text { raw, span }).collect()
        }
        Err(_) => split_plain(&input.line.text, at).iter().map(|word| text(input, word)).collect(),
    }
}

/// A build depends on its context only.
fn refuse_urls(copy: &Copy) -> Result<(), Fault> {
    let is_url = |text: &&Text| {
        ["http://", "https://", "git@", "git://"].iter().any(|start| text.raw.starts_with(start))
    };
    match copy.sources.iter().find(is_url) {
        Some(url) if copy.kind == CopyKind::Add => {
            let fault = Fault::new(url.span, "`ADD` of a URL is not supported");
            Err(fault.label("put the file into the context, or fetch it in `RUN`"))
        }
        _ => Ok(()),
    }
}

//! Paths as text: nothing here looks at a file system.

use super::text::{read_text, refuse, short};
use super::{Definitions, Form, Schema};
use crate::config::reporter::Reporter;
use crate::config::yaml::Node;

/// A path or glob below a folder: relative, and without `..`.
pub(crate) struct InnerPath;

/// A path that may leave the folder with `..`, to stay within the fleet.
pub(crate) struct InputPath;

/// A path in a container, other than `/`.
pub(crate) struct AbsolutePath;

/// A folder in a container: absolute, below the home (`~/`), or below the source.
pub(crate) struct CachePath;

/// A folder below another one; `*` stands for one component.
pub(crate) struct FolderPattern;

type Check = fn(&str) -> Result<String, &'static str>;

fn read(node: &Node, log: &mut Reporter, check: Check) -> Option<String> {
    let text = read_text(node, log)?;
    let is_odd = text.is_empty() || text.contains(|c: char| c.is_control() || c == '\\');
    let checked = if is_odd { Err("it is empty or has odd characters") } else { check(text) };
    match checked {
        Ok(path) => Some(path),
        Err(why) => {
            refuse(node, log, &format!("`{}` cannot be used as a path; {why}", short(text)));
            None
        }
    }
}

fn inner(text: &str) -> Result<String, &'static str> {
    if text.starts_with('/') {
        return Err("write it relative, without a leading `/`");
    }
    if text.split('/').any(|part| part == "..") {
        return Err("it cannot leave its folder with `..`");
    }
    Ok(normal(text))
}

fn input(text: &str) -> Result<String, &'static str> {
    if text.starts_with('/') {
        return Err("write it relative to the service, such as `../../proto`");
    }
    Ok(normal(text))
}

fn absolute(text: &str) -> Result<String, &'static str> {
    let Some(relative) = text.strip_prefix('/') else {
        return Err("write it absolute, with a leading `/`");
    };
    match inner(relative)?.as_str() {
        "." => Err("it cannot be `/`"),
        path => Ok(format!("/{path}")),
    }
}

fn cache(text: &str) -> Result<String, &'static str> {
    match text.strip_prefix("~/") {
        Some(below_home) => inner(below_home).map(|path| format!("~/{path}")),
        None if text.starts_with('~') => Err("only `~/` stands for a home"),
        None if text.starts_with('/') => absolute(text),
        None => inner(text),
    }
}

fn pattern(text: &str) -> Result<String, &'static str> {
    let path = inner(text)?;
    if path.split('/').any(|part| part != "*" && part.contains('*')) {
        return Err("`*` stands for a whole path component, as in `services/*`");
    }
    Ok(path)
}

/// The shortest way to write the same path: without `.`, empty components and `a/..`.
fn normal(text: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

macro_rules! path_forms {
    ($($form:ty => $check:expr, $pattern:literal;)+) => {$(
        impl Form for $form {
            type Value = String;

            fn schema(_: &mut Definitions) -> Schema {
                Schema::text($pattern)
            }

            fn read(node: &Node, log: &mut Reporter) -> Option<String> {
                read(node, log, $check)
            }
        }
    )+};
}

path_forms! {
    InnerPath => inner, "^[^/]";
    InputPath => input, "^[^/]";
    AbsolutePath => absolute, "^/.";
    CachePath => cache, "^.";
    FolderPattern => pattern, "^[^/]";
}

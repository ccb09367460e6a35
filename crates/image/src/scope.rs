//! Variables: which names an instruction sees and what they stand for (Dockerfile reference, "ARG",
//! "ENV").

use crate::dockerfile::{ArgDeclaration, ExpandError, Text, expand};
use std::collections::BTreeMap;

/// Build arguments that every RUN sees without a declaration. They are no part of a cache key.
const PREDEFINED: [&str; 10] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "FTP_PROXY",
    "ftp_proxy",
    "NO_PROXY",
    "no_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// The `PATH` of an image that sets none.
pub(crate) const DEFAULT_PATH: &str =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The arguments that hold for the whole Dockerfile.
#[derive(Debug, Clone, Default)]
pub(crate) struct Globals {
    /// What the caller gave.
    given: BTreeMap<String, String>,
    /// Declared before the first FROM, and those that tell the platform.
    declared: BTreeMap<String, String>,
}

impl Globals {
    /// Starts with what the caller gave and the platform's words (`amd64`).
    pub(crate) fn new(given: BTreeMap<String, String>, architecture: &str) -> Self {
        let mut declared = BTreeMap::new();
        for side in ["TARGET", "BUILD"] {
            declared.insert(format!("{side}PLATFORM"), format!("linux/{architecture}"));
            declared.insert(format!("{side}OS"), "linux".to_owned());
            declared.insert(format!("{side}ARCH"), architecture.to_owned());
            declared.insert(format!("{side}VARIANT"), String::new());
        }
        Self { given, declared }
    }

    /// An ARG before the first FROM.
    pub(crate) fn declare(
        &mut self,
        arg: &ArgDeclaration,
        escape: char,
    ) -> Result<(), (Text, ExpandError)> {
        let value = match (self.given.get(&arg.name), &arg.default) {
            (Some(given), _) => Some(given.clone()),
            (None, Some(default)) => Some(self.expand(default, escape)?),
            (None, None) => None,
        };
        if let Some(value) = value {
            self.declared.insert(arg.name.clone(), value);
        }
        Ok(())
    }

    /// Fills in a text of a FROM.
    pub(crate) fn expand(&self, text: &Text, escape: char) -> Result<String, (Text, ExpandError)> {
        let lookup = |name: &str| self.declared.get(name).cloned();
        expand(&text.raw, escape, &lookup).map_err(|error| (text.clone(), error))
    }
}

/// What one stage sees.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    escape: char,
    globals: Globals,
    /// Declared in this stage, with a value.
    args: BTreeMap<String, String>,
}

impl Scope {
    pub(crate) fn new(globals: Globals, escape: char) -> Self {
        Self { escape, globals, args: BTreeMap::new() }
    }

    /// An ARG in a stage: its value is what the caller gave, else its default, else that of the
    /// global of this name.
    pub(crate) fn declare(
        &mut self,
        arg: &ArgDeclaration,
        env: &[String],
    ) -> Result<(), (Text, ExpandError)> {
        let global = |name: &str| self.globals.declared.get(name).cloned();
        let value = match (self.globals.given.get(&arg.name), &arg.default) {
            (Some(given), _) => Some(given.clone()),
            (None, Some(default)) => Some(self.expand(default, env)?),
            (None, None) => global(&arg.name),
        };
        if let Some(value) = value {
            self.args.insert(arg.name.clone(), value);
        }
        Ok(())
    }

    /// Fills in a text. A variable of the image hides an argument of the same name.
    pub(crate) fn expand(
        &self,
        text: &Text,
        env: &[String],
    ) -> Result<String, (Text, ExpandError)> {
        let lookup =
            |name: &str| get(env, name).map(str::to_owned).or_else(|| self.args.get(name).cloned());
        expand(&text.raw, self.escape, &lookup).map_err(|error| (text.clone(), error))
    }

    /// The variables of a RUN that belong to its cache key.
    pub(crate) fn variables(&self, env: &[String]) -> BTreeMap<String, String> {
        let mut variables = self.args.clone();
        variables.insert("PATH".to_owned(), DEFAULT_PATH.to_owned());
        let pairs = env.iter().filter_map(|pair| pair.split_once('='));
        variables.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        variables
    }

    /// The variables of a RUN that do not: how this machine reaches others.
    pub(crate) fn proxies(&self) -> BTreeMap<String, String> {
        let given = |name: &&str| {
            self.globals.given.get(*name).map(|value| ((*name).to_owned(), value.clone()))
        };
        PREDEFINED.iter().filter_map(given).collect()
    }
}

/// The value of a variable in a list of `NAME=value`.
pub(crate) fn get<'a>(env: &'a [String], name: &str) -> Option<&'a str> {
    let value = |pair: &'a String| pair.strip_prefix(name)?.strip_prefix('=');
    env.iter().find_map(value)
}

/// Sets a variable in a list of `NAME=value`, in its old place if it has one.
pub(crate) fn set(env: &mut Vec<String>, name: &str, value: &str) {
    let pair = format!("{name}={value}");
    let is_it = |pair: &&mut String| pair.split_once('=').is_some_and(|(known, _)| known == name);
    match env.iter_mut().find(is_it) {
        Some(known) => *known = pair,
        None => env.push(pair),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fairway_model::Span;

    fn text(raw: &str) -> Text {
        Text { raw: raw.to_owned(), span: Span::START }
    }

    fn arg(name: &str, default: Option<&str>) -> ArgDeclaration {
        ArgDeclaration { name: name.to_owned(), default: default.map(text) }
    }

    #[test]
    fn a_global_argument_is_seen_in_a_stage_that_declares_it() {
        let given = BTreeMap::from([("GIVEN".to_owned(), "g".to_owned())]);
        let mut globals = Globals::new(given, "amd64");
        globals.declare(&arg("VERSION", Some("1")), '\\').unwrap();
        globals.declare(&arg("FULL", Some("$VERSION.2")), '\\').unwrap();
        assert_eq!(globals.expand(&text("node:$FULL"), '\\').unwrap(), "node:1.2");
        let mut scope = Scope::new(globals, '\\');
        let seen = |scope: &Scope, raw| scope.expand(&text(raw), &["E=e".to_owned()]).unwrap();
        assert_eq!(seen(&scope, "$VERSION$GIVEN$E"), "e");
        for (name, default) in
            [("VERSION", None), ("GIVEN", Some("default")), ("E", Some("x")), ("TARGETARCH", None)]
        {
            scope.declare(&arg(name, default), &[]).unwrap();
        }
        assert_eq!(seen(&scope, "$VERSION$GIVEN$E$TARGETARCH"), "1geamd64");
    }

    #[test]
    fn a_variable_keeps_its_place_when_it_is_set_again() {
        let mut env = vec!["A=1".to_owned(), "AB=2".to_owned()];
        set(&mut env, "A", "3");
        set(&mut env, "C", "=");
        assert_eq!(env, ["A=3", "AB=2", "C=="]);
        assert_eq!(get(&env, "C"), Some("="));
    }
}

//! Instructions that change how an image runs, and none of its files. Pure.

use crate::{
    dockerfile::{
        ArgDeclaration, Check, CommandForm, ExpandError, Instruction, Pair, Text, split_words,
    },
    scope::{self, Scope},
};
use fairway_layers::{Execution, Healthcheck};
use fairway_model::Span;
use std::collections::BTreeSet;

/// Most ports of one EXPOSE: as many as there are.
const PORTS_MAX: usize = 65_535;
/// The shell of an image that sets none.
const SHELL: [&str; 2] = ["/bin/sh", "-c"];

/// What is wrong, and where.
pub(crate) type Wrong = (Span, String);

/// How the image of a stage runs so far.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) execution: Execution,
    pub(crate) scope: Scope,
    /// An ENTRYPOINT of this stage takes a CMD of its base away, but not one of its own.
    has_own_cmd: bool,
}

impl Settings {
    pub(crate) fn new(execution: Execution, scope: Scope) -> Self {
        Self { execution, scope, has_own_cmd: false }
    }

    /// Performs an instruction that changes no file; others do nothing here.
    pub(crate) fn apply(&mut self, instruction: &Instruction) -> Result<(), Wrong> {
        match instruction {
            Instruction::Arg(declarations) => self.declare(declarations),
            Instruction::Env(pairs) => self.env(pairs),
            Instruction::Label(pairs) => self.label(pairs),
            Instruction::Cmd(form) => {
                self.execution.cmd = Some(self.in_form(form));
                self.has_own_cmd = true;
                Ok(())
            }
            Instruction::Entrypoint(form) => {
                self.execution.entrypoint = Some(self.in_form(form));
                if !self.has_own_cmd {
                    self.execution.cmd = None;
                }
                Ok(())
            }
            Instruction::User(user) => self.user(user),
            Instruction::Expose(ports) => self.expose(ports),
            Instruction::Volume(paths) => self.volumes(paths),
            Instruction::StopSignal(signal) => self.stop_signal(signal),
            Instruction::Healthcheck(check) => {
                self.execution.healthcheck = Some(self.healthcheck(check));
                Ok(())
            }
            Instruction::Shell(words) => {
                self.execution.shell = Some(words.clone());
                Ok(())
            }
            Instruction::OnBuild(text) => {
                self.execution.on_build.push(text.clone());
                Ok(())
            }
            Instruction::Maintainer(who) => {
                self.execution.labels.insert("maintainer".to_owned(), who.clone());
                Ok(())
            }
            Instruction::Run(_) | Instruction::Copy(_) | Instruction::Workdir(_) => Ok(()),
        }
    }

    /// Fills in a text.
    pub(crate) fn expand(&self, text: &Text) -> Result<String, Wrong> {
        self.scope.expand(text, &self.execution.env).map_err(wrong)
    }

    /// A command as a program and its arguments.
    pub(crate) fn in_form(&self, form: &CommandForm) -> Vec<String> {
        match form {
            CommandForm::Exec(words) => words.clone(),
            CommandForm::Shell(text) => {
                let mut words = match &self.execution.shell {
                    Some(shell) => shell.clone(),
                    None => SHELL.map(str::to_owned).to_vec(),
                };
                words.push(text.clone());
                words
            }
        }
    }

    fn declare(&mut self, declarations: &[ArgDeclaration]) -> Result<(), Wrong> {
        for arg in declarations {
            self.scope.declare(arg, &self.execution.env).map_err(wrong)?;
        }
        Ok(())
    }

    /// All values of one ENV see the variables from before it.
    fn env(&mut self, pairs: &[Pair]) -> Result<(), Wrong> {
        for (name, value) in self.expand_pairs(pairs)? {
            scope::set(&mut self.execution.env, &name, &value);
        }
        Ok(())
    }

    fn label(&mut self, pairs: &[Pair]) -> Result<(), Wrong> {
        let pairs = self.expand_pairs(pairs)?;
        self.execution.labels.extend(pairs);
        Ok(())
    }

    fn expand_pairs(&self, pairs: &[Pair]) -> Result<Vec<(String, String)>, Wrong> {
        let expand = |pair: &Pair| {
            let name = self.expand(&pair.name)?;
            if name.is_empty() || name.contains(['=', '\0']) {
                return Err((pair.name.span, "this is not a name".to_owned()));
            }
            Ok((name, self.expand(&pair.value)?))
        };
        pairs.iter().map(expand).collect()
    }

    fn user(&mut self, user: &Text) -> Result<(), Wrong> {
        let name = self.expand(user)?;
        if name.is_empty() {
            return Err((user.span, format!("`{}` is empty", user.raw)));
        }
        self.execution.user = name;
        Ok(())
    }

    fn expose(&mut self, ports: &[Text]) -> Result<(), Wrong> {
        for text in ports {
            for port in split_words(&self.expand(text)?) {
                let all = parse_ports(&port).ok_or_else(|| {
                    let message =
                        format!("`{port}` is not a port; write it like `8080` or `53/udp`");
                    (text.span, message)
                })?;
                self.execution.exposed_ports.extend(all);
            }
        }
        Ok(())
    }

    fn volumes(&mut self, paths: &[Text]) -> Result<(), Wrong> {
        for text in paths {
            let path = self.expand(text)?;
            if path.trim().is_empty() {
                return Err((text.span, "the path of a volume is empty".to_owned()));
            }
            self.execution.volumes.insert(path);
        }
        Ok(())
    }

    fn stop_signal(&mut self, text: &Text) -> Result<(), Wrong> {
        let signal = self.expand(text)?;
        let is_number = signal.parse().is_ok_and(|number: u8| (1..=64).contains(&number));
        let name = signal.strip_prefix("SIG").unwrap_or(&signal);
        let is_name = name.starts_with(|c: char| c.is_ascii_uppercase())
            && name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || "+-".contains(c));
        if !is_number && !is_name {
            return Err((
                text.span,
                format!("`{signal}` is not a signal; write it like `SIGTERM`"),
            ));
        }
        self.execution.stop_signal = Some(signal);
        Ok(())
    }

    fn healthcheck(&self, check: &Check) -> Healthcheck {
        let mut test = Vec::new();
        match check {
            Check::None => {
                test.push("NONE".to_owned());
                Healthcheck { test, ..Healthcheck::default() }
            }
            Check::Command(CommandForm::Exec(words), options) => {
                test.push("CMD".to_owned());
                test.extend(words.iter().cloned());
                Healthcheck { test, ..options.clone() }
            }
            Check::Command(CommandForm::Shell(command), options) => {
                match &self.execution.shell {
                    None => test.push("CMD-SHELL".to_owned()),
                    Some(shell) => {
                        test.push("CMD".to_owned());
                        test.extend(shell.iter().cloned());
                    }
                }
                test.push(command.clone());
                Healthcheck { test, ..options.clone() }
            }
        }
    }
}

fn wrong((text, error): (Text, ExpandError)) -> Wrong {
    (text.span, error.to_string())
}

/// `80`, `80/udp` or `8000-8010/tcp`.
fn parse_ports(text: &str) -> Option<BTreeSet<String>> {
    let (range, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = protocol.to_lowercase();
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return None;
    }
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let (first, last): (u16, u16) = (first.parse().ok()?, last.parse().ok()?);
    if first == 0 || first > last {
        return None;
    }
    Some((first..=last).take(PORTS_MAX).map(|port| format!("{port}/{protocol}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dockerfile::Dockerfile, scope::Globals};
    use std::collections::BTreeMap;

    fn apply(text: &str) -> Result<Execution, Wrong> {
        let file = Dockerfile::parse("Dockerfile", &format!("FROM a\n{text}")).expect("a file");
        let base = Execution { cmd: Some(vec!["base".to_owned()]), ..Execution::default() };
        let globals = Globals::new(BTreeMap::new(), "amd64");
        let mut settings = Settings::new(base, Scope::new(globals, '\\'));
        for one in &file.stages[0].instructions {
            settings.apply(&one.instruction)?;
        }
        Ok(settings.execution)
    }

    #[test]
    fn an_entrypoint_takes_the_commands_of_its_base_away() {
        assert_eq!(apply("ENTRYPOINT [\"x\"]").unwrap().cmd, None);
        let own = apply("CMD [\"y\"]\nENTRYPOINT [\"x\"]").unwrap();
        assert_eq!(own.cmd, Some(vec!["y".to_owned()]));
        assert_eq!(apply("USER a").unwrap().cmd, Some(vec!["base".to_owned()]));
    }

    #[test]
    fn settings_have_their_variables_filled_in() {
        let set = apply(
            "ARG P=80\nENV A=1 B=\"$A x\"\nENV B=$A\nLABEL \"a b\"=$P\nEXPOSE $P 90-91/udp\n\
             VOLUME [\"/a\", \"/b\"]\nUSER u$A\nSTOPSIGNAL SIGINT\nMAINTAINER me",
        )
        .unwrap();
        assert_eq!(set.env, ["A=1", "B=1"]);
        assert_eq!(set.labels["a b"], "80");
        let ports: Vec<_> = set.exposed_ports.into_iter().collect();
        assert_eq!(ports, ["80/tcp", "90/udp", "91/udp"]);
        assert_eq!((set.volumes.len(), set.user.as_str()), (2, "u1"));
        assert_eq!(set.labels["maintainer"], "me");
    }

    #[test]
    fn the_shell_form_uses_the_shell_that_was_set() {
        let set = apply("CMD x $A").unwrap();
        assert_eq!(set.cmd.unwrap(), ["/bin/sh", "-c", "x $A"]);
        let set = apply("SHELL [\"bash\", \"-ec\"]\nENTRYPOINT x\nHEALTHCHECK CMD y").unwrap();
        assert_eq!(set.entrypoint.unwrap(), ["bash", "-ec", "x"]);
        assert_eq!(set.healthcheck.unwrap().test, ["CMD", "bash", "-ec", "y"]);
        let set = apply("HEALTHCHECK --interval=5s CMD y").unwrap().healthcheck.unwrap();
        assert_eq!((set.test, set.interval), (vec!["CMD-SHELL".into(), "y".into()], 5_000_000_000));
        assert_eq!(apply("HEALTHCHECK NONE").unwrap().healthcheck.unwrap().test, ["NONE"]);
    }

    #[test]
    fn wrong_values_are_refused_where_they_stand() {
        for (text, line, column) in [
            ("EXPOSE 80 http", 2, 11),
            ("EXPOSE 0", 2, 8),
            ("STOPSIGNAL now", 2, 12),
            ("USER $NONE", 2, 6),
            ("ENV A=${x", 2, 7),
            ("VOLUME $NONE", 2, 8),
        ] {
            let (span, _) = apply(text).unwrap_err();
            assert_eq!((span.line, span.column), (line, column), "{text}");
        }
    }
}

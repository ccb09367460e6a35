//! What a container runs, from what its image says and what the asker says instead.

use crate::plan::{Process, StopSignal};
use fairway_engine::{Command, ContainerSpec};
use fairway_layers::Execution;
use fairway_model::config::{Probe, Readiness};
use nix::sys::signal::Signal;
use std::{collections::BTreeMap, time::Duration};

/// Where programs are looked for in an image that says nothing (Docker's default).
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Longest name of a host in bytes (Linux's `HOST_NAME_MAX`, less one).
const HOSTNAME_MAX: usize = 63;

/// Why an image or a specification cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlanError {
    /// There is no program.
    #[error("neither the image nor the caller says what to run")]
    Nothing,
    /// A path of the container is not absolute.
    #[error("`{0}` is not an absolute path")]
    Relative(String),
    /// There is no such signal.
    #[error("`{0}` is not a signal")]
    Signal(String),
}

/// The first process of a container called `name`.
pub(crate) fn process(
    image: &Execution,
    spec: &ContainerSpec,
    name: &str,
) -> Result<Process, PlanError> {
    let cwd = spec.working_dir.clone().unwrap_or_else(|| image.working_dir.clone());
    let cwd = if cwd.is_empty() { "/".to_owned() } else { cwd };
    if !cwd.starts_with('/') {
        return Err(PlanError::Relative(cwd));
    }
    Ok(Process {
        args: arguments(image, &spec.command)?,
        env: environment(image, spec),
        user: spec.user.clone().unwrap_or_else(|| image.user.clone()),
        cwd,
        hostname: hostname(name),
    })
}

fn arguments(image: &Execution, command: &Command) -> Result<Vec<String>, PlanError> {
    let entrypoint = image.entrypoint.iter().flatten();
    let arguments: Vec<_> = match command {
        Command::Image => entrypoint.chain(image.cmd.iter().flatten()).cloned().collect(),
        Command::Arguments(arguments) => entrypoint.chain(arguments).cloned().collect(),
        Command::Process(process) => process.clone(),
    };
    if arguments.is_empty() { Err(PlanError::Nothing) } else { Ok(arguments) }
}

fn environment(image: &Execution, spec: &ContainerSpec) -> BTreeMap<String, String> {
    let image = image.env.iter().filter_map(|variable| variable.split_once('='));
    let mut env = BTreeMap::from([("PATH".to_owned(), PATH.to_owned())]);
    env.extend(image.map(|(key, value)| (key.to_owned(), value.to_owned())));
    env.extend(spec.env.0.clone());
    env
}

fn hostname(name: &str) -> String {
    name.replace('.', "-").chars().take(HOSTNAME_MAX).collect()
}

/// The port at which others reach a container; 0 if it has none.
pub(crate) fn port(image: &Execution, spec: &ContainerSpec) -> u16 {
    let exposed = image.exposed_ports.iter().filter_map(|port| match port.split_once('/') {
        Some((number, "tcp")) => number.parse().ok(),
        Some(_) => None,
        None => port.parse().ok(),
    });
    spec.port.or_else(|| exposed.min()).unwrap_or_default()
}

/// When a container is ready; `None` if at once.
pub(crate) fn readiness(image: &Execution, spec: &ContainerSpec) -> Option<Readiness> {
    let accepts = (port(image, spec) != 0).then(|| Readiness::of(Probe::Tcp { port: None }));
    spec.ready.clone().or_else(|| health(image)).or(accepts)
}

/// An image's HEALTHCHECK as a probe. It is tried more often than it says, as somebody waits; its
/// start period and retries add to the deadline.
fn health(image: &Execution) -> Option<Readiness> {
    let check = image.healthcheck.as_ref()?;
    let (kind, rest) = check.test.split_first()?;
    let command = match (kind.as_str(), rest) {
        ("CMD", [_, ..]) => rest.to_vec(),
        ("CMD-SHELL", [command, ..]) => {
            let shell = image.shell.clone().unwrap_or_else(|| vec!["/bin/sh".into(), "-c".into()]);
            shell.into_iter().chain([command.clone()]).collect()
        }
        _ => return None,
    };
    let timeout = Some(check.timeout).filter(|timeout| *timeout > 0).map(Duration::from_nanos);
    let tries = u32::try_from(check.retries.max(1)).unwrap_or(u32::MAX);
    let failing = Duration::from_nanos(check.interval).saturating_mul(tries);
    let deadline = Duration::from_nanos(check.start_period).saturating_add(failing);
    Some(Readiness {
        timeout: timeout.unwrap_or(Readiness::TIMEOUT),
        deadline: deadline.max(Readiness::DEADLINE),
        ..Readiness::of(Probe::Exec(command))
    })
}

/// How a container is stopped.
pub(crate) fn stop(image: &Execution, spec: &ContainerSpec) -> Result<StopSignal, PlanError> {
    let name = spec.stop.signal.as_ref().or(image.stop_signal.as_ref());
    let signal = match name {
        None => Signal::SIGTERM,
        Some(name) => named(name).ok_or_else(|| PlanError::Signal(name.clone()))?,
    };
    let signal = u8::try_from(signal as i32).expect("signals are small and positive");
    Ok(StopSignal { signal, grace: spec.stop.grace })
}

fn named(name: &str) -> Option<Signal> {
    if let Ok(number) = name.parse::<i32>() {
        return Signal::try_from(number).ok();
    }
    let name = name.to_ascii_uppercase();
    let full = if name.starts_with("SIG") { name } else { format!("SIG{name}") };
    full.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fairway_engine::Env;
    use fairway_layers::Healthcheck;
    use fairway_model::Digest;

    fn image() -> Execution {
        Execution {
            entrypoint: Some(vec!["/entry".into()]),
            cmd: Some(vec!["serve".into()]),
            env: vec!["A=image".into(), "B=image=2".into()],
            working_dir: "/srv".into(),
            exposed_ports: ["8080/tcp".into(), "443".into(), "53/udp".into()].into(),
            ..Execution::default()
        }
    }

    fn spec() -> ContainerSpec {
        ContainerSpec::of(Digest::of(b""))
    }

    #[test]
    fn the_callers_words_stand_instead_of_the_images() {
        let plan = |command| {
            process(&image(), &ContainerSpec { command, ..spec() }, "a").map(|plan| plan.args)
        };
        assert_eq!(plan(Command::Image), Ok(vec!["/entry".into(), "serve".into()]));
        assert_eq!(plan(Command::Arguments(vec![])), Ok(vec!["/entry".into()]));
        assert_eq!(plan(Command::Process(vec!["true".into()])), Ok(vec!["true".into()]));
        assert_eq!(plan(Command::Process(vec![])), Err(PlanError::Nothing));
    }

    #[test]
    fn the_environment_has_a_path_the_images_variables_and_the_callers() {
        let env = Env([("A".to_owned(), "mine".to_owned())].into());
        let plan = process(&image(), &ContainerSpec { env, ..spec() }, "db.orders").unwrap();
        assert_eq!(plan.env["A"], "mine");
        assert_eq!(plan.env["B"], "image=2");
        assert_eq!(plan.env["PATH"], PATH);
        assert_eq!((plan.cwd.as_str(), plan.hostname.as_str()), ("/srv", "db-orders"));
    }

    #[test]
    fn readiness_is_what_is_said_else_the_healthcheck_else_the_port_else_at_once() {
        let said = Readiness::of(Probe::Log("up".into()));
        let spoken = ContainerSpec { ready: Some(said.clone()), ..spec() };
        let healthcheck = Healthcheck {
            test: vec!["CMD-SHELL".into(), "exit 0".into()],
            start_period: 120_000_000_000,
            ..Healthcheck::default()
        };
        let checked = Execution { healthcheck: Some(healthcheck), ..image() };
        assert_eq!(readiness(&checked, &spoken), Some(said));
        let health = readiness(&checked, &spec()).unwrap();
        let command = ["/bin/sh", "-c", "exit 0"].map(String::from).to_vec();
        assert_eq!(health.probe, Probe::Exec(command));
        assert_eq!(health.deadline, Duration::from_mins(2));
        let accepts = readiness(&image(), &spec()).unwrap().probe;
        assert_eq!(accepts, Probe::Tcp { port: None });
        assert_eq!(readiness(&Execution::default(), &spec()), None);
    }

    #[test]
    fn the_first_port_is_the_lowest_tcp_port() {
        assert_eq!(port(&image(), &spec()), 443);
        assert_eq!(port(&image(), &ContainerSpec { port: Some(9), ..spec() }), 9);
        assert_eq!(port(&Execution::default(), &spec()), 0);
    }

    #[test]
    fn signals_are_named_as_in_images() {
        let signal = |name: &str| {
            let image = Execution { stop_signal: Some(name.into()), ..Execution::default() };
            stop(&image, &spec()).map(|stop| stop.signal)
        };
        for name in ["SIGINT", "int", "2"] {
            assert_eq!(signal(name), Ok(2), "{name}");
        }
        assert_eq!(signal("SIGNOTHING"), Err(PlanError::Signal("SIGNOTHING".into())));
    }
}

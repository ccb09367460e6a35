//! Runs a command in a running container: with the capabilities, the filter of system calls and
//! the limits of its first process.

use super::{
    cgroup::{Cgroup, Hierarchies},
    executor::{Sealed, StandardInput},
    in_root::InRoot,
    root_dir::find_user,
    run::LIBRARY_ID,
    spec,
    terminal::Terminal,
    user::User,
};
use crate::{
    exec_plan::{ExecPlan, Input, Outcome, outcome_path},
    plan::Plan,
    text::chain,
};
use fairway_engine::{EngineError, ExitStatus};
use libcontainer::{container::builder::ContainerBuilder, syscall::syscall::SyscallType};
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
    process::{
        Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitOptions, kill_process_group,
        pidfd_open, pidfd_send_signal, set_parent_process_death_signal, wait as wait_any, waitid,
    },
    stdio,
};
use std::{
    fs::{self, File},
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

/// Runs the command of a plan; returns the exit code of this process.
pub(super) fn exec(path: &Path) -> i32 {
    let outcome = match serve(path) {
        Ok(status) => Outcome::Ended(status),
        Err(error) => {
            reap_all();
            Outcome::Refused(chain(&error))
        }
    };
    let bytes = serde_json::to_vec(&outcome).expect("an outcome is plain data");
    fs::write(outcome_path(path), bytes).map_or(1, |()| 0)
}

/// Takes notice of the end of processes that did not become the command. One that nobody takes
/// notice of would hold up the end of its container.
fn reap_all() {
    while !matches!(wait_any(WaitOptions::empty()), Err(Errno::CHILD)) {}
}

fn serve(path: &Path) -> Result<ExitStatus, EngineError> {
    let doing = || format!("read `{}`", path.display());
    let bytes = fs::read(path).map_err(EngineError::io(doing()))?;
    let exec: ExecPlan = serde_json::from_slice(&bytes)
        .map_err(|error| EngineError::Broken(format!("could not {}: {error}", doing())))?;
    if exec.input != Input::Lifeline {
        // With nobody left who waits for it, it ends too.
        set_parent_process_death_signal(Some(Signal::KILL))
            .map_err(|error| EngineError::io("watch the asker")(error.into()))?;
    }
    let dir = path.parent().unwrap_or(path);
    let plan = Plan::load(&Plan::path(dir))?;
    let root = format!("/proc/{}/root", exec.init);
    let root = InRoot::open(Path::new(&root)).map_err(EngineError::io("open the container"))?;
    let user = find_user(&root, exec.user.as_ref().unwrap_or(&plan.process.user))?;
    let process = path.with_extension("process");
    fs::write(&process, describe(&exec, &plan, &user))
        .map_err(EngineError::io("describe the process"))?;
    match exec.input {
        Input::Lifeline | Input::Command => {
            let pid = enter(&plan, || start(dir, &process, exec.input, None))?;
            wait(pid, exec.input, None)
        }
        Input::Terminal => {
            let opened = Terminal::open(&root, user.uid);
            let (terminal, end) = opened.map_err(EngineError::io("open a terminal"))?;
            let pid = enter(&plan, || start(dir, &process, exec.input, Some(end)))?;
            wait(pid, exec.input, Some(&terminal))
        }
    }
}

/// Makes a process in the control groups of a container.
fn enter(
    plan: &Plan,
    start: impl FnOnce() -> Result<Pid, EngineError>,
) -> Result<Pid, EngineError> {
    let hierarchies = Hierarchies::here()?;
    if hierarchies.is_unified() {
        return start();
    }
    Cgroup::new(&hierarchies, &plan.places.cgroup(&plan.id)).inside(start)
}

/// The description of the process, as the runtime library reads it.
fn describe(exec: &ExecPlan, plan: &Plan, user: &User) -> Vec<u8> {
    let mut env = plan.process.env.clone();
    env.extend(exec.env.clone());
    let env = spec::environment(env, &plan.process.hostname, user);
    let process = spec::process(&exec.args, &env, &plan.process.cwd, user);
    serde_json::to_vec(&process).expect("a description is plain data")
}

fn start(
    dir: &Path,
    process: &Path,
    input: Input,
    terminal: Option<OwnedFd>,
) -> Result<Pid, EngineError> {
    let refused =
        |error: libcontainer::error::LibcontainerError| EngineError::Broken(chain(&error));
    let kind = match terminal {
        Some(_) => StandardInput::Terminal,
        None => StandardInput::Plain,
    };
    let sealed =
        Sealed::new(kind).map_err(EngineError::io("compile the filter of system calls"))?;
    let mut builder = ContainerBuilder::new(LIBRARY_ID.to_owned(), SyscallType::default())
        .with_root_path(dir)
        .map_err(refused)?
        .with_executor(sealed);
    if input == Input::Lifeline {
        let nothing = File::open("/dev/null").map_err(EngineError::io("open `/dev/null`"))?;
        builder = builder.with_stdin(nothing);
    }
    if let Some(end) = terminal {
        let again = || end.try_clone().map_err(EngineError::io("open a terminal"));
        builder = builder.with_stdin(again()?).with_stdout(again()?).with_stderr(end);
    }
    let pid = builder.as_tenant().with_process(Some(process)).build().map_err(refused)?;
    Pid::from_raw(pid.as_raw())
        .ok_or_else(|| EngineError::Broken("the command has no process".to_owned()))
}

/// Waits for the command; kills it with its session when the asker is gone.
fn wait(pid: Pid, input: Input, terminal: Option<&Terminal>) -> Result<ExitStatus, EngineError> {
    let failed = |error: Errno| EngineError::io("wait for the command")(error.into());
    let process = pidfd_open(pid, PidfdFlags::empty()).map_err(failed)?;
    if input == Input::Lifeline {
        watch_lifeline(&process, pid).map_err(failed)?;
    }
    if let Some(terminal) = terminal {
        terminal.join(&process).map_err(EngineError::io("pass on the terminal"))?;
    }
    let status = waitid(WaitId::PidFd(process.as_fd()), WaitIdOptions::EXITED).map_err(failed)?;
    Ok(status.map_or(ExitStatus::Lost, |status| super::supervise::status_of(&status)))
}

fn watch_lifeline(process: &OwnedFd, pid: Pid) -> Result<(), Errno> {
    loop {
        let mut polled = [
            PollFd::new(process, PollFlags::IN),
            PollFd::from_borrowed_fd(stdio::stdin(), PollFlags::IN),
        ];
        match poll(&mut polled, None) {
            Err(Errno::INTR) => continue,
            polled => polled?,
        };
        if polled[0].revents().is_empty() {
            // It made itself the leader of a session and so of a group.
            kill_process_group(pid, Signal::KILL).unwrap_or_default();
            pidfd_send_signal(process, Signal::KILL).unwrap_or_default();
        }
        return Ok(());
    }
}

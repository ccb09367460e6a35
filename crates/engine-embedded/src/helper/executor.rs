//! The last step before a program runs in a container, the same for its first process and for
//! commands run in it later.

use super::seccomp::Filter;
use libcontainer::workload::{
    Executor, ExecutorError, ExecutorSetEnvsError, ExecutorValidationError, default::get_executor,
};
use nix::sys::signal::{SigHandler, Signal, signal};
use oci_spec::runtime::Spec;
use rustix::{
    event::{PollFd, PollFlags, poll},
    process::{
        PidfdFlags, Signal as Death, getpid, ioctl_tiocsctty, pidfd_open,
        set_parent_process_death_signal,
    },
    stdio,
    time::Timespec,
};
use std::{collections::HashMap, io, os::fd::OwnedFd, rc::Rc};

/// The exit code of a container whose program the kernel refused to execute, as in a shell.
const CANNOT_EXECUTE: i32 = 126;

/// Ties the process to its helper, installs the filter of system calls, and executes the program.
#[derive(Clone)]
pub(super) struct Sealed {
    filter: Filter,
    /// A handle on the helper, inherited by the process.
    helper: Rc<OwnedFd>,
    input: StandardInput,
}

/// What standard input of a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StandardInput {
    /// A file or a pipe.
    Plain,
    /// The terminal that controls it.
    Terminal,
}

impl Sealed {
    /// To be made by the helper.
    pub(super) fn new(input: StandardInput) -> io::Result<Self> {
        let filter = Filter::compile().map_err(io::Error::other)?;
        let helper = Rc::new(pidfd_open(getpid(), PidfdFlags::empty())?);
        Ok(Self { filter, helper, input })
    }

    /// Makes the kernel kill this process when the helper ends, however it ends. The signal is
    /// forgotten whenever ids change, so this comes after that.
    fn tie_to_helper(&self) -> io::Result<()> {
        set_parent_process_death_signal(Some(Death::KILL))?;
        let mut helper = [PollFd::new(&*self.helper, PollFlags::IN)];
        if poll(&mut helper, Some(&Timespec::default()))? > 0 {
            return Err(io::Error::other("the helper was killed"));
        }
        Ok(())
    }
}

/// A Rust program ignores SIGPIPE, and what it executes would too.
#[expect(unsafe_code, reason = "there is no safe way to set the action of a signal")]
fn forget_signals() -> io::Result<()> {
    // SAFETY: the default action is no handler that could do harm.
    unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) }?;
    Ok(())
}

impl Executor for Sealed {
    fn validate(&self, spec: &Spec) -> Result<(), ExecutorValidationError> {
        self.tie_to_helper()
            .map_err(|error| ExecutorValidationError::ArgValidationError(error.to_string()))?;
        get_executor().validate(spec)
    }

    fn setup_envs(&self, envs: HashMap<String, String>) -> Result<(), ExecutorSetEnvsError> {
        get_executor().setup_envs(envs)
    }

    fn exec(&self, spec: &Spec) -> Result<(), ExecutorError> {
        let failed = |error: io::Error| ExecutorError::Execution(Box::new(error));
        self.tie_to_helper().map_err(failed)?;
        if self.input == StandardInput::Terminal {
            ioctl_tiocsctty(stdio::stdin()).map_err(|error| failed(error.into()))?;
        }
        forget_signals().map_err(failed)?;
        self.filter.install().map_err(failed)?;
        let Err(error) = get_executor().exec(spec) else {
            unreachable!("a successful execution does not return")
        };
        let why = format!("fairway: could not execute the program: {error}\n");
        // Whoever reads the container's output learns why; if that fails too, the code remains.
        rustix::io::write(stdio::stderr(), why.as_bytes()).unwrap_or_default();
        std::process::exit(CANNOT_EXECUTE)
    }
}

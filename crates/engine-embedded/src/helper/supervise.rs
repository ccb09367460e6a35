//! Watches one container: its output, its end, its owner's end, and who asks for something.

use super::{cgroup::Cgroup, pump::Pump, root_dir::unmount_root, visitors::Visitors};
use crate::{
    plan::Plan,
    process::ProcessId,
    remains,
    state::{State, now},
    wire::Request,
};
use fairway_engine::{EngineError, Exit, ExitStatus};
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
    process::{Signal, WaitId, WaitIdOptions, WaitIdStatus, pidfd_send_signal, waitid},
    time::Timespec,
};
use std::{
    os::fd::{AsFd, OwnedFd},
    path::PathBuf,
    time::{Duration, Instant},
};

/// A container that runs.
pub(super) struct Running {
    pub(super) dir: PathBuf,
    pub(super) state: State,
    pub(super) cgroup: Cgroup,
    pub(super) pump: Pump,
    pub(super) visitors: Visitors,
}

/// Watches until the container is to be removed, and removes it. Returns an exit code.
pub(super) fn supervise(plan: &Plan, running: Running) -> i32 {
    let removed = Supervisor::new(plan, running).and_then(|mut supervisor| {
        supervisor.serve()?;
        supervisor.end()?;
        supervisor.running.cgroup.remove()?;
        // Connections end after the last file is gone, so that the name is free then.
        remains::remove_files(&plan.places, &plan.id)
    });
    removed.map_or(1, |()| 0)
}

struct Supervisor<'a> {
    plan: &'a Plan,
    running: Running,
    /// Handles on the first process, and on the owner if there is one.
    init: Option<OwnedFd>,
    owner: Option<OwnedFd>,
    /// When a container that was asked to stop is killed.
    kill_at: Option<Instant>,
    next: Next,
}

#[derive(PartialEq, Eq)]
enum Next {
    Serve,
    Remove,
}

impl<'a> Supervisor<'a> {
    fn new(plan: &'a Plan, running: Running) -> Result<Self, EngineError> {
        let init = rustix::process::pidfd_open(
            running.state.init.number(),
            rustix::process::PidfdFlags::empty(),
        )
        .map_err(|error| EngineError::io("watch the first process")(error.into()))?;
        let owner = plan.owner.as_ref().map(ProcessId::watch);
        let next = if matches!(owner, Some(None)) { Next::Remove } else { Next::Serve };
        let (init, owner) = (Some(init), owner.flatten());
        Ok(Self { plan, running, init, owner, kill_at: None, next })
    }

    fn serve(&mut self) -> Result<(), EngineError> {
        while self.next == Next::Serve {
            for news in self.wait()? {
                match news {
                    News::Output => {
                        self.running.pump.turn().map_err(EngineError::io("write the log"))?;
                        self.running.visitors.tell_growth(self.running.pump.log_size());
                    }
                    News::ContainerEnded => self.reap()?,
                    News::OwnerEnded => self.next = Next::Remove,
                    News::Visitor => self.running.visitors.welcome(&self.running.state),
                }
            }
            let requests = self.running.visitors.requests(self.running.pump.log_size());
            requests.into_iter().try_for_each(|request| self.obey(request))?;
            if self.kill_at.is_some_and(|at| at <= Instant::now()) {
                self.kill_at = None;
                self.signal(Signal::KILL);
            }
        }
        Ok(())
    }

    fn wait(&self) -> Result<Vec<News>, EngineError> {
        let streams = self.running.pump.streams.iter().map(|(_, pipe)| pipe.as_fd());
        let watched: Vec<_> = streams
            .map(|pipe| (News::Output, pipe))
            .chain(self.init.iter().map(|init| (News::ContainerEnded, init.as_fd())))
            .chain(self.owner.iter().map(|owner| (News::OwnerEnded, owner.as_fd())))
            .chain(self.running.visitors.door().map(|door| (News::Visitor, door)))
            .collect();
        let mut polled: Vec<_> = watched
            .iter()
            .map(|(_, handle)| PollFd::from_borrowed_fd(*handle, PollFlags::IN))
            .collect();
        let visitors = self.running.visitors.streams();
        polled.extend(visitors.map(|stream| PollFd::new(stream, PollFlags::IN)));
        let left = self.kill_at.map(|at| at.saturating_duration_since(Instant::now()));
        let timeout = left.map(|left| left + Duration::from_millis(1));
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        match poll(&mut polled, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(EngineError::io("wait for events")(error.into())),
        }
        let mut news: Vec<_> = watched
            .iter()
            .zip(&polled)
            .filter(|(_, polled)| !polled.revents().is_empty())
            .map(|((news, _), _)| *news)
            .collect();
        news.dedup();
        Ok(news)
    }

    /// The first process ended, and with it all others of the container.
    fn reap(&mut self) -> Result<(), EngineError> {
        let Some(init) = self.init.take() else { return Ok(()) };
        let status = waitid(WaitId::PidFd(init.as_fd()), WaitIdOptions::EXITED)
            .map_err(|error| EngineError::io("wait for the first process")(error.into()))?;
        let status = status.map_or(ExitStatus::Lost, |status| status_of(&status));
        self.running.pump.finish().map_err(EngineError::io("write the log"))?;
        let seen = self.running.cgroup.encounters();
        self.kill_at = None;
        self.running.state.exit = Some(Exit {
            status,
            memory_kills: seen.memory_kills,
            process_refusals: seen.process_refusals,
            at: now(),
        });
        self.publish()?;
        // Its files stay until it is removed; the group is of no more use. If it cannot be removed
        // now, it is tried again with the files.
        self.running.cgroup.remove().unwrap_or_default();
        Ok(())
    }

    fn publish(&mut self) -> Result<(), EngineError> {
        self.running.state.save(&self.running.dir)?;
        self.running.visitors.tell(&self.running.state);
        Ok(())
    }

    fn obey(&mut self, request: Request) -> Result<(), EngineError> {
        match request {
            Request::Stop if self.init.is_some() && self.kill_at.is_none() => {
                let stop = self.plan.stop;
                self.signal(Signal::from_named_raw(stop.signal.into()).unwrap_or(Signal::TERM));
                self.kill_at = Some(Instant::now() + stop.grace);
            }
            Request::Remove => self.next = Next::Remove,
            Request::Ready if self.running.state.exit.is_none() => {
                self.running.state.ready = true;
                self.publish()?;
            }
            Request::Stop | Request::Ready | Request::Growth => {}
        }
        Ok(())
    }

    fn signal(&self, signal: Signal) {
        if let Some(init) = &self.init {
            // One that ended meanwhile is seen by the next poll.
            pidfd_send_signal(init, signal).unwrap_or_default();
        }
    }

    /// Ends everything that holds files of the container.
    fn end(&mut self) -> Result<(), EngineError> {
        if self.init.is_some() {
            self.signal(Signal::KILL);
            self.reap()?;
        }
        unmount_root(&self.running.dir)
    }
}

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum News {
    Output,
    ContainerEnded,
    OwnerEnded,
    /// Somebody connects.
    Visitor,
}

/// How a process ended.
pub(super) fn status_of(status: &WaitIdStatus) -> ExitStatus {
    let byte = |number: i32| u8::try_from(number & 0xff).unwrap_or_default();
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => ExitStatus::Code(byte(code)),
        (None, Some(signal)) => ExitStatus::Signal(byte(signal)),
        (None, None) => ExitStatus::Lost,
    }
}

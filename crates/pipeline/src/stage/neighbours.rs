//! The containers beside a stage: they start in waves, get ready, and must stay alive.

use super::{end::Stopped, log::LineKind, prepare::Prepared, stage_run::StageRun};
use crate::{
    Cause, StagePhase,
    plan::{Wave, part_spec},
};
use fairway_engine::{ContainerEvent, ContainerId, Exit, ExitStatus, GroupId, LogEvent, LogFrom};
use futures_util::{
    FutureExt as _, StreamExt as _,
    future::try_join_all,
    stream::{BoxStream, SelectAll},
};
use std::collections::BTreeSet;

/// How many of a neighbour's last lines are told when it is to blame.
const LAST_LINES: usize = 30;
/// Longest of these lines in characters.
const LAST_LINE_MAX: usize = 2_000;

/// The containers that run beside a stage.
#[derive(Default)]
pub(crate) struct Neighbours {
    events: SelectAll<BoxStream<'static, (String, ContainerEvent)>>,
}

/// What went wrong with a neighbour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It ended.
    Died(String, Exit),
    /// It missed its deadline.
    Unready(String, String),
}

impl Neighbours {
    /// Waits until all of these are ready. Tells of each one that is.
    async fn next_ready(&mut self) -> Result<String, Trouble> {
        loop {
            match self.events.next().await {
                Some((name, ContainerEvent::Ready)) => return Ok(name),
                Some((name, ContainerEvent::Exited(exit))) => {
                    return Err(Trouble::Died(name, exit));
                }
                Some((name, ContainerEvent::Unready(because))) => {
                    return Err(Trouble::Unready(name, because));
                }
                Some((_, ContainerEvent::Started(_))) => {}
                None => std::future::pending().await,
            }
        }
    }

    /// Waits for one that ends.
    pub(crate) async fn death(&mut self) -> Trouble {
        loop {
            match self.events.next().await {
                Some((name, ContainerEvent::Exited(exit))) => return Trouble::Died(name, exit),
                Some(_) => {}
                None => std::future::pending().await,
            }
        }
    }

    /// One that has ended by now.
    pub(crate) fn dead(&mut self) -> Option<Trouble> {
        self.death().now_or_never()
    }
}

impl StageRun {
    /// Starts all neighbours and waits until they are ready.
    pub(crate) async fn start_neighbours(
        &mut self,
        group: &GroupId,
        prepared: &Prepared,
    ) -> Result<Neighbours, Stopped> {
        let mut neighbours = Neighbours::default();
        for wave in Wave::ALL {
            let parts = prepared.closure.parts.iter().filter(|(_, part)| Wave::of(part) == wave);
            let names: BTreeSet<String> = parts.map(|(name, _)| name.clone()).collect();
            let started = names.iter().map(|name| self.start_part(group, name, prepared));
            neighbours.events.extend(try_join_all(started).await?);
            self.wait(group, &mut neighbours, names).await?;
        }
        Ok(neighbours)
    }

    async fn start_part(
        &self,
        group: &GroupId,
        name: &str,
        prepared: &Prepared,
    ) -> Result<BoxStream<'static, (String, ContainerEvent)>, Stopped> {
        let part = &prepared.closure.parts[name];
        let fill = |template: &_| self.ctx.secrets.fill(template);
        let spec = part_spec(name, part, &prepared.images, &fill)
            .expect("the images of all neighbours are resolved");
        let id = ContainerId { group: group.clone(), name: name.to_owned() };
        let sandbox = &self.ctx.tools.sandbox;
        sandbox.start(&id, &spec).await?;
        let name = name.to_owned();
        Ok(sandbox.watch(&id).await?.map(move |event| (name.clone(), event)).boxed())
    }

    async fn wait(
        &mut self,
        group: &GroupId,
        neighbours: &mut Neighbours,
        mut waiting_for: BTreeSet<String>,
    ) -> Result<(), Stopped> {
        let cancel = self.ctx.cancel.clone();
        while !waiting_for.is_empty() {
            let waiting = waiting_for.iter().cloned().collect();
            self.enter(StagePhase::Neighbours { waiting_for: waiting }).await;
            let ready = tokio::select! {
                ready = neighbours.next_ready() => ready,
                () = cancel.cancelled() => return Err(Stopped::Cancelled),
            };
            match ready {
                Ok(name) => drop(waiting_for.remove(&name)),
                Err(trouble) => return Err(self.blame(group, trouble).await),
            }
        }
        Ok(())
    }

    /// Says what went wrong with a neighbour, with its last lines.
    pub(crate) async fn blame(&mut self, group: &GroupId, trouble: Trouble) -> Stopped {
        let (Trouble::Died(name, _) | Trouble::Unready(name, _)) = &trouble;
        let id = ContainerId { group: group.clone(), name: name.clone() };
        let log = match self.last_lines(&id).await {
            Ok(log) => log,
            Err(stopped) => return stopped,
        };
        match trouble {
            Trouble::Died(_, Exit { status: ExitStatus::Lost, .. }) => Stopped::Lost,
            Trouble::Died(neighbour, exit) => Cause::NeighbourDied { neighbour, exit, log }.into(),
            Trouble::Unready(neighbour, because) => {
                Cause::NeighbourUnready { neighbour, because, log }.into()
            }
        }
    }

    async fn last_lines(&mut self, id: &ContainerId) -> Result<Vec<String>, Stopped> {
        let from = LogFrom::Last(LAST_LINES);
        let mut events = self.ctx.tools.sandbox.logs(id, from).await?;
        let masker = self.ctx.secrets.masker();
        let mut lines = Vec::new();
        while let Some(event) = events.next().await {
            if let LogEvent::Line(line) = event? {
                let text = masker.mask_text(&String::from_utf8_lossy(&line.text));
                let text: String = text.chars().take(LAST_LINE_MAX).collect();
                let told = format!("{} | {text}", id.name);
                self.say(line.at, LineKind::Note, told.as_bytes()).await?;
                lines.push(text);
            }
        }
        Ok(lines)
    }
}

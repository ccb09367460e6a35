//! A stage's container while it runs: its output, its steps, its limits.

use super::{
    end::Stopped, log::LineKind, masked::MaskedLines, neighbours::Neighbours, stage_run::StageRun,
    verdict,
};
use crate::{
    Cause, StagePhase, StepsWork,
    session::{Seen, Session, SessionEnd},
};
use fairway_engine::{
    ContainerEvent, ContainerId, ContainerSpec, Exit, LogEvent, LogFrom, LogLine, LogStream,
};
use fairway_model::Timestamp;
use futures_util::StreamExt as _;

/// What was read of a container's output.
struct Output {
    session: Session,
    stdout: MaskedLines,
    stderr: MaskedLines,
    last: Timestamp,
}

impl StageRun {
    /// Reads the container's output until it ends, its time is up, a neighbour dies or the run is
    /// cancelled.
    pub(crate) async fn follow(
        &mut self,
        id: &ContainerId,
        session: Session,
        work: &StepsWork,
        neighbours: &mut Neighbours,
    ) -> Result<Exit, Stopped> {
        let masker = self.ctx.secrets.masker();
        let mut output = Output {
            session,
            stdout: MaskedLines::new(masker.for_another_stream()),
            stderr: MaskedLines::new(masker),
            last: self.ctx.tools.ledger.clock().now(),
        };
        let ended = self.read(id, &mut output, work, neighbours).await;
        self.finish_output(&mut output).await?;
        let end = match &ended {
            Ok(exit) if exit.is_success() => SessionEnd::Success,
            Ok(_) => SessionEnd::Failure,
            Err(_) => SessionEnd::FromOutside,
        };
        let step = output.session.current();
        let now = self.ctx.tools.ledger.clock().now();
        self.result.steps = output.session.finish(end, now);
        let exit = ended?;
        self.result.notes.memory_kills = exit.memory_kills;
        self.result.notes.process_refusals = exit.process_refusals;
        if let Err(stopped) = verdict::of(&exit, step, &work.resources) {
            if let Some(trouble) = neighbours.dead() {
                return Err(self.blame(&id.group, trouble).await);
            }
            self.failing_reports(id, work).await;
            return Err(stopped);
        }
        Ok(exit)
    }

    async fn read(
        &mut self,
        id: &ContainerId,
        output: &mut Output,
        work: &StepsWork,
        neighbours: &mut Neighbours,
    ) -> Result<Exit, Stopped> {
        let sandbox = &self.ctx.tools.sandbox;
        let mut watch = sandbox.watch(id).await?;
        let mut log = Some(sandbox.logs(id, LogFrom::StartAndFollow).await?);
        let mut exit = None;
        let cancel = self.ctx.cancel.clone();
        let timeout = tokio::time::sleep(work.timeout);
        tokio::pin!(timeout);
        loop {
            if let (Some(exit), None) = (exit, &log) {
                return Ok(exit);
            }
            let next_line = async {
                match &mut log {
                    Some(log) => log.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                event = next_line => match event {
                    Some(event) => self.log_event(output, event?).await?,
                    None => log = None,
                },
                event = watch.next(), if exit.is_none() => match event {
                    Some(ContainerEvent::Exited(ended)) => exit = Some(ended),
                    Some(_) => {}
                    None => return Err(Stopped::Lost),
                },
                trouble = neighbours.death() => return Err(self.blame(&id.group, trouble).await),
                () = &mut timeout, if exit.is_none() => {
                    let step = output.session.current();
                    return Err(Cause::TimedOut { step, limit: work.timeout }.into());
                }
                () = cancel.cancelled() => return Err(Stopped::Cancelled),
            }
        }
    }

    async fn log_event(&mut self, output: &mut Output, event: LogEvent) -> Result<(), Stopped> {
        match event {
            LogEvent::Line(line) => self.log_line(output, &line).await,
            LogEvent::Cut { dropped } => {
                output.session.cut();
                let is_first = self.result.notes.log_dropped == 0;
                self.result.notes.log_dropped = self.result.notes.log_dropped.max(dropped);
                if is_first {
                    let limit = ContainerSpec::LOG_LIMIT;
                    self.note(&format!("the log reached its limit of {limit} and is cut")).await?;
                }
                Ok(())
            }
        }
    }

    async fn log_line(&mut self, output: &mut Output, line: &LogLine) -> Result<(), Stopped> {
        output.last = line.at;
        if line.stream == LogStream::Stderr {
            if output.session.is_noise(&line.text) {
                return Ok(());
            }
            let lines = output.stderr.line(&line.text);
            return self.say_all(line.at, LineKind::Stderr, &lines).await;
        }
        match output.session.line(&line.text, line.at) {
            Seen::Held => Ok(()),
            Seen::Boundary(index) => self.enter_step(&output.session, index).await,
            Seen::Output { blank_before } => {
                let mut lines = if blank_before { output.stdout.line(b"") } else { Vec::new() };
                lines.extend(output.stdout.line(&line.text));
                self.say_all(line.at, LineKind::Stdout, &lines).await
            }
        }
    }

    async fn enter_step(&mut self, session: &Session, index: usize) -> Result<(), Stopped> {
        // Each step's output is readable for others when the next one begins.
        self.log.flush()?;
        if let Some(text) = session.text(index) {
            let text = self.ctx.secrets.masker().mask_text(text);
            self.enter(StagePhase::Step { step: index, text }).await;
        }
        Ok(())
    }

    async fn finish_output(&mut self, output: &mut Output) -> Result<(), Stopped> {
        let mut stdout = Vec::new();
        if output.session.ends_with_blank() {
            stdout.extend(output.stdout.line(b""));
        }
        stdout.extend(output.stdout.finish());
        let stderr = output.stderr.finish();
        self.say_all(output.last, LineKind::Stdout, &stdout).await?;
        self.say_all(output.last, LineKind::Stderr, &stderr).await
    }

    async fn say_all(
        &mut self,
        at: Timestamp,
        kind: LineKind,
        lines: &[Vec<u8>],
    ) -> Result<(), Stopped> {
        for line in lines {
            self.say(at, kind, line).await?;
        }
        Ok(())
    }
}

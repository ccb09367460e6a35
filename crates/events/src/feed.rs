//! Reading the source of a group: in order, from where it stopped, as much as is asked for.

use crate::{
    decide::Mark,
    group_id::{GROUP_CATEGORY, Source},
};
use fairway_ledger::{Event, Filter, From, Ledger, LedgerError, Position, Read, Scope, Watch};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio::sync::{Notify, mpsc};

/// Most events that are read ahead.
const AHEAD_MAX: usize = 500;

/// The next events, and up to where the source was read for them.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) events: Vec<Event>,
    pub(crate) to: Mark,
}

/// The events of a source that pass a filter, in order.
#[derive(Debug)]
pub(crate) struct Feed {
    ledger: Ledger,
    watch: Box<dyn Watch>,
    source: Source,
    filter: Filter,
    read: Mark,
    ahead: VecDeque<Event>,
    pace: Pace,
    /// How many commits in a row that it looked for were of others.
    of_others: u32,
}

/// How long a look waits while what is committed is of others, and up to eight times as long if that
/// goes on, so that a busy ledger is not read once per commit by everybody; and what makes it look at
/// once.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    pub(crate) wait: Duration,
    pub(crate) nudge: Arc<Notify>,
}

impl Feed {
    /// Follows a source after a mark.
    pub(crate) fn new(
        ledger: &Ledger,
        (source, filter): (Source, Filter),
        after: Mark,
        pace: Pace,
    ) -> Result<Self, LedgerError> {
        let (watch, ledger) = (ledger.store().watch()?, ledger.clone());
        let (ahead, of_others) = (VecDeque::new(), 0);
        Ok(Self { ledger, watch, source, filter, read: after, ahead, pace, of_others })
    }

    /// Answers each request for at most so many events, until nobody asks any more.
    pub(crate) async fn serve(
        mut self,
        mut asked: mpsc::Receiver<usize>,
        pages: mpsc::Sender<Result<Page, LedgerError>>,
    ) {
        while let Some(limit) = asked.recv().await {
            let page = tokio::select! {
                page = self.next(limit) => page,
                () = pages.closed() => return,
            };
            if pages.send(page).await.is_err() {
                return;
            }
        }
    }

    /// The next events, at least one or none that passes the filter; waits if there are none.
    async fn next(&mut self, limit: usize) -> Result<Page, LedgerError> {
        let mut is_woken = false;
        while self.ahead.is_empty() {
            let source = (&self.source, &self.filter);
            let (page, read) = read(&self.ledger, source, self.read, AHEAD_MAX).await?;
            if read == self.read {
                self.of_others = self.of_others.saturating_add(u32::from(is_woken));
                self.watch.changed().await?;
                self.pace.pause(self.of_others).await;
                is_woken = true;
                continue;
            }
            let is_short = read.position.0 < self.read.position.0 + AHEAD_MAX as u64;
            (self.ahead, self.read) = (page.into(), read);
            if self.ahead.is_empty() {
                if is_short {
                    self.of_others = self.of_others.saturating_add(1);
                    self.pace.pause(self.of_others).await;
                }
                return Ok(Page { events: Vec::new(), to: self.read });
            }
            self.of_others = 0;
        }
        let count = limit.min(self.ahead.len());
        let events: Vec<Event> = self.ahead.drain(..count).collect();
        let last = events.last().map_or(self.read, mark);
        let to = if self.ahead.is_empty() { self.read } else { last };
        Ok(Page { events, to })
    }
}

impl Pace {
    /// Waits if the last commits were of others.
    async fn pause(&self, of_others: u32) {
        if of_others > 0 {
            let wait = self.wait * (1 << (of_others - 1).min(3));
            tokio::select! {
                () = self.nudge.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}

/// Where an event is.
pub(crate) fn mark(event: &Event) -> Mark {
    Mark { position: event.position, version: event.version }
}

/// Reads one page of a source, and says up to where.
pub(crate) async fn read(
    ledger: &Ledger,
    (source, filter): (&Source, &Filter),
    after: Mark,
    limit: usize,
) -> Result<(Vec<Event>, Mark), LedgerError> {
    let from = From::After(after.position);
    let scope = match (source, filter.categories.as_slice()) {
        (Source::Stream(stream), _) => Scope::Stream(stream.clone(), From::After(after.version)),
        (Source::Category(category), _) => Scope::Category(category.as_str().to_owned(), from),
        (Source::All, [category]) => Scope::Category(category.clone(), from),
        (Source::All, _) => Scope::All(from),
    };
    let page = ledger.read(Read::new(scope, limit)).await?;
    let to = page.last().map_or(after, mark);
    let is_wanted = |event: &Event| is_of(event, source) && filter.passes(event);
    Ok((page.into_iter().filter(is_wanted).collect(), to))
}

/// Facts about groups would be about facts about groups.
fn is_of(event: &Event, source: &Source) -> bool {
    *source != Source::All || event.stream.category() != GROUP_CATEGORY
}

/// Reads events by their positions, which are in order; leaves out those that are no more.
pub(crate) async fn load(
    ledger: &Ledger,
    positions: &[Position],
) -> Result<Vec<Event>, LedgerError> {
    let mut events = Vec::with_capacity(positions.len());
    for run in positions.chunk_by(|one, next| one.0 + 1 == next.0) {
        let (Some(first), Some(&last)) = (run.first(), run.last()) else { continue };
        let mut after = Position(first.0 - 1);
        while after < last {
            let count = usize::try_from(last.0 - after.0).unwrap_or(usize::MAX);
            let page = ledger.read_all(after, count).await?;
            after = page.last().map_or(last, |event| event.position);
            events.extend(page.into_iter().filter(|event| event.position <= last));
        }
    }
    Ok(events)
}

//! The consumers of a driver, and how their events get to them.

use crate::{
    consumer::Delivery,
    consumer_name::ConsumerName,
    decide::{Member, MemberId},
    error::{Ended, GroupError},
    info::{ConsumerInfo, Way},
    request::{Joining, Taking},
};
use fairway_model::Timestamp;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, OnceLock},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

/// The consumers of a driver.
#[derive(Debug, Default)]
pub(super) struct Seats {
    all: BTreeMap<MemberId, Seat>,
    /// Those that take.
    names: HashMap<ConsumerName, MemberId>,
    last: u64,
}

#[derive(Debug)]
struct Seat {
    name: ConsumerName,
    since: Timestamp,
    line: Line,
}

#[derive(Debug)]
enum Line {
    Pushed { deliveries: mpsc::Sender<Delivery>, ended: Arc<OnceLock<Ended>> },
    Taken(Option<Asking>),
}

/// A consumer that waits for what it takes.
#[derive(Debug)]
struct Asking {
    got: Vec<Delivery>,
    until: Instant,
    reply: oneshot::Sender<Result<Vec<Delivery>, GroupError>>,
}

/// What became of handing an event to a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handed {
    Over,
    /// The consumer is gone.
    Gone,
    /// The consumer let more events time out than it has room for.
    Stuck,
}

impl Seats {
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn push(&mut self, joining: Joining, now: Timestamp) -> MemberId {
        let Joining { name, deliveries, ended, .. } = joining;
        self.add(Seat { name, since: now, line: Line::Pushed { deliveries, ended } })
    }

    /// Makes a consumer that takes.
    pub(super) fn taker(&mut self, name: &ConsumerName, now: Timestamp) -> MemberId {
        let id = self.add(Seat { name: name.clone(), since: now, line: Line::Taken(None) });
        self.names.insert(name.clone(), id);
        id
    }

    fn add(&mut self, seat: Seat) -> MemberId {
        self.last += 1;
        self.all.insert(MemberId(self.last), seat);
        MemberId(self.last)
    }

    pub(super) fn named(&self, name: &ConsumerName) -> Option<MemberId> {
        self.names.get(name).copied()
    }

    /// Notes that a consumer waits.
    pub(super) fn ask(
        &mut self,
        id: MemberId,
        take: &Taking,
        reply: oneshot::Sender<Result<Vec<Delivery>, GroupError>>,
    ) {
        if let Some(Seat { line: Line::Taken(asking), .. }) = self.all.get_mut(&id) {
            *asking = Some(Asking { got: Vec::new(), until: take.until, reply });
        }
    }

    /// Hands an event to a consumer, or puts it to what a consumer that takes will get.
    pub(super) fn hand(&mut self, id: MemberId, delivery: Delivery) -> Handed {
        match self.all.get_mut(&id).map(|seat| &mut seat.line) {
            Some(Line::Pushed { deliveries, .. }) => match deliveries.try_send(delivery) {
                Ok(()) => Handed::Over,
                Err(mpsc::error::TrySendError::Full(_)) => Handed::Stuck,
                Err(mpsc::error::TrySendError::Closed(_)) => Handed::Gone,
            },
            Some(Line::Taken(Some(asking))) => {
                asking.got.push(delivery);
                Handed::Over
            }
            Some(Line::Taken(None)) | None => Handed::Gone,
        }
    }

    /// Those that take whose wait has an end: they got something, or it lasted long enough.
    pub(super) fn due(&self, now: Instant) -> Vec<MemberId> {
        let is_due = |seat: &Seat| match &seat.line {
            Line::Taken(Some(asking)) => {
                !asking.got.is_empty() || asking.until <= now || asking.reply.is_closed()
            }
            Line::Taken(None) | Line::Pushed { .. } => false,
        };
        self.names.values().copied().filter(|id| self.all.get(id).is_some_and(is_due)).collect()
    }

    /// When the next wait ends.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let until = |id| match &self.all.get(id)?.line {
            Line::Taken(Some(asking)) => Some(asking.until),
            Line::Taken(None) | Line::Pushed { .. } => None,
        };
        self.names.values().filter_map(until).min()
    }

    /// Answers a consumer that takes. What it did not wait for is returned.
    pub(super) fn settle(&mut self, id: MemberId) -> Vec<Delivery> {
        let Some(Seat { line: Line::Taken(asking), .. }) = self.all.get_mut(&id) else {
            return Vec::new();
        };
        let Some(Asking { got, reply, .. }) = asking.take() else { return Vec::new() };
        match reply.send(Ok(got)) {
            Err(Ok(got)) => got,
            Ok(()) | Err(Err(_)) => Vec::new(),
        }
    }

    /// Ends the connection of a consumer.
    pub(super) fn remove(&mut self, id: MemberId, why: Ended) {
        if let Some(seat) = self.all.remove(&id) {
            match seat.line {
                // Another reason that was there before stays.
                Line::Pushed { ended, .. } => drop(ended.set(why)),
                Line::Taken(_) => drop(self.names.remove(&seat.name)),
            }
        }
    }

    pub(super) fn remove_all(&mut self, why: Ended) {
        for id in self.all.keys().copied().collect::<Vec<_>>() {
            self.remove(id, why);
        }
    }

    pub(super) fn info(&self, id: MemberId, member: &Member) -> Option<ConsumerInfo> {
        let seat = self.all.get(&id)?;
        let way = match seat.line {
            Line::Pushed { .. } => Way::Pushed,
            Line::Taken(_) => Way::Taken,
        };
        Some(ConsumerInfo {
            name: seat.name.clone(),
            way,
            since: seat.since,
            credit: member.credit,
            in_flight: member.in_flight.len(),
            delivered: member.delivered,
            acked: member.acked,
        })
    }
}

//! The loop of a driver: waits for whatever comes, steps, and performs the actions.

use crate::{
    consumer::Delivery,
    decide::{Action, Group, Input, MemberId, Taken},
    driver::{
        seats::{Handed, Seats},
        start::{Pages, Steady},
        work::{self, Done, FACTS_MAX},
    },
    error::{Ended, GroupError},
    facts::Fact,
    feed::{Page, mark},
    group_id::GroupId,
    key::Key,
    progress_row::ProgressRow,
    request::Request,
};
use fairway_ledger::{Event, EventId, Ledger, NewEvent, Position, Version};
use fairway_model::Timestamp;
use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// A driver without consumers ends after so long; the next consumer starts another.
const DESERTED_MAX: Duration = Duration::from_mins(1);

/// Hands out the events of a group.
pub(super) struct Driver {
    pub(super) id: GroupId,
    pub(super) ledger: Ledger,
    pub(super) state: Group,
    pub(super) since: Timestamp,
    pub(super) clock: Steady,
    /// The events that the state holds.
    pub(super) events: HashMap<Position, Arc<Event>>,
    /// The same, to be found by id.
    pub(super) ids: BTreeSet<(EventId, Position)>,
    pub(super) seats: Seats,
    pub(super) row: ProgressRow,
    pub(super) pages: Pages,
    pub(super) facts: Pages,
    pub(super) to_record: Vec<NewEvent>,
    pub(super) is_recording: bool,
    pub(super) is_saving: bool,
    pub(super) work: JoinSet<Result<Done, GroupError>>,
    /// They end with the driver.
    #[expect(dead_code, reason = "it is the dropping that ends them")]
    pub(super) tasks: JoinSet<()>,
    /// Since when there is no consumer.
    pub(super) deserted: Option<Instant>,
}

/// What a driver waited for.
enum Happened {
    Request(Request),
    Work(Done),
    Facts(Page),
    Page(Page),
    Time,
}

impl Driver {
    /// Runs until the group is closed, has other settings, or is driven by somebody else.
    pub(super) async fn run(
        mut self,
        news: Vec<(Version, Fact)>,
        mut requests: mpsc::Receiver<Request>,
    ) {
        self.apply(vec![Input::Facts(news)]);
        let why = loop {
            let taken = match self.next(&mut requests).await {
                Ok(happened) => self.take_in(happened),
                Err(why) => Err(why),
            };
            if let Err(why) = taken {
                break why;
            }
        };
        requests.close();
        self.end(why, requests).await;
    }

    /// Stores progress a last time, so that a planned end makes nothing be handed out again but
    /// what consumers have.
    async fn end(mut self, why: Ended, mut requests: mpsc::Receiver<Request>) {
        if matches!(why, Ended::Closed | Ended::Updated) {
            self.hear_last(&mut requests);
        }
        self.seats.remove_all(why);
        if matches!(why, Ended::Closed | Ended::Updated) {
            // Who drives the group next goes on from what was stored before, if this fails.
            drop(self.store_all().await);
        }
        self.work.shutdown().await;
    }

    /// Takes in what consumers have said already.
    fn hear_last(&mut self, requests: &mut mpsc::Receiver<Request>) {
        while let Ok(request) = requests.try_recv() {
            if let Request::Answer { who, tokens, answer, .. } = request {
                let (inputs, _) = self.hear(&who, &tokens, answer);
                self.apply(inputs);
            }
        }
    }

    /// Writes what is to be recorded, and stores progress.
    async fn store_all(&mut self) -> Result<(), GroupError> {
        while (self.is_recording || self.is_saving)
            && let Some(done) = self.work.join_next().await
        {
            match done {
                Ok(Ok(Done::Recorded)) => self.is_recording = false,
                Ok(Ok(Done::Saved(_, row))) => (self.row, self.is_saving) = (row, false),
                Ok(Ok(Done::Loaded(_) | Done::Left(_))) => {}
                Ok(Ok(Done::TakenOver) | Err(_)) | Err(_) => return Ok(()),
            }
        }
        for facts in self.to_record.chunks(FACTS_MAX) {
            work::record(self.ledger.clone(), self.id.clone(), facts.to_vec()).await?;
        }
        self.row.save(&self.state.progress()).await?;
        Ok(())
    }

    async fn next(&mut self, requests: &mut mpsc::Receiver<Request>) -> Result<Happened, Ended> {
        self.pages.ask(self.state.wants());
        self.facts.ask(FACTS_MAX);
        let wake = self.wake_at();
        // Requests come first, so that who acknowledges and goes has acknowledged.
        tokio::select! {
            biased;
            request = requests.recv() => {
                request.map(Happened::Request).ok_or(Ended::Closed)
            }
            Some(done) = self.work.join_next() => match done {
                Ok(Ok(done)) => Ok(Happened::Work(done)),
                Ok(Err(_)) | Err(_) => Err(Ended::Failed),
            },
            facts = self.facts.next() => facts.map(Happened::Facts).map_err(|_| Ended::Failed),
            page = self.pages.next() => page.map(Happened::Page).map_err(|_| Ended::Failed),
            () = sleep_until(wake) => Ok(Happened::Time),
        }
    }

    fn wake_at(&self) -> Instant {
        let deserted = self.deserted.map(|since| since + DESERTED_MAX);
        let waits = [self.seats.wake_at(), deserted];
        let step = self.clock.after(self.state.wake_at());
        waits.into_iter().flatten().fold(step, Instant::min)
    }

    fn take_in(&mut self, happened: Happened) -> Result<(), Ended> {
        let inputs = match happened {
            Happened::Request(request) => self.answer(request)?,
            Happened::Work(done) => self.done(done)?,
            Happened::Facts(page) => self.learn(page)?,
            Happened::Page(Page { events, to }) => {
                vec![Input::Taken { events: self.hold(events), to }]
            }
            Happened::Time => vec![Input::Tick],
        };
        self.apply(inputs);
        self.settle();
        self.is_wanted()
    }

    /// Ends after a while without consumers.
    fn is_wanted(&mut self) -> Result<(), Ended> {
        if !self.seats.is_empty() {
            self.deserted = None;
            return Ok(());
        }
        let since = *self.deserted.get_or_insert_with(Instant::now);
        if since.elapsed() < DESERTED_MAX { Ok(()) } else { Err(Ended::Closed) }
    }

    /// Steps, and performs what was decided, which may lead to more steps.
    pub(super) fn apply(&mut self, inputs: Vec<Input>) {
        let mut inputs = VecDeque::from(inputs);
        while let Some(input) = inputs.pop_front() {
            let now = self.clock.now();
            for action in self.state.step(input, now) {
                inputs.extend(self.perform(action));
            }
        }
        if !self.is_recording && !self.to_record.is_empty() {
            self.is_recording = true;
            let rest = self.to_record.split_off(self.to_record.len().min(FACTS_MAX));
            let facts = std::mem::replace(&mut self.to_record, rest);
            self.work.spawn(work::record(self.ledger.clone(), self.id.clone(), facts));
        }
    }

    fn perform(&mut self, action: Action) -> Option<Input> {
        match action {
            Action::Deliver { member, position, attempt } => {
                return self.deliver(member, position, attempt);
            }
            Action::Dismiss(member) => self.seats.remove(member, Ended::Closed),
            Action::Record(fact) => self.to_record.push(fact.event()),
            Action::Load(positions) => {
                self.work.spawn(work::load(self.ledger.clone(), positions));
            }
            Action::Forget(position) => {
                if let Some(event) = self.events.remove(&position) {
                    self.ids.remove(&(event.id, position));
                }
            }
            Action::Save(progress) => {
                self.is_saving = true;
                self.work.spawn(work::save(self.row.clone(), progress));
            }
        }
        None
    }

    fn deliver(&mut self, member: MemberId, position: Position, attempt: u32) -> Option<Input> {
        let event = self.events.get(&position).expect("what is handed out is held").clone();
        let until = Instant::now() + self.state.settings().ack_timeout;
        let why = match self.seats.hand(member, Delivery { event, attempt, until }) {
            Handed::Over => return None,
            Handed::Gone => Ended::Closed,
            Handed::Stuck => Ended::TooSlow,
        };
        self.seats.remove(member, why);
        Some(Input::Left(member))
    }

    /// Keeps events in memory, and says what there is to know of them.
    fn hold(&mut self, events: Vec<Event>) -> Vec<Taken> {
        let settings = self.state.settings();
        let mut taken = Vec::with_capacity(events.len());
        for event in events {
            taken.push(Taken {
                at: mark(&event),
                stream: event.stream.clone(),
                id: event.id,
                key: Key::order(&event, &settings.order_by),
                pin: Key::pin(&event, &settings.order_by, settings.strategy),
                bytes: event.bytes(),
            });
            self.ids.insert((event.id, event.position));
            self.events.insert(event.position, Arc::new(event));
        }
        taken
    }

    fn done(&mut self, done: Done) -> Result<Vec<Input>, Ended> {
        Ok(match done {
            Done::Loaded(events) => vec![Input::Loaded(self.hold(events))],
            Done::Saved(checkpoint, row) => {
                (self.row, self.is_saving) = (row, false);
                vec![Input::Saved(checkpoint)]
            }
            Done::Recorded => {
                self.is_recording = false;
                self.facts.nudge.notify_one();
                Vec::new()
            }
            Done::Left(member) => {
                self.seats.remove(member, Ended::Closed);
                vec![Input::Left(member)]
            }
            Done::TakenOver => return Err(Ended::TakenOver),
        })
    }

    fn learn(&mut self, page: Page) -> Result<Vec<Input>, Ended> {
        let mut facts = Vec::with_capacity(page.events.len());
        for event in page.events {
            match event.decode::<Fact>() {
                Ok(Fact::Updated { .. }) => return Err(Ended::Updated),
                Ok(Fact::Removed | Fact::Created { .. }) => return Err(Ended::Removed),
                Ok(fact) => facts.push((event.version, fact)),
                Err(_) => return Err(Ended::Failed),
            }
        }
        Ok(vec![Input::Facts(facts)])
    }
}

//! A seeded simulation: consumers that come, go, acknowledge, fail and are silent; operators; reads
//! and writes that take their time; and kills, after which the group is restored from what was
//! stored. A model of what is finished checks every event that is handed out, and every progress
//! that is stored. `FAIRWAY_SEED=N` runs one seed.

use crate::{
    decide::{
        Action, Demand, Group, Input, Mark, MemberId, Progress, Taken, Verdict, model::Model,
    },
    facts::{Fact, Replay, Shelved},
    key::Key,
    settings::{AfterPark, Backoff, Save, Settings, Strategy},
};
use fairway_ledger::{EventId, Position, Version};
use fairway_model::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

const SEEDS: u64 = 400;
const STEPS: usize = 600;
const EVENTS_MAX: usize = 150;
const RECORD_EVERY: Duration = Duration::from_millis(80);

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let bits = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % end
    }

    fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    fn up_to(&mut self, most: u64) -> u32 {
        u32::try_from(self.below(most) + 1).unwrap()
    }

    fn of<T: Copy>(&mut self, all: impl IntoIterator<Item = T>) -> Option<T> {
        let all: Vec<T> = all.into_iter().collect();
        let count = all.len() as u64;
        (count > 0).then(|| all[usize::try_from(self.below(count)).unwrap()])
    }

    fn millis(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.below(most) + 1)
    }
}

/// What was begun and is not done.
enum Pending {
    Load(Vec<Position>),
    Save(Progress),
    Record(Fact),
}

struct World {
    random: Random,
    now: Timestamp,
    settings: Settings,
    group: Group,
    pending: Vec<Pending>,
    /// What the consumers have, as they see it.
    holding: BTreeMap<MemberId, BTreeSet<Position>>,
    /// What those that take may still get.
    asked: BTreeMap<MemberId, u32>,
    members: u64,
    kills: u32,
    is_calm: bool,
    stored: Option<Progress>,
    facts: Vec<Fact>,
    model: Model,
}

fn settings(random: &mut Random) -> Settings {
    let strategies = [Strategy::RoundRobin, Strategy::DispatchToSingle, Strategy::Pinned];
    let backoff =
        Backoff { initial: random.millis(30), factor: random.up_to(3), max: random.millis(90) };
    let (min, max) = (random.up_to(8), random.up_to(20));
    Settings {
        after_park: random.of([AfterPark::KeyGoesOn, AfterPark::KeyWaits]).unwrap(),
        strategy: random.of(strategies).unwrap(),
        ack_timeout: random.millis(100),
        retries_max: random.up_to(4) - 1,
        backoff,
        in_flight_max: random.up_to(12),
        buffer: random.up_to(20),
        save: Save { after: random.millis(50), min, max },
        ..Settings::default()
    }
}

/// What is parked by the facts.
fn shelved(facts: &[Fact]) -> Vec<Shelved> {
    let mut parked = BTreeMap::new();
    for fact in facts {
        match fact {
            Fact::Parked(failure) => drop(parked.insert(failure.position, failure.shelved())),
            Fact::Skipped { position, .. } => drop(parked.remove(position)),
            Fact::Replayed { events } => {
                parked.retain(|at, _| !events.iter().any(|event| event.position == *at));
            }
            _ => {}
        }
    }
    parked.into_values().collect()
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let settings = settings(&mut random);
        let now = Timestamp(1_000);
        let mut group = Group::restore(settings.clone(), Progress::default(), Vec::new(), now);
        group.saving.record_every = RECORD_EVERY;
        let model = Model::new(settings.after_park);
        Self {
            random,
            now,
            settings,
            group,
            pending: Vec::new(),
            holding: BTreeMap::new(),
            asked: BTreeMap::new(),
            members: 0,
            kills: 0,
            is_calm: false,
            stored: None,
            facts: Vec::new(),
            model,
        }
    }

    fn step(&mut self, input: Input) {
        let actions = self.group.step(input, self.now);
        let members = self.group.members();
        let mut in_flight: BTreeSet<Position> =
            members.flat_map(|(_, member)| &member.in_flight).copied().collect();
        for action in &actions {
            if let Action::Deliver { position, .. } = action {
                in_flight.remove(position);
            }
        }
        self.model.in_flight = in_flight;
        for action in actions {
            self.perform(action);
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Deliver { member, position, attempt } => {
                // What consumers had when they were killed they may have had for the last time.
                let most = self.settings.retries_max + 1 + self.kills;
                assert!(attempt <= most, "it is parked in time");
                self.model.delivered(position);
                if let Some(left) = self.asked.get_mut(&member) {
                    *left = left.checked_sub(1).expect("nobody gets more than asked for");
                }
                self.holding.get_mut(&member).expect("it is connected").insert(position);
                let in_flight = self.model.in_flight.len();
                assert!(in_flight <= self.settings.in_flight_max as usize);
            }
            Action::Dismiss(member) => {
                self.holding.remove(&member);
                self.asked.remove(&member);
            }
            Action::Record(fact) => self.pending.push(Pending::Record(fact)),
            Action::Load(positions) => self.pending.push(Pending::Load(positions)),
            Action::Forget(position) => self.model.forgotten(position),
            Action::Save(progress) => {
                self.model.saved(&progress);
                self.pending.push(Pending::Save(progress));
            }
        }
    }

    fn taken(&self, position: Position) -> Taken {
        let key = self.model.key(position).map(Key);
        let at = Mark { position, version: Version(position.0) };
        let (stream, id) = ("a".parse().unwrap(), EventId([0; 16]));
        Taken { at, stream, id, key, pin: key.or(Some(Key(0))), bytes: 1 }
    }

    fn feed(&mut self) {
        let wants = self.group.wants();
        let from = self.group.progress().taken.position;
        let end = self.model.end();
        if wants == 0 || from >= end {
            return;
        }
        let to = Position(end.0.min(from.0 + 1 + self.random.below(9)));
        let there = (from.0 + 1..=to.0).map(Position).filter(|&p| self.model.is_there(p));
        let positions: Vec<Position> = there.take(wants).collect();
        // With more than it wants, it is read up to the last that it wants.
        let to = if positions.len() == wants { positions[wants - 1] } else { to };
        let events = positions.into_iter().map(|position| self.taken(position)).collect();
        self.model.taken(to);
        self.step(Input::Taken { events, to: Mark { position: to, version: Version(to.0) } });
    }

    /// Some read or write gets done: loads and saves whenever they like, facts one after another.
    fn work(&mut self) {
        let Some(at) = self.random.of(0..self.pending.len()) else { return };
        let is_record = |pending: &Pending| matches!(pending, Pending::Record(_));
        let first = self.pending.iter().position(is_record).unwrap_or(at);
        let at = if is_record(&self.pending[at]) { first } else { at };
        match self.pending.remove(at) {
            Pending::Load(positions) => {
                let there = positions.iter().filter(|&&p| self.model.is_there(p));
                let events = there.map(|&position| self.taken(position)).collect();
                self.step(Input::Loaded(events));
            }
            Pending::Save(progress) => {
                let checkpoint = progress.checkpoint;
                self.stored = Some(progress);
                self.step(Input::Saved(checkpoint));
            }
            Pending::Record(fact) => self.facts.push(fact),
        }
    }

    /// The group learns of the next facts, at most so many at once.
    fn learn(&mut self, most: usize) {
        let told = usize::try_from(self.group.progress().facts.0).unwrap();
        let facts: Vec<Fact> = self.facts.iter().skip(told).take(most).cloned().collect();
        self.model.told(&facts);
        self.step(Input::Facts((told as u64 + 1..).map(Version).zip(facts).collect()));
        self.model.told(&[]);
    }

    fn join(&mut self) {
        self.members += 1;
        let member = MemberId(self.members);
        let credit = self.random.up_to(6);
        let demand = if self.random.one_in(2) { Demand::Always } else { Demand::Asked(0) };
        self.holding.insert(member, BTreeSet::new());
        if demand != Demand::Always {
            self.asked.insert(member, 0);
        }
        self.step(Input::Joined { member, credit, demand });
    }

    fn leave(&mut self) {
        if let Some(member) = self.random.of(self.holding.keys().copied()) {
            self.holding.remove(&member);
            self.asked.remove(&member);
            self.step(Input::Left(member));
        }
    }

    fn ask(&mut self) {
        if let Some(member) = self.random.of(self.asked.keys().copied()) {
            let count = self.random.up_to(5) - 1;
            self.asked.insert(member, count);
            self.step(Input::Asked { member, count });
        }
    }

    /// A consumer says what became of an event that it has, or had.
    fn answer(&mut self) {
        let all = self.holding.iter();
        let all = all.flat_map(|(&member, held)| held.iter().map(move |&p| (member, p)));
        let Some((member, position)) = self.random.of(all.collect::<Vec<_>>()) else { return };
        if self.random.one_in(9) {
            return self.step(Input::Extended { member, positions: vec![position] });
        }
        self.holding.get_mut(&member).unwrap().remove(&position);
        if self.random.below(10) < 6 {
            if self.group.holds(member, position) {
                self.model.acked(position);
            }
            return self.step(Input::Acked { member, positions: vec![position] });
        }
        let verdicts = [Verdict::Retry, Verdict::Retry, Verdict::Park, Verdict::Skip];
        let verdict = self.random.of(verdicts).unwrap();
        let (positions, reason) = (vec![position], "no".to_owned());
        self.step(Input::Nacked { member, positions, verdict, reason });
    }

    /// Somebody replays what is parked, skips an event, or truncates a stream.
    fn operate(&mut self) {
        // In the end, what waits behind others has to be handed out by itself.
        let all = shelved(&self.facts).into_iter();
        let some = all.filter(|shelved| !(self.is_calm && shelved.is_behind));
        let parked: Vec<Position> = some.map(|shelved| shelved.replay.position).collect();
        match self.random.below(4) {
            0 | 1 => {
                let first = self.random.below(parked.len() as u64 + 1);
                let some = parked.into_iter().skip(usize::try_from(first).unwrap());
                let some = some.take(self.random.up_to(5) as usize);
                let replay = |position: Position| Replay {
                    position,
                    version: Version(position.0),
                    key: self.model.key(position),
                };
                let events: Vec<Replay> = some.map(replay).collect();
                if !events.is_empty() {
                    self.facts.push(Fact::Replayed { events });
                }
            }
            2 => {
                let unfinished = self.group.progress().unfinished.into_iter().map(|u| u.0);
                if let Some(position) = self.random.of(parked.into_iter().chain(unfinished)) {
                    self.facts.push(Fact::Skipped { position, reason: String::new() });
                }
            }
            _ => {
                let end = self.model.end().0;
                if let Some(gone) = self.random.of(1..=end).filter(|_| self.random.one_in(8)) {
                    self.model.truncate(Position(gone));
                }
            }
        }
    }

    fn pass_time(&mut self) {
        let wake = self.group.wake_at();
        let some = self.now.plus(self.random.millis(20));
        self.now = if self.random.one_in(3) { some.max(wake) } else { some };
        self.step(Input::Tick);
    }

    /// Everything ends but what is stored; what was begun is done or not.
    fn kill(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            match pending {
                Pending::Save(progress) if self.random.one_in(2) => self.stored = Some(progress),
                Pending::Record(fact) if self.random.one_in(2) => self.facts.push(fact),
                _ => {}
            }
        }
        self.kills += 1;
        self.holding.clear();
        self.asked.clear();
        if self.random.one_in(4) {
            // A copy of the ledger: it has the facts only.
            let recorded = self.facts.iter().rev().find_map(|fact| match fact {
                Fact::Progressed { progress } => Some(progress.clone()),
                _ => None,
            });
            self.stored = recorded;
        }
        let progress = self.stored.clone().unwrap_or_default();
        self.model.restored(&progress, &self.facts);
        let parked = shelved(&self.facts);
        self.group = Group::restore(self.settings.clone(), progress, parked, self.now);
        self.group.saving.record_every = RECORD_EVERY;
        self.learn(usize::MAX);
    }

    fn chaos(&mut self) {
        match self.random.below(24) {
            0 | 1 if self.model.len() < EVENTS_MAX => {
                let key = (!self.random.one_in(6)).then(|| self.random.below(5));
                self.model.append(key, !self.random.one_in(5));
            }
            2..=5 => self.feed(),
            6..=9 => self.work(),
            10 | 11 => {
                let most = self.random.up_to(3) as usize;
                self.learn(most);
            }
            12 if self.holding.len() < 5 => self.join(),
            13 if self.random.one_in(3) => self.leave(),
            14 | 15 => self.ask(),
            16..=20 => self.answer(),
            21 => self.operate(),
            22 if self.random.one_in(8) => self.kill(),
            _ => self.pass_time(),
        }
    }

    /// Nothing fails any more: everything has to get finished.
    fn calm(&mut self) {
        self.is_calm = true;
        self.join();
        for _ in 0..20_000 {
            self.feed();
            self.work();
            self.learn(1);
            for member in self.asked.keys().copied().collect::<Vec<_>>() {
                self.asked.insert(member, 9);
                self.step(Input::Asked { member, count: 9 });
            }
            for member in self.holding.keys().copied().collect::<Vec<_>>() {
                let held = std::mem::take(self.holding.get_mut(&member).unwrap());
                let holds = held.into_iter().filter(|&p| self.group.holds(member, p));
                let positions: Vec<Position> = holds.collect();
                for &position in &positions {
                    self.model.acked(position);
                }
                self.step(Input::Acked { member, positions });
            }
            let progress = self.group.progress();
            let told =
                progress.facts.0 == self.facts.len() as u64 && progress.unfinished.is_empty();
            let is_recording = |pending: &Pending| matches!(pending, Pending::Record(_));
            if told && !self.pending.iter().any(is_recording) && self.model.is_done(&self.facts) {
                break;
            }
            if self.random.one_in(9) {
                self.operate();
            }
            self.pass_time();
        }
        // The last progress is stored as well.
        for _ in 0..100 {
            self.pass_time();
            self.work();
            self.learn(1);
        }
        assert!(self.model.is_done(&self.facts), "everything gets finished");
        let stored = self.stored.clone().unwrap_or_default();
        let left = self.group.progress().unfinished;
        assert_eq!((left, stored.checkpoint.position), (Vec::new(), self.model.end()));
    }
}

#[expect(clippy::disallowed_methods, reason = "the seed of a test that failed")]
fn seeds() -> std::ops::Range<u64> {
    match std::env::var("FAIRWAY_SEED") {
        Ok(seed) => seed.parse().map(|seed| seed..seed + 1).unwrap(),
        Err(_) => 0..SEEDS,
    }
}

#[test]
fn sim_whatever_happens_nothing_is_skipped_and_order_is_kept() {
    for seed in seeds() {
        let run = std::panic::catch_unwind(|| {
            let mut world = World::new(seed);
            for _ in 0..STEPS {
                world.chaos();
            }
            world.calm();
        });
        assert!(run.is_ok(), "rules were broken: FAIRWAY_SEED={seed}");
    }
}

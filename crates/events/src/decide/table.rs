//! Steps of a group as tables: what happens, and what is done about it.

use crate::{
    decide::{
        Action, Demand, Group, Input, Mark, MemberId, Progress, Taken, Verdict,
        progress::Unfinished,
    },
    facts::{Fact, PARKED_MAX, Replay, Shelved},
    key::Key,
    settings::{AfterPark, Backoff, Settings},
};
use fairway_ledger::{EventId, Position, Version};
use fairway_model::Timestamp;
use std::time::Duration;

/// A group, a clock that starts at 0, and facts that are not yet in the ledger.
struct Table {
    group: Group,
    recorded: Vec<Fact>,
    now: u64,
}

/// One retry after 10 ms, then parked; 100 ms to acknowledge.
fn settings() -> Settings {
    Settings {
        retries_max: 1,
        ack_timeout: Duration::from_millis(100),
        backoff: Backoff { initial: Duration::from_millis(10), ..Backoff::default() },
        ..Settings::default()
    }
}

fn mark(position: u64) -> Mark {
    Mark { position: Position(position), version: Version(position) }
}

fn event((position, key): (u64, u64)) -> Taken {
    let (stream, id) = ("a".parse().unwrap(), EventId([0; 16]));
    Taken { at: mark(position), stream, id, key: Some(Key(key)), pin: Some(Key(key)), bytes: 1 }
}

fn shelved(position: u64) -> Shelved {
    let (position, version) = (Position(position), Version(position));
    Shelved { replay: Replay { position, version, key: None }, is_behind: false }
}

fn shown(action: &Action) -> String {
    match action {
        Action::Deliver { member, position, attempt } => {
            format!("{position} to {} as {attempt}", member.0)
        }
        Action::Dismiss(member) => format!("dismiss {}", member.0),
        Action::Record(Fact::Parked(failure)) => {
            format!("park {}: {}", failure.position, failure.reason)
        }
        Action::Record(Fact::Skipped { position, .. }) => format!("skip {position}"),
        Action::Record(Fact::Replayed { events }) => {
            let positions = events.iter().map(|event| format!(" {}", event.position));
            format!("replay{}", positions.collect::<String>())
        }
        Action::Record(_) => "record".to_owned(),
        Action::Load(positions) => {
            let positions: Vec<u64> = positions.iter().map(|position| position.0).collect();
            format!("load {positions:?}")
        }
        Action::Forget(position) => format!("forget {position}"),
        Action::Save(progress) => format!("save {}", progress.checkpoint.position),
    }
}

impl Table {
    fn new(settings: Settings) -> Self {
        Self::restored(settings, Progress::default(), Vec::new())
    }

    fn restored(settings: Settings, progress: Progress, parked: Vec<Shelved>) -> Self {
        let group = Group::restore(settings, progress, parked, Timestamp(0));
        Self { group, recorded: Vec::new(), now: 0 }
    }

    fn step(&mut self, input: Input) -> String {
        let actions = self.group.step(input, Timestamp(self.now));
        self.recorded.extend(actions.iter().filter_map(|action| match action {
            Action::Record(fact) => Some(fact.clone()),
            _ => None,
        }));
        actions.iter().map(shown).collect::<Vec<_>>().join(", ")
    }

    fn after(&mut self, millis: u64) -> String {
        self.now += millis;
        self.step(Input::Tick)
    }

    fn take(&mut self, events: &[(u64, u64)]) -> String {
        let to = mark(events.last().unwrap().0);
        self.step(Input::Taken { events: events.iter().copied().map(event).collect(), to })
    }

    fn join(&mut self, member: u64, credit: u32, demand: Demand) -> String {
        self.step(Input::Joined { member: MemberId(member), credit, demand })
    }

    fn ack(&mut self, member: u64, position: u64) -> String {
        let positions = vec![Position(position)];
        self.step(Input::Acked { member: MemberId(member), positions })
    }

    fn nack(&mut self, member: u64, position: u64, verdict: Verdict) -> String {
        let (member, positions) = (MemberId(member), vec![Position(position)]);
        self.step(Input::Nacked { member, positions, verdict, reason: "no".to_owned() })
    }

    /// A fact is in the ledger.
    fn learn(&mut self, fact: Fact) -> String {
        let version = Version(self.group.progress().facts.0 + 1);
        self.step(Input::Facts(vec![(version, fact)]))
    }

    fn skip(&mut self, position: u64) -> String {
        self.learn(Fact::Skipped { position: Position(position), reason: String::new() })
    }

    fn replay(&mut self, position: u64, key: u64) -> String {
        let (position, version) = (Position(position), Version(position));
        self.learn(Fact::Replayed { events: vec![Replay { position, version, key: Some(key) }] })
    }

    /// The first fact that was to be recorded is in the ledger.
    fn told(&mut self) -> String {
        let fact = self.recorded.remove(0);
        self.learn(fact)
    }

    /// A consumer refuses an event, and the fact of that is in the ledger.
    fn park(&mut self, member: u64, position: u64) -> String {
        self.nack(member, position, Verdict::Park);
        self.told()
    }

    fn loaded(&mut self, events: &[(u64, u64)]) -> String {
        self.step(Input::Loaded(events.iter().copied().map(event).collect()))
    }

    fn checkpoint(&self) -> u64 {
        self.group.progress().checkpoint.position.0
    }
}

#[test]
fn events_of_a_key_are_handed_out_one_after_another() {
    let mut table = Table::new(settings());
    assert_eq!(table.take(&[(1, 7), (2, 7), (3, 8)]), "");
    assert_eq!(table.join(1, 10, Demand::Always), "1 to 1 as 1, 3 to 1 as 1");
    assert_eq!(table.ack(1, 3), "forget 3");
    assert_eq!(table.checkpoint(), 0);
    assert_eq!(table.nack(1, 1, Verdict::Retry), "");
    assert_eq!(table.after(9), "");
    assert_eq!(table.after(1), "1 to 1 as 2");
    assert_eq!(table.ack(1, 1), "forget 1, 2 to 1 as 1");
    assert_eq!(table.checkpoint(), 1);
    assert_eq!(table.ack(1, 2), "forget 2");
    assert_eq!(table.checkpoint(), 3);
}

#[test]
fn what_fails_too_often_is_parked_before_its_key_goes_on() {
    let mut table = Table::new(settings());
    table.take(&[(1, 7), (2, 7)]);
    assert_eq!(table.join(1, 10, Demand::Always), "1 to 1 as 1");
    assert_eq!(table.after(100), "");
    assert_eq!(table.after(10), "1 to 1 as 2");
    assert_eq!(table.after(100), "park 1: it was not acknowledged in time");
    assert_eq!(table.after(1_000), "", "not before that is a fact");
    let mut again = Table::new(settings());
    again.take(&[(1, 7), (2, 7)]);
    again.join(1, 10, Demand::Always);
    assert_eq!(again.park(1, 1), "forget 1, 2 to 1 as 1");
    assert_eq!(again.checkpoint(), 1);
}

#[test]
fn who_is_still_at_work_gets_more_time() {
    let mut table = Table::new(settings());
    table.take(&[(1, 7)]);
    table.join(1, 10, Demand::Always);
    for _ in 0..3 {
        assert_eq!(table.after(90), "");
        let (member, positions) = (MemberId(1), vec![Position(1)]);
        assert_eq!(table.step(Input::Extended { member, positions }), "");
    }
    assert_eq!(table.after(100), "");
    assert_eq!(table.after(10), "1 to 1 as 2");
}

#[test]
fn what_comes_after_a_parked_event_of_its_key_waits_behind_it_and_others_go_on() {
    let mut table = Table::new(Settings { after_park: AfterPark::KeyWaits, ..settings() });
    table.take(&[(1, 7), (2, 7), (3, 8)]);
    table.join(1, 10, Demand::Always);
    assert_eq!(table.park(1, 1), "forget 1, park 2: event 1 of its key is parked");
    assert_eq!(table.told(), "forget 2");
    assert_eq!(table.ack(1, 3), "forget 3");
    assert_eq!(table.take(&[(4, 7)]), "park 4: event 1 of its key is parked");
    assert_eq!(table.told(), "forget 4");
    assert_eq!(table.checkpoint(), 4);
    assert_eq!(table.replay(1, 7), "load [1]");
    assert_eq!(table.loaded(&[(1, 7)]), "1 to 1 as 1");
    assert_eq!(table.ack(1, 1), "forget 1, replay 2 4");
    assert_eq!(table.told(), "load [2, 4]");
    assert_eq!(table.loaded(&[(2, 7), (4, 7)]), "2 to 1 as 1");
    assert_eq!(table.ack(1, 2), "forget 2, 4 to 1 as 1");
}

#[test]
fn when_a_parked_event_is_skipped_what_waits_behind_it_goes_on() {
    let mut table = Table::new(Settings { after_park: AfterPark::KeyWaits, ..settings() });
    table.take(&[(1, 7), (2, 7), (3, 7)]);
    table.join(1, 10, Demand::Always);
    table.park(1, 1);
    table.told();
    table.told();
    assert_eq!(table.skip(1), "replay 2 3");
    assert_eq!(table.told(), "load [2, 3]");
    assert_eq!(table.loaded(&[(2, 7), (3, 7)]), "2 to 1 as 1");
    assert_eq!(table.nack(1, 2, Verdict::Park), "park 2: no");
    assert_eq!(table.told(), "forget 2, park 3: event 2 of its key is parked");
}

#[test]
fn who_goes_gives_back_at_once() {
    let mut table = Table::new(settings());
    table.take(&[(1, 7), (2, 8)]);
    table.join(1, 10, Demand::Always);
    assert_eq!(table.join(2, 10, Demand::Always), "");
    assert_eq!(table.step(Input::Left(MemberId(1))), "1 to 2 as 2, 2 to 2 as 2");
    assert_eq!(table.ack(1, 1), "", "it does not have it any more");
    assert_eq!(table.nack(2, 1, Verdict::GiveBack), "1 to 2 as 2", "that was no failure");
}

#[test]
fn nobody_has_more_than_its_credit_or_than_it_asked_for() {
    let mut table = Table::new(Settings { in_flight_max: 4, ..settings() });
    let events: Vec<(u64, u64)> = (1..=9).map(|position| (position, position)).collect();
    table.take(&events);
    assert_eq!(table.join(1, 2, Demand::Always), "1 to 1 as 1, 2 to 1 as 1");
    assert_eq!(table.join(2, 9, Demand::Asked(0)), "");
    let asked = Input::Asked { member: MemberId(2), count: 1 };
    assert_eq!(table.step(asked.clone()), "3 to 2 as 1");
    assert_eq!(table.ack(2, 3), "forget 3");
    table.step(asked.clone());
    table.step(asked.clone());
    assert_eq!(table.step(asked), "", "so many are with all consumers at most");
}

#[test]
fn a_skipped_event_is_finished_wherever_it_is() {
    let mut table = Table::new(settings());
    table.take(&[(1, 7), (2, 7)]);
    table.join(1, 10, Demand::Always);
    assert_eq!(table.skip(1), "forget 1, 2 to 1 as 1");
    assert_eq!(table.skip(3), "", "it is still to be read");
    assert_eq!(table.take(&[(3, 7), (4, 9)]), "forget 3, 4 to 1 as 1");
}

#[test]
fn what_was_begun_is_read_again_after_a_restart_and_before_anything_else() {
    let unfinished = [(3, 2), (5, 0)];
    let unfinished = unfinished.map(|(position, attempts)| {
        crate::decide::progress::Unfinished(Position(position), Version(position), attempts)
    });
    let progress = Progress {
        taken: mark(9),
        checkpoint: mark(2),
        unfinished: unfinished.to_vec(),
        ..Progress::default()
    };
    let parked = vec![shelved(4)];
    let mut table = Table::restored(settings(), progress, parked);
    assert_eq!(table.group.wants(), 0);
    assert_eq!(table.join(1, 10, Demand::Always), "load [3, 5]");
    let loaded = table.step(Input::Loaded(vec![event((3, 7))]));
    assert_eq!(loaded, "forget 5, 3 to 1 as 3", "5 was truncated");
    assert!(table.group.wants() > 0);
    assert_eq!((table.ack(1, 3).as_str(), table.checkpoint()), ("forget 3", 9));
}

#[test]
fn facts_that_are_learned_together_lead_to_nothing_that_one_of_them_says() {
    let settings = Settings { after_park: AfterPark::KeyWaits, ..settings() };
    let mut table = Table::new(settings.clone());
    table.take(&[(1, 7), (2, 7)]);
    table.join(1, 10, Demand::Always);
    table.nack(1, 1, Verdict::Park);
    let parked = table.recorded.remove(0);
    table.learn(parked.clone());
    let behind = table.recorded.remove(0);
    table.learn(behind.clone());
    let skipped = Fact::Skipped { position: Position(1), reason: String::new() };
    table.learn(skipped.clone());
    let released = table.recorded.remove(0);
    // Killed after that, with progress of before, and what all the facts amount to.
    let unfinished = [1, 2].map(|at| Unfinished(Position(at), Version(at), 0)).into();
    let progress = Progress { taken: mark(2), unfinished, ..Progress::default() };
    let mut table = Table::restored(settings, progress, Vec::new());
    let facts = [parked, behind, skipped, released];
    let facts = (1..).map(Version).zip(facts).collect();
    assert_eq!(table.step(Input::Facts(facts)), "forget 1, forget 2, load [2]");
}

#[test]
fn an_event_that_is_replayed_is_read_although_later_ones_of_its_key_fill_the_buffer() {
    let mut table = Table::new(Settings { buffer: 1, ..settings() });
    table.take(&[(1, 7)]);
    table.join(1, 1, Demand::Always);
    table.park(1, 1);
    table.take(&[(2, 7)]);
    table.park(1, 2);
    table.take(&[(3, 8)]);
    assert_eq!(table.replay(2, 7), "load [2]");
    assert_eq!(table.loaded(&[(2, 7)]), "", "the consumer has enough to do");
    assert_eq!(table.replay(1, 7), "", "there is no room yet");
    assert_eq!(table.ack(1, 3), "forget 3, load [1]");
    assert_eq!(table.loaded(&[(1, 7)]), "1 to 1 as 1");
    assert_eq!(table.ack(1, 1), "forget 1, 2 to 1 as 1");
}

#[test]
fn progress_is_stored_in_time_and_once_at_a_time() {
    let mut settings = settings();
    (settings.save.after, settings.save.max) = (Duration::from_secs(1), 2);
    let mut table = Table::new(settings);
    table.take(&[(1, 1), (2, 2), (3, 3), (4, 4)]);
    table.join(1, 10, Demand::Always);
    assert_eq!(table.ack(1, 1), "forget 1");
    assert_eq!(table.ack(1, 2), "forget 2, save 2");
    table.ack(1, 3);
    assert_eq!(table.ack(1, 4), "forget 4", "the first is still under way");
    assert_eq!(table.step(Input::Saved(mark(2))), "save 4");
    assert_eq!(table.step(Input::Saved(mark(4))), "");
    assert!(table.group.wake_at() > Timestamp(1_000), "there is nothing to be stored");
    assert_eq!(table.step(Input::Taken { events: Vec::new(), to: mark(9) }), "");
    assert_eq!(table.after(1_000), "save 9");
}

#[test]
fn when_too_many_are_parked_an_event_goes_on_being_tried() {
    let parked = (10..10 + PARKED_MAX as u64).map(shelved);
    let mut table = Table::restored(settings(), Progress::default(), parked.collect());
    table.take(&[(1, 7)]);
    table.join(1, 10, Demand::Always);
    assert_eq!(table.nack(1, 1, Verdict::Park), "");
    assert_eq!(table.after(30_000), "1 to 1 as 2");
    table.nack(1, 1, Verdict::Park);
    table.skip(11);
    assert_eq!(table.after(30_000), "1 to 1 as 3");
    assert_eq!(table.nack(1, 1, Verdict::Park), "park 1: no");
}

#[test]
fn who_took_and_then_was_silent_is_forgotten() {
    let mut table = Table::new(settings());
    table.join(1, 10, Demand::Asked(0));
    table.join(2, 10, Demand::Always);
    assert_eq!(table.after(299_000), "");
    assert_eq!(table.after(31_000), "dismiss 1");
}

//! The check of what writers said, against the ledger as it is after they were killed.

use super::{
    PAIRS, WRITERS, last, look,
    pair::{OneAtATime, Operation, Part, Seen, Side, Told},
    said::{Answer, Call, Said},
    stream, value,
};
use crate::{Ledger, METADATA_KIND, PAGE_EVENTS_MAX, Position};
use std::collections::{BTreeMap, HashMap, HashSet};
use todc_utils::linearizability::{
    WGLChecker,
    history::{
        Action::{self, Call as Begin, Response},
        History,
    },
};

type Actions = Vec<(usize, Action<Operation>)>;

/// Checks round after round of a storm over one ledger.
#[derive(Debug, Default)]
pub struct Watcher {
    head: Position,
    states: BTreeMap<u64, [Seen; 2]>,
    values: HashSet<u64>,
    acknowledged: usize,
}

/// What a round left.
struct Left {
    /// The versions of values that came in it.
    kept: HashMap<u64, u64>,
    /// How the streams are now.
    ends: BTreeMap<u64, [Seen; 2]>,
}

impl Watcher {
    /// How many appends were acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        self.acknowledged
    }

    /// Checks what the writers of one process said until it was killed against the ledger as it is
    /// now. Panics with what is wrong.
    pub async fn check(&mut self, ledger: &Ledger, lines: &[String]) {
        let kept = self.read_on(ledger).await;
        let mut ends = BTreeMap::new();
        for pair in 0..PAIRS {
            let mut end = [Seen::default(); 2];
            for side in Side::BOTH {
                let name = stream(pair, side);
                let (version, truncated) = look(ledger, &name).await;
                let (_, value) = last(ledger, &name).await;
                end[side.index()] = Seen { version, truncated, value };
            }
            ends.insert(pair, end);
        }
        let left = Left { kept, ends };
        let mut histories = self.histories(lines, &left);
        for (pair, end) in left.ends {
            let start = self.states.insert(pair, end).unwrap_or_default();
            let mut actions = action(Operation::Start(start)).to_vec();
            actions.append(histories.entry(pair).or_default());
            for side in Side::BOTH {
                let seen = end[side.index()];
                actions.extend(action(Operation::Look(side, (seen.version, seen.truncated))));
                actions.extend(action(Operation::Read(side, seen.last())));
            }
            let shown = format!("{actions:?}");
            let is_linearizable =
                WGLChecker::<OneAtATime>::is_linearizable(History::from_actions(actions));
            assert!(is_linearizable, "pair {pair} is not linearizable: {shown}");
        }
    }

    /// Reads what came since the last round: the version of every value.
    async fn read_on(&mut self, ledger: &Ledger) -> HashMap<u64, u64> {
        let mut kept = HashMap::new();
        loop {
            let page = ledger.read_all(self.head, PAGE_EVENTS_MAX).await.expect("a page");
            if page.is_empty() {
                return kept;
            }
            for event in page {
                assert_eq!(event.position.0, self.head.0 + 1, "no position is left out");
                self.head = event.position;
                if event.kind == METADATA_KIND {
                    continue;
                }
                let value = value(&event);
                assert!(self.values.insert(value), "value {value} is there once");
                kept.insert(value, event.version.0);
            }
        }
    }

    /// What happened to each pair of streams, without operations that nobody knows to have happened.
    fn histories(&mut self, lines: &[String], left: &Left) -> HashMap<u64, Actions> {
        let said: Vec<Said> = lines.iter().filter_map(|line| Said::parse(line)).collect();
        let mut moments = Vec::new();
        for (index, now) in said.iter().enumerate() {
            let Said::Called(writer, call) = now else { continue };
            let answer =
                said[index + 1..].iter().enumerate().find_map(|(later, said)| match said {
                    Said::Told(by, answer) if by == writer => Some((index + 1 + later, answer)),
                    _ => None,
                });
            let operation = match answer {
                Some((_, answer)) => Some(self.ended(call, answer, left)),
                None => left.pending(*writer, call),
            };
            let Some(operation) = operation else { continue };
            let end = answer.map_or(usize::MAX, |(end, _)| end);
            moments.push((index, true, *writer, operation.clone()));
            moments.push((end, false, *writer, operation));
        }
        moments.sort_by_key(|&(at, is_call, ..)| (at, is_call));
        let mut histories: HashMap<u64, Actions> = HashMap::new();
        for (_, is_call, writer, operation) in moments {
            let action = if is_call { Begin(operation) } else { Response(operation) };
            let process = usize::try_from(writer).expect("a small number");
            histories.entry(writer % PAIRS).or_default().push((process, action));
        }
        histories
    }

    /// An operation that ended. What was acknowledged has to be there.
    fn ended(&mut self, call: &Call, answer: &Answer, left: &Left) -> Operation {
        match (call, answer) {
            (Call::Append(parts), Answer::Append(told)) => {
                if let Told::Versions(versions) = told {
                    self.acknowledged += 1;
                    for (Part { value, .. }, version) in parts.iter().zip(versions) {
                        let kept = left.kept.get(value);
                        assert!(kept.is_some(), "{value} was acknowledged and is lost");
                        assert_eq!(kept, Some(version), "{value} was acknowledged elsewhere");
                    }
                }
                Operation::Append(parts.clone(), told.clone())
            }
            (Call::Truncate(side, up_to), Answer::Truncated) => Operation::Truncate(*side, *up_to),
            (Call::Read(side), Answer::Seen(version, value)) => {
                Operation::Read(*side, (*version, *value))
            }
            (Call::Look(side), Answer::Seen(version, truncated)) => {
                Operation::Look(*side, (*version, *truncated))
            }
            (call, answer) => panic!("{call:?} was answered with {answer:?}"),
        }
    }
}

impl Left {
    /// An operation of which nobody was told: none if nothing came of it. Truncations of a round are
    /// all the same, so that one more that came too late changes nothing.
    fn pending(&self, writer: u64, call: &Call) -> Option<Operation> {
        match call {
            Call::Append(parts) => {
                let kept = parts.iter().filter_map(|part| self.kept.get(&part.value).copied());
                let versions: Vec<u64> = kept.collect();
                let is_whole = versions.is_empty() || versions.len() == parts.len();
                assert!(is_whole, "of {parts:?} all are there or none");
                let is_there = !versions.is_empty();
                is_there.then(|| Operation::Append(parts.clone(), Told::Versions(versions)))
            }
            Call::Truncate(side, up_to) => {
                let end = self.ends[&(writer % PAIRS)][side.index()];
                (end.truncated >= *up_to).then_some(Operation::Truncate(*side, *up_to))
            }
            Call::Read(_) | Call::Look(_) => None,
        }
    }
}

/// Something that the one who checks does.
fn action(operation: Operation) -> [(usize, Action<Operation>); 2] {
    let process = usize::try_from(WRITERS).expect("a small number");
    [(process, Begin(operation.clone())), (process, Response(operation))]
}

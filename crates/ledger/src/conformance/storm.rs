//! A storm: writers that append and read for ever, in a process that is killed in the middle of it,
//! and the check of what they were told: nothing acknowledged is lost, nothing is there twice, no
//! position is left out, and what happened to each stream is linearizable.

use crate::{
    AppendError, Event, Expected, From, Ledger, NewEvent, PAGE_EVENTS_MAX, Position, Read, Scope,
    StreamName, Version,
};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io::Write,
};
use todc_utils::{
    linearizability::{
        WGLChecker,
        history::{
            Action::{self, Call, Response},
            History,
        },
    },
    specifications::Specification,
};
use tokio::task::JoinSet;

/// How many append at once.
pub const WRITERS: u64 = 64;
const STREAMS: u64 = 16;
/// Every how many operations a writer reads.
const READ_EVERY: u64 = 4;
/// Values of one process: more than any appends.
const VALUES: u64 = 1 << 24;

/// What a stream is to those who use it: its version and the value of its last event.
type State = (u64, u64);

/// Something that was asked of a stream, with what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Operation {
    /// What the stream was before.
    Start(State),
    Append {
        expected: u64,
        value: u64,
        told: Result<u64, u64>,
    },
    Read(State),
}

/// A stream as one who does one thing at a time sees it.
struct OneAtATime;

impl Specification for OneAtATime {
    type State = State;
    type Operation = Operation;

    fn init() -> State {
        (0, 0)
    }

    fn apply(operation: &Operation, state: &State) -> (bool, State) {
        match *operation {
            Operation::Start(start) => (true, start),
            Operation::Read(seen) => (seen == *state, *state),
            Operation::Append { expected, value, told: Ok(version) } => {
                let after = (state.0 + 1, value);
                (expected == state.0 && version == after.0, after)
            }
            Operation::Append { expected, told: Err(actual), .. } => {
                (expected != state.0 && actual == state.0, *state)
            }
        }
    }
}

/// Appends and reads until the process is killed. On stdout there is a line before and after each
/// operation.
pub async fn rage(ledger: Ledger) {
    let first = ledger.head().await.expect("the head can be read").0 * VALUES;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(write(ledger.clone(), writer, first));
    }
    writers.join_all().await;
}

async fn write(ledger: Ledger, writer: u64, first: u64) {
    let stream = stream(writer % STREAMS);
    let mut known = ledger.stream_version(&stream).await.expect("a version can be read").0;
    for number in 1.. {
        if number % READ_EVERY == 0 {
            say(format_args!("call {writer} read"));
            let (version, value) = last(&ledger, &stream).await;
            say(format_args!("told {writer} {version} {value}"));
            continue;
        }
        let value = first + number * WRITERS + writer;
        say(format_args!("call {writer} append {known} {value}"));
        let event = NewEvent::new("counted", &value).expect("a number is an event");
        match ledger.append(&stream, Expected::Exact(Version(known)), vec![event]).await {
            Ok(appended) => {
                known = appended.version.0;
                say(format_args!("told {writer} ok {known}"));
            }
            Err(AppendError::Conflict { actual, .. }) => {
                known = actual.0;
                say(format_args!("told {writer} conflict {known}"));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

fn stream(number: u64) -> StreamName {
    StreamName::of("storm", number).expect("a legal name")
}

fn say(line: std::fmt::Arguments<'_>) {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "\n{line}").expect("a line to who watches");
}

async fn last(ledger: &Ledger, stream: &StreamName) -> State {
    let scope = Scope::Stream(stream.clone(), From::Before(Version::END));
    let page = ledger.read(Read::new(scope, 1)).await.expect("a stream can be read");
    page.first().map_or((0, 0), |event| (event.version.0, value(event)))
}

fn value(event: &Event) -> u64 {
    event.decode().expect("an event of a storm has a number")
}

/// Whether a line says that an operation has ended.
pub fn is_told(line: &str) -> bool {
    line.starts_with("told ")
}

/// Checks round after round of a storm over one ledger.
#[derive(Debug, Default)]
pub struct Watcher {
    head: Position,
    states: BTreeMap<u64, State>,
    values: HashSet<u64>,
    acknowledged: usize,
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
        let mut histories = self.histories(lines, &kept);
        for number in 0..STREAMS {
            let end = last(ledger, &stream(number)).await;
            let history = histories.entry(number).or_default();
            let reader = usize::try_from(WRITERS).expect("a small number");
            history.extend(action(reader, Operation::Read(end)));
            let start = self.states.insert(number, end).unwrap_or_default();
            let mut actions = action(reader, Operation::Start(start)).to_vec();
            actions.append(history);
            let shown = format!("{actions:?}");
            let is_linearizable =
                WGLChecker::<OneAtATime>::is_linearizable(History::from_actions(actions));
            assert!(is_linearizable, "stream {number} is not linearizable: {shown}");
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
                let value = value(&event);
                assert!(self.values.insert(value), "value {value} is there once");
                kept.insert(value, event.version.0);
            }
        }
    }

    /// What happened to each stream, without operations that nobody knows to have happened.
    fn histories(
        &mut self,
        lines: &[String],
        kept: &HashMap<u64, u64>,
    ) -> HashMap<u64, Vec<(usize, Action<Operation>)>> {
        let said: Vec<Said> = lines.iter().filter_map(|line| Said::parse(line)).collect();
        let mut histories: HashMap<u64, Vec<_>> = HashMap::new();
        let mut late = Vec::new();
        for (index, said_now) in said.iter().enumerate() {
            let Said::Called { writer, append } = *said_now else { continue };
            let told = said[index + 1..].iter().position(|later| later.ends(writer));
            let operation = match (append, told.map(|offset| &said[index + 1 + offset])) {
                (Some((expected, value)), Some(&Said::Told { outcome, .. })) => {
                    if let Ok(version) = outcome {
                        self.acknowledged += 1;
                        let kept = kept.get(&value);
                        assert!(kept.is_some(), "{value} was acknowledged and is lost");
                        assert_eq!(kept, Some(&version), "{value} was acknowledged elsewhere");
                    }
                    Operation::Append { expected, value, told: outcome }
                }
                (None, Some(&Said::Seen { state, .. })) => Operation::Read(state),
                (Some((expected, value)), None) => match kept.get(&value) {
                    Some(&version) => Operation::Append { expected, value, told: Ok(version) },
                    None => continue,
                },
                (None, None) => continue,
                (append, told) => panic!("{append:?} was answered with {told:?}"),
            };
            late.push((index, true, writer, operation.clone()));
            let end = told.map_or(usize::MAX, |offset| index + 1 + offset);
            late.push((end, false, writer, operation));
        }
        late.sort_by_key(|&(at, is_call, ..)| (at, is_call));
        for (_, is_call, writer, operation) in late {
            let action = if is_call { Call(operation) } else { Response(operation) };
            let process = usize::try_from(writer).expect("a small number");
            histories.entry(writer % STREAMS).or_default().push((process, action));
        }
        histories
    }
}

fn action(process: usize, operation: Operation) -> [(usize, Action<Operation>); 2] {
    [(process, Call(operation.clone())), (process, Response(operation))]
}

/// A line of a writer.
#[derive(Debug)]
enum Said {
    /// It begins to append a value at an expected version, or to read.
    Called { writer: u64, append: Option<(u64, u64)> },
    /// Its append ended with a version, or a conflict with one.
    Told { writer: u64, outcome: Result<u64, u64> },
    /// Its read ended.
    Seen { writer: u64, state: State },
}

impl Said {
    /// Reads a line; none if it is another's or was cut off.
    fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |word: &str| word.parse::<u64>().ok();
        match words.as_slice() {
            ["call", writer, "read"] => {
                Some(Self::Called { writer: number(writer)?, append: None })
            }
            ["call", writer, "append", expected, value] => {
                let append = Some((number(expected)?, number(value)?));
                Some(Self::Called { writer: number(writer)?, append })
            }
            ["told", writer, "ok", version] => {
                Some(Self::Told { writer: number(writer)?, outcome: Ok(number(version)?) })
            }
            ["told", writer, "conflict", actual] => {
                Some(Self::Told { writer: number(writer)?, outcome: Err(number(actual)?) })
            }
            ["told", writer, version, value] => {
                let state = (number(version)?, number(value)?);
                Some(Self::Seen { writer: number(writer)?, state })
            }
            _ => None,
        }
    }

    /// Whether this ends what a writer called before.
    fn ends(&self, by: u64) -> bool {
        match *self {
            Self::Called { .. } => false,
            Self::Told { writer, .. } | Self::Seen { writer, .. } => writer == by,
        }
    }
}

//! A storm: writers that append, truncate and read for ever, in a process that is killed in the
//! middle of it, and the check of what they were told: nothing acknowledged is lost, nothing is there
//! twice, no position is left out, and what happened to each pair of streams is linearizable.

mod pair;
mod said;
mod watcher;

pub use said::is_told;
pub use watcher::Watcher;

use crate::{
    Append, AppendError, Event, Expected, From, Ledger, NewEvent, Read, Retention, Scope,
    StreamName, Version,
};
use pair::{Part, Side, Told, Wanted};
use said::{Answer, Call, Said, say};
use tokio::task::JoinSet;

/// How many append at once.
pub const WRITERS: u64 = 64;
/// Streams come in pairs, to which one append can go at once.
const PAIRS: u64 = 8;
/// Values of one process: more than any appends.
const VALUES: u64 = 1 << 24;

/// Appends, truncates and reads until the process is killed. On stdout there is a line before and
/// after each operation. Only events of earlier processes are truncated, so that of all others it can
/// be told whether they were ever there.
pub async fn rage(ledger: Ledger) {
    let first = ledger.head().await.expect("the head can be read").0 * VALUES;
    let mut writers = JoinSet::new();
    let mut raging = Vec::new();
    for writer in 0..WRITERS {
        let pair = writer % PAIRS;
        let mut known = [0; 2];
        for side in Side::BOTH {
            let version = ledger.stream_version(&stream(pair, side)).await;
            known[side.index()] = version.expect("a version can be read").0;
        }
        let (ledger, base) = (ledger.clone(), known);
        raging.push(Raging { ledger, writer, pair, base, known });
    }
    for one in raging {
        writers.spawn(one.run(first));
    }
    writers.join_all().await;
}

/// One who appends.
struct Raging {
    ledger: Ledger,
    writer: u64,
    pair: u64,
    /// The versions of both streams when the process began.
    base: [u64; 2],
    /// Those that are known now.
    known: [u64; 2],
}

impl Raging {
    async fn run(mut self, first: u64) {
        let own = Side::BOTH[usize::from(self.writer / PAIRS % 2 == 1)];
        for number in 1.. {
            // Two values for each turn.
            let values = [0, 1].map(|other| first + (2 * number + other) * WRITERS + self.writer);
            let exact = |side: Side| Wanted::Exact(self.known[side.index()]);
            let one = |wanted| vec![Part { side: own, wanted, value: values[0] }];
            let both = |wanted: &dyn Fn(Side) -> Wanted| {
                let part =
                    |side: Side| Part { side, wanted: wanted(side), value: values[side.index()] };
                Side::BOTH.map(part).to_vec()
            };
            let call = match number % 16 {
                0 | 8 => Call::Read(own),
                4 | 12 => Call::Look(own),
                5 => Call::Truncate(own, self.base[own.index()]),
                1 | 10 => Call::Append(one(Wanted::Any)),
                3 => Call::Append(one(Wanted::None)),
                2 | 14 => Call::Append(both(&exact)),
                7 => Call::Append(both(&|_| Wanted::Any)),
                _ => Call::Append(one(exact(own))),
            };
            say(&Said::Called(self.writer, call.clone()));
            let answer = self.perform(call).await;
            say(&Said::Told(self.writer, answer));
        }
    }

    async fn perform(&mut self, call: Call) -> Answer {
        match call {
            Call::Read(side) => {
                let (version, value) = last(&self.ledger, &stream(self.pair, side)).await;
                Answer::Seen(version, value)
            }
            Call::Look(side) => {
                let (version, truncated) = look(&self.ledger, &stream(self.pair, side)).await;
                Answer::Seen(version, truncated)
            }
            Call::Truncate(side, up_to) => {
                let gone = Retention::Truncated(Version(up_to));
                let name = stream(self.pair, side);
                let done = self.ledger.retain(&name, Expected::Any, gone).await;
                done.expect("it is truncated");
                Answer::Truncated
            }
            Call::Append(parts) => Answer::Append(self.append(&parts).await),
        }
    }

    async fn append(&mut self, parts: &[Part]) -> Told {
        let append = |part: &Part| Append {
            stream: stream(self.pair, part.side),
            expected: part.wanted.expected(),
            events: vec![NewEvent::new("counted", &part.value).expect("a number is an event")],
        };
        match self.ledger.append_all(parts.iter().map(append).collect()).await {
            Ok(appended) => {
                let versions: Vec<u64> = appended.iter().map(|done| done.version.0).collect();
                for (part, version) in parts.iter().zip(&versions) {
                    self.known[part.side.index()] = *version;
                }
                Told::Versions(versions)
            }
            Err(AppendError::Conflict { stream: name, actual }) => {
                let is_named = |side: &Side| stream(self.pair, *side) == name;
                let side = Side::BOTH.into_iter().find(is_named).expect("a stream of the pair");
                self.known[side.index()] = actual.0;
                Told::Conflict(side, actual.0)
            }
            Err(error) => panic!("{error}"),
        }
    }
}

fn stream(pair: u64, side: Side) -> StreamName {
    StreamName::of("storm", pair * 2 + side.index() as u64).expect("a legal name")
}

/// The version and the value of the last event of a stream.
async fn last(ledger: &Ledger, stream: &StreamName) -> (u64, u64) {
    let scope = Scope::Stream(stream.clone(), From::Before(Version::END));
    let page = ledger.read(Read::new(scope, 1)).await.expect("a stream can be read");
    page.first().map_or((0, 0), |event| (event.version.0, value(event)))
}

/// The version of a stream, and up to where it is truncated.
async fn look(ledger: &Ledger, stream: &StreamName) -> (u64, u64) {
    let state = ledger.stream(stream).await.expect("a state can be read");
    (state.version.0, state.truncated.0)
}

fn value(event: &Event) -> u64 {
    event.decode().expect("an event of a storm has a number")
}

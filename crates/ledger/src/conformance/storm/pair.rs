//! Two streams as one who does one thing at a time sees them.

use crate::{Expected, Version};
use std::str::FromStr;
use todc_utils::specifications::Specification;

/// One of two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Side {
    Left,
    Right,
}

impl Side {
    pub(super) const BOTH: [Self; 2] = [Self::Left, Self::Right];

    pub(super) fn index(self) -> usize {
        match self {
            Self::Left => 0,
            Self::Right => 1,
        }
    }
}

/// What an append expects, as far as a storm uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Wanted {
    Any,
    None,
    Exact(u64),
}

impl Wanted {
    pub(super) fn expected(self) -> Expected {
        match self {
            Self::Any => Expected::Any,
            Self::None => Expected::NoStream,
            Self::Exact(version) => Expected::Exact(Version(version)),
        }
    }

    /// No stream is ever deleted in a storm.
    fn holds(self, version: u64) -> bool {
        match self {
            Self::Any => true,
            Self::None => version == 0,
            Self::Exact(exact) => version == exact,
        }
    }
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::None => f.write_str("none"),
            Self::Exact(version) => version.fmt(f),
        }
    }
}

impl FromStr for Wanted {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "any" => Ok(Self::Any),
            "none" => Ok(Self::None),
            version => Ok(Self::Exact(version.parse()?)),
        }
    }
}

/// What a stream is to those who use it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Seen {
    pub(super) version: u64,
    pub(super) truncated: u64,
    /// The value of its last event.
    pub(super) value: u64,
}

impl Seen {
    /// The version and the value of the last event that can be read.
    pub(super) fn last(self) -> (u64, u64) {
        if self.truncated >= self.version { (0, 0) } else { (self.version, self.value) }
    }
}

/// An event for one of the streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Part {
    pub(super) side: Side,
    pub(super) wanted: Wanted,
    pub(super) value: u64,
}

/// What an append was told: the versions that came of its parts, or which stream has which version
/// and is not as it wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Told {
    Versions(Vec<u64>),
    Conflict(Side, u64),
}

/// Something that was asked of the streams, with what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Operation {
    /// What the streams were before.
    Start([Seen; 2]),
    Append(Vec<Part>, Told),
    /// A stream was truncated up to a version that it has.
    Truncate(Side, u64),
    /// The last event of a stream.
    Read(Side, (u64, u64)),
    /// The version of a stream, and up to where it is truncated.
    Look(Side, (u64, u64)),
}

/// The streams as they are one after the other.
pub(super) struct OneAtATime;

impl Specification for OneAtATime {
    type State = [Seen; 2];
    type Operation = Operation;

    fn init() -> Self::State {
        Self::State::default()
    }

    fn apply(operation: &Operation, state: &Self::State) -> (bool, Self::State) {
        let mut after = *state;
        let is_so = match operation {
            Operation::Start(start) => {
                after = *start;
                true
            }
            Operation::Read(side, seen) => state[side.index()].last() == *seen,
            Operation::Look(side, seen) => {
                let Seen { version, truncated, .. } = state[side.index()];
                (version, truncated) == *seen
            }
            Operation::Truncate(side, up_to) => {
                let stream = &mut after[side.index()];
                stream.truncated = stream.truncated.max(*up_to);
                stream.version >= *up_to
            }
            Operation::Append(parts, Told::Conflict(side, actual)) => {
                let of_side = |part: &&Part| part.side == *side;
                let is_refused = |part: &Part| !part.wanted.holds(state[side.index()].version);
                let part = parts.iter().find(of_side);
                part.is_some_and(is_refused) && state[side.index()].version == *actual
            }
            Operation::Append(parts, Told::Versions(versions)) => {
                let is_so = parts.iter().zip(versions).all(|(part, version)| {
                    let before = state[part.side.index()].version;
                    part.wanted.holds(before) && *version == before + 1
                });
                for (part, version) in parts.iter().zip(versions) {
                    let stream = &mut after[part.side.index()];
                    (stream.version, stream.value) = (*version, part.value);
                }
                is_so
            }
        };
        (is_so, after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether operations that follow each other can have come to what they were told.
    fn is_so(operations: &[Operation]) -> bool {
        let mut state = OneAtATime::init();
        operations.iter().all(|operation| {
            let (is_so, after) = OneAtATime::apply(operation, &state);
            state = after;
            is_so
        })
    }

    fn part(side: Side, wanted: Wanted, value: u64) -> Part {
        Part { side, wanted, value }
    }

    #[test]
    fn what_was_told_has_to_fit() {
        use Operation::{Append, Look, Read, Truncate};
        use Side::{Left, Right};
        let one = |wanted, told| Append(vec![part(Left, wanted, 7)], told);
        let made = || one(Wanted::None, Told::Versions(vec![1]));
        let both = |versions| {
            let parts = vec![part(Left, Wanted::Exact(1), 8), part(Right, Wanted::Any, 9)];
            Append(parts, Told::Versions(versions))
        };
        assert!(is_so(&[made(), both(vec![2, 1]), Read(Right, (1, 9)), Read(Left, (2, 8))]));
        assert!(!is_so(&[made(), both(vec![2, 1]), Read(Left, (1, 7))]), "a part is missing");
        assert!(!is_so(&[both(vec![2, 1])]));
        assert!(!is_so(&[made(), made()]));
        assert!(is_so(&[made(), one(Wanted::None, Told::Conflict(Left, 1))]));
        assert!(!is_so(&[made(), one(Wanted::Exact(1), Told::Conflict(Left, 1))]));
        assert!(!is_so(&[made(), one(Wanted::None, Told::Conflict(Left, 2))]));
        assert!(is_so(&[made(), Truncate(Left, 1), Look(Left, (1, 1)), Read(Left, (0, 0))]));
        assert!(!is_so(&[made(), Truncate(Left, 1), Read(Left, (1, 7))]), "it is gone");
    }
}

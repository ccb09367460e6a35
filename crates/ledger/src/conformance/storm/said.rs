//! The lines of writers: what they are about to do, and what they were told.

use super::pair::{Part, Side, Told, Wanted};
use std::{fmt, io::Write};

/// What a writer is about to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Call {
    Append(Vec<Part>),
    Truncate(Side, u64),
    Read(Side),
    Look(Side),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Append(Told),
    Truncated,
    Seen(u64, u64),
}

/// A line of a writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    Called(u64, Call),
    Told(u64, Answer),
}

/// Whether a line says that an operation has ended.
pub fn is_told(line: &str) -> bool {
    line.starts_with("told ")
}

/// Writes a line for who watches.
pub(super) fn say(said: &Said) {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "\n{said}").expect("a line to who watches");
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Called(writer, Call::Append(parts)) => {
                write!(f, "call {writer} append")?;
                parts.iter().try_for_each(|Part { side, wanted, value }| {
                    write!(f, " {} {wanted} {value}", side.index())
                })?;
                f.write_str(" .")
            }
            Self::Called(writer, Call::Truncate(side, up_to)) => {
                write!(f, "call {writer} truncate {} {up_to} .", side.index())
            }
            Self::Called(writer, Call::Read(side)) => {
                write!(f, "call {writer} read {} .", side.index())
            }
            Self::Called(writer, Call::Look(side)) => {
                write!(f, "call {writer} look {} .", side.index())
            }
            Self::Told(writer, Answer::Append(Told::Versions(versions))) => {
                write!(f, "told {writer} appended")?;
                versions.iter().try_for_each(|version| write!(f, " {version}"))?;
                f.write_str(" .")
            }
            Self::Told(writer, Answer::Append(Told::Conflict(side, actual))) => {
                write!(f, "told {writer} conflict {} {actual} .", side.index())
            }
            Self::Told(writer, Answer::Truncated) => write!(f, "told {writer} truncated ."),
            Self::Told(writer, Answer::Seen(one, other)) => {
                write!(f, "told {writer} seen {one} {other} .")
            }
        }
    }
}

impl Said {
    /// Reads a line; none if it is another's or was cut off.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.strip_suffix(" .")?.split(' ').collect();
        let [what, writer, verb, rest @ ..] = words.as_slice() else { return None };
        let writer = number(writer)?;
        Some(match (*what, *verb, rest) {
            ("call", "append", parts) => {
                let parts = parts.chunks(3).map(part).collect::<Option<_>>()?;
                Self::Called(writer, Call::Append(parts))
            }
            ("call", "truncate", [at, up_to]) => {
                Self::Called(writer, Call::Truncate(side(at)?, number(up_to)?))
            }
            ("call", "read", [at]) => Self::Called(writer, Call::Read(side(at)?)),
            ("call", "look", [at]) => Self::Called(writer, Call::Look(side(at)?)),
            ("told", "appended", versions) => {
                let versions = versions.iter().map(|word| number(word)).collect::<Option<_>>()?;
                Self::Told(writer, Answer::Append(Told::Versions(versions)))
            }
            ("told", "conflict", [at, actual]) => {
                let told = Told::Conflict(side(at)?, number(actual)?);
                Self::Told(writer, Answer::Append(told))
            }
            ("told", "truncated", []) => Self::Told(writer, Answer::Truncated),
            ("told", "seen", [one, other]) => {
                Self::Told(writer, Answer::Seen(number(one)?, number(other)?))
            }
            _ => return None,
        })
    }
}

fn number(word: &str) -> Option<u64> {
    word.parse().ok()
}

fn side(word: &str) -> Option<Side> {
    Side::BOTH.get(word.parse::<usize>().ok()?).copied()
}

fn part(words: &[&str]) -> Option<Part> {
    let [at, wanted, value] = words else { return None };
    let wanted: Wanted = wanted.parse().ok()?;
    Some(Part { side: side(at)?, wanted, value: number(value)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written_and_not_if_it_was_cut_off() {
        let part = |side, wanted| Part { side, wanted, value: 12 };
        let both = vec![part(Side::Left, Wanted::Any), part(Side::Right, Wanted::Exact(31))];
        for said in [
            Said::Called(5, Call::Append(both)),
            Said::Called(5, Call::Append(vec![part(Side::Right, Wanted::None)])),
            Said::Called(5, Call::Truncate(Side::Left, 99)),
            Said::Called(5, Call::Read(Side::Left)),
            Said::Called(5, Call::Look(Side::Right)),
            Said::Told(5, Answer::Append(Told::Versions(vec![3, 44]))),
            Said::Told(5, Answer::Append(Told::Conflict(Side::Right, 44))),
            Said::Told(5, Answer::Truncated),
            Said::Told(5, Answer::Seen(3, 12)),
        ] {
            let line = said.to_string();
            assert_eq!(Said::parse(&line), Some(said), "{line}");
            assert!((0..line.len()).all(|cut| Said::parse(&line[..cut]).is_none()), "{line}");
        }
    }
}

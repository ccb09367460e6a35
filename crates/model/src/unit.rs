//! Quantities with their units.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// Why a text is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}")]
pub struct UnitError {
    text: String,
    what: &'static str,
}

fn fail(text: &str, what: &'static str) -> UnitError {
    UnitError { text: text.chars().take(80).collect(), what }
}

/// A moment in milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The time from `earlier` to this moment; zero if the clock went backwards.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The moment a while later.
    #[must_use]
    pub fn plus(self, while_: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(u64::try_from(while_.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// A number of bytes, written `256Mi`, `1Gi`, `500k` (Kubernetes quantities).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ByteSize(pub u64);

const BYTE_SUFFIXES: [(&str, u64); 8] = [
    ("Gi", 1 << 30),
    ("Mi", 1 << 20),
    ("Ki", 1 << 10),
    ("G", 1_000_000_000),
    ("M", 1_000_000),
    ("k", 1_000),
    ("Ti", 1 << 40),
    ("T", 1_000_000_000_000),
];

impl FromStr for ByteSize {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let bad = || fail(text, "a size; write it like `256Mi` or `1Gi`");
        let suffix = BYTE_SUFFIXES.iter().find(|(suffix, _)| text.ends_with(suffix));
        let (number, factor) = match suffix {
            Some((suffix, factor)) => (&text[..text.len() - suffix.len()], *factor),
            None => (text, 1),
        };
        let number: u64 = unsigned(number).ok_or_else(bad)?;
        number.checked_mul(factor).map(Self).ok_or_else(bad)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (suffix, factor) in [("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)] {
            if self.0 >= factor && self.0.is_multiple_of(factor) {
                return write!(f, "{}{suffix}", self.0 / factor);
            }
        }
        write!(f, "{}", self.0)
    }
}

/// A share of processor time in thousandths of one processor, written `0.5`, `2` or `250m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cpus {
    /// Thousandths of one processor, at least 1.
    pub milli: u32,
}

impl FromStr for Cpus {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let bad = || fail(text, "a number of processors; write it like `0.5`, `2` or `250m`");
        let milli = match text.strip_suffix('m') {
            Some(milli) => unsigned(milli).ok_or_else(bad)?,
            None => thousandths(text).ok_or_else(bad)?,
        };
        if milli == 0 { Err(bad()) } else { Ok(Self { milli }) }
    }
}

impl fmt::Display for Cpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}m", self.milli)
    }
}

/// Reads digits; unlike `parse` alone, no sign.
fn unsigned<T: FromStr>(digits: &str) -> Option<T> {
    if digits.starts_with('+') { None } else { digits.parse().ok() }
}

/// Reads a decimal number with at most three fraction digits as thousandths.
fn thousandths(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.is_empty() || fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let whole: u32 = unsigned(whole)?;
    let fraction: u32 = format!("{fraction:0<3}").parse().ok()?;
    whole.checked_mul(1000)?.checked_add(fraction)
}

/// Reads a duration: `500ms`, `10s`, `5m`, `1h`, or several of these from large to small (`1m30s`).
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let bad = || fail(text, "a duration; write it like `10s`, `500ms` or `1m30s`");
    let mut total = Duration::ZERO;
    let mut rest = text;
    let mut last_unit = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
        let number: u64 = rest[..digits].parse().map_err(|_| bad())?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(bad()),
        };
        if unit >= last_unit {
            return Err(bad());
        }
        last_unit = unit;
        let part = Duration::from_millis(number.checked_mul(unit).ok_or_else(bad)?);
        total = total.checked_add(part).ok_or_else(bad)?;
        rest = &rest[end..];
    }
    if text.is_empty() { Err(bad()) } else { Ok(total) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_and_decimal_suffixes() {
        for (text, bytes) in [("256Mi", 256 << 20), ("1Gi", 1 << 30), ("5k", 5_000), ("17", 17)] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for bad in ["", "Mi", "1.5Gi", "-1", "99999999999Ti", "1 Gi", "+1Gi"] {
            assert!(bad.parse::<ByteSize>().is_err(), "{bad}");
        }
    }

    #[test]
    fn processors_are_read_to_the_thousandth() {
        for (text, milli) in [("0.5", 500), ("2", 2000), ("250m", 250), ("1.125", 1125)] {
            assert_eq!(text.parse(), Ok(Cpus { milli }), "{text}");
        }
        for bad in ["", "0", "0.0001", "m", "1.", ".5", "-1", "+1", "+1m"] {
            assert!(bad.parse::<Cpus>().is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_go_from_large_to_small() {
        assert_eq!(parse_duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        for bad in ["", "5", "s", "30s1m", "1x", "99999999999999999999s"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}

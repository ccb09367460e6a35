//! Moments as people and programs read them.

use fairway_model::Timestamp;
use std::time::Duration;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// A moment in RFC 3339, in UTC: `2026-03-01T12:00:00Z`.
pub fn iso(at: Timestamp) -> String {
    let seconds = i64::try_from(at.0 / 1000).unwrap_or(i64::MAX);
    let moment = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    moment.format(&Rfc3339).expect("a moment of these years has a form")
}

/// A moment to the millisecond, in RFC 3339, in UTC: `2026-03-01T12:00:00.250Z`.
pub fn iso_millis(at: Timestamp) -> String {
    let seconds = iso(at);
    format!("{}.{:03}Z", seconds.trim_end_matches('Z'), at.0 % 1000)
}

/// Reads a moment in RFC 3339, of any offset.
pub fn parse(text: &str) -> Option<Timestamp> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    let millis = moment.unix_timestamp_nanos().div_euclid(1_000_000);
    u64::try_from(millis).ok().map(Timestamp)
}

/// How long ago something was, in its largest unit: `12 s ago`.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = Duration::from_millis(now.0.saturating_sub(at.0)).as_secs();
    match seconds {
        0..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// How long something took, as finely as it matters: `1.2 s`, `3 min 20 s`.
pub fn span(took: Duration) -> String {
    let seconds = took.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", took.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_time_is_shown_less_finely() {
        let span = |milliseconds| span(Duration::from_millis(milliseconds));
        assert_eq!(
            [span(40), span(12_340), span(200_900), span(4_000_000)],
            ["0.0 s", "12.3 s", "3 min 20 s", "1 h 6 min"]
        );
    }

    #[test]
    fn a_moment_is_read_as_it_is_written() {
        let at = Timestamp(1_800_000_000_250);
        assert_eq!(iso_millis(at), "2027-01-15T08:00:00.250Z");
        assert_eq!(parse(&iso_millis(at)), Some(at));
        assert_eq!(parse("2027-01-15T09:00:00.25+01:00"), Some(at));
        assert_eq!([parse("2027-01-15"), parse("1960-01-01T00:00:00Z")], [None, None]);
    }

    #[test]
    fn moments_are_shown_in_their_largest_unit() {
        let now = Timestamp(1_800_000_000_000);
        let ago = |seconds: u64| ago(Timestamp(now.0 - seconds * 1000), now);
        assert_eq!(
            [ago(5), ago(61), ago(7300), ago(200_000)],
            ["5 s ago", "1 min ago", "2 h ago", "2 d ago"]
        );
        assert_eq!(iso(now), "2027-01-15T08:00:00Z");
    }
}

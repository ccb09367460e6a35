//! The query of a request: every parameter is known and understood, or the request is refused.

use crate::problem::Problem;
use fairway_ledger::Position;
use fairway_model::Timestamp;
use std::{str::FromStr, time::Duration};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Most parameters of one request.
const PARAMS_MAX: usize = 128;

/// Parameters that were not taken yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn new(all: Vec<(String, String)>) -> Result<Self, Problem> {
        if all.len() > PARAMS_MAX {
            return Err(Problem::request(format!("a query has at most {PARAMS_MAX} parameters")));
        }
        Ok(Self(all))
    }

    /// The values of a parameter that may be there several times.
    pub(crate) fn all(&mut self, name: &str) -> Vec<String> {
        let taken = self.0.extract_if(.., |(known, _)| known == name);
        taken.map(|(_, value)| value).collect()
    }

    /// The value of a parameter.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let mut values = self.all(name);
        if values.len() > 1 {
            return Err(Problem::request(format!("`{name}` is there twice")));
        }
        Ok(values.pop())
    }

    /// The value of a parameter as something that is parsed; `what` it is, for who got it wrong.
    pub(crate) fn parsed<T: FromStr>(
        &mut self,
        name: &str,
        what: &str,
    ) -> Result<Option<T>, Problem> {
        let parse = |text: String| {
            text.parse().map_err(|_| Problem::request(format!("`{name}` has to be {what}")))
        };
        self.text(name)?.map(parse).transpose()
    }

    /// A count, a version or a position.
    pub(crate) fn number(&mut self, name: &str) -> Result<Option<u64>, Problem> {
        let number = self.parsed(name, "a number from 0 on")?;
        Ok(number.map(|number: u64| number.min(Position::END.0)))
    }

    /// At most how many are wanted.
    pub(crate) fn limit(&mut self) -> Result<Option<u64>, Problem> {
        match self.number("limit")? {
            Some(0) => Err(Problem::request("`limit` has to be at least 1")),
            limit => Ok(limit),
        }
    }

    /// A switch that is off unless it is said to be `true`.
    pub(crate) fn switch(&mut self, name: &str) -> Result<bool, Problem> {
        Ok(self.parsed(name, "`true` or `false`")?.unwrap_or(false))
    }

    /// A moment.
    pub(crate) fn moment(&mut self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let moment = |text: String| {
            moment(&text).ok_or_else(|| {
                let like = "such as `2026-03-01T12:00:00Z`";
                Problem::request(format!("`{name}` has to be a time of RFC 3339, {like}"))
            })
        };
        self.text(name)?.map(moment).transpose()
    }

    /// A time to wait.
    pub(crate) fn duration(&mut self, name: &str) -> Result<Option<Duration>, Problem> {
        let duration = |text: String| {
            duration(&text).ok_or_else(|| {
                Problem::request(format!("`{name}` has to be a time such as `2s` or `500ms`"))
            })
        };
        self.text(name)?.map(duration).transpose()
    }

    /// What nobody took, each once.
    pub(crate) fn rest(self) -> Result<Vec<(String, String)>, Problem> {
        let Self(mut rest) = self;
        rest.sort();
        match rest.windows(2).find(|two| two[0].0 == two[1].0) {
            Some(_) => Err(Problem::request("a parameter is there twice")),
            None => Ok(rest),
        }
    }

    /// Refuses what nobody took.
    pub(crate) fn end(self) -> Result<(), Problem> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => {
                let name: String = name.chars().take(40).collect();
                Err(Problem::request(format!("there is no parameter `{}`", name.escape_debug())))
            }
        }
    }
}

/// A moment of RFC 3339, in whole milliseconds.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    let millis = moment.unix_timestamp_nanos().div_euclid(1_000_000);
    Some(Timestamp(u64::try_from(millis.max(0)).ok()?))
}

/// A duration such as `2s`, `500ms`, `1m`; a bare number is of seconds.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (count, unit) = text.split_at(digits);
    let count: u64 = count.parse().ok()?;
    let millis = match unit {
        "ms" => 1,
        "s" | "" => 1_000,
        "m" => 60_000,
        _ => return None,
    };
    count.checked_mul(millis).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_are_read_in_their_units() {
        let millis = |text| duration(text).map(|duration| duration.as_millis());
        assert_eq!(millis("2s"), Some(2000));
        assert_eq!(millis("500ms"), Some(500));
        assert_eq!(millis("1m"), Some(60_000));
        assert_eq!(millis("3"), Some(3000));
        assert_eq!(
            [millis("s"), millis("-1s"), millis("1h"), millis("9999999999999999m")],
            [None; 4]
        );
        assert_eq!(moment("1970-01-01T00:00:01.5Z"), Some(Timestamp(1500)));
        assert_eq!(moment("1960-01-01T00:00:00+01:00"), Some(Timestamp(0)));
    }

    fn of(all: &[(&str, &str)]) -> Params {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Params::new(all.iter().map(own).collect()).unwrap()
    }

    #[test]
    fn parameters_are_known_and_there_once() {
        let mut params = of(&[("limit", "5"), ("after", "x"), ("limit", "6"), ("more", "1")]);
        assert!(params.number("limit").is_err() && params.number("after").is_err());
        assert!(params.end().is_err());
        let mut params =
            of(&[("limit", "99999999999999999999"), ("after", "18446744073709551615")]);
        assert!(params.number("limit").is_err());
        assert_eq!(params.number("after"), Ok(Some(Position::END.0)));
        assert_eq!(params.end(), Ok(()));
    }

    #[test]
    fn a_limit_lets_something_through() {
        assert_eq!(of(&[("limit", "1")]).limit().unwrap(), Some(1));
        assert_eq!(of(&[]).limit().unwrap(), None);
        assert!(of(&[("limit", "0")]).limit().is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_a_time_or_is_refused(text in "\\PC{0,40}|[0-9smT:.Z+-]{0,30}") {
            prop_assert!(duration(&text).is_none() || moment(&text).is_none());
        }
    }
}

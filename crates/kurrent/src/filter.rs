//! Filters of `$all` as KurrentDB has them: prefixes or a regular expression, on the name of the
//! stream or the type of the event.

use crate::{
    recorded, status,
    wire::shared::{FilterOptions, filter_options},
};
use fairway_ledger::{Event, FILTER_TEXTS_MAX};
use fancy_regex::{Regex, RegexBuilder};
use tonic::Status;

/// Longest regular expression.
const REGEX_BYTES_MAX: usize = 4096;
/// Most bytes of a compiled one.
const REGEX_SIZE_MAX: usize = 1 << 20;
/// Most steps that one event may take where looking ahead needs going back.
const REGEX_STEPS_MAX: usize = 10_000;
/// Events that are looked at between two checkpoints, if a client does not say it.
const WINDOW: u64 = 32;

/// Chooses events of `$all`.
#[derive(Debug)]
pub(crate) struct EventFilter {
    on: On,
    fit: Fit,
    /// After so many events that were looked at a follower is told how far that is.
    pub(crate) interval: u64,
}

#[derive(Debug)]
enum On {
    Stream,
    Type,
}

#[derive(Debug)]
enum Fit {
    Prefixes(Vec<String>),
    Regex(Box<Regex>),
}

impl EventFilter {
    pub(crate) fn parse(options: FilterOptions) -> Result<Self, Status> {
        let (on, expression) = match options.filter {
            Some(filter_options::Filter::StreamIdentifier(expression)) => (On::Stream, expression),
            Some(filter_options::Filter::EventType(expression)) => (On::Type, expression),
            None => return Err(status::invalid("a filter has no expression")),
        };
        let window = match options.window {
            Some(filter_options::Window::Max(window)) => u64::from(window.max(1)),
            _ => WINDOW,
        };
        let interval = window * u64::from(options.checkpoint_interval_multiplier.max(1));
        Ok(Self { on, fit: Fit::parse(expression)?, interval })
    }

    pub(crate) fn passes(&self, event: &Event) -> Result<bool, Status> {
        match self.on {
            On::Stream => self.fit.is_met(event.stream.as_str()),
            On::Type => self.fit.is_met(&recorded::shown_type(event)),
        }
    }
}

impl Fit {
    fn parse(expression: filter_options::Expression) -> Result<Self, Status> {
        let filter_options::Expression { regex, prefix } = expression;
        if prefix.len() > FILTER_TEXTS_MAX || regex.len() > REGEX_BYTES_MAX {
            return Err(status::invalid(format!(
                "a filter has at most {FILTER_TEXTS_MAX} prefixes or {REGEX_BYTES_MAX} bytes"
            )));
        }
        if !prefix.is_empty() {
            return Ok(Self::Prefixes(prefix));
        }
        let compiled = RegexBuilder::new(&regex)
            .backtrack_limit(REGEX_STEPS_MAX)
            .delegate_size_limit(REGEX_SIZE_MAX)
            .delegate_dfa_size_limit(REGEX_SIZE_MAX)
            .build();
        compiled.map(|regex| Self::Regex(Box::new(regex))).map_err(status::invalid)
    }

    fn is_met(&self, text: &str) -> Result<bool, Status> {
        match self {
            Self::Prefixes(prefixes) => Ok(prefixes.iter().any(|prefix| text.starts_with(prefix))),
            Self::Regex(regex) => regex.is_match(text).map_err(status::invalid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn regex(regex: &str) -> Result<Fit, Status> {
        Fit::parse(filter_options::Expression { regex: regex.to_owned(), prefix: Vec::new() })
    }

    #[test]
    fn clients_leave_out_system_events_by_looking_ahead() {
        let fit = regex(r"^(?!(\$.+$|PersistentConfig\d+$|Result$))").unwrap();
        for (text, passes) in [("order-paid", true), ("$metadata", false), ("Results", true)] {
            assert_eq!(fit.is_met(text).unwrap(), passes, "{text}");
        }
        assert!(regex("(a").is_err());
        assert!(regex(&"a".repeat(REGEX_BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn an_expression_that_goes_back_too_often_is_stopped() {
        let fit = regex(r"^(?:(a*)\1)+b$").unwrap();
        assert!(fit.is_met(&"a".repeat(200)).is_err());
    }

    proptest! {
        #[test]
        fn any_expression_is_read_or_refused(text in "[a-c()\\[\\]{}?*+!=<>\\\\|^$.:0-9]{0,30}") {
            if let Ok(fit) = regex(&text) {
                drop(fit.is_met("aabbcc"));
            }
        }
    }
}

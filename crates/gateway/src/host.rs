//! Hosts: what a route asks for and what a request names. Both are compared in lower case, without
//! port and without the root's trailing dot.

use std::{borrow::Cow, fmt, str::FromStr};

/// Longest host in bytes (RFC 1035, section 2.3.4).
pub const HOST_MAX: usize = 253;

/// Which hosts a route answers for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostPattern {
    /// One host, written `shop.example`.
    Exact(Box<str>),
    /// Every host below a domain, at any depth, written `*.shop.example`; the domain itself is not
    /// meant. Holds the domain.
    Below(Box<str>),
}

/// Why a text is not a host or host pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// The text is empty.
    #[error("a host cannot be empty")]
    Empty,
    /// The text is longer than [`HOST_MAX`].
    #[error("a host has at most {HOST_MAX} bytes")]
    TooLong,
    /// A byte that cannot be part of a host.
    #[error("`{0}` is not allowed in a host")]
    Character(char),
    /// Two dots in a row, or one at the start.
    #[error("a host has no empty labels")]
    EmptyLabel,
    /// A host pattern names no port.
    #[error("a route's host has no port")]
    Port,
    /// The port is not a number.
    #[error("the port of a host is a number of at most five digits")]
    BadPort,
}

impl FromStr for HostPattern {
    type Err = HostError;
    fn from_str(text: &str) -> Result<Self, HostError> {
        let (domain, below) = match text.strip_prefix("*.") {
            Some(domain) => (domain, true),
            None => (text, false),
        };
        let host = normal_host(domain.as_bytes())?;
        if host.len() + usize::from(domain.ends_with('.')) != domain.len() {
            return Err(HostError::Port);
        }
        let host = host.into();
        Ok(if below { Self::Below(host) } else { Self::Exact(host) })
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(host) => f.write_str(host),
            Self::Below(domain) => write!(f, "*.{domain}"),
        }
    }
}

/// The host of a `Host` header or authority as routes compare it (RFC 9110, section 7.2).
pub(crate) fn normal_host(raw: &[u8]) -> Result<Cow<'_, str>, HostError> {
    let host = without_port(raw)?;
    let host = host.strip_suffix(b".").unwrap_or(host);
    match host.len() {
        0 => return Err(HostError::Empty),
        1..=HOST_MAX => {}
        _ => return Err(HostError::TooLong),
    }
    let is_address = host[0] == b'[';
    let (mut previous, mut has_upper) = (b'.', false);
    for &byte in host {
        match byte {
            b'A'..=b'Z' => has_upper = true,
            b'.' if previous == b'.' => return Err(HostError::EmptyLabel),
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {}
            b'[' | b']' | b':' if is_address => {}
            _ => return Err(HostError::Character(char::from(byte))),
        }
        previous = byte;
    }
    let text = str::from_utf8(host).expect("only ASCII is left");
    Ok(if has_upper { Cow::Owned(text.to_ascii_lowercase()) } else { Cow::Borrowed(text) })
}

fn without_port(raw: &[u8]) -> Result<&[u8], HostError> {
    let after_address = match raw.first() {
        Some(b'[') => raw.iter().position(|&b| b == b']').ok_or(HostError::Character('['))? + 1,
        _ => 0,
    };
    let Some(colon) = raw[after_address..].iter().position(|&b| b == b':') else {
        return Ok(raw);
    };
    let (host, port) = raw.split_at(after_address + colon);
    if port.len() > 6 || !port[1..].iter().all(u8::is_ascii_digit) {
        return Err(HostError::BadPort);
    }
    Ok(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(raws: &[&str], expected: &Expect) {
        let lines: Vec<_> = raws
            .iter()
            .map(|raw| match normal_host(raw.as_bytes()) {
                Ok(host) => format!("{raw} -> {host}"),
                Err(error) => format!("{raw} -> error: {error}"),
            })
            .collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn hosts_are_compared_without_case_port_and_root_dot() {
        check(
            &[
                "shop.example",
                "Shop.Example:8080",
                "shop.example.",
                "[::1]:80",
                "[::1]",
                "10.0.0.1:",
            ],
            &expect![[r#"
                shop.example -> shop.example
                Shop.Example:8080 -> shop.example
                shop.example. -> shop.example
                [::1]:80 -> [::1]
                [::1] -> [::1]
                10.0.0.1: -> 10.0.0.1"#]],
        );
    }

    #[test]
    fn what_is_not_a_host_is_refused() {
        check(
            &["", ":80", "a..b", ".a", "a b", "a/b", "a@b", "a:b", "a:123456", "[::1", "a,b"],
            &expect![[r#"
                 -> error: a host cannot be empty
                :80 -> error: a host cannot be empty
                a..b -> error: a host has no empty labels
                .a -> error: a host has no empty labels
                a b -> error: ` ` is not allowed in a host
                a/b -> error: `/` is not allowed in a host
                a@b -> error: `@` is not allowed in a host
                a:b -> error: the port of a host is a number of at most five digits
                a:123456 -> error: the port of a host is a number of at most five digits
                [::1 -> error: `[` is not allowed in a host
                a,b -> error: `,` is not allowed in a host"#]],
        );
    }

    #[test]
    fn a_pattern_survives_its_text_form() {
        for text in ["shop.example", "*.shop.example"] {
            assert_eq!(text.parse::<HostPattern>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_pattern_has_no_port_and_one_leading_star() {
        for bad in ["shop.example:80", "*", "*.", "a.*.b", "*.*.b"] {
            assert!(bad.parse::<HostPattern>().is_err(), "{bad}");
        }
    }
}

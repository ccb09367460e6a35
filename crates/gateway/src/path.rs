//! Paths: what a route asks for and what a request names. Refuses rather than repairs.

use std::{borrow::Cow, fmt, str::FromStr};

/// Longest path prefix of a route in bytes.
pub const PREFIX_MAX: usize = 1024;

/// The start of a path that a route asks for: whole segments, written `/` or `/orders/v1`.
///
/// A request's path is compared by segments. Empty segments do not count (`//orders/` is `/orders`),
/// a segment is compared after percent-decoding (`/%6frders` is `/orders`, RFC 3986, section
/// 6.2.2.2), and an encoded slash stays inside its segment (`/a%2fb` is not `/a/b`). Case counts.
/// The path goes to the backend as the client wrote it.
///
/// A path that a backend could read as another one than the gateway did is refused with 400, not
/// repaired: dot segments in any spelling (`..`, `%2e%2e`, `..%2f`, `..;x`), a backslash, a broken
/// escape, an encoded NUL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathPrefix {
    segments: Vec<Box<[u8]>>,
    text: Box<str>,
}

/// Why a path is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The path does not start with `/`.
    #[error("a path starts with `/`")]
    NotAbsolute,
    /// A `.` or `..` segment in any spelling.
    #[error("a path has no `.` or `..` segments")]
    DotSegment,
    /// `%` without two hexadecimal digits.
    #[error("`%` in a path is followed by two hexadecimal digits")]
    BadEscape,
    /// An encoded NUL.
    #[error("a path has no NUL")]
    Nul,
    /// A character that a path cannot contain.
    #[error("`{0}` is not allowed in a path")]
    Character(char),
    /// The prefix is longer than [`PREFIX_MAX`].
    #[error("a path prefix has at most {PREFIX_MAX} bytes")]
    TooLong,
}

impl PathPrefix {
    /// Whether both start the same paths, however they are written.
    pub fn matches_like(&self, other: &Self) -> bool {
        self.segments == other.segments
    }

    pub(crate) fn segments(&self) -> &[Box<[u8]>] {
        &self.segments
    }
}

impl FromStr for PathPrefix {
    type Err = PathError;
    fn from_str(text: &str) -> Result<Self, PathError> {
        if text.len() > PREFIX_MAX {
            return Err(PathError::TooLong);
        }
        let bad = |c: char| matches!(c, '?' | '#' | '*') || c.is_ascii_control() || c == ' ';
        if let Some(c) = text.chars().find(|&c| bad(c)) {
            return Err(PathError::Character(c));
        }
        check(text)?;
        let segments = segments(text).map(|segment| segment.decoded().into()).collect();
        Ok(Self { segments, text: text.into() })
    }
}

impl fmt::Display for PathPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// One segment of a path as it was written.
pub(crate) struct Segment<'a> {
    raw: &'a [u8],
    /// Where in the path it ends.
    pub(crate) end: usize,
}

impl<'a> Segment<'a> {
    /// The segment with its escapes resolved; a broken escape stays as it is.
    pub(crate) fn decoded(&self) -> Cow<'a, [u8]> {
        if self.raw.contains(&b'%') {
            Cow::Owned(decode(self.raw))
        } else {
            Cow::Borrowed(self.raw)
        }
    }
}

/// The segments of a path that are not empty.
pub(crate) fn segments(path: &str) -> impl Iterator<Item = Segment<'_>> {
    let bytes = path.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        at += bytes[at..].iter().position(|&b| b != b'/')?;
        let start = at;
        at = bytes[at..].iter().position(|&b| b == b'/').map_or(bytes.len(), |i| at + i);
        Some(Segment { raw: &bytes[start..at], end: at })
    })
}

/// Refuses a path that gateway and backend could read differently.
pub(crate) fn check(path: &str) -> Result<(), PathError> {
    if !path.starts_with('/') {
        return Err(PathError::NotAbsolute);
    }
    if path.bytes().all(|byte| !matches!(byte, b'%' | b'.' | b'\\')) {
        return Ok(());
    }
    if path.contains('\\') {
        return Err(PathError::Character('\\'));
    }
    segments(path).try_for_each(|segment| check_segment(&segment))
}

fn check_segment(segment: &Segment<'_>) -> Result<(), PathError> {
    let mut rest = segment.raw;
    while let Some(percent) = rest.iter().position(|&b| b == b'%') {
        match rest.get(percent + 1..percent + 3) {
            Some(b"00") => return Err(PathError::Nul),
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => rest = &rest[percent + 3..],
            _ => return Err(PathError::BadEscape),
        }
    }
    let decoded = segment.decoded();
    let mut parts = decoded.split(|&b| b == b'/' || b == b'\\');
    if parts.any(is_dot_segment) { Err(PathError::DotSegment) } else { Ok(()) }
}

/// Some servers cut path parameters off before they resolve dots, so `..;x` is `..`.
fn is_dot_segment(part: &[u8]) -> bool {
    let end = part.iter().position(|&b| b == b';').unwrap_or(part.len());
    matches!(&part[..end], b"." | b"..")
}

fn decode(raw: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = if first == b'%' { escape(tail) } else { None };
        decoded.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    decoded
}

fn escape(digits: &[u8]) -> Option<u8> {
    let nibble =
        |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(nibble(*digits.first()?)? << 4 | nibble(*digits.get(1)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn verdicts(paths: &[&str], expected: &Expect) {
        let lines: Vec<_> = paths
            .iter()
            .map(|path| match check(path) {
                Ok(()) => {
                    let parts: Vec<_> = segments(path)
                        .map(|s| String::from_utf8_lossy(&s.decoded()).into_owned())
                        .collect();
                    format!("{path} -> {parts:?}")
                }
                Err(error) => format!("{path} -> error: {error}"),
            })
            .collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn a_path_is_read_by_decoded_segments() {
        verdicts(
            &["/", "//a///b/", "/%6frders", "/a%2fb", "/v1.2/x..y", "/...", "/a;v=1/b", "/%25"],
            &expect![[r#"
                / -> []
                //a///b/ -> ["a", "b"]
                /%6frders -> ["orders"]
                /a%2fb -> ["a/b"]
                /v1.2/x..y -> ["v1.2", "x..y"]
                /... -> ["..."]
                /a;v=1/b -> ["a;v=1", "b"]
                /%25 -> ["%"]"#]],
        );
    }

    #[test]
    fn a_path_that_could_be_read_in_two_ways_is_refused() {
        verdicts(
            &[
                "",
                "*",
                "a",
                "/a/../b",
                "/.",
                "/%2e%2E/a",
                "/.%2e",
                "/a%2f..%2fb",
                "/..;/a",
                "/..%5ca",
                "/a\\b",
                "/%",
                "/%4",
                "/%zz",
                "/%00",
                "/a%2f.",
            ],
            &expect![[r#"
                 -> error: a path starts with `/`
                * -> error: a path starts with `/`
                a -> error: a path starts with `/`
                /a/../b -> error: a path has no `.` or `..` segments
                /. -> error: a path has no `.` or `..` segments
                /%2e%2E/a -> error: a path has no `.` or `..` segments
                /.%2e -> error: a path has no `.` or `..` segments
                /a%2f..%2fb -> error: a path has no `.` or `..` segments
                /..;/a -> error: a path has no `.` or `..` segments
                /..%5ca -> error: a path has no `.` or `..` segments
                /a\b -> error: `\` is not allowed in a path
                /% -> error: `%` in a path is followed by two hexadecimal digits
                /%4 -> error: `%` in a path is followed by two hexadecimal digits
                /%zz -> error: `%` in a path is followed by two hexadecimal digits
                /%00 -> error: a path has no NUL
                /a%2f. -> error: a path has no `.` or `..` segments"#]],
        );
    }

    #[test]
    fn a_prefix_is_a_plain_path() {
        for bad in
            ["", "orders", "/a?b", "/a*", "/a b", "/../a", &format!("/{}", "a".repeat(PREFIX_MAX))]
        {
            assert!(bad.parse::<PathPrefix>().is_err(), "{bad}");
        }
        assert_eq!("/orders/v1".parse::<PathPrefix>().unwrap().to_string(), "/orders/v1");
    }
}

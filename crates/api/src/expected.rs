//! What a client expects of a stream: by a parameter, or by the headers that HTTP has for it.

use crate::{params::Params, problem::Problem};
use fairway_ledger::{Expected, Version};
use http::{
    HeaderMap, HeaderName,
    header::{IF_MATCH, IF_NONE_MATCH},
};
use serde::{Deserialize, Deserializer, de};

/// What is expected, and how it was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expectation {
    /// By the parameter `expected`, or not at all.
    Said(Expected),
    /// By `If-Match` or `If-None-Match` (RFC 9110, section 13.1).
    Conditional(Expected),
}

impl Expectation {
    pub(crate) fn of(params: &mut Params, headers: &HeaderMap) -> Result<Self, Problem> {
        let said = params.text("expected")?.map(|text| parse(&text)).transpose()?;
        let matching = header(headers, &IF_MATCH)?.map(if_match).transpose()?;
        let none = header(headers, &IF_NONE_MATCH)?.map(if_none_match).transpose()?;
        match (said, matching, none) {
            (None, None, None) => Ok(Self::Said(Expected::Any)),
            (Some(said), None, None) => Ok(Self::Said(said)),
            (None, Some(expected), None) | (None, None, Some(expected)) => {
                Ok(Self::Conditional(expected))
            }
            _ => Err(Problem::request("what is expected is said twice")),
        }
    }

    pub(crate) fn expected(self) -> Expected {
        match self {
            Self::Said(expected) | Self::Conditional(expected) => expected,
        }
    }

    /// A problem in the terms in which the expectation was said.
    pub(crate) fn problem(self, problem: Problem) -> Problem {
        match self {
            Self::Said(_) => problem,
            Self::Conditional(_) => problem.of_precondition(),
        }
    }
}

fn parse(text: &str) -> Result<Expected, Problem> {
    match text {
        "any" => Ok(Expected::Any),
        "none" => Ok(Expected::NoStream),
        "exists" => Ok(Expected::Exists),
        version => version.parse().map(|version| Expected::Exact(Version(version))).map_err(|_| {
            Problem::request("`expected` has to be `any`, `none`, `exists` or a version")
        }),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => match value.to_str() {
            Ok(text) => Ok(Some(text.trim())),
            Err(_) => Err(Problem::request(format!("`{name}` is not text"))),
        },
        _ => Err(Problem::request(format!("`{name}` is there twice"))),
    }
}

fn if_match(text: &str) -> Result<Expected, Problem> {
    if text == "*" {
        return Ok(Expected::Exists);
    }
    let version = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let version = version.and_then(|version| version.parse().ok());
    version.map(|version| Expected::Exact(Version(version))).ok_or_else(|| {
        Problem::request("`If-Match` has to be `*` or one version in quotes, such as `\"3\"`")
    })
}

fn if_none_match(text: &str) -> Result<Expected, Problem> {
    match text {
        "*" => Ok(Expected::NoStream),
        _ => Err(Problem::request("`If-None-Match` has to be `*`")),
    }
}

/// Reads `"any"`, `"none"`, `"exists"` or a number from JSON.
pub(crate) fn from_json<'de, D: Deserializer<'de>>(from: D) -> Result<Expected, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Version(u64),
        Word(String),
    }
    let wrong = || de::Error::custom("`expected` has to be `any`, `none`, `exists` or a version");
    match Form::deserialize(from).map_err(|_| wrong())? {
        Form::Version(version) => Ok(Expected::Exact(Version(version))),
        Form::Word(word) => match word.as_str() {
            "any" => Ok(Expected::Any),
            "none" => Ok(Expected::NoStream),
            "exists" => Ok(Expected::Exists),
            _ => Err(wrong()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn of(query: Option<&str>, headers: &[(HeaderName, &str)]) -> Result<Expectation, Problem> {
        let query = query.map(|value| ("expected".to_owned(), value.to_owned()));
        let headers = headers.iter();
        let headers = headers
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .collect();
        Expectation::of(&mut Params::new(query.into_iter().collect())?, &headers)
    }

    #[test]
    fn an_expectation_is_said_in_one_way() {
        assert_eq!(of(None, &[]), Ok(Expectation::Said(Expected::Any)));
        assert_eq!(of(Some("none"), &[]), Ok(Expectation::Said(Expected::NoStream)));
        let third = Expected::Exact(Version(3));
        assert_eq!(of(Some("3"), &[]), Ok(Expectation::Said(third)));
        assert_eq!(of(None, &[(IF_MATCH, "\"3\"")]), Ok(Expectation::Conditional(third)));
        let none = Expectation::Conditional(Expected::NoStream);
        assert_eq!(of(None, &[(IF_NONE_MATCH, "*")]), Ok(none));
        assert!(of(Some("3"), &[(IF_MATCH, "*")]).is_err());
        assert!(of(None, &[(IF_MATCH, "\"3\""), (IF_MATCH, "\"4\"")]).is_err());
        for bad in ["3", "W/\"3\"", "\"3\", \"4\"", "\"", "\"x\""] {
            assert!(of(None, &[(IF_MATCH, bad)]).is_err(), "{bad}");
        }
    }
}

//! Decides what follows when a request could not be answered. Pure.
//!
//! A request is sent again only when the service cannot have acted on it, or when acting twice is
//! the same as once (RFC 9110, section 9.2.2) and its body is still whole.

use http::Method;

/// How an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No connection came about.
    Connect,
    /// No connection came about in time.
    ConnectTimeout,
    /// The connection was found closed before a byte of the request was written.
    NotSent,
    /// The connection ended before a byte of the response was read.
    Silent,
    /// The connection ended, or what came was not HTTP, after bytes of a response were read.
    Broken,
    /// The response did not begin in time.
    Timeout,
    /// The client stopped sending its body, or sent it too slowly, or sent too much.
    Request(RequestFault),
}

/// What was wrong with the client's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestFault {
    /// It ended or broke before it was whole.
    Broken,
    /// Nothing came for too long.
    Stalled,
    /// It is longer than the gateway allows.
    TooLong,
}

/// What an attempt was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) repeat: Repeat,
    pub(crate) link: Link,
    pub(crate) body: Body,
    /// Attempts that may follow this one.
    pub(crate) left: u32,
}

/// What the method promises about sending it twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    Harmless,
    Harmful,
}

/// Where the attempt's connection came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    Pooled,
    Fresh,
}

/// How much of the request's body is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// Nothing, or there is none.
    Whole,
    Begun,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Try another backend.
    NextBackend,
    /// Try again on a connection made for it.
    FreshLink,
    /// Tell the client.
    GiveUp,
}

impl Repeat {
    /// RFC 9110, section 9.2.2.
    pub(crate) fn of(method: &Method) -> Self {
        let harmless = method.is_idempotent();
        if harmless { Self::Harmless } else { Self::Harmful }
    }
}

/// Decides what follows a failed attempt.
pub(crate) fn judge(failure: Failure, attempt: Attempt) -> Verdict {
    if attempt.left == 0 {
        return Verdict::GiveUp;
    }
    match (failure, attempt) {
        (Failure::Connect | Failure::ConnectTimeout, _) => Verdict::NextBackend,
        (Failure::NotSent, Attempt { body: Body::Whole, .. })
        | (
            Failure::Silent,
            Attempt { repeat: Repeat::Harmless, link: Link::Pooled, body: Body::Whole, .. },
        ) => Verdict::FreshLink,
        (
            Failure::NotSent
            | Failure::Silent
            | Failure::Broken
            | Failure::Timeout
            | Failure::Request(_),
            _,
        ) => Verdict::GiveUp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn row(method: &Method, link: Link, body: Body) -> String {
        let attempt = Attempt { repeat: Repeat::of(method), link, body, left: 1 };
        let failures = [
            Failure::Connect,
            Failure::NotSent,
            Failure::Silent,
            Failure::Broken,
            Failure::Timeout,
            Failure::Request(RequestFault::Broken),
        ];
        let cells: Vec<_> = failures
            .iter()
            .map(|&failure| format!("{:12}", format!("{:?}", judge(failure, attempt))))
            .collect();
        format!("{method:6} {link:?} {body:?}: {}", cells.join("")).trim_end().to_owned()
    }

    #[test]
    fn only_what_cannot_act_twice_is_sent_again() {
        let mut rows = vec![format!(
            "{:20}Connect     NotSent     Silent      Broken      Timeout     Request",
            ""
        )];
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::POST, Method::PATCH] {
            for link in [Link::Pooled, Link::Fresh] {
                for body in [Body::Whole, Body::Begun] {
                    rows.push(row(&method, link, body));
                }
            }
        }
        expect![[r#"
                                Connect     NotSent     Silent      Broken      Timeout     Request
            GET Pooled Whole: NextBackend FreshLink   FreshLink   GiveUp      GiveUp      GiveUp
            GET Pooled Begun: NextBackend GiveUp      GiveUp      GiveUp      GiveUp      GiveUp
            GET Fresh Whole: NextBackend FreshLink   GiveUp      GiveUp      GiveUp      GiveUp
            GET Fresh Begun: NextBackend GiveUp      GiveUp      GiveUp      GiveUp      GiveUp
            PUT Pooled Whole: NextBackend FreshLink   FreshLink   GiveUp      GiveUp      GiveUp
            PUT Pooled Begun: NextBackend GiveUp      GiveUp      GiveUp      GiveUp      GiveUp
            PUT Fresh Whole: NextBackend FreshLink   GiveUp      GiveUp      GiveUp      GiveUp
            PUT Fresh Begun: NextBackend GiveUp      GiveUp      GiveUp      GiveUp      GiveUp
            DELETE Pooled Whole: NextBackend FreshLink   FreshLink   GiveUp      GiveUp      GiveUp
            DELETE Pooled Begun: NextBackend GiveUp      GiveUp      GiveUp      GiveUp      GiveUp
            DELETE Fresh Whole: NextBackend FreshLink   GiveUp      GiveUp      GiveUp      GiveUp
            DELETE Fresh Begun: NextBackend GiveUp      GiveUp      GiveUp      GiveUp      GiveUp
            POST Pooled Whole: NextBackend FreshLink   GiveUp      GiveUp      GiveUp      GiveUp
            POST Pooled Begun: NextBackend GiveUp      GiveUp      GiveUp      GiveUp      GiveUp
            POST Fresh Whole: NextBackend FreshLink   GiveUp      GiveUp      GiveUp      GiveUp
            POST Fresh Begun: NextBackend GiveUp      GiveUp      GiveUp      GiveUp      GiveUp
            PATCH Pooled Whole: NextBackend FreshLink   GiveUp      GiveUp      GiveUp      GiveUp
            PATCH Pooled Begun: NextBackend GiveUp      GiveUp      GiveUp      GiveUp      GiveUp
            PATCH Fresh Whole: NextBackend FreshLink   GiveUp      GiveUp      GiveUp      GiveUp
            PATCH Fresh Begun: NextBackend GiveUp      GiveUp      GiveUp      GiveUp      GiveUp"#]].assert_eq(&rows.join("\n"));
    }

    #[test]
    fn no_failure_is_followed_by_more_attempts_than_are_left() {
        let attempt =
            Attempt { repeat: Repeat::Harmless, link: Link::Pooled, body: Body::Whole, left: 0 };
        for failure in
            [Failure::Connect, Failure::ConnectTimeout, Failure::NotSent, Failure::Silent]
        {
            assert_eq!(judge(failure, attempt), Verdict::GiveUp);
        }
    }
}

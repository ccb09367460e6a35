//! Decides from a request's head where it goes, or what is wrong with it. Pure.

use crate::{
    forwarding::{UnknownCoding, settle_framing},
    host::normal_host,
    path,
    problem::Problem,
    table::{ServiceIndex, Table, Target},
};
use http::{HeaderValue, Method, Uri, Version, header::HOST, request::Parts, uri::PathAndQuery};
use std::{borrow::Cow, time::Duration};

/// Where a request goes.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) service: ServiceIndex,
    /// What the service is asked for, in origin form.
    pub(crate) uri: Uri,
    pub(crate) timeout: Option<Duration>,
}

impl Plan {
    /// Finds the route of a request. An absolute target's host takes the place of the `Host` header
    /// (RFC 9112, section 3.2.2).
    pub(crate) fn of(table: &Table, head: &mut Parts) -> Result<Self, Problem> {
        if head.method == Method::CONNECT {
            return Err(Problem::Method);
        }
        settle_framing(&mut head.headers)
            .map_err(|UnknownCoding| bad("the only transfer coding is `chunked`"))?;
        if let Some(authority) = head.uri.authority() {
            let host = HeaderValue::from_str(authority.as_str()).map_err(|_| bad("bad host"))?;
            head.headers.insert(HOST, host);
        }
        let host = host(head)?;
        let path = head.uri.path();
        path::check(path).map_err(|error| bad(&error.to_string()))?;
        let (target, end) = table.find(&host, path).ok_or(Problem::NoRoute)?;
        let uri = uri(&head.uri, target, end);
        Ok(Self { service: target.service, uri, timeout: target.timeout })
    }
}

fn host(head: &Parts) -> Result<Cow<'_, str>, Problem> {
    let mut hosts = head.headers.get_all(HOST).into_iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => normal_host(host.as_bytes()).map_err(|error| bad(&error.to_string())),
        (None, _) if head.version < Version::HTTP_11 => Ok(Cow::Borrowed("")),
        (None, _) => Err(bad("a request has a `Host` header")),
        (Some(_), Some(_)) => Err(bad("a request has one `Host` header")),
    }
}

fn uri(asked: &Uri, target: &Target, end: usize) -> Uri {
    if target.strip_prefix && end > 0 {
        return Uri::from(stripped(asked, end));
    }
    match asked.path_and_query() {
        Some(path) if asked.authority().is_some() => Uri::from(path.clone()),
        Some(_) => asked.clone(),
        None => Uri::default(),
    }
}

/// What is left of the path behind the prefix, with exactly one leading slash, so that it cannot be
/// taken for a host.
fn stripped(asked: &Uri, end: usize) -> PathAndQuery {
    let rest = asked.path()[end..].trim_start_matches('/');
    let text = match asked.query() {
        Some(query) => format!("/{rest}?{query}"),
        None => format!("/{rest}"),
    };
    text.try_into().expect("a part of a valid path is a valid path")
}

fn bad(detail: &str) -> Problem {
    Problem::BadRequest(detail.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Route;
    use expect_test::{Expect, expect};
    use http::{Request, header::TRANSFER_ENCODING};

    fn table() -> Table {
        let route = |path: &str, strip_prefix| Route {
            host: None,
            path: path.parse().unwrap(),
            service: "a".parse().unwrap(),
            strip_prefix,
            timeout: None,
        };
        let routes = vec![route("/keep", false), route("/strip", true)];
        Table::new(routes, [("a".parse().unwrap(), vec![])].into()).unwrap()
    }

    fn plan(request: http::request::Builder) -> String {
        let (mut head, ()) = request.body(()).unwrap().into_parts();
        match Plan::of(&table(), &mut head) {
            Ok(plan) => format!("{} for {:?}", plan.uri, head.headers.get(HOST)),
            Err(problem) => format!("{problem:?}"),
        }
    }

    fn check(targets: &[&str], expected: &Expect) {
        let line = |target: &&str| {
            format!("{target} -> {}", plan(Request::get(*target).header(HOST, "h")))
        };
        expected.assert_eq(&targets.iter().map(line).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn a_service_sees_the_path_with_or_without_the_prefix() {
        check(
            &[
                "/keep/1?q=%2f",
                "/strip",
                "/strip?q",
                "/strip/1?q",
                "/strip///x",
                "//strip//%2fx",
                "http://Other:81/keep?x",
                "http://u@h/keep",
                "/none",
                "/keep/../none",
                "*",
            ],
            &expect![[r#"
                /keep/1?q=%2f -> /keep/1?q=%2f for Some("h")
                /strip -> / for Some("h")
                /strip?q -> /?q for Some("h")
                /strip/1?q -> /1?q for Some("h")
                /strip///x -> /x for Some("h")
                //strip//%2fx -> /%2fx for Some("h")
                http://Other:81/keep?x -> /keep?x for Some("Other:81")
                http://u@h/keep -> BadRequest("`@` is not allowed in a host")
                /none -> NoRoute
                /keep/../none -> BadRequest("a path has no `.` or `..` segments")
                * -> BadRequest("a path starts with `/`")"#]],
        );
    }

    #[test]
    fn a_request_that_names_no_single_host_is_refused() {
        let get = || Request::get("/keep");
        assert_eq!(plan(get().version(Version::HTTP_10)), "/keep for None");
        assert!(plan(get()).contains("a request has a `Host` header"));
        assert!(plan(get().header(HOST, "a").header(HOST, "a")).contains("one `Host` header"));
        assert!(plan(get().header(HOST, "a/b")).contains("not allowed in a host"));
    }

    #[test]
    fn a_transfer_coding_other_than_chunked_is_refused() {
        let post = || Request::post("/keep").header(HOST, "h");
        assert!(plan(post().header(TRANSFER_ENCODING, "Chunked")).starts_with("/keep"));
        for bad in ["gzip, chunked", "chunked, chunked", "identity"] {
            assert!(plan(post().header(TRANSFER_ENCODING, bad)).contains("coding"), "{bad}");
        }
        let twice =
            post().header(TRANSFER_ENCODING, "chunked").header(TRANSFER_ENCODING, "chunked");
        assert!(plan(twice).contains("coding"));
    }

    #[test]
    fn the_gateway_opens_no_tunnels() {
        assert_eq!(plan(Request::connect("h:443")), "Method");
    }
}

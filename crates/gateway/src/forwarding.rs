//! Headers between hops: takes off what concerns one connection only (RFC 9110, section 7.6.1), and
//! says for whom a request is forwarded (RFC 7239 and the `X-Forwarded` family).

use crate::settings::{Scheme, Settings, Trust};
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        CONNECTION, CONTENT_LENGTH, EXPECT, FORWARDED, HOST, PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE, VIA,
    },
};
use std::{
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

/// Longest request id that is passed on, in bytes.
pub(crate) const REQUEST_ID_MAX: usize = 128;

pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const VIA_GATEWAY: HeaderValue = HeaderValue::from_static("1.1 fairway");

/// Says for whom the requests of one client's connection are forwarded.
pub(crate) struct Forwarder {
    address: HeaderValue,
    node: String,
    scheme: Scheme,
    trust: Trust,
    /// The last host and what `Forwarded` says for it; clients seldom change it.
    last: Mutex<Option<(HeaderValue, HeaderValue)>>,
}

impl Forwarder {
    pub(crate) fn new(peer: IpAddr, settings: &Settings) -> Self {
        let peer = peer.to_canonical();
        let node = match peer {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("\"[{address}]\""),
        };
        Self {
            address: value(&peer.to_string()),
            node,
            scheme: settings.scheme,
            trust: settings.trust,
            last: Mutex::new(None),
        }
    }

    /// Sets the forwarding headers of a request.
    pub(crate) fn sign(&self, headers: &mut HeaderMap) {
        let host = headers.get(HOST).cloned();
        let scheme = HeaderValue::from_static(self.scheme.as_str());
        let forwarded = self.forwarded(host.as_ref());
        match self.trust {
            Trust::Strangers => {
                headers.insert(X_FORWARDED_FOR, self.address.clone());
                headers.insert(X_FORWARDED_PROTO, scheme);
                headers.insert(FORWARDED, forwarded);
                match host {
                    Some(host) => headers.insert(X_FORWARDED_HOST, host),
                    None => headers.remove(X_FORWARDED_HOST),
                };
            }
            Trust::Proxies => {
                headers.append(X_FORWARDED_FOR, self.address.clone());
                headers.append(FORWARDED, forwarded);
                headers.entry(X_FORWARDED_PROTO).or_insert(scheme);
                if let Some(host) = host {
                    headers.entry(X_FORWARDED_HOST).or_insert(host);
                }
            }
        }
        headers.append(VIA, VIA_GATEWAY);
    }

    fn forwarded(&self, host: Option<&HeaderValue>) -> HeaderValue {
        let (node, scheme) = (&self.node, self.scheme.as_str());
        let Some(host) = host else {
            return value(&format!("for={node};proto={scheme}"));
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, forwarded)) = last.as_ref().filter(|(known, _)| known == host) {
            return forwarded.clone();
        }
        let name = str::from_utf8(host.as_bytes()).expect("the host was checked to be ASCII");
        let forwarded = value(&format!("for={node};host=\"{name}\";proto={scheme}"));
        *last = Some((host.clone(), forwarded.clone()));
        forwarded
    }
}

/// The value of a header made of checked parts.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("addresses and checked hosts are visible ASCII")
}

/// The protocols a request asks to change to, if it does so properly. Never HTTP/2: its frames would
/// pass the gateway unread.
pub(crate) fn wanted_upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let protocols = headers.get(UPGRADE)?;
    let asks = tokens(headers, &CONNECTION).any(|token| token.eq_ignore_ascii_case(b"upgrade"));
    let starts_h2c = |token: &[u8]| token.get(..3).is_some_and(|t| t.eq_ignore_ascii_case(b"h2c"));
    (asks && !tokens(headers, &UPGRADE).any(starts_h2c)).then(|| protocols.clone())
}

/// Whether a message's sender takes trailers.
pub(crate) fn takes_trailers(headers: &HeaderMap) -> bool {
    headers.contains_key(TE) && tokens(headers, &TE).any(|t| t.eq_ignore_ascii_case(b"trailers"))
}

/// Takes off the headers that concern one connection only.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        for name in named_in_connection(headers) {
            headers.remove(name);
        }
        headers.remove(CONNECTION);
    }
    for name in [
        KEEP_ALIVE,
        PROXY_CONNECTION,
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
        TE,
        TRANSFER_ENCODING,
        UPGRADE,
        EXPECT,
    ] {
        headers.remove(name);
    }
}

/// Takes off a length that a coding overrides (RFC 9112, section 6.3), or says that the coding is one
/// the gateway does not know.
pub(crate) fn settle_framing(headers: &mut HeaderMap) -> Result<(), UnknownCoding> {
    let mut encodings = headers.get_all(TRANSFER_ENCODING).into_iter();
    match (encodings.next(), encodings.next()) {
        (None, _) => Ok(()),
        (Some(one), None) if one.as_bytes().eq_ignore_ascii_case(b"chunked") => {
            headers.remove(CONTENT_LENGTH);
            Ok(())
        }
        _ => Err(UnknownCoding),
    }
}

/// A message is coded in a way the gateway does not know. It knows only `chunked`; `hyper` lets others
/// come before that.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UnknownCoding;

/// The headers that `Connection` names. What frames or routes a message cannot be named away.
fn named_in_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let usual = |token: &&[u8]| {
        !token.eq_ignore_ascii_case(b"keep-alive") && !token.eq_ignore_ascii_case(b"close")
    };
    tokens(headers, &CONNECTION)
        .filter(usual)
        .filter_map(|token| HeaderName::from_bytes(token).ok())
        .filter(|name| *name != HOST && *name != CONTENT_LENGTH)
        .collect()
}

fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    let values = headers.get_all(name).into_iter();
    values.flat_map(|value| value.as_bytes().split(|&b| b == b',')).map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let parse = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        lines.iter().map(parse).collect()
    }

    fn check(headers: &HeaderMap, expected: &Expect) {
        let mut lines: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn what_concerns_one_connection_only_is_taken_off() {
        let mut headers = headers(&[
            ("connection", "keep-alive, X-Private"),
            ("connection", "Host, content-length"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "keep-alive"),
            ("te", "gzip"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "websocket"),
            ("x-private", "1"),
            ("x-public", "1"),
            ("host", "h"),
            ("content-length", "3"),
            ("trailer", "x-sum"),
        ]);
        strip_hop_by_hop(&mut headers);
        check(
            &headers,
            &expect![[r#"
            content-length: 3
            host: h
            trailer: x-sum
            x-public: 1"#]],
        );
    }

    fn sign(trust: Trust, peer: &str, given: &[(&'static str, &'static str)], expected: &Expect) {
        let settings = Settings { trust, ..Settings::default() };
        let forwarder = Forwarder::new(peer.parse().unwrap(), &settings);
        let mut headers = headers(given);
        forwarder.sign(&mut headers.clone());
        forwarder.sign(&mut headers);
        check(&headers, expected);
    }

    const GIVEN: [(&str, &str); 5] = [
        ("host", "shop.example:80"),
        ("x-forwarded-for", "10.9.9.9"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "for=10.9.9.9"),
    ];

    #[test]
    fn a_strangers_forwarding_headers_are_replaced() {
        sign(
            Trust::Strangers,
            "192.0.2.1",
            &GIVEN,
            &expect![[r#"
            forwarded: for=192.0.2.1;host="shop.example:80";proto=http
            host: shop.example:80
            via: 1.1 fairway
            x-forwarded-for: 192.0.2.1
            x-forwarded-host: shop.example:80
            x-forwarded-proto: http"#]],
        );
        sign(
            Trust::Strangers,
            "2001:db8::1",
            &[],
            &expect![[r#"
            forwarded: for="[2001:db8::1]";proto=http
            via: 1.1 fairway
            x-forwarded-for: 2001:db8::1
            x-forwarded-proto: http"#]],
        );
    }

    #[test]
    fn a_proxys_forwarding_headers_are_added_to() {
        sign(
            Trust::Proxies,
            "::ffff:192.0.2.1",
            &GIVEN,
            &expect![[r#"
            forwarded: for=10.9.9.9
            forwarded: for=192.0.2.1;host="shop.example:80";proto=http
            host: shop.example:80
            via: 1.1 fairway
            x-forwarded-for: 10.9.9.9
            x-forwarded-for: 192.0.2.1
            x-forwarded-host: evil.example
            x-forwarded-proto: https"#]],
        );
    }

    #[test]
    fn an_upgrade_is_wanted_only_when_connection_says_so_and_never_to_http2() {
        let upgrade = |lines: &[(&'static str, &'static str)]| wanted_upgrade(&headers(lines));
        assert!(
            upgrade(&[("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")]).is_some()
        );
        assert!(upgrade(&[("upgrade", "websocket")]).is_none());
        assert!(upgrade(&[("connection", "upgrade"), ("upgrade", "foo, H2C")]).is_none());
    }
}

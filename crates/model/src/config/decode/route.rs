//! `routes`: which requests the gateway sends to a service.

use crate::config::Route;
use crate::config::form::{Definitions, Form, Schema, Strip, read_text, record, refuse, short};
use crate::config::reporter::Reporter;
use crate::config::yaml::Node;

/// Longest name of a host in bytes (RFC 1035, section 2.3.4).
const HOST_MAX: usize = 253;

record! {
    /// A match and where it goes.
    Route {
        /// The host, such as `shop.example` or `*.shop.example`; without one, any.
        host: Host, optional;
        /// A prefix of whole path segments: `/orders` matches `/orders/7` and not `/orders2`.
        path: RoutePath, default "/";
        /// Whether the service sees the path without the prefix.
        prefix as "strip": Strip, default "false";
    }
}

/// A prefix of a path.
struct RoutePath;

impl Form for RoutePath {
    type Value = String;

    fn schema(_: &mut Definitions) -> Schema {
        Schema::text("^/[^?#\\s]*$")
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<String> {
        let text = read_text(node, log)?;
        let is_path = text.starts_with('/')
            && text.bytes().all(|byte| byte.is_ascii_graphic())
            && !text.contains(['?', '#', '*', '\\'])
            && !text.contains("//")
            && !text.split('/').any(|part| part == "." || part == "..");
        if !is_path {
            let advice = "write a plain prefix such as `/orders`";
            refuse(node, log, &format!("`{}` is not the path of a route; {advice}", short(text)));
            return None;
        }
        let trimmed = text.trim_end_matches('/');
        Some(if trimmed.is_empty() { "/".to_owned() } else { trimmed.to_owned() })
    }
}

/// The path of a request, with an optional query.
pub(super) struct RequestPath;

impl Form for RequestPath {
    type Value = String;

    fn schema(_: &mut Definitions) -> Schema {
        Schema::text("^/[^#\\s]*$")
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<String> {
        let text = read_text(node, log)?;
        let is_graphic = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        if text.starts_with('/') && is_graphic {
            return Some(text.to_owned());
        }
        let advice = "write an absolute path such as `/healthz`";
        refuse(node, log, &format!("`{}` is not a path; {advice}", short(text)));
        None
    }
}

/// The name of a host; its first label can be `*`.
struct Host;

impl Form for Host {
    type Value = String;

    fn schema(_: &mut Definitions) -> Schema {
        Schema::text("^(\\*\\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$")
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<String> {
        let text = read_text(node, log)?;
        let name = text.strip_prefix("*.").unwrap_or(text);
        if text.len() <= HOST_MAX && name.split('.').all(is_label) {
            return Some(text.to_ascii_lowercase());
        }
        let advice = "write it like `shop.example` or `*.shop.example`";
        refuse(node, log, &format!("`{}` is not a host; {advice}", short(text)));
        None
    }
}

fn is_label(label: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(is_part)
}

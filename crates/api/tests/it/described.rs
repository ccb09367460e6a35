//! Holds answers against the description of the service.

use crate::world::Answer;
use http::{Method, header::CONTENT_TYPE};
use serde_json::{Map, Value};
use std::sync::LazyLock;

static DESCRIPTION: LazyLock<Value> = LazyLock::new(fairway_api::openapi);

/// The paths of the description, with what is described of each.
pub fn paths() -> &'static Map<String, Value> {
    DESCRIPTION["paths"].as_object().unwrap()
}

/// Whether an address is one of a path with holes.
fn is_of(path: &str, address: &str) -> bool {
    let parts = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
    let (path, address) = (parts(path), parts(address));
    let fits =
        |(part, of): (&String, &String)| part == of || part.starts_with('{') && !of.is_empty();
    path.len() == address.len() && path.iter().zip(&address).all(fits)
}

/// What is described of a method of an address, if there is such a thing.
fn operation(method: &Method, address: &str) -> Option<&'static Value> {
    let exact = paths().get(address);
    let found = || paths().iter().find(|(path, _)| is_of(path, address)).map(|(_, it)| it);
    let operations = exact.or_else(found)?;
    let of = |name: &str| operations.get(name.to_ascii_lowercase());
    of(method.as_str()).or_else(|| of("get").filter(|_| method == Method::HEAD))
}

/// Checks that an answer has a status and a content type that the description has.
#[track_caller]
pub fn check((method, address): (&Method, &str), answer: &Answer) {
    let Some(operation) = operation(method, address) else { return };
    let status = answer.status.as_u16().to_string();
    let mut described = &operation["responses"][&status];
    if let Some(reference) = described["$ref"].as_str() {
        described = DESCRIPTION.pointer(reference.trim_start_matches('#')).unwrap();
    }
    assert!(described.is_object(), "{method} {address} answers {status}, which is not described");
    let content = answer.headers.get(CONTENT_TYPE).map(|content| content.to_str().unwrap());
    let media = content.map(|content| content.split(';').next().unwrap());
    let is_described = match media {
        None => answer.body.is_empty(),
        Some(media) => method == Method::HEAD || described["content"].get(media).is_some(),
    };
    let is_cloud_event = answer.headers.contains_key("ce-id");
    assert!(is_described || is_cloud_event, "{method} {address} {status} gives {media:?}");
}

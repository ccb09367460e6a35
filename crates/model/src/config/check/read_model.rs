//! What must hold between the parts of a read model's declaration.

use crate::config::reporter::Reporter;
use crate::config::yaml::Document;
use crate::config::{ReadModel, ReadModelTarget, Template, TemplatePart};

/// How addresses begin.
const POSTGRES: [&str; 2] = ["postgres://", "postgresql://"];
const CALLBACK: [&str; 1] = ["http://"];

/// Reports what does not go together.
pub(in crate::config) fn check_read_model(
    model: &ReadModel,
    document: &Document,
    log: &mut Reporter,
) {
    match &model.target {
        ReadModelTarget::Callback(address) => {
            check_address(address, &["into", "callback"], &CALLBACK, (document, log));
            check_callback(document, log);
        }
        ReadModelTarget::Postgres(address) => {
            check_address(address, &["into", "postgres"], &POSTGRES, (document, log));
            check_tables(document, log);
        }
        ReadModelTarget::Sqlite => check_tables(document, log),
    }
}

fn check_callback(document: &Document, log: &mut Reporter) {
    for key in ["tables", "on", "queries"].iter().filter(|key| document.has(&[key])) {
        let message = format!("`{key}` has no meaning with a callback, which keeps what it wants");
        log.error(document.key_span(&[key]), message);
    }
}

fn check_tables(document: &Document, log: &mut Reporter) {
    if !document.has(&["tables"]) {
        log.error(document.key_span(&["read-model"]), "key `tables` is missing");
    }
    if document.keys(&["on"]).next().is_none() {
        log.error(document.key_span(&["read-model"]), "`on` says nothing of any kind of event");
    }
}

fn check_address(
    address: &Template,
    path: &[&str],
    schemes: &[&str],
    (document, log): (&Document, &mut Reporter),
) {
    let span = document.value_span(path);
    let begins_secret = matches!(address.parts.first(), Some(TemplatePart::Secret(_)));
    let shape = shape(address);
    if !begins_secret && !schemes.iter().any(|scheme| shape.starts_with(scheme)) {
        let wrong = log.diagnose(span, "this is not an address");
        log.report(wrong.label(format!("it begins with `{}`", schemes[0])));
    }
    if has_password(&shape) {
        let wrong = log.diagnose(span, "a password does not belong in a file");
        log.report(wrong.label("write `${secret:name}` in its place"));
    }
}

/// The address with one character for each secret.
fn shape(address: &Template) -> String {
    let parts = address.parts.iter().map(|part| match part {
        TemplatePart::Text(text) => text.as_str(),
        TemplatePart::Secret(_) => "\0",
    });
    parts.collect()
}

fn has_password(shape: &str) -> bool {
    let rest = shape.split_once("://").map_or(shape, |(_, rest)| rest);
    let user = rest.rsplit_once('@').map(|(user, _)| user);
    let in_user = user.and_then(|user| user.split_once(':')).is_some_and(|(_, word)| word != "\0");
    let option = rest.split(['?', '&']).find_map(|option| option.strip_prefix("password="));
    in_user || option.is_some_and(|word| !word.starts_with('\0'))
}

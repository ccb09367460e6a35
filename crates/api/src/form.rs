//! In which form events are given, by what the client accepts.

use crate::{
    params::Params,
    problem::{Problem, ProblemKind},
};
use http::{HeaderMap, header::ACCEPT};

/// Longest `Accept` header that is looked at.
const ACCEPT_MAX: usize = 1024;

/// The media type of JSON.
pub(crate) const JSON: &str = "application/json";
/// The media type of lines of JSON.
pub(crate) const LINES: &str = "application/x-ndjson";
/// The media type of server-sent events.
pub(crate) const LIVE: &str = "text/event-stream";
/// The media type of a CloudEvent in structured mode.
pub(crate) const CLOUD_EVENT: &str = "application/cloudevents+json";
/// The media type of CloudEvents in batch mode.
pub(crate) const CLOUD_BATCH: &str = "application/cloudevents-batch+json";

/// How several events are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A page with a link to the next.
    Page,
    /// A page as a batch of CloudEvents.
    CloudBatch,
    /// Everything, an event per line.
    Lines,
    /// Everything and what comes, as server-sent events.
    Live,
}

/// How one event is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// As this API writes it.
    Plain,
    /// As a CloudEvent in JSON.
    CloudEvent,
}

/// How one event alone is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alone {
    /// As this API writes it.
    Plain,
    /// As a CloudEvent in structured mode.
    Structured,
    /// As a CloudEvent in binary mode.
    Binary,
}

impl Form {
    /// The form and the shape that a client wants.
    pub(crate) fn of(headers: &HeaderMap, params: &mut Params) -> Result<(Self, Shape), Problem> {
        let known = [
            (JSON, Self::Page),
            (LINES, Self::Lines),
            (LIVE, Self::Live),
            (CLOUD_BATCH, Self::CloudBatch),
        ];
        let form = accepted(headers, &known)?;
        let shape = match params.text("format")?.as_deref() {
            None if form == Self::CloudBatch => Shape::CloudEvent,
            None | Some("plain") => Shape::Plain,
            Some("cloudevents") => Shape::CloudEvent,
            Some(_) => {
                return Err(Problem::request("`format` has to be `plain` or `cloudevents`"));
            }
        };
        match (form, shape) {
            (Self::Page, Shape::CloudEvent) => Ok((Self::CloudBatch, shape)),
            (Self::CloudBatch, Shape::Plain) => Ok((Self::Page, shape)),
            asked => Ok(asked),
        }
    }
}

impl Alone {
    /// The form that a client wants.
    pub(crate) fn of(headers: &HeaderMap, params: &mut Params) -> Result<Self, Problem> {
        match params.text("format")?.as_deref() {
            None => accepted(headers, &[(JSON, Self::Plain), (CLOUD_EVENT, Self::Structured)]),
            Some("plain") => Ok(Self::Plain),
            Some("cloudevents") => Ok(Self::Structured),
            Some("cloudevents-binary") => Ok(Self::Binary),
            Some(_) => Err(Problem::request(
                "`format` has to be `plain`, `cloudevents` or `cloudevents-binary`",
            )),
        }
    }
}

/// What a client accepts most of what is known (RFC 9110, section 12.5.1); the first, if it accepts
/// anything.
fn accepted<T: Copy>(headers: &HeaderMap, known: &[(&str, T)]) -> Result<T, Problem> {
    let first = known[0].1;
    let mut best: Option<(u16, T)> = None;
    let mut is_any = true;
    for value in headers.get_all(ACCEPT) {
        let text = value.to_str().ok().filter(|text| text.len() <= ACCEPT_MAX);
        let text = text.ok_or_else(|| Problem::request("`Accept` is not understood"))?;
        for range in text.split(',').filter(|range| !range.trim().is_empty()) {
            is_any = false;
            let (media, weight) = weighed(range);
            let fits = |known: &str| {
                let group = media.strip_suffix("/*");
                media == "*/*"
                    || media.eq_ignore_ascii_case(known)
                    || group.is_some_and(|group| known.split('/').next() == Some(group))
            };
            let found = known.iter().find(|(known, _)| fits(known)).map(|(_, form)| *form);
            if let Some(form) = found.filter(|_| weight > 0 && best.is_none_or(|it| it.0 < weight))
            {
                best = Some((weight, form));
            }
        }
    }
    match best {
        Some((_, form)) => Ok(form),
        None if is_any => Ok(first),
        None => {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            let detail = format!("what can be given is `{}`", names.join("`, `"));
            Err(Problem::new(ProblemKind::NotAcceptable, detail))
        }
    }
}

/// A media range and its weight in thousandths.
fn weighed(range: &str) -> (&str, u16) {
    let mut parts = range.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
    let weight = weight.and_then(|weight| weight.parse::<f32>().ok()).unwrap_or(1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is between 0 and 1000"
    )]
    let thousandths = (weight.clamp(0.0, 1.0) * 1000.0) as u16;
    (media, thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn form(accept: Option<&str>, format: Option<&str>) -> Option<(Form, Shape)> {
        let accept = accept.map(|value| (ACCEPT, HeaderValue::from_str(value).unwrap()));
        let query = format.map(|value| ("format".to_owned(), value.to_owned()));
        let mut params = Params::new(query.into_iter().collect()).unwrap();
        Form::of(&accept.into_iter().collect(), &mut params).ok()
    }

    #[test]
    fn the_form_is_what_the_client_accepts_most() {
        use Shape::{CloudEvent, Plain};
        assert_eq!(form(None, None), Some((Form::Page, Plain)));
        assert_eq!(form(Some("*/*"), None), Some((Form::Page, Plain)));
        assert_eq!(form(Some("application/*"), None), Some((Form::Page, Plain)));
        assert_eq!(form(Some("text/event-stream"), None), Some((Form::Live, Plain)));
        let both = "application/json;q=0.5, application/x-ndjson";
        assert_eq!(form(Some(both), None), Some((Form::Lines, Plain)));
        assert_eq!(form(Some(CLOUD_BATCH), None), Some((Form::CloudBatch, CloudEvent)));
        assert_eq!(form(None, Some("cloudevents")), Some((Form::CloudBatch, CloudEvent)));
        assert_eq!(form(Some(LIVE), Some("cloudevents")), Some((Form::Live, CloudEvent)));
        assert_eq!(form(Some("text/html"), None), None);
        assert_eq!(form(Some("application/json;q=0"), None), None);
        assert_eq!(form(None, Some("xml")), None);
    }
}

//! One page of events, with a link to the next.

use crate::{
    answer, cloud_events,
    feed::{Cursor, Feed},
    form::{CLOUD_BATCH, JSON, Shape},
    json_out::{EventWriter, text},
    reads::Reading,
};
use axum::response::Response;
use fairway_ledger::{Event, LedgerError};
use http::{HeaderValue, StatusCode, Uri, header::LINK};

/// Events of a page, unless the client says.
const LIMIT: usize = 100;
/// Most events of a page.
pub const LIMIT_MAX: usize = 10_000;
/// Most bytes of the events of a page, as far as there are several.
const PAGE_BYTES: usize = 8 << 20;
/// Most events that are looked at for one page.
const LOOKED_AT_MAX: usize = 100_000;
/// How many events are looked at at once.
const LOOK: usize = 1_000;

/// A page.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) events: Vec<Event>,
    cursor: Cursor,
    is_end: bool,
    shape: Shape,
}

/// Reads a page.
pub(crate) async fn read(reading: Reading) -> Result<Page, LedgerError> {
    let Reading { mut feed, shape, limit, .. } = reading;
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(LIMIT);
    let limit = limit.min(LIMIT_MAX);
    let (mut events, mut looked_at, mut bytes) = (Vec::new(), 0, 0);
    while events.len() < limit && looked_at < LOOKED_AT_MAX && bytes < PAGE_BYTES {
        let look = (limit - events.len()).min(LOOK);
        // One more shows whether the page is the last.
        take(&mut feed, &mut events, look).await?;
        looked_at += look;
        bytes = events.iter().map(Event::bytes).sum();
        if feed.is_at_end() {
            break;
        }
    }
    Ok(Page { is_end: feed.is_at_end(), cursor: feed.cursor(), events, shape })
}

async fn take(feed: &mut Feed, events: &mut Vec<Event>, look: usize) -> Result<(), LedgerError> {
    let mut found = feed.next(look + 1).await?;
    if found.len() > look {
        found.truncate(look);
        let last = found.last().map(|event| feed.source().place(event));
        feed.go_back_to(last.unwrap_or_default());
    }
    events.append(&mut found);
    Ok(())
}

/// The page as a response.
pub(crate) fn answer(page: &Page, uri: &Uri) -> Response {
    let next = next(page, uri);
    let (media, body) = match page.shape {
        Shape::Plain => (JSON, plain(page, next.as_deref())),
        Shape::CloudEvent => (CLOUD_BATCH, batch(page)),
    };
    let mut response = answer::typed(StatusCode::OK, media, body);
    let link = next.map(|next| HeaderValue::try_from(format!("<{next}>; rel=\"next\"")));
    if let Some(Ok(link)) = link {
        response.headers_mut().insert(LINK, link);
    }
    response
}

fn plain(page: &Page, next: Option<&str>) -> Vec<u8> {
    let mut writer = EventWriter::default();
    let mut out = b"{\"events\":[".to_vec();
    for (at, event) in page.events.iter().enumerate() {
        out.extend_from_slice(if at == 0 { b"\n" } else { b",\n" });
        writer.event(&mut out, event);
    }
    out.extend_from_slice(b"\n],\"end\":");
    out.extend_from_slice(if page.is_end { b"true" } else { b"false" });
    if let Some(next) = next {
        out.extend_from_slice(b",\"next\":");
        text(&mut out, next);
    }
    out.extend_from_slice(b"}\n");
    out
}

fn batch(page: &Page) -> Vec<u8> {
    let mut out = b"[".to_vec();
    for (at, event) in page.events.iter().enumerate() {
        out.extend_from_slice(if at == 0 { b"\n" } else { b",\n" });
        cloud_events::write(&mut out, event);
    }
    out.extend_from_slice(b"\n]\n");
    out
}

/// The address of the next page: the same query from where this page ended. Nothing comes before the
/// first event.
fn next(page: &Page, uri: &Uri) -> Option<String> {
    let from = match page.cursor {
        Cursor::Before(_) if page.is_end => return None,
        Cursor::Before(before) => format!("before={before}"),
        Cursor::After(after) => format!("after={after}"),
    };
    let is_kept = |param: &&str| {
        let name = param.split('=').next();
        !matches!(name, Some("" | "after" | "before" | "at_least" | "wait"))
    };
    let kept = uri.query().unwrap_or_default().split('&').filter(is_kept);
    let query: Vec<&str> = kept.chain([from.as_str()]).collect();
    Some(format!("{}?{}", uri.path(), query.join("&")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_has_the_same_query() {
        let next = |cursor, is_end, uri: &str| {
            let page = Page { events: Vec::new(), cursor, is_end, shape: Shape::Plain };
            next(&page, &uri.parse().unwrap())
        };
        let uri = "/v1/streams/a%2Fb?limit=5&after=3&at_least=9&kind_prefix=a%26b";
        let wanted = "/v1/streams/a%2Fb?limit=5&kind_prefix=a%26b&after=8";
        assert_eq!(next(Cursor::After(8), true, uri).as_deref(), Some(wanted));
        let wanted = "/v1/events?before=4";
        assert_eq!(next(Cursor::Before(4), false, "/v1/events").as_deref(), Some(wanted));
        assert_eq!(next(Cursor::Before(1), true, "/v1/events?before=end"), None);
    }
}

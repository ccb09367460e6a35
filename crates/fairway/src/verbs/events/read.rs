//! `fairway events read`: pages of events, forward or backward, as of now or of a moment.

use super::{
    line,
    scope::{Moment, ScopeArgs},
    shown::Lines,
};
use crate::{
    app::App,
    failure::{Exit, Failure},
    ledgers::{self, LedgerArgs},
    printer::{Format, Printer},
};
use fairway_ledger::{
    Event, Filter, From, Ledger, Position, Read, Scope, Standing, StreamName, Version,
};

/// Most events that are read at once.
const PAGE: usize = 1_000;

/// Read events
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    scope: ScopeArgs,
    /// Only events after this version of the stream; of a category or all: after this position
    #[arg(long, value_name = "N", conflicts_with_all = ["before", "backwards"])]
    after: Option<u64>,
    /// Only events before this version or position, the newest first
    #[arg(long, value_name = "N")]
    before: Option<u64>,
    /// The newest first
    #[arg(long)]
    backwards: bool,
    /// At most so many events
    #[arg(short = 'n', long, value_name = "EVENTS")]
    limit: Option<usize>,
    /// As the ledger was at this position or time (RFC 3339)
    #[arg(long, value_name = "POSITION|TIME")]
    as_of: Option<Moment>,
}

/// Reads page by page.
pub struct Pages<'a> {
    ledger: &'a Ledger,
    next: Read,
    filter: Filter,
    left: usize,
}

impl<'a> Pages<'a> {
    /// Pages of what passes a filter, with at most `read.limit` events altogether.
    pub fn new(ledger: &'a Ledger, read: Read, filter: Filter) -> Self {
        let left = read.limit;
        Self { ledger, next: Read { limit: PAGE, ..read }, filter, left }
    }

    /// The next events; none at the end. A page may be empty before the end.
    pub async fn next(&mut self) -> Result<Option<Vec<Event>>, Failure> {
        if self.left == 0 {
            return Ok(None);
        }
        if self.filter == Filter::all() {
            self.next.limit = self.left.min(PAGE);
        }
        let page = self.ledger.read(self.next.clone()).await;
        let mut page = page.map_err(|error| ledgers::failed("read events", error))?;
        let Some(last) = page.last() else { return Ok(None) };
        go_on(&mut self.next.scope, last);
        page.retain(|event| self.filter.passes(event));
        page.truncate(self.left);
        self.left -= page.len();
        Ok(Some(page))
    }
}

/// Lets a scope begin behind an event.
fn go_on(scope: &mut Scope, last: &Event) {
    match scope {
        Scope::All(From::After(at) | From::Before(at))
        | Scope::Category(_, From::After(at) | From::Before(at)) => *at = last.position,
        Scope::Stream(_, From::After(at) | From::Before(at)) => *at = last.version,
    }
}

/// Prints the events.
pub async fn run(
    args: &Args,
    place: &LedgerArgs,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let ledger = ledgers::open_to_read(app, place).await?;
    ledgers::say_if_kept_elsewhere(&ledger, app, place, printer).await?;
    if let Some(stream) = &args.scope.stream {
        assert_readable(&ledger, stream).await?;
    }
    let as_of = match args.as_of {
        Some(moment) => moment.position(&ledger).await?,
        None => Position::END,
    };
    let read = Read::new(scope(args), args.limit.unwrap_or(usize::MAX)).as_of(as_of);
    let mut pages = Pages::new(&ledger, read, args.scope.filter());
    let mut lines = Lines::new(printer);
    let mut is_empty = true;
    while let Some(page) = pages.next().await? {
        is_empty &= page.is_empty();
        print(&page, &mut lines, printer);
    }
    if is_empty && printer.format == Format::Text {
        printer.talk("no such events\n");
    }
    Ok(Exit::Done)
}

/// Prints events in the form that was asked for.
pub fn print(events: &[Event], lines: &mut Lines, printer: &mut Printer) {
    match printer.format {
        Format::Text => printer.data(&lines.of(events)),
        Format::Json => {
            let text: String = events.iter().map(|event| line::write(event) + "\n").collect();
            printer.data(&text);
        }
    }
}

/// Fails unless the stream has events that can be read.
pub async fn assert_readable(ledger: &Ledger, stream: &StreamName) -> Result<(), Failure> {
    let state = ledger.stream(stream).await;
    let state = state.map_err(|error| ledgers::failed(format!("read `{stream}`"), error))?;
    match state.standing {
        Standing::Live if state.version == Version(0) => {
            Err(Failure::failed(format!("there is no stream `{stream}`"))
                .hint("`fairway events streams` lists them"))
        }
        Standing::Live => Ok(()),
        Standing::Deleted => Err(Failure::failed(format!("stream `{stream}` is deleted"))),
        Standing::Tombstoned => {
            Err(Failure::failed(format!("stream `{stream}` is deleted for ever")))
        }
    }
}

fn scope(args: &Args) -> Scope {
    let position = || from(args, Position, Position::END);
    match (&args.scope.stream, &args.scope.category) {
        (Some(stream), _) => Scope::Stream(stream.clone(), from(args, Version, Version::END)),
        (None, Some(category)) => Scope::Category(category.clone(), position()),
        (None, None) => Scope::All(position()),
    }
}

fn from<T>(args: &Args, at: fn(u64) -> T, end: T) -> From<T> {
    let at = |number: u64| at(number.min(Position::END.0));
    match (args.before, args.backwards) {
        (Some(before), _) => From::Before(at(before)),
        (None, true) => From::Before(end),
        (None, false) => From::After(at(args.after.unwrap_or(0))),
    }
}

//! `fairway events tail`: events as they come.

use super::{read::print, scope::ScopeArgs, shown::Lines};
use crate::{
    app::App,
    failure::{Exit, Failure},
    interrupts::Interrupts,
    ledgers::{self, LedgerArgs},
    moment,
    printer::Printer,
};
use fairway_ledger::{Clock, Event, Ledger, Position, Subscription};
use fairway_model::{Timestamp, parse_duration};

/// Follow events as they are appended, until Ctrl-C
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    scope: ScopeArgs,
    /// First those after this position that are there already
    #[arg(long, value_name = "POSITION", conflicts_with = "since")]
    after: Option<u64>,
    /// First those that were appended since this time (RFC 3339), or in the last while, such as
    /// `10m`
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    /// End after so many events
    #[arg(short = 'n', long, value_name = "EVENTS")]
    limit: Option<usize>,
}

/// A time, or how long ago it was.
#[derive(Debug, Clone, Copy)]
enum Since {
    Time(Timestamp),
    Ago(std::time::Duration),
}

impl std::str::FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (moment::parse(text), parse_duration(text)) {
            (Some(time), _) => Ok(Self::Time(time)),
            (None, Ok(ago)) => Ok(Self::Ago(ago)),
            (None, Err(_)) => Err("use a time such as `2026-03-01T12:00:00Z` or `10m`".to_owned()),
        }
    }
}

/// Prints events until somebody asks to stop.
pub async fn run(
    args: &Args,
    place: &LedgerArgs,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let mut interrupts = Interrupts::open()?;
    let ledger = ledgers::open_to_read(app, place).await?;
    ledgers::say_if_kept_elsewhere(&ledger, app, place, printer).await?;
    let after = start(args, &ledger).await?;
    let events = ledger.subscribe_to(filter(args), after);
    let mut events = events.map_err(|error| ledgers::failed("follow the ledger", error))?;
    tokio::select! {
        ended = follow(args, &mut events, printer) => ended,
        () = interrupts.next() => Ok(Exit::Done),
    }
}

async fn follow(
    args: &Args,
    events: &mut Subscription,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let mut lines = Lines::new(printer);
    let mut left = args.limit.unwrap_or(usize::MAX);
    while left > 0 {
        let page = events.next_page().await;
        let mut page = page.map_err(|error| ledgers::failed("follow the ledger", error))?;
        page.retain(|event| is_asked(args, event));
        page.truncate(left);
        left -= page.len();
        print(&page, &mut lines, printer);
    }
    Ok(Exit::Done)
}

fn filter(args: &Args) -> fairway_ledger::Filter {
    let streams = args.scope.stream.iter().map(ToString::to_string).collect();
    fairway_ledger::Filter { streams, ..args.scope.filter() }
}

/// A filter knows how names of streams start only.
fn is_asked(args: &Args, event: &Event) -> bool {
    args.scope.stream.as_ref().is_none_or(|stream| *stream == event.stream)
}

async fn start(args: &Args, ledger: &Ledger) -> Result<Position, Failure> {
    let failed = |error| ledgers::failed("read the ledger", error);
    let since = match (args.after, args.since) {
        (Some(after), _) => return Ok(Position(after).min(Position::END)),
        (None, None) => return ledger.head().await.map_err(failed),
        (None, Some(Since::Time(time))) => time.0,
        (None, Some(Since::Ago(ago))) => {
            let ago = u64::try_from(ago.as_millis()).unwrap_or(u64::MAX);
            Clock::system().now().0.saturating_sub(ago)
        }
    };
    // Those of that very millisecond are asked for, too.
    ledger.position_at(Timestamp(since.saturating_sub(1))).await.map_err(failed)
}

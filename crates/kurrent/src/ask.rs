//! What a reader asks for, parsed once.

use crate::{
    expected,
    filter::EventFilter,
    recorded::Ids,
    status,
    wire::streams::{AllStart, ReadOptions, ReadReq, Revision, read_options},
};
use fairway_ledger::{Position, StreamName};
use tonic::Status;

/// What a reader asks for.
pub(crate) struct Ask {
    pub(crate) of: Of,
    pub(crate) extent: Extent,
    pub(crate) shape: Shape,
}

/// In which form events are sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) ids: Ids,
    pub(crate) links: Links,
}

/// What is sent for an event that only points to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    /// The pointer itself.
    Kept,
    /// What it points to, with the pointer beside it.
    Resolved,
}

/// Whose events.
pub(crate) enum Of {
    Stream(StreamName, Start<u64>),
    All(Start<Position>, Option<EventFilter>),
}

/// Where a reader begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start<T> {
    First,
    At(T),
    Last,
}

/// How far it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    Forwards(u64),
    Backwards(u64),
    Following,
}

impl Ask {
    pub(crate) fn parse(request: ReadReq) -> Result<Self, Status> {
        let options = request.options.ok_or_else(|| status::invalid("the options are missing"))?;
        let extent = extent(&options)?;
        let links = if options.resolve_links { Links::Resolved } else { Links::Kept };
        let shape = Shape { ids: Ids::wanted(options.uuid_option), links };
        let of = match options.stream {
            Some(read_options::Stream::Stream(stream)) => {
                Of::Stream(expected::stream_name(stream.stream_identifier)?, start(stream.revision))
            }
            Some(read_options::Stream::All(all)) => {
                Of::All(all_start(all.start), filter(options.filter)?)
            }
            None => return Err(status::invalid("it is not said what is to be read")),
        };
        Ok(Self { of, extent, shape })
    }
}

fn extent(options: &ReadOptions) -> Result<Extent, Status> {
    match (options.count, options.read_direction) {
        (None, _) => Err(status::invalid("it is not said how much is to be read")),
        (Some(read_options::Count::Subscription(())), 0) => Ok(Extent::Following),
        (Some(read_options::Count::Subscription(())), _) => {
            Err(status::invalid("a subscription goes forwards"))
        }
        (Some(read_options::Count::Count(count)), read_options::BACKWARDS) => {
            Ok(Extent::Backwards(count))
        }
        (Some(read_options::Count::Count(count)), _) => Ok(Extent::Forwards(count)),
    }
}

pub(crate) fn start(wire: Option<Revision>) -> Start<u64> {
    match wire {
        None | Some(Revision::Start(())) => Start::First,
        Some(Revision::At(revision)) => Start::At(revision),
        Some(Revision::End(())) => Start::Last,
    }
}

pub(crate) fn all_start(wire: Option<AllStart>) -> Start<Position> {
    match wire {
        None | Some(AllStart::Start(())) => Start::First,
        Some(AllStart::At(at)) => Start::At(Position(at.commit_position.min(Position::END.0))),
        Some(AllStart::End(())) => Start::Last,
    }
}

fn filter(wire: Option<read_options::Filter>) -> Result<Option<EventFilter>, Status> {
    match wire {
        Some(read_options::Filter::Filter(options)) => EventFilter::parse(options).map(Some),
        Some(read_options::Filter::NoFilter(())) | None => Ok(None),
    }
}

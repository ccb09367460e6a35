//! Which group a client means.

use crate::{
    rights::{Act, Caller, On},
    status,
    wire::{
        persistent::{delete_options, get_info_options, read_options, replay_options},
        shared::StreamIdentifier,
    },
};
use fairway_events::{GroupId, Source};
use fairway_ledger::StreamName;
use tonic::Status;

/// The events of what source.
pub(crate) enum Target {
    All,
    Stream(StreamIdentifier),
}

macro_rules! targets {
    ($($wire:ident),*) => {
        $(impl From<$wire::Stream> for Target {
            fn from(stream: $wire::Stream) -> Self {
                match stream {
                    $wire::Stream::All(()) => Self::All,
                    $wire::Stream::Stream(stream) => Self::Stream(stream),
                }
            }
        })*
    };
}

targets!(read_options, get_info_options, delete_options, replay_options);

/// Reads which group is meant.
pub(crate) fn group(stream: Option<impl Into<Target>>, name: &str) -> Result<GroupId, Status> {
    let name = name.parse().map_err(status::invalid)?;
    GroupId::new(source(stream)?, name).map_err(status::invalid)
}

/// Reads whose events are meant.
pub(crate) fn source(stream: Option<impl Into<Target>>) -> Result<Source, Status> {
    match stream.map(Into::into) {
        Some(Target::All) => Ok(Source::All),
        Some(Target::Stream(stream)) => {
            let text = String::from_utf8(stream.stream_name)
                .map_err(|_| status::invalid("the name of a stream is not UTF-8"))?;
            text.parse().map_err(status::invalid)
        }
        None => Err(status::invalid("it is not said whose events are meant")),
    }
}

impl Caller {
    /// Whether the caller may do something with the groups of a source. Who has rights to some
    /// streams of a category has none to the category.
    pub(crate) fn may_group(&self, act: Act, source: &Source) -> Result<(), Status> {
        match source {
            Source::All | Source::Category(_) => self.may(act, On::All),
            Source::Stream(name) => {
                let about: Option<StreamName> = name.is_about();
                self.may(act, On::Stream(about.as_ref().unwrap_or(name)))
            }
        }
    }
}

//! Creating, changing, removing and looking at groups.

use crate::{
    ask::{self, Start as From},
    groups::{
        failure::failed,
        info,
        remembered::{Expression, Remembered},
        target::{self, Target},
    },
    rights::{Act, Caller, On},
    status,
    wire::{
        persistent::{
            DeleteReq, GetInfoReq, GetInfoResp, ListReq, ListResp, ReplayParkedReq, SettingOptions,
            SettingReq, setting_options::Stream,
        },
        streams::{Revision, StreamOptions},
    },
};
use fairway_events::{GroupId, Groups, PARKED_MAX, Settings, Source, Start};
use fairway_ledger::{Position, Version};
use tonic::Status;

/// What a client says of a group that it creates or changes.
struct Setting {
    id: GroupId,
    start: Start,
    remembered: Remembered,
}

impl Setting {
    fn parse(request: SettingReq) -> Result<Self, Status> {
        let options = request.options.ok_or_else(|| status::invalid("the options are missing"))?;
        let SettingOptions { stream, stream_identifier, group_name, settings } = options;
        let settings = settings.ok_or_else(|| status::invalid("the settings are missing"))?;
        let stream = stream.or_else(|| {
            let revision = Some(revision(settings.revision));
            stream_identifier.map(|name| {
                Stream::Stream(StreamOptions { stream_identifier: Some(name), revision })
            })
        });
        let (target, start, from, filter) = match stream {
            Some(Stream::Stream(stream)) => {
                let (start, from) = stream_start(ask::start(stream.revision));
                let identifier = stream.stream_identifier.unwrap_or_default();
                (Target::Stream(identifier), start, from, None)
            }
            Some(Stream::All(all)) => {
                let (start, from) = all_start(ask::all_start(all.start));
                (Target::All, start, from, all.filter.map(Expression::parse).transpose()?)
            }
            None => return Err(status::invalid("it is not said whose events are meant")),
        };
        let id = target::group(Some(target), &group_name)?;
        let start = match (id.source(), start) {
            (Source::Category(_), Start::AfterVersion(_)) => {
                return Err(status::invalid("a category has no revisions to start from"));
            }
            (_, start) => start,
        };
        Ok(Self { id, start, remembered: Remembered::set(&settings, from, filter) })
    }
}

/// A start as a number only.
fn revision(revision: u64) -> Revision {
    match revision {
        u64::MAX => Revision::End(()),
        revision => Revision::At(revision),
    }
}

/// The event with the revision is the first.
fn stream_start(start: From<u64>) -> (Start, String) {
    match start {
        From::First | From::At(0) => (Start::Beginning, "0".to_owned()),
        From::Last => (Start::End, "-1".to_owned()),
        From::At(revision) => {
            let version = Version(revision.min(Version::END.0));
            (Start::AfterVersion(version), revision.to_string())
        }
    }
}

/// The event at the position is the first.
fn all_start(start: From<Position>) -> (Start, String) {
    match start {
        From::First => (Start::Beginning, "C:0/P:0".to_owned()),
        From::Last => (Start::End, "C:-1/P:-1".to_owned()),
        From::At(at) => {
            let before = Position(at.0.saturating_sub(1));
            (Start::AfterPosition(before), format!("C:{at}/P:{at}"))
        }
    }
}

/// Whether a request could be one.
#[cfg(test)]
pub(crate) fn check(request: SettingReq) -> Result<(), Status> {
    let Setting { start, remembered, .. } = Setting::parse(request)?;
    remembered.settings(Settings { start, ..Remembered::basis() }).map(drop)
}

/// `Create`.
pub(crate) async fn create(
    groups: Groups,
    caller: Caller,
    request: SettingReq,
) -> Result<(), Status> {
    let Setting { id, start, remembered } = Setting::parse(request)?;
    caller.may_group(Act::Manage, id.source())?;
    let basis = Settings { start, ..Remembered::basis() };
    let settings = remembered.settings(basis)?;
    groups.create(&id, settings).await.map_err(|error| failed(&error))
}

/// `Update`. Filter and progress stay as they are.
pub(crate) async fn update(
    groups: Groups,
    caller: Caller,
    request: SettingReq,
) -> Result<(), Status> {
    let Setting { id, remembered, .. } = Setting::parse(request)?;
    caller.may_group(Act::Manage, id.source())?;
    let before = groups.settings(&id).await.map_err(|error| failed(&error))?;
    let Remembered { filter, .. } = Remembered::of(&before, id.source());
    let settings = Remembered { filter, ..remembered }.settings(before)?;
    groups.update(&id, settings).await.map_err(|error| failed(&error))
}

/// `Delete`.
pub(crate) async fn delete(
    groups: Groups,
    caller: Caller,
    request: DeleteReq,
) -> Result<(), Status> {
    let options = request.options.unwrap_or_default();
    let id = target::group(options.stream, &options.group_name)?;
    caller.may_group(Act::Manage, id.source())?;
    groups.remove(&id).await.map_err(|error| failed(&error))
}

/// `ReplayParked`.
pub(crate) async fn replay_parked(
    groups: Groups,
    caller: Caller,
    request: ReplayParkedReq,
) -> Result<(), Status> {
    let options = request.options.unwrap_or_default();
    let id = target::group(options.stream, &options.group_name)?;
    caller.may_group(Act::Manage, id.source())?;
    let limit = match options.stop_at {
        Some(most) => usize::try_from(most)
            .map_err(|_| status::invalid("a number of events to replay is negative"))?,
        None => PARKED_MAX,
    };
    groups.replay_parked(&id, limit).await.map_err(|error| failed(&error))?;
    Ok(())
}

/// `GetInfo`.
pub(crate) async fn get_info(
    groups: Groups,
    caller: Caller,
    request: GetInfoReq,
) -> Result<GetInfoResp, Status> {
    let options = request.options.unwrap_or_default();
    let id = target::group(options.stream, &options.group_name)?;
    caller.may_group(Act::Manage, id.source())?;
    let group = groups.info(&id).await.map_err(|error| failed(&error))?;
    let info = info::of(group, groups.ledger().clock().now());
    Ok(GetInfoResp { subscription_info: Some(info) })
}

/// `List`: of one source, or of all those that the caller may manage.
pub(crate) async fn list(
    groups: Groups,
    caller: Caller,
    request: ListReq,
) -> Result<ListResp, Status> {
    let options = request.options.unwrap_or_default();
    let wanted = match options.list_for_stream {
        Some(option) => {
            let source = target::source(option.stream)?;
            caller.may_group(Act::Manage, &source)?;
            Some(source)
        }
        None => None,
    };
    let now = groups.ledger().clock().now();
    let mut subscriptions = Vec::new();
    for group in groups.list().await.map_err(|error| failed(&error))? {
        let source = group.id.source();
        let is_wanted = wanted.as_ref().is_none_or(|wanted| wanted == source);
        if is_wanted && caller.may_group(Act::Manage, source).is_ok() {
            let group = groups.info(&group.id).await.map_err(|error| failed(&error))?;
            subscriptions.push(info::of(group, now));
        }
    }
    Ok(ListResp { subscriptions })
}

/// `RestartSubsystem`: groups restart by themselves, so there is nothing to be done.
pub(crate) async fn restart(_: Groups, caller: Caller, (): ()) -> Result<(), Status> {
    caller.may(Act::Manage, On::All)
}

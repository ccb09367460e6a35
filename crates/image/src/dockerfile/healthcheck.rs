//! The arguments of HEALTHCHECK.

use super::{
    arguments::command,
    flags::Flags,
    instruction::{Check, CommandForm},
    parser::{Fault, Input},
    word::split_plain,
};
use fairway_layers::Healthcheck;
use fairway_model::parse_duration;

const FLAGS: [&str; 5] = ["interval", "timeout", "start-period", "start-interval", "retries"];

pub(super) fn check(input: &Input<'_>) -> Result<Check, Fault> {
    let (flags, at) = Flags::read(input, &FLAGS)?;
    let words = split_plain(&input.line.text, at);
    let Some(kind) = words.first() else {
        return Err(input.fault_here("`HEALTHCHECK` needs `CMD` or `NONE`"));
    };
    match (kind.text.to_ascii_uppercase().as_str(), words.len()) {
        ("NONE", 1) => Ok(Check::None),
        ("CMD", 2..) => {
            let form = command(input.line.text[kind.at.end..].trim());
            if form == CommandForm::Exec(Vec::new()) {
                return Err(input.fault(&kind.at, "`HEALTHCHECK CMD` needs a command"));
            }
            Ok(Check::Command(form, options(&flags)?))
        }
        ("CMD", _) => Err(input.fault(&kind.at, "`HEALTHCHECK CMD` needs a command")),
        ("NONE", _) => Err(input.fault(&kind.at, "`HEALTHCHECK NONE` takes no argument")),
        _ => Err(input.fault(&kind.at, "`HEALTHCHECK` needs `CMD` or `NONE` here")),
    }
}

fn options(flags: &Flags) -> Result<Healthcheck, Fault> {
    let nanos = |name: &str| -> Result<u64, Fault> {
        let Some(flag) = flags.get(name) else { return Ok(0) };
        let duration =
            parse_duration(&flag.raw).map_err(|error| Fault::new(flag.span, error.to_string()))?;
        let nanos = u64::try_from(duration.as_nanos());
        nanos.map_err(|_| Fault::new(flag.span, "the duration is too long"))
    };
    let retries = match flags.get("retries") {
        None => 0,
        Some(flag) => flag
            .raw
            .parse()
            .map_err(|_| Fault::new(flag.span, "`--retries` takes a whole number"))?,
    };
    Ok(Healthcheck {
        test: Vec::new(),
        interval: nanos("interval")?,
        timeout: nanos("timeout")?,
        start_period: nanos("start-period")?,
        start_interval: nanos("start-interval")?,
        retries,
    })
}

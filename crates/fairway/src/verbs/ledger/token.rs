//! `fairway ledger token`: tokens of those who may call a served ledger.

use super::tokens_file;
use crate::{
    app::App,
    failure::{Doing, Exit, Failure},
    moment::iso,
    printer::{Format, Printer},
};
use fairway_api::{Access, Grants, Right, Token, TokenName, is_prefix};
use fairway_ledger::Clock;
use fairway_model::Timestamp;
use serde_json::json;
use std::{path::PathBuf, str::FromStr, sync::Arc, time::Duration};

/// Make tokens for a served ledger
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Make a token, print it once, and keep what recognizes it in a file
    New(New),
}

#[derive(clap::Args)]
struct New {
    /// Whose token it is
    name: TokenName,
    /// The file that `fairway ledger serve --tokens` is given
    #[arg(long, value_name = "FILE")]
    tokens: PathBuf,
    /// Allow to read streams whose names start so; `*` for all
    #[arg(long, value_name = "PREFIX")]
    read: Vec<Prefix>,
    /// Allow to append to streams whose names start so; `*` for all
    #[arg(long, value_name = "PREFIX")]
    append: Vec<Prefix>,
    /// Allow to truncate and delete streams whose names start so, and to manage their groups
    #[arg(long, value_name = "PREFIX")]
    manage: Vec<Prefix>,
    /// Allow everything
    #[arg(long, conflicts_with_all = ["read", "append", "manage"])]
    admin: bool,
    /// How long the token is valid: `30d`, `12h`, `never`
    #[arg(long, value_name = "TIME", default_value = "90d")]
    expires: Validity,
}

/// How names of streams begin.
#[derive(Debug, Clone)]
struct Prefix(String);

/// How long a token is valid.
#[derive(Debug, Clone, Copy)]
enum Validity {
    For(Duration),
    Ever,
}

impl FromStr for Prefix {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "*" => Ok(Self(String::new())),
            text if is_prefix(text) => Ok(Self(text.to_owned())),
            _ => Err("no name of a stream begins so"),
        }
    }
}

impl FromStr for Validity {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "use a number with `d`, `h` or `m`, or `never`";
        if text == "never" {
            return Ok(Self::Ever);
        }
        let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or(wrong)?;
        let (count, unit) = text.split_at(digits);
        let count: u32 = count.parse().map_err(|_| wrong)?;
        let unit = match unit {
            "d" => Duration::from_hours(24),
            "h" => Duration::from_hours(1),
            "m" => Duration::from_mins(1),
            _ => return Err(wrong),
        };
        Ok(Self::For(unit * count))
    }
}

/// Makes a token.
pub fn run(args: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    let Action::New(args) = &args.action;
    let access = access(args)?;
    let now = Clock::system().now();
    let expires = match args.expires {
        Validity::Ever => None,
        Validity::For(time) => {
            let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            Some(Timestamp(now.0.saturating_add(millis)))
        }
    };
    let (token, secret) = Token::new(args.name.clone(), access, expires).doing("make a token")?;
    tokens_file::below(&app.directory, &args.tokens).add(&token)?;
    match printer.format {
        Format::Text => {
            printer.data(&format!("{secret}\n"));
            let valid =
                expires.map_or_else(|| "for ever".to_owned(), |at| format!("until {}", iso(at)));
            printer.talk(&format!("token `{}` is valid {valid}\n", token.name));
        }
        Format::Json => {
            let expires = expires.map(iso);
            printer.json(
                &json!({ "name": token.name.to_string(), "token": secret, "expires": expires }),
            );
        }
    }
    Ok(Exit::Done)
}

fn access(args: &New) -> Result<Access, Failure> {
    if args.admin {
        return Ok(Access::All);
    }
    let texts = |prefixes: &[Prefix]| prefixes.iter().map(|prefix| prefix.0.clone()).collect();
    let grants = Grants {
        read: texts(&args.read),
        append: texts(&args.append),
        manage: texts(&args.manage),
    };
    if Right::ALL.into_iter().all(|right| grants.of(right).is_empty()) {
        return Err(Failure::usage("a token without rights is of no use")
            .hint("use `--read`, `--append`, `--manage` or `--admin`"));
    }
    Ok(Access::Granted(Arc::new(grants)))
}

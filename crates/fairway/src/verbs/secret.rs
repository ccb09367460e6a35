//! `fairway secret`: secrets of environments, encrypted on this machine.

use crate::{
    app::App,
    failure::{Doing, Exit, Failure},
    printer::{Format, Printer},
};
use fairway_ledger::Clock;
use fairway_model::{EnvironmentName, SecretName};
use fairway_secrets::{SECRET_BYTES_MAX, SecretValue};
use serde_json::json;
use std::io::Read;

/// Keep secrets of environments
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Give a secret a value, read from standard input
    Set {
        /// The environment
        environment: EnvironmentName,
        /// The secret
        name: SecretName,
        /// Take a random value instead
        #[arg(long)]
        generate: bool,
    },
    /// List secrets and their versions, never their values
    List {
        /// The environment
        environment: EnvironmentName,
    },
    /// Forget a secret
    Remove {
        /// The environment
        environment: EnvironmentName,
        /// The secret
        name: SecretName,
    },
}

/// Sets, lists or removes.
pub fn run(args: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    let secrets = app.secrets()?;
    match &args.action {
        Action::Set { environment, name, generate } => {
            let value = if *generate {
                SecretValue::generate().doing("make a random value")?
            } else {
                read_value()?
            };
            let version = secrets
                .set(environment, name, &value, Clock::system().now())
                .doing(format!("keep the secret `{name}`"))?;
            printer
                .talk(&format!("secret `{name}` of `{environment}` has version {}\n", version.0));
        }
        Action::List { environment } => {
            let known = secrets.list(environment).doing("list the secrets")?;
            let rows = known.iter().map(|info| (info.name.to_string(), info.version.0));
            match printer.format {
                Format::Text => {
                    let rows: Vec<_> =
                        rows.map(|(name, version)| vec![name, version.to_string()]).collect();
                    printer.table(&["SECRET", "VERSION"], &rows);
                }
                Format::Json => {
                    let rows =
                        rows.map(|(name, version)| json!({ "name": name, "version": version }));
                    printer.json(&rows.collect::<Vec<_>>());
                }
            }
        }
        Action::Remove { environment, name } => {
            let removed = secrets.remove(environment, name);
            match removed.doing(format!("forget the secret `{name}`"))? {
                Some(_) => printer.talk(&format!("secret `{name}` of `{environment}` is gone\n")),
                None => {
                    return Err(Failure::failed(format!("`{environment}` has no secret `{name}`")));
                }
            }
        }
    }
    Ok(Exit::Done)
}

/// One line, or all of standard input without its last line feed.
fn read_value() -> Result<SecretValue, Failure> {
    let mut bytes = Vec::new();
    let limit = SECRET_BYTES_MAX as u64 + 2;
    std::io::stdin().lock().take(limit).read_to_end(&mut bytes).doing("read standard input")?;
    if bytes.ends_with(b"\n") {
        bytes.pop();
    }
    SecretValue::from_bytes(bytes)
        .map_err(|error| Failure::usage("the value cannot be a secret").because(error))
}

//! `fairway check`: every error of every file at once.

use crate::{
    app::App,
    checkout::Checkout,
    failure::{Exit, Failure},
    printer::{Format, Printer},
};

/// Check fleet.yaml and every fairway.yaml
#[derive(clap::Args)]
pub struct Args {}

/// Checks the fleet of the working folder.
pub fn run(_: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    let checkout = Checkout::find(&app.directory)?;
    match checkout.load() {
        Ok(config) => {
            match printer.format {
                Format::Text => {
                    let services = match config.services.len() {
                        1 => "1 service".to_owned(),
                        count => format!("{count} services"),
                    };
                    let fleet = &config.fleet.name;
                    printer.talk(&format!("fleet `{fleet}`: {services}, no errors\n"));
                }
                Format::Json => printer.json(&serde_json::json!([])),
            }
            Ok(Exit::Done)
        }
        Err(diagnostics) => {
            printer.diagnostics(&diagnostics);
            Ok(Exit::Misconfigured)
        }
    }
}

//! `fairway read-models apply`: declares read models.

use super::{
    CommonArgs,
    host::{read, refused},
    work::{Finished, Outcome, Work},
};
use crate::{
    app::App,
    failure::{Exit, Failure},
    printer::{Format, Printer},
    words::counted,
};
use fairway_read_models::{Applied, Declaration};
use serde_json::json;

/// Declare read models, and build what is new
#[derive(clap::Args)]
pub struct Args {
    /// Declarations
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Do not wait until what is new is built
    #[arg(long)]
    no_wait: bool,
}

/// Declares what is new, after all files were read.
pub async fn run(
    args: &Args,
    common: &CommonArgs,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let mut declarations = Vec::new();
    for path in &args.files {
        let declaration = read(app, path).map_err(|refusal| refusal.show(printer));
        declarations.push(declaration?);
    }
    Work::with(common, app, async |work| declare(args, &declarations, work, printer).await).await
}

/// Declares one after the other, each when the one before is built.
async fn declare(
    args: &Args,
    declarations: &[Declaration],
    work: &Work,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    for declaration in declarations {
        let applied = work.models.apply(declaration).await;
        let applied = applied.map_err(|error| refused(declaration, error).show(printer))?;
        let mut outcome = None;
        if !args.no_wait {
            if work.finish(declaration.name(), printer).await? == Finished::Interrupted {
                break;
            }
            outcome = Some(work.outcome(declaration.name()).await?);
        }
        tell(declaration, (applied, outcome.as_ref()), printer);
        if let Some(Outcome { withheld: Some(failure), .. }) = outcome {
            printer.talk(&failure.render());
            exit = Exit::Failed;
        }
    }
    Ok(exit)
}

fn tell(
    declaration: &Declaration,
    (applied, outcome): (Applied, Option<&Outcome>),
    printer: &mut Printer,
) {
    let (name, version) = (declaration.name(), declaration.model().version);
    let word = match applied {
        Applied::Declared => "declared",
        Applied::Unchanged => "unchanged",
    };
    match printer.format {
        Format::Text => {
            printer.talk(&format!("read model `{name}` version {version}: {word}\n"));
            if let Some(Outcome { parked: parked @ 1.., withheld: None }) = outcome {
                let why = format!("`fairway read-models parked {name}` shows why");
                printer.talk(&format!("{} parked; {why}\n", counted(*parked, "event")));
            }
        }
        Format::Json => {
            let told = json!({
                "read_model": name,
                "version": version,
                "result": word,
                "parked": outcome.map(|outcome| outcome.parked),
                "live": outcome.map(|outcome| outcome.withheld.is_none()),
            });
            printer.json(&told);
        }
    }
}

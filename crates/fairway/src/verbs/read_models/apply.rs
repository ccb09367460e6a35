//! `fairway read-models apply`: declares read models.

use super::{
    CommonArgs,
    host::{read, refused},
    work::{Finished, Work},
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
    let work = Work::open(common, app).await?;
    for declaration in &declarations {
        let applied = work.models.apply(declaration).await;
        let applied = applied.map_err(|error| refused(declaration, error).show(printer))?;
        let mut parked = None;
        if !args.no_wait {
            if work.finish(declaration.name(), printer).await? == Finished::Interrupted {
                break;
            }
            parked = Some(work.parked(declaration.name()).await?);
        }
        tell(declaration, (applied, parked), printer);
    }
    work.close().await;
    Ok(Exit::Done)
}

fn tell(
    declaration: &Declaration,
    (applied, parked): (Applied, Option<u64>),
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
            if let Some(parked @ 1..) = parked {
                let why = format!("`fairway read-models parked {name}` shows why");
                printer.talk(&format!("{} parked; {why}\n", counted(parked, "event")));
            }
        }
        Format::Json => {
            let told = json!({
                "read_model": name,
                "version": version,
                "result": word,
                "parked": parked,
            });
            printer.json(&told);
        }
    }
}

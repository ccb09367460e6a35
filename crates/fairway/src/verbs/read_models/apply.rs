//! `fairway read-models apply`: declares read models.

use super::{
    CommonArgs,
    host::{read, refused},
    work::Work,
};
use crate::{
    app::App,
    failure::{Exit, Failure},
    printer::{Format, Printer},
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
        declarations.push(read(app, path, printer)?);
    }
    let work = Work::open(common, app).await?;
    for declaration in &declarations {
        let applied = work.models.apply(declaration).await;
        let applied = applied.map_err(|error| refused(declaration, error, printer))?;
        if !args.no_wait {
            work.finish(declaration.name(), printer).await?;
        }
        tell(declaration, applied, printer);
    }
    work.close().await;
    Ok(Exit::Done)
}

fn tell(declaration: &Declaration, applied: Applied, printer: &mut Printer) {
    let (name, version) = (declaration.name(), declaration.model().version);
    let word = match applied {
        Applied::Declared => "declared",
        Applied::Unchanged => "unchanged",
    };
    match printer.format {
        Format::Text => printer.talk(&format!("read model `{name}` version {version}: {word}\n")),
        Format::Json => {
            printer.json(&json!({ "read_model": name, "version": version, "result": word }));
        }
    }
}

//! `fairway images`: the images of this machine that have a name.

use crate::{
    app::{App, block_on},
    failure::{Doing, Exit, Failure},
    printer::{Format, Printer},
};
use fairway_delivery::Releases;
use fairway_layers::Layers;
use fairway_ledger::Ledger;
use fairway_model::{Digest, StageName};
use fairway_pipeline::{RunLogs, Runs};
use indicatif::DecimalBytes;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Most runs and releases that are looked at, from the newest back.
const SEARCHED_MAX: usize = 500;

/// List images
#[derive(clap::Args)]
pub struct Args {}

/// One image of the list.
#[derive(Serialize)]
struct Row {
    name: String,
    origin: Origin,
    image: Digest,
    bytes: u64,
    layers: usize,
}

/// What an image was made for.
#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Origin {
    /// The fleet makes it, for others to use.
    Base,
    /// A release.
    Release,
    /// The newest build of a service, if it is no release.
    Build,
}

type Named = (String, Origin, Digest);

/// Prints the bases, the releases and the newest builds.
pub fn run(_: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    let (layers, ledger) = (app.layers()?, app.ledger()?);
    let runs = Runs::new(ledger.clone(), RunLogs::new(app.data("runs")?));
    let mut named = bases(&layers)?;
    named.extend(block_on(of_services(ledger, &runs))?);
    let rows: Vec<Row> = named.into_iter().filter_map(|named| Row::of(named, &layers)).collect();
    match printer.format {
        Format::Json => printer.json(&rows),
        Format::Text if rows.is_empty() => {
            printer.talk("there are no images yet; `fairway build` builds those of a fleet\n");
        }
        Format::Text => {
            let cells: Vec<_> = rows.iter().map(Row::cells).collect();
            printer.table(&["NAME", "ORIGIN", "IMAGE", "SIZE", "LAYERS"], &cells);
        }
    }
    Ok(Exit::Done)
}

fn bases(layers: &Layers) -> Result<Vec<Named>, Failure> {
    let names = layers.names().list().doing("read the names of images")?;
    Ok(names.into_iter().map(|known| (known.name.to_string(), Origin::Base, known.image)).collect())
}

async fn of_services(ledger: Ledger, runs: &Runs) -> Result<Vec<Named>, Failure> {
    let made = Releases::new(ledger).all(SEARCHED_MAX).await.doing("read the releases")?;
    let released = made.into_iter().map(|release| (release.id, release.content.image));
    let mut named: Vec<Named> =
        released.map(|(id, image)| (id.to_string(), Origin::Release, image)).collect();
    let known: BTreeSet<Digest> = named.iter().map(|(_, _, image)| *image).collect();
    let built = builds(runs).await?;
    named.extend(built.into_iter().filter(|(_, _, image)| !known.contains(image)));
    Ok(named)
}

/// The image of each service's newest run that built it or knew it.
async fn builds(runs: &Runs) -> Result<Vec<Named>, Failure> {
    let stage: StageName = "build".parse().expect("the stage has a name");
    let mut images = BTreeMap::new();
    for view in runs.last(SEARCHED_MAX).await.doing("read the runs")? {
        let summary = view.run;
        if !summary.marks.contains_key(&stage) || images.contains_key(&summary.service) {
            continue;
        }
        let record = runs.get(summary.run).await.doing(format!("read run {}", summary.run))?;
        let result = record.as_ref().and_then(|view| view.run.result(&stage));
        if let Some(image) = result.and_then(|result| result.outputs.image) {
            images.insert(summary.service, image);
        }
    }
    let named = images.into_iter();
    Ok(named.map(|(service, image)| (service.to_string(), Origin::Build, image)).collect())
}

impl Row {
    /// None if the image is not here any more.
    fn of((name, origin, image): Named, layers: &Layers) -> Option<Self> {
        let (_, layers) = layers.describe(&image).ok()?;
        let bytes = layers.iter().map(|layer| layer.size).sum();
        Some(Self { name, origin, image, bytes, layers: layers.len() })
    }

    fn cells(&self) -> Vec<String> {
        let origin = match self.origin {
            Origin::Base => "base",
            Origin::Release => "release",
            Origin::Build => "build",
        };
        vec![
            self.name.clone(),
            origin.to_owned(),
            self.image.short(),
            DecimalBytes(self.bytes).to_string(),
            self.layers.to_string(),
        ]
    }
}

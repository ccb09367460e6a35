//! A Dockerfile build of an example service: cold, unchanged, and with one changed source file.

use super::{
    docker,
    peer_images::Peers,
    place::{Place, commit, remove},
    samples::{in_turns, milliseconds},
    table::{Quantity, Row},
};
use crate::shell::{self, Outcome};
use std::{
    cell::Cell,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const WARMUPS: usize = 1;
const ROUNDS: usize = 7;
const HOME: &str = "images-home";
/// The service that is built, of examples/shop.
const SERVICE: &str = "payments";
/// The image it starts from.
const BASE: &str = "golang";
/// The file that changes.
const SOURCE: &str = "main.go";

/// The fleet: only what the service needs, and a service that is nothing but the base.
const FLEET: &str = "fleet: bench
services: [services/*]
bases:
  debian:bookworm: { debian: bookworm, packages: [ca-certificates] }
  golang: { dockerfile: images/golang }
";
const BASE_SERVICE: &str = "service: base\nbuild: { dockerfile: Dockerfile }\n";

/// Measures.
pub fn measure(place: &Place) -> Outcome<Vec<Row>> {
    let builder = Builder::prepare(place)?;
    let peers = Peers::start(place, HOME, BASE)?;
    let context = builder.context();
    let changes = Cell::new(0);
    let change = || {
        changes.set(changes.get() + 1);
        builder.change(changes.get())
    };
    let mut rows = Vec::new();
    let cold = in_turns(
        WARMUPS,
        ROUNDS,
        vec![
            Box::new(|| builder.forget().and_then(|()| builder.build())),
            Box::new(|| milliseconds(&mut peers.buildah_build(&context, &["--no-cache"]))),
            Box::new(|| milliseconds(&mut peers.docker_build(&context, &["--no-cache"]))),
        ],
    )?;
    rows.extend(compare("image build, cold", &cold, 1.0)?);
    let unchanged = in_turns(
        WARMUPS,
        ROUNDS,
        vec![
            Box::new(|| builder.build()),
            Box::new(|| milliseconds(&mut peers.buildah_build(&context, &[]))),
            Box::new(|| milliseconds(&mut peers.docker_build(&context, &[]))),
        ],
    )?;
    rows.extend(compare("image build, unchanged", &unchanged, 0.3)?);
    let affected = in_turns(
        WARMUPS,
        ROUNDS,
        vec![
            Box::new(|| change().and_then(|()| builder.build())),
            Box::new(|| milliseconds(&mut peers.buildah_build(&context, &[]))),
            Box::new(|| milliseconds(&mut peers.docker_build(&context, &[]))),
        ],
    )?;
    rows.extend(compare("image build, one file changed", &affected, 1.0)?);
    peers.end()?;
    docker::clean(place)?;
    Ok(rows)
}

fn compare(what: &str, medians: &[f64], at_most: f64) -> Outcome<[Row; 2]> {
    let [fairway, buildah, docker] = *medians else {
        return Err("each contender has a median".into());
    };
    let fairway = Quantity { value: fairway, unit: "ms" };
    Ok([
        Row::ratio(what, fairway, ("buildah bud --layers", buildah), at_most),
        Row::ratio(what, fairway, ("docker build", docker), at_most),
    ])
}

/// Fairway with the fleet.
struct Builder<'a> {
    place: &'a Place,
    fleet: PathBuf,
}

impl<'a> Builder<'a> {
    fn prepare(place: &'a Place) -> Outcome<Self> {
        let fleet = place.fresh("images-fleet")?;
        let example = shell::root().join("examples/shop");
        fs::create_dir_all(fleet.join("services/base"))?;
        fs::write(fleet.join("fleet.yaml"), FLEET)?;
        fs::write(fleet.join("services/base/fairway.yaml"), BASE_SERVICE)?;
        fs::write(fleet.join("services/base/Dockerfile"), format!("FROM {BASE}\n"))?;
        for (from, to) in [("images", "."), ("services/payments", "services")] {
            copy(&example.join(from), &fleet.join(to))?;
        }
        commit(&fleet)?;
        let builder = Self { place, fleet };
        builder.forget()?;
        shell::say("making the base, which takes a minute the first time");
        shell::run(place.fairway(HOME, &builder.fleet, &["build", "base"]).stderr(Stdio::null()))?;
        remove(&builder.bases())?;
        copy(&builder.cache(), &builder.bases())?;
        Ok(builder)
    }

    fn context(&self) -> PathBuf {
        self.fleet.join("services").join(SERVICE)
    }

    fn build(&self) -> Outcome<f64> {
        let mut command = self.place.fairway(HOME, &self.fleet, &["build", SERVICE]);
        milliseconds(command.stderr(Stdio::null()))
    }

    /// Makes the next build a cold one: of all that was built, only the bases are remembered.
    fn forget(&self) -> Outcome {
        for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
            match fs::remove_file(self.place.path(HOME).join(name)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => removed?,
            }
        }
        if self.bases().is_dir() {
            remove(&self.cache())?;
            copy(&self.bases(), &self.cache())?;
        }
        Ok(())
    }

    /// Changes a source file.
    fn change(&self, number: u32) -> Outcome {
        let source = Path::new("examples/shop/services").join(SERVICE).join(SOURCE);
        let original = fs::read_to_string(shell::root().join(source))?;
        let changed = format!("{original}\n// Change {number} of {}.\n", std::process::id());
        Ok(fs::write(self.context().join(SOURCE), changed)?)
    }

    /// What Fairway remembers of builds.
    fn cache(&self) -> PathBuf {
        self.place.path(HOME).join("cache/build")
    }

    /// What it remembered when only the bases were made.
    fn bases(&self) -> PathBuf {
        self.place.path("images-bases")
    }
}

fn copy(from: &Path, to: &Path) -> Outcome {
    shell::run(Command::new("cp").arg("-a").arg(from).arg(to))
}

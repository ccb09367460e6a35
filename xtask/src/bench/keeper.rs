//! How much memory an idle keeper holds.

use super::{
    place::{Place, commit},
    table::{Quantity, Row},
};
use crate::shell::{self, Outcome};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

const HOME: &str = "keeper-home";
/// Most memory in megabytes.
const MEMORY_MAX: f64 = 25.0;
/// How long the keeper is left alone before it is looked at.
const REST: Duration = Duration::from_secs(5);

const FLEET: &str = "fleet: bench
services: [services/*]
bases:
  busybox: { dockerfile: images/busybox }
environments:
  staging: { engine: embedded }
";
const BASE: &str = "FROM scratch
COPY busybox /bin/busybox
RUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]
";
const SERVICE: &str = "service: hello
build: { dockerfile: Dockerfile }
port: 8080
ready: { http: / }
routes:
  - { path: / }
";
const DOCKERFILE: &str = "FROM busybox
COPY index.html /www/index.html
CMD [\"httpd\", \"-f\", \"-p\", \"8080\", \"-h\", \"/www\"]
";

/// Measures.
pub fn measure(place: &Place) -> Outcome<Vec<Row>> {
    let fleet = fleet(place)?;
    let fairway = |arguments: &[&str]| {
        shell::run(
            place.fairway(HOME, &fleet, arguments).stdout(Stdio::null()).stderr(Stdio::null()),
        )
    };
    fairway(&["run"])?;
    fairway(&["promote", "hello", "staging"])?;
    let measured = keeper(place).and_then(|pid| {
        std::thread::sleep(REST);
        resident(&pid)
    });
    fairway(&["down", "staging", "--volumes", "--yes"])?;
    let memory = Quantity { value: measured?, unit: "MB" };
    Ok(vec![Row::limit("idle keeper of one environment, resident memory", memory, MEMORY_MAX)])
}

/// A fleet of one small service.
fn fleet(place: &Place) -> Outcome<PathBuf> {
    let fleet = place.fresh("keeper-fleet")?;
    let (base, service) = (fleet.join("images/busybox"), fleet.join("services/hello"));
    fs::create_dir_all(&base)?;
    fs::create_dir_all(&service)?;
    fs::copy("/bin/busybox", base.join("busybox"))?;
    for (path, text) in [
        (fleet.join("fleet.yaml"), FLEET),
        (base.join("Dockerfile"), BASE),
        (service.join("fairway.yaml"), SERVICE),
        (service.join("Dockerfile"), DOCKERFILE),
        (service.join("index.html"), "hello\n"),
    ] {
        fs::write(path, text)?;
    }
    commit(&fleet)?;
    Ok(fleet)
}

/// The folder in `/proc` of the data directory's keeper.
fn keeper(place: &Place) -> Outcome<PathBuf> {
    let home = format!("FAIRWAY_HOME={}", place.path(HOME).display());
    for entry in fs::read_dir("/proc")? {
        let process = entry?.path();
        if has(&process.join("cmdline"), "keeper") && has(&process.join("environ"), &home) {
            return Ok(process);
        }
    }
    Err("no keeper runs".into())
}

/// Whether one of the zero-terminated words of a file is this. A process may end meanwhile.
fn has(file: &Path, word: &str) -> bool {
    let text = fs::read(file).unwrap_or_default();
    text.split(|byte| *byte == 0).any(|found| found == word.as_bytes())
}

/// Megabytes of resident memory (proc(5), `VmRSS`).
fn resident(process: &Path) -> Outcome<f64> {
    let status = fs::read_to_string(process.join("status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes: f64 = line
        .and_then(|line| line.trim().strip_suffix("kB"))
        .ok_or("the kernel says how much memory a process holds")?
        .trim()
        .parse()?;
    Ok(kibibytes * 1024.0 / 1e6)
}

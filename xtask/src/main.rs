//! Tasks of this repository: `cargo xtask demo`, `cargo xtask test`, `cargo xtask bench`,
//! `cargo xtask fuzz`.

mod bench;
mod demo;
mod fuzz;
mod machine;
mod report;
mod rings;
mod shell;
mod test;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask <task>

  demo [--keep]        takes examples/shop from commit to production on this machine
  test                 runs every check and test
  bench [NAME..]       compares with runc, Docker, Buildah, nginx, PostgreSQL, NATS
  fuzz NAME [SECONDS]  looks for input that breaks the event store: http, grpc, json
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["demo"] => demo::run(demo::Afterwards::Clean),
        ["demo", "--keep"] => demo::run(demo::Afterwards::Keep),
        ["test"] => test::run(),
        ["bench", names @ ..] => bench::run(names),
        ["fuzz", name] => fuzz::run(name, fuzz::SECONDS),
        ["fuzz", name, seconds] => fuzz::run(name, seconds),
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            shell::say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

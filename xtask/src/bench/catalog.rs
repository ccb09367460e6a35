//! The benchmarks by name.

use super::{
    binary, containers, gateway, images, keeper, ledger,
    place::Place,
    runs,
    table::{self, Row},
};
use crate::{
    machine,
    shell::{self, Outcome},
};

/// A benchmark.
struct Bench {
    name: &'static str,
    measure: fn(&Place) -> Outcome<Vec<Row>>,
    when: When,
}

/// When a benchmark is taken.
#[derive(PartialEq, Eq)]
enum When {
    /// With all others, and by its name.
    Always,
    /// Only by its name.
    Named,
}

const BENCHES: [Bench; 8] = [
    Bench { name: "containers", measure: containers::measure, when: When::Always },
    Bench { name: "runs", measure: runs::measure, when: When::Always },
    Bench { name: "images", measure: images::measure, when: When::Always },
    Bench { name: "gateway", measure: gateway::measure, when: When::Always },
    Bench { name: "keeper", measure: keeper::measure, when: When::Always },
    Bench { name: "ledger", measure: ledger::measure, when: When::Always },
    Bench { name: "binary", measure: binary::measure, when: When::Always },
    Bench { name: "release-build", measure: binary::measure_build, when: When::Named },
];

/// All names, as messages show them.
const NAMES: &str = "containers, runs, images, gateway, keeper, ledger, binary, release-build";

/// Takes all benchmarks, or those named, and prints their figures.
pub fn run(names: &[&str]) -> Outcome {
    if let Some(unknown) = names.iter().find(|name| BENCHES.iter().all(|b| b.name != **name)) {
        return Err(format!("there is no benchmark `{unknown}`; there are {NAMES}").into());
    }
    machine::prepare(&[machine::PRODUCT, machine::BENCH])?;
    let place = Place::prepare()?;
    let wanted = BENCHES.iter().filter(|bench| match names {
        [] => bench.when == When::Always,
        some => some.contains(&bench.name),
    });
    let mut rows = Vec::new();
    for bench in wanted {
        shell::say(&format!("== {}", bench.name));
        let measured = (bench.measure)(&place)?;
        table::print(&measured);
        rows.extend(measured);
    }
    if names.len() != 1 {
        shell::print("");
        table::print(&rows);
    }
    Ok(())
}

/// Runs the benchmark of the ledger beside its peers for a moment each, with what tests need; its
/// figures mean nothing.
pub fn try_out() -> Outcome {
    ledger::try_out(&Place::for_tests()?).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_every_benchmark() {
        assert_eq!(BENCHES.map(|bench| bench.name).join(", "), NAMES);
    }
}

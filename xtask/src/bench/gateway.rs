//! Processor time per request of the gateway and of nginx, both with 50 routes.

use super::{
    place::Place,
    table::{Quantity, Row},
};
use crate::shell::{self, Outcome};
use std::process::Command;

const SCRIPT: &str = "crates/gateway/examples/against_nginx.sh";
const ROUNDS: &str = "5";
const SECONDS: &str = "3";
/// How many times nginx's time the gateway may take.
const AT_MOST: f64 = 1.3;

/// Measures.
pub fn measure(place: &Place) -> Outcome<Vec<Row>> {
    let gateway = place.example("fairway-gateway", "gateway_bench")?;
    let script = shell::root().join(SCRIPT);
    let said = shell::read(Command::new("sh").arg(script).arg(gateway).args([ROUNDS, SECONDS]))?;
    let (fairway, nginx) = (mean(&said, "gateway")?, mean(&said, "nginx")?);
    let fairway = Quantity { value: fairway, unit: "µs" };
    let what = "gateway, processor time per request";
    Ok(vec![Row::ratio(what, fairway, ("nginx", nginx), AT_MOST)])
}

/// The mean of the totals in the lines of one of both, which end with `total NUMBER us`.
fn mean(said: &str, name: &str) -> Outcome<f64> {
    let lines = said.lines().filter(|line| line.split_whitespace().next() == Some(name));
    let totals: Vec<f64> = lines
        .filter_map(|line| line.rsplit_once("total")?.1.trim().strip_suffix("us"))
        .filter_map(|number| number.trim().parse().ok())
        .collect();
    let count = u32::try_from(totals.len())?;
    if count == 0 {
        return Err(format!("`{SCRIPT}` said nothing of {name}").into());
    }
    Ok(totals.iter().sum::<f64>() / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_read_from_the_lines_of_one() {
        let said = "nginx  9 requests  user 1.00 us  system 1.00 us  total  2.00 us
gateway  9 requests  user 1.00 us  system 2.00 us  total 3.00 us
nginx  9 requests  user 1.00 us  system 3.00 us  total 4.00 us
ratio 1.00
";
        assert!((mean(said, "nginx").unwrap() - 3.0).abs() < f64::EPSILON);
        assert!((mean(said, "gateway").unwrap() - 3.0).abs() < f64::EPSILON);
        assert!(mean(said, "other").is_err());
    }
}

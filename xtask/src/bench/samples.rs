//! Taking times.

use crate::shell::{self, Outcome};
use std::{
    process::{Command, Stdio},
    time::Instant,
};

/// The median of what was measured; there is at least one.
pub fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// How many milliseconds a command takes; it must end with exit code 0. Its output is dropped.
pub fn milliseconds(command: &mut Command) -> Outcome<f64> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    shell::run(command)?;
    Ok(start.elapsed().as_secs_f64() * 1000.0)
}

/// Something that is measured in turns with others.
type Contender<'a> = Box<dyn FnMut() -> Outcome<f64> + 'a>;

/// Measures contenders in turns; the first rounds only warm up. Returns the medians.
pub fn in_turns(warmups: usize, rounds: usize, mut all: Vec<Contender<'_>>) -> Outcome<Vec<f64>> {
    let mut samples = vec![Vec::with_capacity(rounds); all.len()];
    for round in 0..warmups + rounds {
        for (contender, samples) in all.iter_mut().zip(&mut samples) {
            let sample = contender()?;
            if round >= warmups {
                samples.push(sample);
            }
        }
    }
    Ok(samples.iter_mut().map(|samples| median(samples)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_of_what_was_measured() {
        assert!((median(&mut [9.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_command_that_fails_is_not_measured() {
        assert!(milliseconds(&mut Command::new("false")).is_err());
        assert!(milliseconds(&mut Command::new("true")).is_ok());
    }

    #[test]
    fn contenders_take_turns_and_warm_up() {
        let (mut first, mut second) = (0.0, 10.0);
        let medians = in_turns(
            2,
            3,
            vec![
                Box::new(|| {
                    first += 1.0;
                    Ok(first)
                }),
                Box::new(|| {
                    second += 1.0;
                    Ok(second)
                }),
            ],
        );
        assert_eq!(medians.unwrap(), [4.0, 14.0]);
    }
}

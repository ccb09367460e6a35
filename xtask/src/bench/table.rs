//! What was measured, as a table.

use crate::shell;

/// A number with its unit.
#[derive(Debug, Clone, Copy)]
pub struct Quantity {
    pub value: f64,
    pub unit: &'static str,
}

/// What a figure has to be: of a peer's figure, or in its own unit if there is no peer.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    AtMost(f64),
    AtLeast(f64),
}

impl Target {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
        }
    }

    /// The target as a cell, with the number as it is to be shown.
    fn cell(self, show: impl Fn(f64) -> String) -> String {
        match self {
            Self::AtMost(most) => format!("at most {}", show(most)),
            Self::AtLeast(least) => format!("at least {}", show(least)),
        }
    }
}

/// One figure.
#[derive(Debug)]
pub struct Row {
    what: String,
    fairway: Quantity,
    /// Who else was measured, and the figure.
    peer: Option<(&'static str, f64)>,
    target: Target,
}

impl Row {
    /// A figure beside a peer's, of which it is so much at most.
    pub fn ratio(what: &str, fairway: Quantity, peer: (&'static str, f64), at_most: f64) -> Self {
        Self { what: what.to_owned(), fairway, peer: Some(peer), target: Target::AtMost(at_most) }
    }

    /// A figure beside a peer's, of which it is so much at least.
    pub fn times(what: &str, fairway: Quantity, peer: (&'static str, f64), at_least: f64) -> Self {
        Self { what: what.to_owned(), fairway, peer: Some(peer), target: Target::AtLeast(at_least) }
    }

    /// A figure that is not larger.
    pub fn limit(what: &str, fairway: Quantity, at_most: f64) -> Self {
        Self { what: what.to_owned(), fairway, peer: None, target: Target::AtMost(at_most) }
    }

    /// A figure that is not smaller.
    pub fn goal(what: &str, fairway: Quantity, at_least: f64) -> Self {
        Self { what: what.to_owned(), fairway, peer: None, target: Target::AtLeast(at_least) }
    }

    fn cells(&self) -> [String; 6] {
        let Quantity { value, unit } = self.fairway;
        let (peer, ratio, target, is_met) = match self.peer {
            Some((name, theirs)) => (
                format!("{name} {} {unit}", shown(theirs)),
                format!("{:.2}", value / theirs),
                self.target.cell(|number| format!("{number:.2}")),
                self.target.is_met(value / theirs),
            ),
            None => (
                String::new(),
                String::new(),
                self.target.cell(|number| format!("{number} {unit}")),
                self.target.is_met(value),
            ),
        };
        let met = if is_met { "yes" } else { "no" };
        [self.what.clone(), format!("{} {unit}", shown(value)), peer, ratio, target, met.to_owned()]
    }
}

/// A figure with as many decimals as say something.
fn shown(value: f64) -> String {
    match value {
        ..1.0 => format!("{value:.2}"),
        1.0..1000.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// Prints the figures as a table that is also one in Markdown.
pub fn print(rows: &[Row]) {
    let head = ["what", "Fairway", "peer", "ratio", "target", "met"].map(str::to_owned);
    let cells: Vec<_> = std::iter::once(head).chain(rows.iter().map(Row::cells)).collect();
    let widths: Vec<usize> = (0..6)
        .map(|column| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    for (number, row) in cells.iter().enumerate() {
        let padded = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        shell::print(&format!("| {} |", padded.collect::<Vec<_>>().join(" | ")));
        if number == 0 {
            let dashes: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
            shell::print(&format!("| {} |", dashes.join(" | ")));
        }
    }
}

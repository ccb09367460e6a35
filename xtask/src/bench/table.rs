//! What was measured, as a table.

use crate::shell;

/// A number with its unit.
#[derive(Debug, Clone, Copy)]
pub struct Quantity {
    pub value: f64,
    pub unit: &'static str,
}

/// What a figure is held against.
#[derive(Debug)]
pub enum Against {
    /// A peer, and how many times its figure Fairway's may be.
    Peer { name: &'static str, value: f64, at_most: f64 },
    /// A limit in the figure's own unit.
    Limit(f64),
}

/// One figure.
#[derive(Debug)]
pub struct Row {
    pub what: String,
    pub fairway: Quantity,
    pub against: Against,
}

impl Row {
    /// A figure beside a peer's.
    pub fn ratio(what: &str, fairway: Quantity, peer: (&'static str, f64), at_most: f64) -> Self {
        let (name, value) = peer;
        Self { what: what.to_owned(), fairway, against: Against::Peer { name, value, at_most } }
    }

    /// A figure with a limit.
    pub fn limit(what: &str, fairway: Quantity, limit: f64) -> Self {
        Self { what: what.to_owned(), fairway, against: Against::Limit(limit) }
    }

    fn cells(&self) -> [String; 6] {
        let Quantity { value, unit } = self.fairway;
        let (peer, ratio, target, is_met) = match self.against {
            Against::Peer { name, value: theirs, at_most } => (
                format!("{name} {theirs:.1} {unit}"),
                format!("{:.2}", value / theirs),
                format!("{at_most:.2}"),
                value <= theirs * at_most,
            ),
            Against::Limit(limit) => {
                (String::new(), String::new(), format!("{limit} {unit}"), value <= limit)
            }
        };
        let met = if is_met { "yes" } else { "no" };
        [self.what.clone(), format!("{value:.1} {unit}"), peer, ratio, target, met.to_owned()]
    }
}

/// Prints the figures as a table that is also one in Markdown.
pub fn print(rows: &[Row]) {
    let head = ["what", "Fairway", "peer", "ratio", "at most", "met"].map(str::to_owned);
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

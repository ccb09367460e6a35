//! Events as lines for people.

use crate::{
    moment::iso_millis,
    printer::Printer,
    progress::{Paint, cut, pad, width},
    words::one_line,
};
use fairway_ledger::{Data, Event};

/// Longest time in columns.
const TIME: usize = "2026-03-01T12:00:00.000Z".len();

/// Writes events with columns that grow as longer texts come.
#[derive(Default)]
pub struct Lines {
    position: usize,
    stream: usize,
    kind: usize,
    /// How many columns the terminal has; none if there is no terminal.
    columns: Option<usize>,
}

impl Lines {
    /// Lines for whoever reads what is printed.
    pub fn new(printer: &Printer) -> Self {
        Self { columns: printer.columns(), ..Self::default() }
    }

    /// The lines of events that are shown together.
    pub fn of(&mut self, events: &[Event]) -> String {
        let streams: Vec<String> =
            events.iter().map(|event| format!("{}@{}", event.stream, event.version)).collect();
        for (event, stream) in events.iter().zip(&streams) {
            self.position = self.position.max(event.position.to_string().len());
            self.stream = self.stream.max(stream.len());
            self.kind = self.kind.max(width(event.kind.as_str()));
        }
        events.iter().zip(&streams).map(|(event, stream)| self.line(event, stream)).collect()
    }

    fn line(&self, event: &Event, stream: &str) -> String {
        let position = format!("{:>1$}", event.position.0, self.position);
        let (time, stream) = (iso_millis(event.recorded), pad(stream, self.stream));
        let (kind, data) = (pad(event.kind.as_str(), self.kind), text(&event.data));
        let Some(columns) = self.columns else {
            return format!("{position}  {time}  {stream}  {kind}  {data}").trim_end().to_owned()
                + "\n";
        };
        let taken = self.position + TIME + self.stream + self.kind + 4 * 2;
        // On a terminal that is too narrow for anything, the data go to its next line.
        let data = cut(&data, columns.saturating_sub(taken).max(20));
        let (position, time) = (Paint::Faint.on(&position), Paint::Faint.on(&time));
        let (stream, kind) = (Paint::Busy.on(&stream), Paint::Good.on(&kind));
        format!("{position}  {time}  {stream}  {kind}  {data}\n")
    }
}

/// Data on one line, without anything that moves a cursor.
pub fn text(data: &Data) -> String {
    match data.as_json() {
        Some(json) => one_line(json),
        None => format!("<{} bytes>", data.len()),
    }
}

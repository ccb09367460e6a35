//! The requests that came through the gateway of an environment.

use crate::{
    app::App,
    failure::{Doing, Failure},
    printer::Printer,
};
use fairway_model::EnvironmentName;
use std::{
    collections::VecDeque,
    fs::File,
    io::{BufRead, BufReader, ErrorKind},
};

/// The requests that users made, a JSON line each; the newest last.
pub(super) fn print(
    environment: &EnvironmentName,
    last: Option<usize>,
    app: &App,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let path = app.data("gateways")?.join(format!("{environment}.log"));
    let doing = || format!("read `{}`", path.display());
    let file = match File::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            printer.talk(&format!("the gateway of {environment} has had no requests\n"));
            return Ok(());
        }
        file => file.doing(doing())?,
    };
    let mut lines = VecDeque::new();
    for line in BufReader::new(file).lines() {
        let line = line.doing(doing())?;
        match last {
            None => printer.data(&(line + "\n")),
            Some(last) => {
                lines.push_back(line);
                lines.drain(..lines.len().saturating_sub(last));
            }
        }
    }
    for line in lines {
        printer.data(&(line + "\n"));
    }
    Ok(())
}

//! Programs that run beside a test and say on their standard error or output where they listen.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    thread,
};

/// A program that is ended with the value.
pub struct Served {
    child: Child,
    /// What it listens at.
    pub url: String,
}

impl Served {
    /// Starts a `fairway ledger serve`, which says on standard error where it listens.
    pub fn fairway(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let said = child.stderr.take().unwrap();
        Self::wait(child, said, " at http://")
    }

    /// Starts a service, which says on standard output on which port it listens.
    pub fn service(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let said = child.stdout.take().unwrap();
        let mut service = Self::wait(child, said, " on port ");
        service.url = service.url.replace("http://", "http://127.0.0.1:");
        service
    }

    /// Reads what a program says until a line says where it listens.
    fn wait(child: Child, said: impl Read + Send + 'static, before: &str) -> Self {
        let mut lines = BufReader::new(said).lines().map(Result::unwrap);
        let mut other = Vec::new();
        let place = lines.by_ref().find_map(|line| {
            let place = line.split_once(before).map(|(_, place)| place);
            let word = place.and_then(|place| place.split_whitespace().next());
            let word = word.map(|word| word.trim_end_matches('/').to_owned());
            other.push(line);
            word
        });
        let Some(place) = place else { panic!("it does not listen: {other:#?}") };
        // Who does not read on lets the program wait.
        thread::spawn(move || lines.for_each(drop));
        Self { child, url: format!("http://{place}") }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself, or been killed.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

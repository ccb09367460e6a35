//! Programs that run beside a test and say on their standard error or output where they listen.

use crate::world::World;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        mpsc::{Receiver, channel},
    },
    thread,
};

/// A program that is killed with the value.
pub struct Served {
    child: Child,
    /// In a mutex, so that threads can share what is served.
    said: Mutex<Receiver<String>>,
    /// What it listens at.
    pub url: String,
}

impl Served {
    /// Serves a world's ledger at a free port, and waits until it says where.
    pub fn ledger(world: &World, arguments: &[&str]) -> Self {
        let mut serve = world.program(&["ledger", "serve", "--listen", "127.0.0.1:0"]);
        Self::fairway(serve.args(arguments))
    }

    /// Starts a `fairway ledger serve`, which says on standard error where it listens.
    pub fn fairway(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let said = child.stderr.take().unwrap();
        Self::wait(child, said, |line| {
            let (_, url) = line.rsplit_once(" at ")?;
            url.starts_with("http").then(|| url.to_owned())
        })
    }

    /// Starts a service, which says on standard output on which port it listens.
    pub fn service(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let said = child.stdout.take().unwrap();
        Self::wait(child, said, |line| {
            let (_, port) = line.split_once(" on port ")?;
            Some(format!("http://127.0.0.1:{}", port.split_whitespace().next()?))
        })
    }

    /// Reads what a program says until a line says where it listens.
    fn wait(
        child: Child,
        said: impl Read + Send + 'static,
        place: fn(&str) -> Option<String>,
    ) -> Self {
        let (say, lines) = channel();
        // Who does not read on lets the program wait.
        thread::spawn(move || {
            BufReader::new(said).lines().map(Result::unwrap).for_each(|line| {
                // A test need not hear it.
                drop(say.send(line));
            });
        });
        let mut other = Vec::new();
        let url = lines.iter().find_map(|line| {
            let url = place(&line);
            other.push(line);
            url
        });
        let Some(url) = url else { panic!("it does not listen: {other:#?}") };
        Self { child, said: Mutex::new(lines), url }
    }

    /// The next line that it says.
    #[track_caller]
    pub fn line(&mut self) -> String {
        self.said.get_mut().unwrap().recv().expect("it goes on")
    }

    /// Where it listens, without how.
    pub fn address(&self) -> &str {
        self.url.split_once("://").map(|(_, address)| address).unwrap()
    }

    /// Asks it to end, and gives its exit code.
    pub fn end(mut self) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself, or been killed.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

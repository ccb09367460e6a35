//! What the surroundings say: the only place that reads environment variables.

use std::{
    env,
    io::IsTerminal,
    path::{Path, PathBuf},
};

/// What the surroundings of the process say.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Everything Fairway keeps; deleting it resets everything.
    pub data_dir: PathBuf,
    /// Whether a person watches, who gets colour and progress.
    pub audience: Audience,
}

/// Who reads what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A person at a terminal.
    Terminal,
    /// A file, a pipe or a build server.
    Plain,
}

impl Settings {
    /// Reads `FAIRWAY_HOME`, `XDG_DATA_HOME`, `HOME`, `NO_COLOR` and `CI`.
    pub fn read() -> Self {
        let quiet = ["NO_COLOR", "CI"].iter().any(|name| variable(name).is_some());
        let audience = if std::io::stderr().is_terminal() && !quiet {
            Audience::Terminal
        } else {
            Audience::Plain
        };
        let data_dir = data_dir();
        // Helpers work in other folders. Only an empty path or a lost working folder has none.
        let data_dir = std::path::absolute(&data_dir).unwrap_or(data_dir);
        Self { data_dir, audience }
    }
}

/// `$FAIRWAY_HOME`, else `$XDG_DATA_HOME/fairway`, else `~/.local/share/fairway`.
fn data_dir() -> PathBuf {
    if let Some(home) = variable("FAIRWAY_HOME") {
        return home.into();
    }
    let below_home = || Path::new(&variable("HOME").unwrap_or("/root".into())).join(".local/share");
    variable("XDG_DATA_HOME").map_or_else(below_home, PathBuf::from).join("fairway")
}

fn variable(name: &str) -> Option<std::ffi::OsString> {
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    env::var_os(name).filter(|value| !value.is_empty())
}

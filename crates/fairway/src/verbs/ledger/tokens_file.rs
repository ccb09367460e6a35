//! The file with the tokens of those who may call a served ledger. Changes of it hold while it is
//! served.

use crate::failure::{Doing, Failure};
use fairway_api::{Token, TokenError, Tokens};
use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

/// Largest file that is read.
const FILE_MAX: u64 = 4 << 20;
/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A file with tokens.
#[derive(Debug, Clone)]
pub struct TokensFile {
    path: PathBuf,
}

/// What tells one state of the file from another.
#[derive(PartialEq, Eq)]
struct Stamp {
    changed: Option<SystemTime>,
    bytes: u64,
}

impl TokensFile {
    /// The file at a path.
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Reads all tokens.
    pub fn read(&self) -> Result<Tokens, Failure> {
        let shown = self.path.display();
        let mut text = String::new();
        let file = fs::File::open(&self.path).doing(format!("open the tokens file `{shown}`"))?;
        let read = file.take(FILE_MAX + 1).read_to_string(&mut text);
        read.doing(format!("read the tokens file `{shown}`"))?;
        if text.len() as u64 > FILE_MAX {
            return Err(Failure::usage(format!("`{shown}` has more than {FILE_MAX} bytes")));
        }
        Tokens::parse(&text).map_err(|wrong| self.misread(&wrong))
    }

    fn misread(&self, wrong: &[(usize, TokenError)]) -> Failure {
        let shown = self.path.display();
        let failure = Failure::usage(format!("`{shown}` is not a file of tokens"));
        wrong
            .iter()
            .fold(failure, |failure, (line, error)| failure.hint(format!("line {line}: {error}")))
    }

    /// Adds a token; makes the file, which only its owner may read, if it is not there.
    pub fn add(&self, token: &Token) -> Result<(), Failure> {
        let doing = format!("write the tokens file `{}`", self.path.display());
        if self.path.try_exists().doing(&*doing)? && self.read()?.has(&token.name) {
            let message = format!("there is a token `{}` in the file already", token.name);
            return Err(Failure::failed(message).hint("remove its line first, or choose a name"));
        }
        let mut options = OpenOptions::new();
        let file = options.append(true).read(true).create(true).mode(0o600).open(&self.path);
        file.and_then(|file| append(file, token)).doing(doing)
    }

    fn stamp(&self) -> Option<Stamp> {
        let found = fs::metadata(&self.path).ok()?;
        Some(Stamp { changed: found.modified().ok(), bytes: found.len() })
    }
}

/// Tokens of a file that may be changed while they are used.
#[derive(Debug)]
pub struct FollowedTokens {
    file: TokensFile,
    tokens: watch::Sender<Arc<Tokens>>,
}

impl FollowedTokens {
    /// Reads the file.
    pub fn open(file: TokensFile) -> Result<Self, Failure> {
        let tokens = watch::Sender::new(Arc::new(file.read()?));
        Ok(Self { file, tokens })
    }

    /// The tokens as they are at any time.
    pub fn receiver(&self) -> watch::Receiver<Arc<Tokens>> {
        self.tokens.subscribe()
    }

    /// Reads the file again whenever it was changed, and says so; what is no file of tokens changes
    /// nothing.
    pub async fn follow(self, say: mpsc::Sender<String>) {
        let mut seen = self.file.stamp();
        loop {
            sleep(LOOK_EVERY).await;
            let stamp = self.file.stamp();
            if stamp == seen {
                continue;
            }
            seen = stamp;
            let told = match self.file.read() {
                Ok(read) => {
                    self.tokens.send_replace(Arc::new(read));
                    "the tokens were read again".to_owned()
                }
                Err(failure) => failure.render(),
            };
            if say.send(told).await.is_err() {
                return;
            }
        }
    }
}

fn append(mut file: fs::File, token: &Token) -> io::Result<()> {
    let mut before = Vec::new();
    (&mut file).take(FILE_MAX).read_to_end(&mut before)?;
    let is_open = before.last().is_some_and(|last| *last != b'\n');
    let start = if is_open { "\n" } else { "" };
    file.write_all(format!("{start}{token}\n").as_bytes())?;
    file.sync_all()
}

/// The file that a verb was given, below the folder that it works in.
pub fn below(directory: &Path, path: &Path) -> TokensFile {
    TokensFile::at(directory.join(path))
}

//! Runs commands in containers, from whatever process asks.

use crate::{
    contact::{self, Found},
    embedded::Embedded,
    exec_plan::{ExecPlan, Input, Outcome, outcome_path},
    helper::{EXEC, SUBCOMMAND},
};
use fairway_engine::{ContainerId, EngineError, Exec, ExecOutput, ExecStreams, ExitStatus};
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Stdio,
    sync::atomic::{AtomicU64, Ordering},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    time::timeout,
};

/// Runs a command in a running container and waits for it.
pub(crate) async fn exec(
    engine: &Embedded,
    id: &ContainerId,
    exec: &Exec,
) -> Result<ExecOutput, EngineError> {
    let refuse = |why: String| EngineError::Start { container: id.clone(), why };
    let init = match contact::find(engine, id).await? {
        Found::Watched(_, state) if state.exit.is_none() => state.init,
        Found::Watched(..) | Found::Lost(_) => return Err(refuse("it has ended".to_owned())),
    };
    if exec.command.is_empty() {
        return Err(refuse("the command is empty".to_owned()));
    }
    let plan = ExecPlan {
        args: exec.command.clone(),
        env: exec.env.0.clone(),
        user: exec.user.clone(),
        input: Input::of(exec.streams),
        init: init.pid,
    };
    let files = Files::write(&engine.places().container(id), &plan)?;
    let mut child = spawn(engine.helper(), &files.plan, exec.streams)?;
    let collected = collect(&mut child);
    let (stdout, stderr) = match exec.timeout {
        None => collected.await,
        Some(limit) => timeout(limit, collected).await.map_err(|_| EngineError::Timeout {
            what: exec.command.join(" ").chars().take(80).collect(),
            limit,
        })?,
    }
    .map_err(EngineError::io("read what the command says"))?;
    match files.outcome()? {
        Some(Outcome::Ended(status)) => Ok(ExecOutput { status, stdout, stderr }),
        Some(Outcome::Refused(why)) => Err(refuse(why)),
        None => Ok(ExecOutput { status: ExitStatus::Lost, stdout, stderr }),
    }
}

/// The files of one command; removed when it is over, however it is over.
struct Files {
    plan: PathBuf,
}

impl Files {
    fn write(dir: &Path, plan: &ExecPlan) -> Result<Self, EngineError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let files = Self { plan: dir.join(format!("exec-{}-{number}.json", std::process::id())) };
        let bytes = serde_json::to_vec(plan).expect("a plan is plain data");
        fs::write(&files.plan, bytes).map_err(EngineError::io("write the command"))?;
        Ok(files)
    }

    fn outcome(&self) -> Result<Option<Outcome>, EngineError> {
        match fs::read(outcome_path(&self.plan)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => {
                let bytes = read.map_err(EngineError::io("read how the command went"))?;
                Ok(serde_json::from_slice(&bytes).ok())
            }
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        for extension in ["json", "process", "outcome"] {
            // What stays behind goes with the container.
            fs::remove_file(self.plan.with_extension(extension)).unwrap_or_default();
        }
    }
}

fn spawn(executable: &Path, plan: &Path, streams: ExecStreams) -> Result<Child, EngineError> {
    let mut command = Command::new(executable);
    command.arg(SUBCOMMAND).arg(EXEC).arg(plan).env_clear().current_dir("/");
    if streams == ExecStreams::Collected {
        // The helper kills the command when its input ends, so also when this process does.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    } else {
        command.kill_on_drop(true);
    }
    command.spawn().map_err(EngineError::io(format!("start `{}`", executable.display())))
}

/// Waits for the helper's end and keeps the beginning of its output. Its input stays open as long
/// as this is waited for.
async fn collect(child: &mut Child) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let lifeline = child.stdin.take();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr) = tokio::try_join!(beginning(stdout), beginning(stderr))?;
    child.wait().await?;
    drop(lifeline);
    Ok((stdout, stderr))
}

async fn beginning(stream: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let Some(mut stream) = stream else { return Ok(kept) };
    let limit = u64::try_from(ExecOutput::LIMIT).unwrap_or(u64::MAX);
    (&mut stream).take(limit).read_to_end(&mut kept).await?;
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    Ok(kept)
}

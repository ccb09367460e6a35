//! The program `nft`, one transaction per call.

use crate::error::Fault;
use crate::namespace::Namespace;
use std::{io, process::Stdio};
use tokio::{io::AsyncWriteExt, process::Command};

/// Applies rules in a namespace, all or nothing.
pub(crate) async fn apply(namespace: &Namespace, rules: &str) -> Result<(), Fault> {
    run(namespace, &["-f", "-"], rules).await.map(drop)
}

/// Runs `nft` in a namespace and gives its output.
pub(crate) async fn run(
    namespace: &Namespace,
    arguments: &[&str],
    input: &str,
) -> Result<String, Fault> {
    let mut command = Command::new("nft");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = namespace.enter(|| command.spawn()).map_err(Fault::doing("enter a namespace"))?;
    let mut child = started.map_err(|error| missing(&error))?;
    let mut stdin = child.stdin.take().expect("stdin is piped");
    // A program that ends early says why on its stderr.
    let fed = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = child.wait_with_output().await.map_err(Fault::doing("wait for `nft`"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Fault::Refused(format!("`nft` refused the rules: {}", said.trim())));
    }
    fed.map_err(Fault::doing("write to `nft`"))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn missing(error: &io::Error) -> Fault {
    if error.kind() == io::ErrorKind::NotFound {
        Fault::Unavailable(
            "the program `nft` is missing; install it with `apt-get install nftables`".to_owned(),
        )
    } else {
        Fault::Refused(format!("could not start `nft`: {error}"))
    }
}

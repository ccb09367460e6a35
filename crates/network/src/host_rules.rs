//! What a network needs of the host: forwarding, masquerading of its uplink, and a way through
//! Docker's firewall. Everything carries the name of the uplink and can go once that is gone.

use crate::addresses::{Block, UPLINK_NAME, UPLINK_PREFIX};
use crate::error::Fault;
use crate::namespace::Namespace;
use crate::nft;
use serde::{Deserialize, Serialize};
use std::{fs, io, process::Output};
use tokio::process::Command;

/// The switch that makes a machine pass on what is not for itself.
const FORWARDING: &str = "/proc/sys/net/ipv4/ip_forward";

/// Marks rules among those of others.
const COMMENT: &str = "fairway network";

/// The name of an uplink on the host.
pub(crate) fn uplink_name(index: u16) -> String {
    format!("{UPLINK_NAME}{index}")
}

/// Whether a link of the host is an uplink.
fn is_uplink_name(name: &str) -> bool {
    name.strip_prefix(UPLINK_NAME)
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether rules were put among those of Docker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Firewall {
    /// The host forwards what nobody refuses.
    Open,
    /// A way through was made.
    Passed,
}

/// Lets an uplink out. May be repeated.
pub(crate) async fn open(host: &Namespace, uplinks: Block, index: u16) -> Result<Firewall, Fault> {
    forward().map_err(Fault::doing("switch on forwarding"))?;
    let uplink = uplink_name(index);
    let rules = rules(&uplink, uplinks, index);
    let (applied, opened) = tokio::join!(nft::apply(host, &rules), open_firewall(&uplink));
    applied?;
    opened.map_err(Fault::doing("open Docker's firewall for the uplink"))
}

fn forward() -> io::Result<()> {
    if fs::read_to_string(FORWARDING)?.trim() == "0" {
        fs::write(FORWARDING, "1")?;
    }
    Ok(())
}

/// One table per uplink: masquerading towards the world, and no way to other networks.
fn rules(uplink: &str, uplinks: Block, index: u16) -> String {
    let subnet = format!("{}/{UPLINK_PREFIX}", uplinks.uplink(index).1);
    format!(
        r#"add table ip {uplink}
add chain ip {uplink} postrouting {{ type nat hook postrouting priority 100; }}
add chain ip {uplink} forward {{ type filter hook forward priority 0; }}
flush chain ip {uplink} postrouting
flush chain ip {uplink} forward
add rule ip {uplink} postrouting ip saddr {subnet} oifname != "{uplink}" masquerade
add rule ip {uplink} forward iifname "{uplink}" oifname "{UPLINK_NAME}*" drop
"#
    )
}

/// Takes back what [`open`] did; what is gone is fine.
pub(crate) async fn close(host: &Namespace, uplink: &str, firewall: Firewall) -> Result<(), Fault> {
    // Adding first makes the removal of what is not there succeed.
    nft::apply(host, &format!("add table ip {uplink}\ndelete table ip {uplink}\n")).await?;
    match firewall {
        Firewall::Open => Ok(()),
        Firewall::Passed => close_firewall(&|name| name == uplink)
            .await
            .map_err(Fault::doing("close Docker's firewall for the uplink")),
    }
}

/// Removes the tables and rules of uplinks that are not there any more.
pub(crate) async fn sweep(host: &Namespace) -> Result<(), Fault> {
    let gone = |name: &str| is_uplink_name(name) && !is_link(name);
    let tables = nft::run(host, &["list", "tables", "ip"], "");
    let (tables, closed) = tokio::join!(tables, close_firewall(&gone));
    closed.map_err(Fault::doing("sweep Docker's firewall"))?;
    for name in tables?.lines().filter_map(|line| line.strip_prefix("table ip ")) {
        if gone(name.trim()) {
            close(host, name.trim(), Firewall::Open).await?;
        }
    }
    Ok(())
}

/// Whether the host has a link of this name.
pub(crate) fn is_link(name: &str) -> bool {
    fs::read_to_string("/proc/thread-self/net/dev").is_ok_and(|links| {
        links.lines().any(|line| line.split_once(':').is_some_and(|(link, _)| link.trim() == name))
    })
}

/// Where the host's policy is to drop, lets through what comes from the uplink and its answers.
async fn open_firewall(uplink: &str) -> io::Result<Firewall> {
    let Some(chain) = dropping_chain().await? else { return Ok(Firewall::Open) };
    for rule in firewall_rules(uplink) {
        let exists = iptables(&["-C", &chain], &rule).await?.is_some_and(|o| o.status.success());
        if !exists {
            iptables_must(&["-I", &chain], &rule).await?;
        }
    }
    Ok(Firewall::Passed)
}

fn firewall_rules(uplink: &str) -> [Vec<&str>; 2] {
    let mark = ["-m", "comment", "--comment", COMMENT, "-j", "ACCEPT"];
    let mut out = vec!["-i", uplink];
    let mut back = vec!["-o", uplink, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"];
    out.extend(mark);
    back.extend(mark);
    [out, back]
}

/// The chain to put rules in where Docker is installed or forwarding is dropped by policy: Docker
/// never touches `DOCKER-USER`.
async fn dropping_chain() -> io::Result<Option<String>> {
    let Some(forward) = iptables(&["-S", "FORWARD"], &[]).await? else { return Ok(None) };
    let forward = String::from_utf8_lossy(&forward.stdout).into_owned();
    if forward.contains("-j DOCKER-USER") {
        return Ok(Some("DOCKER-USER".to_owned()));
    }
    Ok(forward.contains("-P FORWARD DROP").then(|| "FORWARD".to_owned()))
}

/// Removes the rules of uplinks, in whichever chain they are.
async fn close_firewall(gone: &(dyn Fn(&str) -> bool + Sync)) -> io::Result<()> {
    let Some(listed) = iptables(&["-S"], &[]).await? else { return Ok(()) };
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    for line in listed.lines().filter(|line| line.contains(COMMENT)) {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let ["-A", chain @ ("FORWARD" | "DOCKER-USER"), ..] = words[..] else { continue };
        let link = words.iter().skip_while(|word| !matches!(**word, "-i" | "-o")).nth(1);
        let Some(uplink) = link.filter(|link| gone(link)) else { continue };
        let [out, back] = firewall_rules(uplink);
        let rule = if words.contains(&"-i") { out } else { back };
        iptables_must(&["-D", chain], &rule).await?;
    }
    Ok(())
}

async fn iptables_must(action: &[&str], rule: &[&str]) -> io::Result<()> {
    match iptables(action, rule).await? {
        Some(output) if !output.status.success() => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(io::Error::other(format!("`iptables` refused: {}", said.trim())))
        }
        _ => Ok(()),
    }
}

/// Runs `iptables`; `None` where there is none, and so no rules of Docker's.
async fn iptables(action: &[&str], rule: &[&str]) -> io::Result<Option<Output>> {
    match Command::new("iptables").arg("-w").args(action).args(rule).output().await {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_links_are_uplinks() {
        assert!(is_uplink_name(&uplink_name(7)));
        for other in ["fairway", "fairway-7", "fairwayx", "eth0", "docker0"] {
            assert!(!is_uplink_name(other), "{other}");
        }
        assert!(is_link("lo"));
        assert!(!is_link("fairway99999"));
    }
}

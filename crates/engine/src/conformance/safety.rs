//! What a container may not do.

use super::{Subject, cases, subject::said};
use crate::ContainerSpec;

cases![
    system_calls_are_filtered_in_the_first_process_and_in_commands,
    capabilities_are_dockers_in_the_first_process_and_in_commands,
    a_user_other_than_root_has_no_capabilities,
    what_reaches_the_host_is_refused_to_the_first_process_and_to_commands,
    a_container_sees_its_own_processes_only,
];

/// Runs a script as the first process and as a command; both must print the same.
async fn both(subject: &Subject, script: &str) -> String {
    let first = subject.run(&subject.shell(script)).await;
    let id = subject.start("a", &subject.shell("sleep 600")).await;
    assert_eq!(said(&subject.exec(&id, script).await), first);
    first
}

async fn system_calls_are_filtered_in_the_first_process_and_in_commands(subject: Subject) {
    subject.open().await;
    assert_eq!(both(&subject, "grep Seccomp: /proc/self/status").await, "Seccomp:\t2");
    subject.close().await;
}

async fn capabilities_are_dockers_in_the_first_process_and_in_commands(subject: Subject) {
    subject.open().await;
    let shown = both(&subject, "grep -E 'Cap(Prm|Eff|Bnd|Amb|Inh)' /proc/self/status").await;
    let none = "0000000000000000";
    let docker = "00000000a80425fb";
    let wanted = [("Inh", none), ("Prm", docker), ("Eff", docker), ("Bnd", docker), ("Amb", none)];
    let wanted: Vec<_> = wanted.iter().map(|(set, bits)| format!("Cap{set}:\t{bits}")).collect();
    assert_eq!(shown, wanted.join("\n"));
    subject.close().await;
}

async fn a_user_other_than_root_has_no_capabilities(subject: Subject) {
    subject.open().await;
    let script = "grep -E 'Cap(Prm|Eff)' /proc/self/status";
    let spec = ContainerSpec { user: Some("app".into()), ..subject.shell(script) };
    let shown = subject.run(&spec).await;
    assert_eq!(shown, "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000");
    subject.close().await;
}

async fn what_reaches_the_host_is_refused_to_the_first_process_and_to_commands(subject: Subject) {
    subject.open().await;
    let tries = [
        "mount -t tmpfs none /mnt",
        "unshare -m true",
        "unshare -U true",
        "hostname other",
        "date -s 2001-01-01; date +%Y | grep -q 2001",
        "echo 1 > /proc/sys/kernel/sysrq",
        "echo b > /proc/sysrq-trigger",
        "dmesg",
        "swapoff -a",
        "chroot /proc/1/root true && mknod /tmp/disk b 254 0 && head -c 1 /tmp/disk",
        "test -r /proc/kcore && head -c 1 /proc/kcore | grep -q .",
    ];
    let script: Vec<_> = tries
        .iter()
        .map(|attempt| format!("({attempt}) >/dev/null 2>&1 && echo '{attempt}'"))
        .collect();
    assert_eq!(both(&subject, &format!("{}; exit 0", script.join("; "))).await, "");
    subject.close().await;
}

async fn a_container_sees_its_own_processes_only(subject: Subject) {
    subject.open().await;
    let shown = subject.run(&subject.shell("ls -d /proc/[0-9]* | wc -l; exit 0")).await;
    let count: usize = shown.lines().next().and_then(|line| line.parse().ok()).expect("a number");
    assert!(count < 6, "{shown}");
    subject.close().await;
}

//! What a program finds when it runs, first or by `exec`.

use super::{
    Subject, cases,
    subject::{command, said},
};
use crate::{Command, ContainerSpec, EngineError, Env, Exec, ExecOutput, ExitStatus, RootAccess};
use fairway_model::{ByteSize, Cpus, config::Resources};
use std::time::{Duration, Instant};

cases![
    the_images_command_runs_if_nothing_else_is_said,
    variables_user_and_directory_are_as_specified,
    a_user_by_number_needs_no_account,
    the_environment_has_a_path_a_home_and_a_host_name,
    a_read_only_root_cannot_be_written,
    a_command_runs_as_the_container_does,
    a_command_may_be_another_user_with_more_variables,
    a_commands_output_and_code_are_collected,
    a_commands_output_is_collected_up_to_a_limit,
    a_command_that_takes_too_long_is_killed_with_its_children,
    a_command_in_an_ended_container_is_an_error,
    a_command_that_is_not_there_is_an_error,
    a_program_can_read_its_limits,
    processor_time_is_limited,
    memory_beyond_the_limit_is_told_apart,
    memory_beyond_the_limit_in_a_child_is_told_apart,
    processes_beyond_the_limit_are_told_apart,
];

async fn the_images_command_runs_if_nothing_else_is_said(subject: Subject) {
    subject.open().await;
    // A shell without input ends at once.
    assert_eq!(subject.run(&ContainerSpec::of(subject.image)).await, "");
    let command = Command::Arguments(vec!["echo".into(), "hello".into()]);
    let spec = ContainerSpec { command, ..ContainerSpec::of(subject.image) };
    assert_eq!(subject.run(&spec).await, "hello");
    subject.close().await;
}

async fn variables_user_and_directory_are_as_specified(subject: Subject) {
    subject.open().await;
    let spec = ContainerSpec {
        env: Env([("GREETING".to_owned(), "a b\"c".to_owned())].into()),
        user: Some("app".into()),
        working_dir: Some("/new/place".into()),
        ..subject.shell("echo \"$GREETING\"; id -u; id -g; id -G; pwd")
    };
    assert_eq!(subject.run(&spec).await, "a b\"c\n1000\n1000\n1000 50\n/new/place");
    subject.close().await;
}

async fn a_user_by_number_needs_no_account(subject: Subject) {
    subject.open().await;
    let spec = ContainerSpec { user: Some("4711:12".into()), ..subject.shell("id -u; id -g") };
    assert_eq!(subject.run(&spec).await, "4711\n12");
    subject.close().await;
}

async fn the_environment_has_a_path_a_home_and_a_host_name(subject: Subject) {
    subject.open().await;
    let script = "echo $PATH; echo $HOME; test \"$(hostname)\" = \"$HOSTNAME\"; echo $?";
    let spec = ContainerSpec { user: Some("app".into()), ..subject.shell(script) };
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    assert_eq!(subject.run(&spec).await, format!("{path}\n/home/app\n0"));
    subject.close().await;
}

async fn a_read_only_root_cannot_be_written(subject: Subject) {
    subject.open().await;
    let script = "touch /x 2>/dev/null || echo refused; echo > /dev/shm/x && echo memory";
    let spec = ContainerSpec { root: RootAccess::ReadOnly, ..subject.shell(script) };
    assert_eq!(subject.run(&spec).await, "refused\nmemory");
    subject.close().await;
}

async fn a_command_runs_as_the_container_does(subject: Subject) {
    subject.open().await;
    let spec = ContainerSpec {
        env: Env([("A".to_owned(), "1".to_owned())].into()),
        user: Some("app".into()),
        working_dir: Some("/tmp".into()),
        ..subject.shell("sleep 600")
    };
    let id = subject.start("a", &spec).await;
    let output = subject.exec(&id, "id -u; id -G; pwd; echo $A $HOME; cat /proc/1/comm").await;
    assert_eq!(said(&output), "1000\n1000 50\n/tmp\n1 /home/app\nsleep");
    subject.close().await;
}

async fn a_command_may_be_another_user_with_more_variables(subject: Subject) {
    subject.open().await;
    let spec = ContainerSpec {
        env: Env([("A".to_owned(), "1".to_owned()), ("B".to_owned(), "1".to_owned())].into()),
        ..subject.shell("sleep 600")
    };
    let id = subject.start("a", &spec).await;
    let exec = Exec {
        env: Env([("B".to_owned(), "2".to_owned())].into()),
        user: Some("app:staff".into()),
        ..command("id -u; id -g; echo $A $B")
    };
    let output = subject.sandbox.exec(&id, &exec).await.expect("it runs");
    assert_eq!(said(&output), "1000\n50\n1 2");
    subject.close().await;
}

async fn a_commands_output_and_code_are_collected(subject: Subject) {
    subject.open().await;
    let id = subject.start("a", &subject.shell("sleep 600")).await;
    let output = subject.exec(&id, "echo out; echo err >&2; exit 9").await;
    let wanted = ExecOutput {
        status: ExitStatus::Code(9),
        stdout: b"out\n".to_vec(),
        stderr: b"err\n".to_vec(),
    };
    assert_eq!(output, wanted);
    assert_eq!(subject.exec(&id, "kill -15 $$").await.status, ExitStatus::Signal(15));
    subject.close().await;
}

async fn a_commands_output_is_collected_up_to_a_limit(subject: Subject) {
    subject.open().await;
    let id = subject.start("a", &subject.shell("sleep 600")).await;
    let output = subject.exec(&id, "head -c 5000000 /dev/zero; echo err >&2").await;
    assert_eq!(output.status, ExitStatus::Code(0));
    assert_eq!(output.stdout.len(), ExecOutput::LIMIT);
    assert_eq!(output.stderr, b"err\n");
    subject.close().await;
}

async fn a_command_that_takes_too_long_is_killed_with_its_children(subject: Subject) {
    subject.open().await;
    let id = subject.start("a", &subject.shell("sleep 600")).await;
    let exec = Exec {
        timeout: Some(Duration::from_millis(300)),
        ..command("sleep 1234 & sleep 1235; echo late")
    };
    let begin = Instant::now();
    let error = subject.sandbox.exec(&id, &exec).await.expect_err("it takes too long");
    assert!(matches!(error, EngineError::Timeout { .. }), "{error:?}");
    assert!(begin.elapsed() < Duration::from_secs(5));
    let gone =
        || async { said(&subject.exec(&id, "ps -o args | grep -c '[s]leep 123'").await) == "0" };
    super::subject::until("the command's processes are gone", gone).await;
    subject.close().await;
}

async fn a_command_in_an_ended_container_is_an_error(subject: Subject) {
    subject.open().await;
    let id = subject.start("a", &subject.shell("exit 0")).await;
    subject.exit(&id).await;
    assert!(subject.sandbox.exec(&id, &command("true")).await.is_err());
    let absent = subject.sandbox.exec(&subject.id("absent"), &command("true")).await;
    assert!(matches!(absent, Err(EngineError::NoContainer(_))));
    subject.close().await;
}

async fn a_command_that_is_not_there_is_an_error(subject: Subject) {
    subject.open().await;
    let id = subject.start("a", &subject.shell("sleep 600")).await;
    let exec = Exec { command: vec!["no-such-program".into()], ..command("") };
    let error = subject.sandbox.exec(&id, &exec).await.expect_err("there is none");
    assert!(error.to_string().contains("no-such-program"), "{error}");
    subject.close().await;
}

/// Fills a variable until there is no more memory.
const GREED: &str = "x=0123456789abcdef; while :; do x=$x$x; done";

fn limited(subject: &Subject, script: &str) -> ContainerSpec {
    let memory = Some(ByteSize(32 << 20));
    ContainerSpec { limits: Resources { memory, ..Resources::default() }, ..subject.shell(script) }
}

async fn a_program_can_read_its_limits(subject: Subject) {
    subject.open().await;
    let script =
        "cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes 2>/dev/null || cat memory.max";
    assert_eq!(subject.run(&limited(&subject, script)).await, (32 << 20).to_string());
    subject.close().await;
}

async fn processor_time_is_limited(subject: Subject) {
    subject.open().await;
    let script = "cd /sys/fs/cgroup; cat cpu/cpu.cfs_quota_us 2>/dev/null || cut -d' ' -f1 cpu.max";
    let limits = Resources { cpus: Some(Cpus { milli: 500 }), ..Resources::default() };
    let spec = ContainerSpec { limits, ..subject.shell(script) };
    assert_eq!(subject.run(&spec).await, "50000");
    subject.close().await;
}

async fn memory_beyond_the_limit_is_told_apart(subject: Subject) {
    subject.open().await;
    let id = subject.start("greedy", &limited(&subject, GREED)).await;
    let exit = subject.exit(&id).await;
    assert!(exit.memory_kills > 0, "{exit:?}");
    assert_eq!(exit.status, ExitStatus::Signal(9));
    subject.close().await;
}

async fn memory_beyond_the_limit_in_a_child_is_told_apart(subject: Subject) {
    subject.open().await;
    let script = format!("sh -c '{GREED}'; exit 3");
    let id = subject.start("greedy", &limited(&subject, &script)).await;
    let exit = subject.exit(&id).await;
    assert!(exit.memory_kills > 0, "{exit:?}");
    assert_eq!(exit.status, ExitStatus::Code(3));
    subject.close().await;
}

async fn processes_beyond_the_limit_are_told_apart(subject: Subject) {
    subject.open().await;
    let limits = Resources { pids: Some(20), ..Resources::default() };
    let script = "i=0; while [ $i -lt 100 ]; do sleep 60 & i=$((i+1)); done 2>/dev/null";
    let id = subject.start("many", &ContainerSpec { limits, ..subject.shell(script) }).await;
    let exit = subject.exit(&id).await;
    assert!(exit.process_refusals > 0, "{exit:?}");
    subject.close().await;
}

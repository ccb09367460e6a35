//! A promotion while requests are under way drops none of them.

use crate::{
    pair::{self, SLOW_BYTES},
    world::World,
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    process::{Child, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

/// How many promotions happen under load.
const PROMOTIONS: usize = 4;

#[test]
fn a_rolling_promotion_drops_no_request_at_the_gateway_nor_between_services() {
    let world = pair::with_two_releases();
    let gateway = pair::gateway(&world);
    let paths = ["/catalog/version.txt", "/orders/version.txt"];
    let load: Vec<Child> =
        paths.iter().map(|path| wrk(&world, &format!("{gateway}{path}"))).collect();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let slow = ["/catalog/slow", "/orders/slow"].map(|path| {
            let (world, url, is_over) = (&world, format!("{gateway}{path}"), &is_over);
            scope.spawn(move || ask_slowly(world, &url, is_over))
        });
        for promotion in 0..PROMOTIONS {
            let release = ["catalog@2", "catalog@1"][promotion % 2];
            world.fairway(&["promote", release, "staging"]).passed();
        }
        is_over.store(true, Ordering::Relaxed);
        for answers in slow {
            let answers = answers.join().unwrap();
            assert!(answers.len() > 10, "{answers:?}");
            let whole = format!("200 {SLOW_BYTES}");
            assert!(answers.iter().all(|answer| *answer == whole), "{answers:?}");
        }
    });
    for child in load {
        assert_faultless(child);
    }
}

/// Asks over kept connections until it is interrupted, but for a minute at most.
fn wrk(world: &World, url: &str) -> Child {
    let mut command = world.command("wrk");
    command.args(["--threads", "1", "--connections", "8", "--duration", "60s", url]);
    command.stdout(Stdio::piped()).spawn().unwrap()
}

#[track_caller]
fn assert_faultless(load: Child) {
    let pid = Pid::from_raw(i32::try_from(load.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let report = String::from_utf8(load.wait_with_output().unwrap().stdout).unwrap();
    assert!(report.contains("requests in"), "{report}");
    assert!(!report.contains("Socket errors") && !report.contains("Non-2xx"), "{report}");
}

/// Begins a request of two seconds ten times a second, and says how each was answered.
fn ask_slowly(world: &World, url: &str, is_over: &AtomicBool) -> Vec<String> {
    let mut asked = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        let mut curl = world.command("curl");
        let form = "%{http_code} %{size_download}";
        curl.args(["--silent", "--max-time", "30", "--output", "/dev/null"]);
        curl.args(["--write-out", form, url]);
        asked.push(curl.stdout(Stdio::piped()).spawn().unwrap());
        thread::sleep(Duration::from_millis(100));
    }
    let answer = |curl: Child| String::from_utf8(curl.wait_with_output().unwrap().stdout).unwrap();
    asked.into_iter().map(answer).collect()
}

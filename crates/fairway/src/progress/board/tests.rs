use super::*;
use expect_test::{Expect, expect};
use fairway_model::{Digest, Revision, RevisionState, RunId, TreeDigest};
use fairway_pipeline::{Cause, StageOutcome, StageResult};
use std::time::Duration;

const SIZE: Size = Size { columns: 46, rows: 24 };

fn happened(event: ProgressEvent) -> Progress {
    Progress { run: RunId(7), service: "orders".parse().unwrap(), event }
}

fn started(stages: &[&str]) -> Progress {
    let tree = TreeDigest(Digest::of("sources"));
    happened(ProgressEvent::RunStarted {
        revision: Revision { commit: None, tree, state: RevisionState::Dirty },
        stages: stages.iter().map(|stage| stage.parse().unwrap()).collect(),
        beginning: Beginning::New,
    })
}

fn entered(stage: &str, phase: StagePhase) -> Progress {
    happened(ProgressEvent::StageEntered { stage: stage.parse().unwrap(), phase })
}

fn wrote(stage: &str, text: &str) -> Progress {
    let (stage, text) = (stage.parse().unwrap(), text.to_owned());
    happened(ProgressEvent::Line { stage, stream: None, text })
}

fn ended(stage: &str, outcome: StageOutcome) -> Progress {
    let mut result = StageResult::bare(outcome);
    result.duration = Duration::from_millis(1234);
    happened(ProgressEvent::StageFinished { stage: stage.parse().unwrap(), result: result.into() })
}

/// Colours as names, so that they can be read.
fn plain(lines: &[String]) -> String {
    let colours = [("32", "good"), ("31", "bad"), ("36", "busy"), ("2", "faint")];
    let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    let text = text.replace("\u{1b}[0m", ">");
    colours.iter().fold(text, |text, (code, name)| {
        text.replace(&format!("\u{1b}[{code}m"), &format!("<{name} "))
    })
}

fn check(events: &[Progress], size: Size, stays: &Expect, changes: &Expect) {
    let begun = Instant::now();
    let mut board = Board::new(begun);
    let lines: Vec<String> = events.iter().flat_map(|event| board.apply(event, begun)).collect();
    stays.assert_eq(&plain(&lines));
    changes.assert_eq(&plain(&board.lines(size, begun + Duration::from_millis(2500))));
}

#[test]
fn a_busy_stage_shows_its_last_line_within_its_columns() {
    let step = StagePhase::Step { step: 0, text: "npm test\nnpm run e2e".to_owned() };
    check(
        &[
            started(&["build", "unit", "contract"]),
            entered("unit", step.clone()),
            entered("contract", step),
            wrote("contract", "one"),
            wrote("contract", "20 %\r\u{1b}[1mthe second of all lines"),
            wrote("contract", " "),
        ],
        SIZE,
        &expect![""],
        &expect![[r"
            <busy ⠴> orders/unit     running     2.5 s  <faint $ npm te…>
            <busy ⠴> orders/contract running     2.5 s  <faint the seco…>
            <faint   0 of 3 stages ended, 2.5 s>
        "]],
    );
}

#[test]
fn a_stage_that_ended_stays_as_one_line_and_a_failed_one_says_why() {
    let cause = Cause::Step { step: Some(1), code: 3 };
    let image = Cause::Image { message: "could not build\ncaused by: no room".to_owned() };
    check(
        &[
            started(&["build", "unit", "lint", "ship"]),
            ended("build", StageOutcome::Cached { run: RunId(5) }),
            wrote("unit", "the total is wrong"),
            ended("unit", StageOutcome::Failed { cause }),
            ended("lint", StageOutcome::Failed { cause: image }),
            ended("ship", StageOutcome::Skipped { because: "unit".parse().ok() }),
        ],
        SIZE,
        &expect![[r"
            <good ✓> orders/build cached from run 5
            <bad ✗> orders/unit  failed: step 2 exited with 3<faint   1.2 s>
            <faint   │ the total is wrong>
              all it wrote: `fairway logs 7 unit`
            <bad ✗> orders/lint  failed: could not build<faint   1.2 s>
              caused by: no room
              all it wrote: `fairway logs 7 lint`
            <faint -> orders/ship  skipped as `unit` failed
        "]],
        &expect![[r"
            <faint   4 of 4 stages ended, 2.5 s>
        "]],
    );
}

#[test]
fn stages_that_wait_for_their_turn_make_room_first() {
    let names = ["a", "b", "c", "d"];
    let mut events = vec![started(&names)];
    events.extend(names[..3].iter().map(|name| entered(name, StagePhase::Queued)));
    events.push(entered("d", StagePhase::Running));
    let size = Size { columns: 46, rows: 5 };
    check(
        &events,
        size,
        &expect![""],
        &expect![[r"
        <busy ⠴> orders/d running     2.5 s
        <busy ⠴> orders/a queued      2.5 s
        <faint   2 more, 0 of 4 stages ended, 2.5 s>
    "]],
    );
}

#[test]
fn somebody_who_asked_to_stop_is_told_how_to_end_at_once() {
    let now = Instant::now();
    let mut board = Board::new(now);
    board.stop();
    let size = Size { columns: 80, rows: 24 };
    expect![[r"
        <faint   0 of 0 stages ended, 0.0 s; stopping, Ctrl-C once more ends at once>
    "]]
    .assert_eq(&plain(&board.lines(size, now)));
}

//! Personal data: sealed as they are appended, in the order of the others.

use crate::world::World;

/// Sealing takes its time, which the other events of the file do not wait for by themselves.
#[test]
fn an_import_keeps_the_order_of_events_with_personal_data_and_without() {
    let world = World::empty();
    let line = |stream: &str, kind: &str, more: &str| {
        let data = r#""data":{"name":"Ada"}"#;
        format!("{{\"stream\":\"{stream}\",\"kind\":\"{kind}\",{data}{more}}}\n")
    };
    let personal = r#","metadata":{"$personal":{"subject":"s","fields":["/name"]}}"#;
    let lines = [("a-1", personal), ("b-1", ""), ("a-1", ""), ("b-1", "")];
    let file = |versions: [&str; 4]| -> String {
        let numbered = lines.iter().zip(versions).zip(1..);
        let lines = numbered.map(|((&(stream, metadata), version), number)| {
            line(stream, &format!("k{number}"), &format!("{version}{metadata}"))
        });
        lines.collect()
    };
    let versions = [r#","version":1"#, r#","version":1"#, r#","version":2"#, r#","version":2"#];
    for (place, versions) in [("plain.db", [""; 4]), ("with-versions.db", versions)] {
        let import = ["events", "import", "-", "--ledger", place];
        world.fairway_with(&import, &file(versions)).passed();
        let read = world.fairway(&["events", "read", "--ledger", place]).passed().stdout;
        let found: Vec<[&str; 2]> = read
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .map(|words| [words[2], words[3]])
            .collect();
        let wanted = [["a-1@1", "k1"], ["b-1@1", "k2"], ["a-1@2", "k3"], ["b-1@2", "k4"]];
        assert_eq!(found, wanted, "{place}");
    }
}

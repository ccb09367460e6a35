//! `fairway events forget`: gone from the ledger, and from backups and exports made before.

use crate::{outcome::assert_outcome, world::World};

const METADATA: &str = r#"{"$personal":{"subject":"customer-7","fields":["/name"]}}"#;

#[test]
fn a_forgotten_subject_is_gone_from_backups_and_exports_made_before() {
    let world = World::empty();
    let data = r#"{"name":"Ada Lovelace","total":7}"#;
    let append = ["events", "append", "order-1", "order-created", data, "--metadata", METADATA];
    world.fairway(&append).passed();
    let (backup, export) = (world.dir().join("backup.db"), world.dir().join("export.ndjson"));
    let [backup, export] = [&backup, &export].map(|path| path.to_str().unwrap());
    world.fairway(&["ledger", "backup", backup]).passed();
    world.fairway(&["events", "export", export]).passed();
    for file in [backup, export] {
        let bytes = std::fs::read(file).unwrap();
        assert!(!bytes.windows(8).any(|window| window == b"Lovelace"), "{file} has it sealed");
    }
    let read = ["events", "read", "order-1", "--ledger"];
    let of_backup: Vec<&str> = read.iter().copied().chain([backup]).collect();
    assert_outcome!(world.fairway(&of_backup), @r#"
    exit 0
    --- stdout
    2  [MOMENT]  order-1@1  order-created  {"name":"Ada Lovelace","total":7}
    "#);

    assert_outcome!(world.fairway(&["events", "forget", "customer-7"]), @r"
    exit 2
    --- stderr
    error: `events forget` asks first, and nobody is there to answer
      hint: add `--yes`
    ");
    assert_outcome!(world.fairway(&["events", "forget", "customer-7", "--yes"]), @r"
    exit 0
    --- stderr
    `customer-7` is forgotten
    ");
    let lost = world.fairway(&["events", "read", "order-1"]);
    assert_outcome!(lost, @r#"
    exit 0
    --- stdout
    2  [MOMENT]  order-1@1  order-created  {"name":null,"total":7}
    "#);
    assert_outcome!(world.fairway(&of_backup), @r#"
    exit 0
    --- stdout
    2  [MOMENT]  order-1@1  order-created  {"name":null,"total":7}
    "#);
    world.fairway(&["events", "import", export, "--ledger", "imported.db"]).passed();
    let imported = world.fairway(&["events", "read", "order-1", "--ledger", "imported.db"]);
    assert_outcome!(imported, @r#"
    exit 0
    --- stdout
    1  [MOMENT]  order-1@1  order-created  {"name":null,"total":7}
    "#);
    assert_outcome!(world.fairway(&["events", "forget", "customer-7", "--yes"]), @r"
    exit 0
    --- stderr
    there is no key of `customer-7`, so there is nothing to forget
    ");
}

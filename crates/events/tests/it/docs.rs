//! The page about groups names what there is.

use fairway_events::Settings;
use std::path::Path;

#[test]
fn the_page_has_every_setting_with_its_default() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/events/groups.md");
    let page = std::fs::read_to_string(path).unwrap();
    let rows: Vec<Vec<&str>> = page.lines().map(|line| line.split('|').collect()).collect();
    // A field of the settings that is left out when it is empty.
    let mut settings = serde_json::to_value(Settings::default()).unwrap();
    settings["notes"] = serde_json::json!({});
    for (name, value) in settings.as_object().unwrap() {
        let name = format!(" `{name}` ");
        let row = rows.iter().find(|row| row.get(1) == Some(&name.as_str()));
        let default = row.unwrap_or_else(|| panic!("{name} is described"))[2];
        let default = default.trim().trim_matches('`');
        if name != " `filter` " {
            let told: serde_json::Value = serde_json::from_str(default).unwrap();
            assert_eq!(told, *value, "the default of {name}");
        }
    }
}

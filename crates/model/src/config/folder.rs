//! Folders of a fleet as text.

/// The folder of a file: `services/orders` of `services/orders/fairway.yaml`, `.` without one.
pub(super) fn of(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some((folder, _)) => folder.strip_prefix("./").unwrap_or(folder),
        None => ".",
    }
}

/// Whether a folder is one that a pattern names; `*` stands for one component.
pub(super) fn matches(pattern: &str, folder: &str) -> bool {
    let mut wanted = pattern.split('/');
    let mut parts = folder.split('/');
    loop {
        match (wanted.next(), parts.next()) {
            (None, None) => return true,
            (Some(wanted), Some(part)) if wanted == "*" || wanted == part => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_component() {
        for (pattern, folder, is_match) in [
            ("services/*", "services/orders", true),
            ("services/*", "services/a/b", false),
            ("services/*", "services", false),
            ("*/api", "orders/api", true),
            (".", ".", true),
            ("web", "web2", false),
        ] {
            assert_eq!(matches(pattern, folder), is_match, "{pattern} {folder}");
        }
        assert_eq!(of("services/orders/fairway.yaml"), "services/orders");
        assert_eq!(of("./a/fairway.yaml"), "a");
        assert_eq!(of("fairway.yaml"), ".");
    }
}

//! The `console` blocks of a page: commands and what they print.

/// A command of a page with what it is said to print.
#[derive(Debug)]
pub struct Example {
    /// What a shell is given.
    pub command: String,
    /// The lines that follow. `[..]` stands for anything in a line, a line `...` for any lines.
    pub expected: Vec<String>,
}

/// All commands of a page, in order.
pub fn examples(page: &str) -> Vec<Example> {
    let blocks = page.split("```console\n").skip(1);
    let lines = blocks.flat_map(|rest| rest.split("```").next().unwrap_or_default().lines());
    let mut found: Vec<Example> = Vec::new();
    for line in lines {
        match (line.strip_prefix("$ "), found.last_mut()) {
            (Some(command), _) => {
                found.push(Example { command: command.to_owned(), expected: Vec::new() });
            }
            (None, Some(example)) => example.expected.push(line.to_owned()),
            (None, None) => panic!("a block begins with a command, not with {line:?}"),
        }
    }
    found.iter_mut().for_each(Example::trim);
    found
}

impl Example {
    /// Whether this was printed.
    pub fn is_met_by(&self, printed: &str) -> bool {
        let printed: Vec<&str> = printed.lines().map(str::trim_end).collect();
        let printed = &printed
            [..printed.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1)];
        lines_match(&self.expected, printed)
    }

    /// Blank lines at the end are for the reader.
    fn trim(&mut self) {
        while self.expected.last().is_some_and(String::is_empty) {
            self.expected.pop();
        }
    }
}

fn lines_match(expected: &[String], printed: &[&str]) -> bool {
    match expected {
        [] => printed.is_empty(),
        [any, rest @ ..] if any == "..." => {
            (0..=printed.len()).any(|from| lines_match(rest, &printed[from..]))
        }
        [line, rest @ ..] => {
            printed.first().is_some_and(|first| line_matches(line, first))
                && lines_match(rest, &printed[1..])
        }
    }
}

fn line_matches(expected: &str, printed: &str) -> bool {
    match expected.split_once("[..]") {
        None => expected == printed,
        Some((before, after)) => printed.strip_prefix(before).is_some_and(|rest| {
            let mut ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.any(|end| line_matches(after, &rest[end..]))
        }),
    }
}

#[test]
fn wildcards_stand_for_anything() {
    let page =
        "text\n```console\n$ a\n1 [..] 3\n...\nend\n\n$ b\n```\nmore\n```console\n$ c\n```\n";
    let found = examples(page);
    let commands: Vec<&str> = found.iter().map(|example| example.command.as_str()).collect();
    assert_eq!(commands, ["a", "b", "c"]);
    assert!(found[0].is_met_by("1 2 3\nend\n"));
    assert!(found[0].is_met_by("1 2 2 3\nx\ny\nend\n"));
    assert!(!found[0].is_met_by("1 2 4\nend\n"));
    assert!(!found[0].is_met_by("1 2 3\n"));
    assert!(found[1].is_met_by("") && !found[1].is_met_by("x"));
}

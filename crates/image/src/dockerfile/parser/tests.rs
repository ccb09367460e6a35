use super::*;
use crate::dockerfile::{CommandForm, CopyKind};
use fairway_model::Colour;
use proptest::prelude::*;

fn good(text: &str) -> Dockerfile {
    let shown = |faults: Vec<Diagnostic>| fairway_model::render_all(&faults, Colour::Off);
    Dockerfile::parse("Dockerfile", text).map_err(shown).expect("a Dockerfile")
}

fn only(text: &str) -> Instruction {
    let mut file = good(&format!("FROM scratch\n{text}\n"));
    file.stages.remove(0).instructions.remove(0).instruction
}

/// The first thing that is wrong, as `line:column+length: message`.
fn fault(text: &str) -> String {
    let faults = Dockerfile::parse("Dockerfile", text).expect_err("a broken Dockerfile");
    let Diagnostic { span, message, .. } = &faults[0];
    format!("{}:{}+{}: {message}", span.line, span.column, span.length)
}

#[test]
fn every_instruction_is_read() {
    let file = good(
        "# syntax=docker/dockerfile:1\nARG V=1\nFROM --platform=linux/amd64 a:$V AS Build\n\
         ARG x y=\"2 3\"\nENV a=b c=\"d e\"\nENV old style value\nLABEL k=v\nRUN x && \\\n  y\n\
         RUN [\"x\", \"y\"]\nCMD x\nENTRYPOINT [\"e\"]\nCOPY --from=0 --chown=1:2 --chmod=755 --link a b /c/\n\
         ADD a.tar /\nWORKDIR /a b\nUSER 1:1\nEXPOSE 80 81/udp\nVOLUME [\"/a\", \"/b\"]\nVOLUME /a /b\n\
         STOPSIGNAL SIGINT\nHEALTHCHECK --interval=5s --retries=2 CMD true\nHEALTHCHECK NONE\n\
         SHELL [\"/bin/bash\", \"-c\"]\nONBUILD RUN x\nMAINTAINER me\nFROM build\n",
    );
    assert_eq!(file.globals.len(), 1);
    assert_eq!(file.stages[0].from.name.as_deref(), Some("build"));
    assert_eq!(file.stages[0].instructions.len(), 21);
    assert_eq!(file.stages.len(), 2);
}

#[test]
fn a_command_is_for_the_shell_unless_it_is_a_list() {
    for (text, exec) in [
        (r#"CMD ["a", "b"]"#, true),
        ("CMD ['a', 'b']", false),
        ("CMD [ -f x ] && y", false),
        ("CMD a", false),
    ] {
        let Instruction::Cmd(form) = only(text) else { panic!("{text}") };
        assert_eq!(matches!(form, CommandForm::Exec(_)), exec, "{text}");
    }
}

#[test]
fn copy_takes_paths_with_spaces_as_a_list() {
    let Instruction::Copy(copy) = only(r#"ADD ["a b", "c", "/d"]"#) else { panic!() };
    assert_eq!(copy.kind, CopyKind::Add);
    assert_eq!(copy.sources[0].raw, "a b");
    assert_eq!(copy.destination.raw, "/d");
}

#[test]
fn errors_point_at_the_word() {
    for (text, expected) in [
        ("FROM a\nCOYP x y", "2:1+4: unknown instruction `COYP`"),
        ("FROM a\nCOPY --form=b x y", "2:6+8: `COPY` has no flag `--form`"),
        ("FROM a\nRUN a \\\n && cat <<EOF\n", "3:9+5: heredocs are not supported yet"),
        ("FROM a\nRUN --mount=type=cache x", "2:5+18: `RUN --mount` is not supported yet"),
        ("FROM a\nCOPY x", "2:1+4: `COPY` needs a source and a destination"),
        ("FROM a\nADD https://x.org/y /", "2:5+15: `ADD` of a URL is not supported"),
        ("FROM a\nENV a", "2:5+1: `ENV` needs a value"),
        ("FROM a\nENV a=b c", "2:9+1: `=` is missing"),
        ("FROM a AS", "1:8+2: `FROM` takes one image and a name"),
        ("FROM a AS 1x", "1:11+2: this is not a name for a stage"),
        ("FROM a AS b\nFROM c AS B", "2:1+11: stage `b` is on line 1 already"),
        ("RUN x", "1:1+3: `RUN` stands before the first `FROM`"),
        ("", "1:1+0: the Dockerfile has no `FROM`"),
        ("FROM a\nUSER", "2:1+4: `USER` needs an argument"),
        ("FROM a\nUSER a b", "2:8+1: `USER` takes one argument"),
        (
            "FROM a\nHEALTHCHECK --interval=5 CMD x",
            "2:13+12: `5` is not a duration; write it like `10s`, `500ms` or `1m30s`",
        ),
        ("FROM a\nHEALTHCHECK x", "2:13+1: `HEALTHCHECK` needs `CMD` or `NONE` here"),
        ("FROM a\nSHELL sh", "2:7+2: `SHELL` takes a JSON list"),
        ("FROM a\nONBUILD FROM b", "2:9+4: `ONBUILD FROM` is not allowed"),
        ("FROM a\nONBUILD COYP b", "2:9+4: `COYP` cannot stand here"),
    ] {
        assert_eq!(fault(text), expected, "{text}");
    }
}

#[test]
fn all_errors_are_reported_at_once() {
    let faults = Dockerfile::parse("Dockerfile", "FROM a b\nCOYP x\nUSER\nRUN x").unwrap_err();
    assert_eq!(faults.len(), 3);
}

#[test]
fn a_here_string_is_no_heredoc() {
    assert!(matches!(only("RUN cat <<<x && echo '<<EOF'"), Instruction::Run(_)));
}

proptest! {
    #[test]
    fn any_text_is_a_dockerfile_or_an_error(text in "\\PC*") {
        drop(Dockerfile::parse("Dockerfile", &text));
    }

    #[test]
    fn any_words_are_a_dockerfile_or_an_error(
        lines in prop::collection::vec("(FROM|ARG|ENV|RUN|COPY|ADD|HEALTHCHECK|ONBUILD|VOLUME|LABEL|EXPOSE|from)( |\t)(--|=|\"|'|\\\\|\\$|\\{|ä|a|\\[|\\]|,| |CMD|<<A|#){0,12}\\\\?", 0..8)
    ) {
        drop(Dockerfile::parse("Dockerfile", &format!("FROM a\n{}", lines.join("\n"))));
    }
}

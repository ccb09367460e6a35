//! RUN and the settings of an image.

use crate::fixture::Fixture;

crate::cases!(
    a_command_sees_its_variables_user_and_directory,
    arguments_follow_dockers_scopes,
    what_a_command_removes_is_gone,
    the_settings_of_an_image_are_kept,
    triggers_of_a_base_run_first,
    a_hundred_layers_work,
    a_target_stops_the_build,
);

async fn a_command_sees_its_variables_user_and_directory() {
    let fixture = Fixture::new();
    let dockerfile = "FROM busybox\nENV A=1\nENV A=2 B=\"$A x\"\nARG C=3\nUSER app\nWORKDIR /tmp\n\
                      RUN echo \"$A|$B|$C|$(id -u)|$(pwd)\"\nRUN [\"/bin/echo\", \"$A\"]\n\
                      SHELL [\"/bin/sh\", \"-xc\"]\nRUN true\n";
    fixture.build(&[("Dockerfile", dockerfile)]).await.unwrap();
    assert_eq!(fixture.printed(), "2|1 x|3|1000|/tmp\n$A\n+ true\n");
}

async fn arguments_follow_dockers_scopes() {
    let fixture = Fixture::new();
    let dockerfile = "ARG BASE=busybox\nARG GLOBAL=g\nFROM $BASE AS one\nRUN echo \"[$GLOBAL]\"\n\
                      ARG GLOBAL\nARG OWN=default\nENV SHADOW=env\nARG SHADOW=arg\n\
                      RUN echo \"[$GLOBAL][$OWN][$SHADOW][$http_proxy]\"\nFROM one\nRUN echo \"[$OWN]\"\n";
    let mut request = fixture.request(&[("Dockerfile", dockerfile)]);
    request.args.insert("OWN".into(), "given".into());
    request.args.insert("http_proxy".into(), "p".into());
    fixture.build_request(&request).await.unwrap();
    assert_eq!(fixture.printed(), "[]\n[g][given][env][p]\n[]\n");
    // How the machine reaches others is no reason to build again.
    request.args.insert("http_proxy".into(), "other".into());
    assert!(fixture.build_request(&request).await.unwrap().is_cached());
    request.args.insert("OWN".into(), "new".into());
    assert!(!fixture.build_request(&request).await.unwrap().is_cached());
}

async fn what_a_command_removes_is_gone() {
    let fixture = Fixture::new();
    let dockerfile = "FROM busybox\nCOPY d /d\nRUN rm /d/x && rm -r /d/sub && mkdir /d/sub\n\
                      RUN ls /d /d/sub && test ! -e /d/x\n";
    let files = [("Dockerfile", dockerfile), ("d/x", "x"), ("d/y", "y"), ("d/sub/z", "z")];
    fixture.build(&files).await.unwrap();
    assert_eq!(fixture.printed(), "/d:\nsub\ny\n\n/d/sub:\n");
    fixture.assert_clean();
}

async fn the_settings_of_an_image_are_kept() {
    let fixture = Fixture::new();
    let dockerfile = "FROM busybox\nENTRYPOINT [\"e\"]\nCMD c $X\nEXPOSE 80\nVOLUME /data\nLABEL k=v\n\
                      STOPSIGNAL SIGINT\nHEALTHCHECK --interval=1s CMD true\nUSER app\n";
    let built = fixture.build(&[("Dockerfile", dockerfile)]).await.unwrap();
    let config = fixture.config(&built.image);
    let set = config.config;
    assert_eq!(set.entrypoint.unwrap(), ["e"]);
    assert_eq!(set.cmd.unwrap(), ["/bin/sh", "-c", "c $X"]);
    assert_eq!(set.exposed_ports.len() + set.volumes.len() + set.labels.len(), 3);
    assert_eq!(set.stop_signal.unwrap(), "SIGINT");
    assert_eq!(set.healthcheck.unwrap().test, ["CMD-SHELL", "true"]);
    assert_eq!(config.history.last().unwrap().created_by, "USER app");
}

async fn triggers_of_a_base_run_first() {
    let fixture = Fixture::new();
    let base = "FROM busybox\nONBUILD COPY x /triggered\nONBUILD RUN echo first\n";
    let built = fixture.build(&[("Dockerfile", base), ("x", "base")]).await.unwrap();
    assert_eq!(fixture.printed(), "");
    fixture.layers.names().set(&"base".parse().unwrap(), &built.image).unwrap();
    let files = [("Dockerfile", "FROM base\nRUN echo second"), ("x", "child")];
    let built = fixture.build(&files).await.unwrap();
    assert_eq!(fixture.printed(), "first\nsecond\n");
    assert_eq!(fixture.read(&built.image, "triggered"), "child");
    assert!(fixture.config(&built.image).config.on_build.is_empty());
    for (trigger, expected) in [
        ("COPY --from=nowhere / /", "image `nowhere:latest` is not used otherwise"),
        ("COPY none /", "`none` is not in the build context"),
    ] {
        let base = format!("FROM busybox\nONBUILD {trigger}\n");
        let built = fixture.build(&[("Dockerfile", &base)]).await.unwrap();
        fixture.layers.names().set(&"base".parse().unwrap(), &built.image).unwrap();
        let error = fixture.build(&[("Dockerfile", "ARG A\nFROM base")]).await.unwrap_err();
        let [at] = error.diagnostics() else { panic!("{error:?}") };
        assert_eq!(at.span.line, 2);
        assert_eq!(at.message, format!("`ONBUILD {trigger}` of the base: {expected}"));
    }
}

async fn a_hundred_layers_work() {
    let fixture = Fixture::new();
    let copies: Vec<_> = (0..98).map(|n| format!("COPY x /many/{n}")).collect();
    let copies = copies.join("\n");
    let dockerfile = format!("FROM busybox\n{copies}\nRUN ls /many | busybox wc -l\n");
    let built = fixture.build(&[("Dockerfile", &dockerfile), ("x", "x")]).await.unwrap();
    assert_eq!(fixture.printed(), "98\n");
    assert_eq!(fixture.layers.image(&built.image).unwrap().lower_dirs.len(), 100);
}

async fn a_target_stops_the_build() {
    let fixture = Fixture::new();
    let dockerfile = "FROM busybox AS first\nRUN echo first\nFROM first\nRUN echo second\n";
    let mut request = fixture.request(&[("Dockerfile", dockerfile)]);
    request.target = Some("first".to_owned());
    fixture.build_request(&request).await.unwrap();
    assert_eq!(fixture.printed(), "first\n");
}

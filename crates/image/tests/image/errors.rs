//! What goes wrong says where and why, and leaves nothing.

use crate::fixture::Fixture;
use fairway_image::{BuildError, Events};
use fairway_model::Colour;
use std::{
    process::Command,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

crate::cases!(
    errors_point_at_their_line,
    a_failed_command_says_how_it_ended,
    a_missing_image_names_those_that_can_be_made,
    a_full_disk_is_named_and_nothing_is_kept,
    a_dropped_build_leaves_nothing,
);

async fn errors_point_at_their_line() {
    let fixture = Fixture::new();
    for (dockerfile, expected) in [
        ("FROM busybox\nCOYP x /", "2:1: unknown instruction `COYP`"),
        ("FROM busybox\nCOPY x none /d/", "2:8: `none` is not in the build context"),
        ("FROM busybox\nCOPY secret /", "2:6: `secret` is not in the build context"),
        ("FROM busybox\nCOPY x y /d", "2:10: a destination of several files ends with `/`"),
        ("FROM busybox\nCOPY --chown=nobody x /", "2:1: the image has no user `nobody`"),
        ("FROM busybox\nCOPY --chmod=rwx x /", "2:6: `rwx` is not an octal mode"),
        (
            "FROM busybox\nCOPY --from=busybox /none /",
            "2:1: `/none` is not in the image it is copied from",
        ),
        ("FROM busybox\nCOPY x /etc/passwd/", "2:1: `/etc/passwd` is not a directory"),
        ("FROM scratch\nRUN x", "2:1: there is nothing to run in an image without files"),
        ("FROM busybox\nWORKDIR $NONE", "2:9: `$NONE` is empty"),
        ("FROM busybox\nRUN x\nFROM none", "3:6: image `none:latest` is not here"),
        ("FROM busybox\nRUN exit 3", "2:1: the command exited with 3"),
    ] {
        let files = [
            ("Dockerfile", dockerfile),
            ("x", "x"),
            ("y", "y"),
            ("secret", "s"),
            (".dockerignore", "secret"),
        ];
        let error = fixture.build(&files).await.unwrap_err();
        let [at] = error.diagnostics() else { panic!("{dockerfile}: {error:?}") };
        let found = format!("{}:{}: {}", at.span.line, at.span.column, at.message);
        assert_eq!(found, expected, "{}", at.render(Colour::Off));
    }
    let files = [("Dockerfile", "FROM busybox\nCOPY secret /"), (".dockerignore", "secret")];
    let error = fixture.build(&files).await.unwrap_err();
    assert_eq!(error.diagnostics()[0].label.as_deref(), Some("`.dockerignore` leaves it out"));
    let error = fixture.build(&[("Other", "FROM busybox")]).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no `Dockerfile`");
    fixture.assert_clean();
}

async fn a_failed_command_says_how_it_ended() {
    let fixture = Fixture::new();
    let error = fixture.build(&[("Dockerfile", "FROM busybox\nRUN echo why; exit 3\n")]).await;
    assert_eq!(error.unwrap_err().to_string(), "`RUN echo why; exit 3` exited with 3");
    assert_eq!(fixture.printed(), "why\n");
    // It failed, so it is run again.
    fixture.build(&[("Dockerfile", "FROM busybox\nRUN echo why; exit 3\n")]).await.unwrap_err();
    assert_eq!(fixture.printed(), "why\n");
    fixture.assert_clean();
}

async fn a_missing_image_names_those_that_can_be_made() {
    let mut fixture = Fixture::new();
    let context = fixture.context(&[("Dockerfile", "FROM busybox")]);
    let source = fairway_image::BaseSource::Dockerfile { folder: String::new(), context };
    fixture.bases.0.insert("node:18".parse().unwrap(), source);
    let error = fixture.build(&[("Dockerfile", "FROM node:20")]).await.unwrap_err();
    assert_eq!(error.to_string(), "image `node:20` is not here");
    assert_eq!(
        error.hint().unwrap(),
        "add `node:20` to `bases` in `fleet.yaml`; there are `node:18`"
    );
}

async fn a_full_disk_is_named_and_nothing_is_kept() {
    let small = tempfile::tempdir_in("/var/tmp").unwrap();
    let file = small.path().join("disk");
    let mounted = small.path().join("mounted");
    std::fs::create_dir(&mounted).unwrap();
    std::fs::File::create(&file).unwrap().set_len(64 << 20).unwrap();
    sh(&format!("mkfs.ext4 -q -m 0 {}", file.display()));
    sh(&format!("mount -o loop {} {}", file.display(), mounted.display()));
    let fixture = Fixture::at(tempfile::tempdir_in(&mounted).unwrap());
    let copy = "FROM busybox\nRUN dd if=/dev/zero of=/half bs=1M count=30\nCOPY big /big\n";
    let big = "x".repeat(20 << 20);
    let files = [("Dockerfile", copy), ("big", big.as_str())];
    let error = match fixture.try_capture(&files) {
        Ok(request) => fixture.build_request(&request).await.unwrap_err(),
        Err(error) => error,
    };
    let drafts = std::fs::read_dir(fixture.layers.dir().join("drafts")).unwrap().count();
    drop(fixture);
    sh(&format!("umount {}", mounted.display()));
    assert!(error.to_string().contains("full"), "{error}");
    assert_eq!(drafts, 0);
}

fn sh(command: &str) {
    assert!(Command::new("sh").args(["-c", command]).status().unwrap().success(), "{command}");
}

async fn a_dropped_build_leaves_nothing() {
    let fixture = Fixture::new();
    let request = fixture.request(&[("Dockerfile", "FROM busybox\nRUN echo begun; sleep 31415\n")]);
    let begun = Arc::new(Mutex::new(false));
    let seen = begun.clone();
    let events = Events::to(move |event| {
        if matches!(event, fairway_image::BuildEvent::Output(_)) {
            *seen.lock().unwrap() = true;
        }
    });
    let deadline = Instant::now() + Duration::from_secs(20);
    {
        let build = fixture.images.build(&request, &fixture.bases, &events);
        let wait = until(deadline, || *begun.lock().unwrap());
        tokio::select! {
            done = build => panic!("the build ended: {done:?}"),
            () = wait => {}
        }
    }
    let processes = || {
        let found = Command::new("pgrep").args(["-f", "sleep 31415"]).output().unwrap();
        String::from_utf8(found.stdout).unwrap()
    };
    until(deadline, || processes().is_empty()).await;
    let request = fixture.request(&[("Dockerfile", "FROM busybox\nRUN echo next\n")]);
    fixture.build_request(&request).await.unwrap();
    fixture.layers.sweep().unwrap();
    fixture.assert_clean();
}

async fn until(deadline: Instant, is_so: impl Fn() -> bool) {
    while !is_so() {
        assert!(Instant::now() < deadline, "it did not come to pass");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl Fixture {
    fn try_capture(
        &self,
        files: &[(&str, &str)],
    ) -> Result<fairway_image::BuildRequest, BuildError> {
        let outside = tempfile::tempdir_in("/var/tmp").unwrap();
        for (path, text) in files {
            std::fs::write(outside.path().join(path), text).unwrap();
        }
        let blobs = self.layers.blobs();
        let mut cache = fairway_blobs::StatCache::default();
        let captured =
            fairway_image::capture_context(blobs, outside.path(), "Dockerfile", &mut cache)?;
        Ok(fairway_image::BuildRequest {
            tree: captured.digest,
            dockerfile: "Dockerfile".to_owned(),
            shown: "Dockerfile".to_owned(),
            target: None,
            args: std::collections::BTreeMap::new(),
        })
    }
}

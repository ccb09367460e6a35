//! What is made again and what is not.

use crate::fixture::Fixture;
use fairway_image::Outcome;
use std::fs;

crate::cases!(
    an_unchanged_build_runs_nothing_and_gives_the_same_image,
    a_changed_file_runs_only_what_depends_on_it,
    times_of_files_do_not_matter,
    a_lost_layer_is_made_again,
    a_fingerprint_changes_with_what_counts,
);

const FILES: [(&str, &str); 3] = [
    (
        "Dockerfile",
        "FROM busybox\nCOPY deps /deps\nRUN echo install\nCOPY src /src\nRUN echo compile; touch /done\n",
    ),
    ("deps", "1"),
    ("src", "1"),
];

async fn an_unchanged_build_runs_nothing_and_gives_the_same_image() {
    let fixture = Fixture::new();
    let first = fixture.build(&FILES).await.unwrap();
    assert_eq!(first.instructions, [Outcome::Made; 4]);
    let again = fixture.build(&FILES).await.unwrap();
    assert_eq!(again.instructions, [Outcome::Cached; 4]);
    assert_eq!(again.image, first.image);
    assert_eq!(fixture.printed(), "");
}

async fn a_changed_file_runs_only_what_depends_on_it() {
    let fixture = Fixture::new();
    fixture.build(&FILES).await.unwrap();
    let mut changed = FILES;
    changed[2].1 = "2";
    let built = fixture.build(&changed).await.unwrap();
    let (made, cached) = (Outcome::Made, Outcome::Cached);
    assert_eq!(built.instructions, [cached, cached, made, made]);
    assert_eq!(fixture.printed(), "compile\n");
}

async fn times_of_files_do_not_matter() {
    let fixture = Fixture::new();
    let first = fixture.build(&FILES).await.unwrap();
    let mut request = fixture.request(&FILES);
    let folder = fixture.dir.path().join("context");
    let file = fs::File::options().append(true).open(folder.join("src")).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    request.tree = fixture.capture(&folder);
    assert_eq!(fixture.build_request(&request).await.unwrap().image, first.image);
}

async fn a_lost_layer_is_made_again() {
    let fixture = Fixture::new();
    let first = fixture.build(&FILES).await.unwrap();
    let lost = fixture.layers.image(&first.image).unwrap().lower_dirs[0].clone();
    fs::remove_dir_all(lost).unwrap();
    assert!(!fixture.images.contains(&first.image));
    let again = fixture.build(&FILES).await.unwrap();
    assert_eq!(again.instructions[3], Outcome::Made);
    assert!(fixture.images.contains(&again.image));
}

async fn a_fingerprint_changes_with_what_counts() {
    let fixture = Fixture::new();
    let events = fixture.events();
    let mut request = fixture.request(&FILES);
    let first = fixture.images.fingerprint(&request, &fixture.bases, &events).await.unwrap();
    let mut with_ignored = FILES.to_vec();
    with_ignored.extend([(".dockerignore", ".dockerignore\nx"), ("x", "x")]);
    let ignored = fixture.request(&with_ignored);
    let same = fixture.images.fingerprint(&ignored, &fixture.bases, &events).await.unwrap();
    assert_eq!(same, first);
    request.args.insert("A".into(), "1".into());
    let other = fixture.images.fingerprint(&request, &fixture.bases, &events).await.unwrap();
    assert_ne!(other, first);
}

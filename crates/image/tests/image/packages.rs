//! The real thing: a Debian base and what the example fleet is made of.

#![allow(clippy::print_stdout, reason = "how long it took is of interest")]

use crate::fixture::Fixture;
use fairway_image::{BaseSource, BuildRequest};
use fairway_model::ImageRef;
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    time::{Duration, Instant},
};

crate::cases!(
    packages_make_bases_and_the_images_of_the_example_fleet,
    a_suite_that_does_not_exist_says_so,
    a_base_that_is_dropped_half_made_leaves_nothing,
);

/// One test, because the base takes its time.
async fn packages_make_bases_and_the_images_of_the_example_fleet() {
    let fixture = debian();
    add_packages(&fixture).await;
    build_examples(fixture).await;
}

fn debian() -> Fixture {
    let mut fixture = Fixture::new();
    let debian = "debian:bookworm".parse().unwrap();
    let source = BaseSource::Debian { suite: "bookworm".into(), packages: Vec::new() };
    fixture.bases.0.insert(debian, source);
    fixture
}

async fn add_packages(fixture: &Fixture) {
    let dockerfile = "FROM debian:bookworm\n\
        RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates wget\n\
        RUN wget -q -O /dev/null https://deb.debian.org/ && echo reached\n";
    let built = fixture.build(&[("Dockerfile", dockerfile)]).await;
    let built = built.unwrap_or_else(|error| panic!("{error}\n{}", fixture.printed()));
    assert!(fixture.printed().contains("reached"));
    assert!(fixture.find(&built.image, "usr/share/man/man1").is_none());
    let begin = Instant::now();
    assert!(fixture.build(&[("Dockerfile", dockerfile)]).await.unwrap().is_cached());
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    fixture.assert_clean();
}

async fn build_examples(mut fixture: Fixture) {
    let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/shop");
    for (name, folder) in [("node:18", "node"), ("python:3.11", "python"), ("golang", "golang")] {
        let context = fixture.capture(&shop.join("images").join(folder));
        fixture.bases.0.insert(
            name.parse().unwrap(),
            BaseSource::Dockerfile { folder: folder.to_owned(), context },
        );
    }
    for service in ["payments", "catalog", "orders", "web"] {
        let request = BuildRequest {
            tree: fixture.capture(&shop.join("services").join(service)),
            dockerfile: "Dockerfile".to_owned(),
            shown: format!("services/{service}/Dockerfile"),
            target: None,
            args: BTreeMap::new(),
        };
        let begin = Instant::now();
        let built = fixture.build_request(&request).await;
        let built = built.unwrap_or_else(|error| panic!("{error}\n{}", fixture.printed()));
        let took = begin.elapsed();
        let begin = Instant::now();
        let again = fixture.build_request(&request).await.unwrap();
        assert!(again.is_cached());
        assert_eq!(again.image, built.image);
        println!("  {service}: {took:.2?}, then {:.2?}", begin.elapsed());
    }
}

async fn a_suite_that_does_not_exist_says_so() {
    let mut fixture = Fixture::new();
    let name = "debian:none".parse().unwrap();
    let source = BaseSource::Debian { suite: "no-such-suite".into(), packages: Vec::new() };
    fixture.bases.0.insert(name, source);
    let error = fixture.build(&[("Dockerfile", "FROM debian:none")]).await.unwrap_err();
    assert!(error.to_string().starts_with("could not make a Debian base"), "{error}");
    assert!(error.hint().is_some());
    fixture.assert_clean();
}

async fn a_base_that_is_dropped_half_made_leaves_nothing() {
    let mut fixture = Fixture::new();
    let name: ImageRef = "debian:bookworm".parse().unwrap();
    let source = BaseSource::Debian { suite: "bookworm".into(), packages: Vec::new() };
    fixture.bases.0.insert(name.clone(), source);
    let events = fixture.events();
    let is_unpacking = || fixture.printed().contains("extracting");
    tokio::select! {
        done = fixture.images.resolve(&name, &fixture.bases, &events) => panic!("{done:?}"),
        () = until(Duration::from_mins(1), is_unpacking) => {}
    }
    let drafts = fixture.layers.dir().join("drafts");
    let is_gone = || fs::read_dir(&drafts).unwrap().count() == 0 && !is_named_by_a_process(&drafts);
    until(Duration::from_secs(5), is_gone).await;
    fixture.assert_clean();
}

/// Whether a process has this path in its arguments.
fn is_named_by_a_process(path: &Path) -> bool {
    let path = path.to_string_lossy();
    let processes = fs::read_dir("/proc").unwrap();
    let arguments = processes.filter_map(|one| fs::read(one.unwrap().path().join("cmdline")).ok());
    arguments.into_iter().any(|bytes| String::from_utf8_lossy(&bytes).contains(&*path))
}

async fn until(limit: Duration, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + limit;
    while !is_so() {
        assert!(Instant::now() < deadline, "it did not come to pass");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

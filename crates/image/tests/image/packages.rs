//! The real thing: a Debian base and what the example fleet is made of.

use crate::fixture::Fixture;
use fairway_image::BaseSource;
use std::time::{Duration, Instant};

crate::cases!(
    packages_make_a_base_that_packages_can_be_added_to,
    a_suite_that_does_not_exist_says_so
);

async fn packages_make_a_base_that_packages_can_be_added_to() {
    let mut fixture = Fixture::new();
    let debian = "debian:bookworm".parse().unwrap();
    let source = BaseSource::Debian { suite: "bookworm".into(), packages: Vec::new() };
    fixture.bases.0.insert(debian, source);
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

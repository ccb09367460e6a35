//! Bases made of Dockerfiles.

use crate::fixture::Fixture;
use fairway_image::{BaseSource, Bases, BuildError};
use fairway_model::{ImageRef, config::Base};
use std::collections::BTreeMap;

crate::cases!(
    a_base_is_made_after_those_it_is_made_of,
    the_folders_of_a_fleet_are_contexts,
    bases_that_are_made_of_each_other_are_refused,
    two_that_need_one_base_make_it_once,
);

fn add(fixture: &mut Fixture, name: &str, dockerfile: &str) -> ImageRef {
    let context = fixture.context(&[("Dockerfile", dockerfile)]);
    let name: ImageRef = name.parse().unwrap();
    fixture.bases.0.insert(
        name.clone(),
        BaseSource::Dockerfile { folder: format!("images/{}", name.name), context },
    );
    name
}

async fn a_base_is_made_after_those_it_is_made_of() {
    let mut fixture = Fixture::new();
    add(&mut fixture, "low:1", "FROM busybox\nRUN echo low\n");
    let high = add(&mut fixture, "high:1", "FROM low:1\nRUN echo high\n");
    let built = fixture.build(&[("Dockerfile", "FROM high:1\nRUN echo top\n")]).await.unwrap();
    assert_eq!(fixture.printed(), "low\nhigh\ntop\n");
    assert_eq!(fixture.layers.image(&built.image).unwrap().layers.len(), 4);
    let names = fixture.layers.names().list().unwrap();
    assert_eq!(names.len(), 3);
    let events = fixture.events();
    let image = fixture.images.resolve(&high, &fixture.bases, &events).await.unwrap();
    assert_eq!(fixture.printed(), "");
    assert_eq!(fixture.layers.resolve(&high).unwrap(), Some(image));
    add(&mut fixture, "low:1", "FROM busybox\nRUN echo changed; touch /low\n");
    let events = fixture.events();
    fixture.images.resolve(&high, &fixture.bases, &events).await.unwrap();
    assert_eq!(fixture.printed(), "changed\nhigh\n");
}

async fn bases_that_are_made_of_each_other_are_refused() {
    let mut fixture = Fixture::new();
    add(&mut fixture, "a", "FROM b\n");
    add(&mut fixture, "b", "FROM a\n");
    let error = fixture.build(&[("Dockerfile", "FROM a\n")]).await.unwrap_err();
    assert!(matches!(error, BuildError::Cycle(_)));
    let expected = "bases are made of each other: `a:latest` from `b:latest` from `a:latest`";
    assert_eq!(error.to_string(), expected);
}

async fn the_folders_of_a_fleet_are_contexts() {
    let fixture = Fixture::new();
    let sources = fixture.context(&[
        ("fleet.yaml", ""),
        ("images/one/Dockerfile", "FROM busybox\nCOPY x /x\n"),
        ("images/one/x", "x"),
        ("images/bad/Dockerfile", "FROM busybox\nCOYP\n"),
    ]);
    let blobs = fixture.layers.blobs();
    let sources = fairway_blobs::Tree::load(blobs, &sources).unwrap();
    let name = |name: &str| name.parse::<ImageRef>().unwrap();
    let base = |context: &str| Base::Dockerfile { context: context.to_owned() };
    let config = BTreeMap::from([
        (name("one"), base("./images/one/")),
        (name("bad"), base("images/bad")),
        (name("none"), base("images/none")),
    ]);
    let bases = Bases::of_fleet(&config, &sources, blobs).unwrap();
    let resolve = async |it| fixture.images.resolve(&name(it), &bases, &fixture.events()).await;
    let image = resolve("one").await.unwrap();
    assert_eq!(fixture.read(&image, "x"), "x");
    let error = resolve("bad").await.unwrap_err();
    assert_eq!(error.diagnostics()[0].path, "images/bad/Dockerfile");
    let error = resolve("none").await.unwrap_err();
    assert_eq!(error.to_string(), "there is no `images/none/Dockerfile`");
}

async fn two_that_need_one_base_make_it_once() {
    let mut fixture = Fixture::new();
    let name = add(&mut fixture, "slow", "FROM busybox\nRUN sleep 0.3; echo made\n");
    let (one, two) = (fixture.events(), fixture.events());
    let first = fixture.images.resolve(&name, &fixture.bases, &one);
    let second = fixture.images.resolve(&name, &fixture.bases, &two);
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.unwrap(), second.unwrap());
    assert_eq!(fixture.printed(), "made\n");
}

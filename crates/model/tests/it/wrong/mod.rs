//! Files that are wrong, and what is said about them.

mod fleet;
mod keys;
mod not_yaml;
mod pipeline;
mod values;

use expect_test::Expect;
use fairway_model::config::{Fleet, Service};
use fairway_model::{Colour, render_all};

fn service(text: &str, expected: &Expect) {
    let found = Service::decode("fairway.yaml", text).expect_err("the file is wrong");
    expected.assert_eq(&render_all(&found, Colour::Off));
}

fn fleet(text: &str, expected: &Expect) {
    let found = Fleet::decode("fleet.yaml", text).expect_err("the file is wrong");
    expected.assert_eq(&render_all(&found, Colour::Off));
}

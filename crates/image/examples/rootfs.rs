//! Says what an image is made of, for mounting it elsewhere: the directories of its layers as
//! overlayfs wants them on the first line, then a variable of its environment on each line.
//! `cargo xtask bench images` gives a base to other builders this way.
//!
//! Usage: `rootfs DATA_DIRECTORY IMAGE`

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for measuring alone")]

use fairway_blobs::Blobs;
use fairway_layers::Layers;
use std::path::PathBuf;

fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let home = PathBuf::from(arguments.next().unwrap());
    let name = arguments.next().unwrap().to_str().unwrap().parse().unwrap();
    let blobs = Blobs::open(home.join("blobs")).unwrap();
    let layers = Layers::open(home.join("layers"), blobs).unwrap();
    let image = layers.resolve(&name).unwrap().unwrap();
    let image = layers.image(&image).unwrap();
    let lower: Vec<_> = image.lower_dirs.iter().map(|dir| dir.display().to_string()).collect();
    println!("{}", lower.join(":"));
    for variable in &image.config.config.env {
        println!("{variable}");
    }
}

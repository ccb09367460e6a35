//! Answers that come before the body was read.

use crate::world::World;
use fairway_api::BODY_BYTES_MAX;
use std::fs;
use tokio::process::Command;

#[tokio::test]
async fn a_client_that_still_sends_is_told_why_nothing_is_done() {
    let world = World::start();
    let folder = tempfile::tempdir().unwrap();
    for (size, media, status) in [
        (20, "text/plain", "415"),
        (1 << 20, "text/plain", "415"),
        (BODY_BYTES_MAX + (2 << 20), "application/json", "413"),
    ] {
        let body = folder.path().join("body");
        fs::write(&body, vec![b'1'; size]).unwrap();
        for http in ["--http1.1", "--http2-prior-knowledge"] {
            for _ in 0..5 {
                let mut curl = Command::new("curl");
                curl.args(["-sS", http, "-o", "/dev/null", "-w", "%{http_code}", "-H", "expect:"]);
                curl.arg("--data-binary").arg(format!("@{}", body.display()));
                curl.args(["-H", &format!("content-type: {media}")]);
                let told = curl.arg(format!("http://{}/v1/streams/a", world.address)).output();
                let told = told.await.unwrap();
                let text = String::from_utf8_lossy(&told.stderr);
                assert_eq!(String::from_utf8_lossy(&told.stdout), status, "{http} {size} {text}");
                assert!(told.status.success(), "{http} {size} {text}");
            }
        }
    }
    world.end().await;
}

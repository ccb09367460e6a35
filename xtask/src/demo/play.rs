//! What happens in the demo, chapter by chapter.

use super::{
    http,
    stage::{Afterwards, Stage},
    summary::{Summary, newest_run},
};
use crate::shell::{self, Outcome};
use std::time::{Duration, Instant};

/// Each service after those it calls.
const SERVICES: [&str; 5] = ["catalog", "payments", "orders", "notifications", "web"];
const SECRETS: [&str; 3] = ["catalog_db_password", "orders_db_password", "queue_password"];
const ENVIRONMENTS: [&str; 2] = ["staging", "production"];
/// How long the queue may take to bring a notification.
const NOTIFIED_MAX: Duration = Duration::from_secs(20);

/// Runs the demo.
pub fn run(afterwards: Afterwards) -> Outcome {
    let stage = Stage::build()?;
    let (start, before) = (Instant::now(), newest_run(&stage)?);
    let played = play(&stage);
    let summary = Summary::of(&stage, before);
    match afterwards {
        Afterwards::Clean => clean_up(&stage)?,
        Afterwards::Keep => keep(&stage)?,
    }
    played?;
    shell::print(&summary?.table());
    shell::say(&format!("the demo took {:.0} s", start.elapsed().as_secs_f64()));
    Ok(())
}

fn play(stage: &Stage) -> Outcome {
    stage.chapter("Are the files of the fleet right?");
    stage.fairway(&["check"])?;
    stage.chapter("Every pipeline, beside real databases, queues and colleagues' services");
    stage.fairway(&["run"])?;
    stage.fairway(&["releases"])?;
    give_secrets(stage)?;
    stage.chapter("Every release to staging");
    promote_all(stage, "staging")?;
    stage.chapter("An order through the gateway of staging");
    order(&gateway(stage, "staging")?)?;
    stage.chapter("The same bytes to production");
    promote_all(stage, "production")?;
    same_images(stage)?;
    stage.chapter("A second commit, to catalog: only what it affects is done");
    stage.edit("services/catalog/version.txt", |_| "1.1.0\n".to_owned())?;
    stage.commit("catalog 1.1.0")?;
    stage.fairway(&["run"])?;
    for environment in ENVIRONMENTS {
        stage.fairway(&["promote", "catalog", environment])?;
    }
    version_is(&gateway(stage, "production")?, "1.1.0")?;
    broken_release(stage)?;
    stage.chapter("Back to the catalog before");
    stage.fairway(&["rollback", "catalog", "production"])?;
    version_is(&gateway(stage, "production")?, "1.0.0")?;
    stage.fairway(&["status"])
}

fn give_secrets(stage: &Stage) -> Outcome {
    stage.chapter("Passwords of databases and queue, a random one for each environment");
    for environment in ENVIRONMENTS {
        let known = stage.json(&["secret", "list", environment])?.to_string();
        for secret in SECRETS.iter().filter(|secret| !known.contains(*secret)) {
            stage.fairway(&["secret", "set", environment, secret, "--generate"])?;
        }
    }
    Ok(())
}

fn promote_all(stage: &Stage, environment: &str) -> Outcome {
    SERVICES.iter().try_for_each(|service| stage.fairway(&["promote", service, environment]))
}

/// A release that never gets ready takes no traffic.
fn broken_release(stage: &Stage) -> Outcome {
    stage.chapter("A release that never gets ready takes no traffic");
    stage.edit("services/web/fairway.yaml", |text| {
        text.replace("ready: { http: /healthz }", "ready: { http: /nope, deadline: 3s }")
    })?;
    stage.commit("a wrong readiness path")?;
    stage.fairway(&["run", "web"])?;
    stage.fails(&["promote", "web", "staging"])?;
    let page = http::get(&gateway(stage, "staging")?, "/")?;
    shell::say(&format!("the page of staging still answers {}", page.status));
    expect(page.status == 200, "the page is there while a release fails")
}

fn order(address: &str) -> Outcome {
    let page = http::get(address, "/")?;
    shell::say(&format!("$ curl {address}/          -> {}", page.status));
    expect(page.status == 200, "the page is there")?;
    let wish = r#"{"sku":"assam-100","quantity":2}"#;
    let order = http::post(address, "/orders", wish)?;
    shell::say(&format!("$ curl {address}/orders --json '{wish}'\n{}", order.body));
    expect(order.status == 201 || order.status == 200, "the order is taken")?;
    let order: serde_json::Value = serde_json::from_str(&order.body)?;
    let id = order["id"].as_str().ok_or("an order has an id")?.to_owned();
    let deadline = Instant::now() + NOTIFIED_MAX;
    loop {
        let notifications = http::get(address, "/notifications")?;
        if notifications.body.contains(&id) {
            shell::say(&format!("$ curl {address}/notifications\n{}", notifications.body.trim()));
            return Ok(());
        }
        expect(Instant::now() < deadline, "a notification arrives")?;
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn version_is(address: &str, wanted: &str) -> Outcome {
    let answer = http::get(address, "/catalog")?;
    let version = answer.header("x-service-version").unwrap_or_default();
    shell::say(&format!("$ curl {address}/catalog   -> {}, version {version}", answer.status));
    expect(answer.status == 200 && version == wanted, "the catalog has the right version")
}

fn same_images(stage: &Stage) -> Outcome {
    for standing in Summary::of(stage, u64::MAX)?.services {
        let is_same = standing.live["staging"] == standing.live["production"];
        expect(is_same, "staging and production run the same release")?;
    }
    Ok(())
}

fn gateway(stage: &Stage, environment: &str) -> Outcome<String> {
    let status = stage.json(&["status", environment])?;
    let address = status[0]["gateway"].as_str().ok_or("an environment that is up has a gateway")?;
    Ok(address.to_owned())
}

fn clean_up(stage: &Stage) -> Outcome {
    stage.chapter("Nothing is left running");
    for environment in ENVIRONMENTS {
        stage.fairway(&["down", environment, "--volumes", "--yes"])?;
    }
    Ok(())
}

fn keep(stage: &Stage) -> Outcome {
    for environment in ENVIRONMENTS {
        shell::say(&format!("{environment}: {}", gateway(stage, environment)?));
    }
    shell::say(&format!("the fleet is in {}", stage.fleet.display()));
    Ok(())
}

fn expect(is_so: bool, what: &str) -> Outcome {
    if is_so { Ok(()) } else { Err(format!("it is not so that {what}").into()) }
}

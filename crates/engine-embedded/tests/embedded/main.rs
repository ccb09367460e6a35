//! The embedded engine on this machine: needs root and `/bin/busybox` (Debian's
//! `busybox-static`).

mod fixture;

use fairway_engine::*;
use fixture::Fixture;

fn main() {
    fairway_engine_embedded::become_helper_if_asked();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let fixture = Fixture::new();
        let engine = fixture.engine();
        let group: GroupId = "g".parse().unwrap();
        engine.open(&group, Keep::WhileOwned).await.unwrap();
        for n in 0..20 {
            let begin = std::time::Instant::now();
            let id = ContainerId { group: group.clone(), name: format!("c{n}") };
            let spec = ContainerSpec {
                command: Command::Process(vec!["true".into()]),
                ..ContainerSpec::of(fixture.image)
            };
            if let Err(e) = engine.start(&id, &spec).await {
                panic!("{e:?}");
            }
            let started = begin.elapsed();
            let exit = engine.stop(&id).await.unwrap();
            let stopped = begin.elapsed();
            engine.remove(&id).await.unwrap();
            println!("{started:?} {stopped:?} {:?} {exit}", begin.elapsed());
        }
        engine.close(&group).await.unwrap();
    });
}

//! Files that go into containers and out of them.

use super::{Subject, cases, subject::said};
use crate::{ContainerSpec, Mount, RootAccess, Volume};
use fairway_model::{ByteSize, TreeDigest};

cases![
    a_tree_that_was_taken_out_can_be_put_in_elsewhere,
    a_tree_is_a_private_writable_copy,
    a_tree_belongs_to_the_containers_user,
    one_file_can_be_taken,
    a_path_that_is_not_there_gives_none,
    files_can_be_taken_after_the_end,
    files_in_mounts_can_be_taken_after_the_end,
    a_link_that_leads_out_gives_nothing_of_the_host,
    a_thousand_files_go_in_and_out_unchanged,
    a_volume_outlives_its_containers,
    an_empty_volume_gets_what_the_image_has_there_with_owners,
    memory_is_mounted_with_its_size,
    what_one_container_changes_no_other_sees,
];

async fn take(subject: &Subject, script: &str, path: &str) -> Option<TreeDigest> {
    let id = subject.start("source", &subject.shell(script)).await;
    assert!(subject.exit(&id).await.is_success());
    let tree = subject.sandbox.take_tree(&id, path).await.expect("it can be taken");
    subject.sandbox.remove(&id).await.expect("it is removed");
    tree
}

fn with_tree(subject: &Subject, tree: TreeDigest, script: &str) -> ContainerSpec {
    let mounts = vec![Mount::Tree { at: "/work".into(), tree }];
    ContainerSpec { mounts, ..subject.shell(script) }
}

const MAKE: &str = "mkdir -p /out/a/b && echo text > /out/a/b/file && chmod 750 /out/a/b/file \
                    && ln -s b/file /out/a/link && echo top > /out/top";

async fn a_tree_that_was_taken_out_can_be_put_in_elsewhere(subject: Subject) {
    subject.open().await;
    let tree = take(&subject, MAKE, "/out").await.expect("it is there");
    let show = "cd /work; cat top a/b/file a/link; stat -c %a a/b/file; readlink a/link";
    let shown = subject.run(&with_tree(&subject, tree, show)).await;
    assert_eq!(shown, "top\ntext\ntext\n750\nb/file");
    subject.close().await;
}

async fn a_tree_is_a_private_writable_copy(subject: Subject) {
    subject.open().await;
    let tree = take(&subject, MAKE, "/out").await.expect("it is there");
    let change = "cd /work && echo new > top && rm -r a && touch b && ls";
    for _ in 0..2 {
        let spec = with_tree(&subject, tree, change);
        let spec = ContainerSpec { root: RootAccess::ReadOnly, ..spec };
        assert_eq!(subject.run(&spec).await, "b\ntop");
    }
    subject.close().await;
}

async fn a_tree_belongs_to_the_containers_user(subject: Subject) {
    subject.open().await;
    let tree = take(&subject, MAKE, "/out").await.expect("it is there");
    let script = "cd /work && echo more >> a/b/file && touch new && stat -c %U . a top new";
    let spec = ContainerSpec { user: Some("app".into()), ..with_tree(&subject, tree, script) };
    assert_eq!(subject.run(&spec).await, "app\napp\napp\napp");
    subject.close().await;
}

async fn one_file_can_be_taken(subject: Subject) {
    subject.open().await;
    let tree = take(&subject, MAKE, "/out/a/b/file").await.expect("it is there");
    assert_eq!(
        subject.run(&with_tree(&subject, tree, "cd /work; ls; cat file")).await,
        "file\ntext"
    );
    subject.close().await;
}

async fn a_path_that_is_not_there_gives_none(subject: Subject) {
    subject.open().await;
    assert_eq!(take(&subject, MAKE, "/out/nothing/here").await, None);
    subject.close().await;
}

async fn files_can_be_taken_after_the_end(subject: Subject) {
    subject.open().await;
    let running = subject.start("running", &subject.shell(&format!("{MAKE}; sleep 600"))).await;
    let made = || async { said(&subject.exec(&running, "cat /out/top").await) == "top" };
    super::subject::until("the files are made", made).await;
    let while_running = subject.sandbox.take_tree(&running, "/out").await.expect("taken");
    assert_eq!(while_running, take(&subject, MAKE, "/out").await);
    subject.close().await;
}

async fn files_in_mounts_can_be_taken_after_the_end(subject: Subject) {
    subject.open().await;
    let tree = take(&subject, MAKE, "/out").await.expect("it is there");
    let id = subject.start("a", &with_tree(&subject, tree, "echo top > /work/top")).await;
    assert!(subject.exit(&id).await.is_success());
    assert_eq!(subject.sandbox.take_tree(&id, "/work").await.expect("taken"), Some(tree));
    subject.close().await;
}

async fn a_link_that_leads_out_gives_nothing_of_the_host(subject: Subject) {
    subject.open().await;
    let script = "ln -s /../../../../proc/1/root/etc /etc-of-host; ln -s /etc /inside; exit 0";
    let tree = take(&subject, script, "/etc-of-host").await;
    assert_eq!(tree, None);
    assert_eq!(take(&subject, script, "/inside/shadow").await, None);
    subject.close().await;
}

async fn a_thousand_files_go_in_and_out_unchanged(subject: Subject) {
    subject.open().await;
    let script = "mkdir -p /out; cd /out; for i in $(seq 1 1000); do echo $i > f$i; done";
    let tree = take(&subject, script, "/out").await.expect("it is there");
    let id = subject.start("a", &with_tree(&subject, tree, "ls /work | wc -l")).await;
    assert_eq!(subject.output(&id).await, "1000");
    assert_eq!(subject.sandbox.take_tree(&id, "/work").await.expect("taken"), Some(tree));
    subject.close().await;
}

fn with_volume(subject: &Subject, at: &str, script: &str) -> ContainerSpec {
    let volume = Volume { scope: subject.group.to_string(), name: "v".into() };
    let mounts = vec![Mount::Volume { at: at.into(), volume }];
    ContainerSpec { mounts, ..subject.shell(script) }
}

async fn a_volume_outlives_its_containers(subject: Subject) {
    subject.open().await;
    subject.run(&with_volume(&subject, "/v", "echo kept > /v/file")).await;
    subject.close().await;
    subject.open().await;
    assert_eq!(subject.run(&with_volume(&subject, "/v", "cat /v/file")).await, "kept");
    subject.close().await;
}

async fn an_empty_volume_gets_what_the_image_has_there_with_owners(subject: Subject) {
    subject.open().await;
    let script = "cat /data/seed; stat -c %U /data; echo more > /data/more";
    assert_eq!(subject.run(&with_volume(&subject, "/data", script)).await, "from the image\napp");
    assert_eq!(subject.run(&with_volume(&subject, "/data", "ls /data")).await, "more\nseed");
    subject.close().await;
}

async fn memory_is_mounted_with_its_size(subject: Subject) {
    subject.open().await;
    let mounts = vec![Mount::Tmpfs { at: "/memory".into(), size: ByteSize(1 << 20) }];
    let script = "head -c 2000000 /dev/zero > /memory/x 2>/dev/null || echo full; \
                  stat -c %s /memory/x";
    let spec = ContainerSpec { mounts, ..subject.shell(script) };
    assert_eq!(subject.run(&spec).await, "full\n1048576");
    subject.close().await;
}

async fn what_one_container_changes_no_other_sees(subject: Subject) {
    subject.open().await;
    let script = "test -e /data/changed && echo seen; rm /data/seed; touch /data/changed";
    assert_eq!(subject.run(&subject.shell(script)).await, "");
    assert_eq!(subject.run(&subject.shell(script)).await, "");
    subject.close().await;
}

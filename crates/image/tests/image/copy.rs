//! COPY, ADD and WORKDIR.

use crate::fixture::Fixture;
use std::{
    fs,
    io::Write,
    os::unix::fs::{MetadataExt, PermissionsExt},
};

crate::cases!(
    files_go_where_docker_puts_them,
    links_of_the_image_are_followed_within_it,
    owners_and_modes_are_set,
    ignored_files_are_not_copied,
    stages_copy_from_each_other,
    an_archive_is_unpacked_by_add_only,
    an_image_from_scratch_has_only_what_was_copied,
    a_working_directory_belongs_to_the_user,
    a_dockerfile_in_a_folder_has_this_folder_as_context,
);

async fn files_go_where_docker_puts_them() {
    let fixture = Fixture::new();
    let built = fixture
        .build(&[
            (
                "Dockerfile",
                "FROM busybox\nWORKDIR /app\nCOPY a.txt new\nCOPY a.txt dir/\nCOPY a.txt b.txt two/\n\
                 COPY sub /whole\nCOPY . .\nCOPY *.txt /glob/\nCOPY [\"with space\", \"/tmp\"]\n\
                 COPY link.txt /followed\n",
            ),
            ("a.txt", "a"),
            ("b.txt", "b"),
            ("sub/deep/c.txt", "c"),
            ("sub/link", "->deep"),
            ("with space", "s"),
            ("link.txt", "->a.txt"),
        ])
        .await
        .unwrap();
    let read = |path| fixture.read(&built.image, path);
    assert_eq!(read("app/new"), "a");
    assert_eq!(read("app/dir/a.txt"), "a");
    assert_eq!(read("app/two/b.txt"), "b");
    assert_eq!(read("whole/deep/c.txt"), "c");
    assert_eq!(read("app/sub/deep/c.txt"), "c");
    assert_eq!(read("glob/b.txt"), "b");
    assert_eq!(read("tmp/with space"), "s");
    assert_eq!(read("followed"), "a");
    let link = fixture.find(&built.image, "whole/link").unwrap();
    assert_eq!(fs::read_link(link).unwrap().to_str(), Some("deep"));
    fixture.assert_clean();
}

async fn links_of_the_image_are_followed_within_it() {
    let fixture = Fixture::new();
    let built = fixture
        .build(&[
            (
                "Dockerfile",
                "FROM busybox\nCOPY root /\nCOPY --from=scratch / /\nCOPY links /\nCOPY x /usr/sbin/\nCOPY x /out/evil\nCOPY x /abs/y\n",
            ),
            ("x", "x"),
            ("root/usr/sbin/tool", "t"),
            ("links/out", "->../../../../../var/tmp"),
            ("links/abs", "->/usr/share"),
        ])
        .await
        .unwrap();
    assert_eq!(fixture.read(&built.image, "usr/bin/x"), "x");
    assert_eq!(fixture.read(&built.image, "usr/bin/tool"), "t");
    assert_eq!(fixture.read(&built.image, "var/tmp/evil"), "x");
    assert_eq!(fixture.read(&built.image, "usr/share/y"), "x");
    assert!(!std::path::Path::new("/var/tmp/evil").exists());
}

async fn owners_and_modes_are_set() {
    let fixture = Fixture::new();
    let built = fixture
        .build(&[
            (
                "Dockerfile",
                "FROM busybox\nARG WHO=app\nCOPY x /plain\nCOPY --chown=$WHO:staff --chmod=0640 x /a\n\
                 COPY --chown=7 d /d\nCOPY --chown=app x /b\n",
            ),
            ("x", "x"),
            ("d/y", "y"),
        ])
        .await
        .unwrap();
    let look = |path| {
        let found = fs::metadata(fixture.find(&built.image, path).unwrap()).unwrap();
        (found.uid(), found.gid(), found.permissions().mode() & 0o7777)
    };
    assert_eq!(look("plain"), (0, 0, 0o644));
    assert_eq!(look("a"), (1000, 50, 0o640));
    assert_eq!(look("d/y"), (7, 7, 0o644));
    assert_eq!(look("b"), (1000, 1001, 0o644));
}

async fn ignored_files_are_not_copied() {
    let fixture = Fixture::new();
    let built = fixture
        .build(&[
            ("Dockerfile", "FROM busybox\nCOPY . /app/\n"),
            (".dockerignore", "Dockerfile\n.dockerignore\nnode_modules\n*.md\n!README.md\n"),
            ("node_modules/x/index.js", "x"),
            ("README.md", "r"),
            ("OTHER.md", "o"),
            ("src/main.js", "m"),
        ])
        .await
        .unwrap();
    for (path, is_there) in [
        ("app/src/main.js", true),
        ("app/README.md", true),
        ("app/OTHER.md", false),
        ("app/node_modules", false),
        ("app/Dockerfile", false),
    ] {
        assert_eq!(fixture.find(&built.image, path).is_some(), is_there, "{path}");
    }
}

async fn stages_copy_from_each_other() {
    let fixture = Fixture::new();
    let built = fixture
        .build(&[
            (
                "Dockerfile",
                "FROM busybox AS one\nRUN mkdir -p /out/d && echo made >/out/d/f && chmod 4755 /out/d/f \
                 && ln -s d /out/l\nCOPY x /x\n\
                 FROM busybox AS unused\nRUN false\n\
                 FROM scratch\nCOPY --from=one /out /copied\nCOPY --from=0 /out/d/f /x /single/\n\
                 COPY --from=busybox --chown=5:6 /bin/busybox /bb\nCOPY --from=one /out/l/* /glob/\n",
            ),
            ("x", "x"),
        ])
        .await
        .unwrap();
    assert_eq!(fixture.read(&built.image, "copied/d/f"), "made\n");
    let mode = fs::metadata(fixture.find(&built.image, "copied/d/f").unwrap()).unwrap().mode();
    assert_eq!(mode & 0o7777, 0o4755);
    assert_eq!(fixture.read(&built.image, "single/f"), "made\n");
    assert_eq!(fixture.read(&built.image, "single/x"), "x");
    assert_eq!(fixture.read(&built.image, "glob/f"), "made\n");
    let link = fixture.find(&built.image, "copied/l").unwrap();
    assert_eq!(fs::read_link(link).unwrap().to_str(), Some("d"));
    let owner = fs::metadata(fixture.find(&built.image, "bb").unwrap()).unwrap();
    assert_eq!((owner.uid(), owner.gid()), (5, 6));
    fixture.assert_clean();
}

async fn an_archive_is_unpacked_by_add_only() {
    let fixture = Fixture::new();
    let text = "FROM scratch\nADD a.tar /un/\nADD a.tgz /gz/\nCOPY a.tar /kept\n";
    let mut request = fixture.request(&[("Dockerfile", text)]);
    let folder = fixture.dir.path().join("context");
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(4);
    header.set_mode(0o600);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1);
    tar.append_data(&mut header, "in/side", &b"text"[..]).unwrap();
    let tar = tar.into_inner().unwrap();
    fs::write(folder.join("a.tar"), &tar).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar).unwrap();
    fs::write(folder.join("a.tgz"), gzip.finish().unwrap()).unwrap();
    request.tree = fixture.capture(&folder);
    let built = fixture.build_request(&request).await.unwrap();
    assert_eq!(fixture.read(&built.image, "un/in/side"), "text");
    assert_eq!(fixture.read(&built.image, "gz/in/side"), "text");
    assert_eq!(fs::read(fixture.find(&built.image, "kept").unwrap()).unwrap(), tar);
}

async fn an_image_from_scratch_has_only_what_was_copied() {
    let fixture = Fixture::new();
    let dockerfile = "FROM scratch\nCOPY x /x\nUSER 65534:65534\nCMD [\"/x\"]\n";
    let built = fixture.build(&[("Dockerfile", dockerfile), ("x", "x")]).await.unwrap();
    let image = fixture.layers.image(&built.image).unwrap();
    assert_eq!(image.lower_dirs.len(), 1);
    assert_eq!(fs::read_dir(&image.lower_dirs[0]).unwrap().count(), 1);
    assert_eq!(image.config.config.user, "65534:65534");
}

async fn a_working_directory_belongs_to_the_user() {
    let fixture = Fixture::new();
    let dockerfile = "FROM busybox\nWORKDIR /one/two\nUSER app\nWORKDIR three\nRUN touch mine && pwd\n\
                      WORKDIR /tmp\n";
    let built = fixture.build(&[("Dockerfile", dockerfile)]).await.unwrap();
    assert_eq!(fixture.printed(), "/one/two/three\n");
    let owner = |path| fs::metadata(fixture.find(&built.image, path).unwrap()).unwrap().uid();
    assert_eq!((owner("one/two"), owner("one/two/three/mine")), (0, 1000));
    assert_eq!(fixture.config(&built.image).config.working_dir, "/tmp");
}

async fn a_dockerfile_in_a_folder_has_this_folder_as_context() {
    let fixture = Fixture::new();
    let folder = fixture.dir.path().join("context");
    let files = [
        ("Dockerfile", "FROM nowhere"),
        ("sub/Dockerfile", "FROM scratch\nCOPY x /x"),
        ("sub/x", "in"),
    ];
    let mut request = fixture.request(&files);
    request.tree = fixture.capture(&folder);
    request.dockerfile = String::from("sub/Dockerfile");
    let built = fixture.build_request(&request).await.unwrap();
    assert_eq!(fixture.read(&built.image, "x"), "in");
}

//! A tiny fleet: `hello` serves its version, `greeter` uses it.

use std::{fs, path::Path};

pub const FLEET: &str = "\
fleet: tiny
services: [services/*]
bases:
  busybox:latest: { dockerfile: images/busybox }
environments:
  staging: { engine: embedded }
  production: { engine: embedded, from: staging }
";

const BUSYBOX: &str = "\
FROM scratch
COPY busybox /bin/busybox
RUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]
ENV PATH=/bin
";

const HELLO: &str = "\
service: hello
port: 8080
ready: { http: / }
routes:
  - { path: /hello, strip: true }
pipeline:
  stages:
    unit:
      steps: [test -s version.txt]
";

const GREETER: &str = "\
service: greeter
port: 8080
ready: { http: / }
uses:
  hello: { service: hello }
routes:
  - { path: / }
pipeline:
  stages:
    contract:
      uses: [hello]
      steps: [wget -q -O - http://hello:8080/version.txt]
";

const DOCKERFILE: &str = "\
FROM busybox
COPY version.txt /www/
RUN cp /www/version.txt /www/index.html
STOPSIGNAL SIGKILL
CMD [\"httpd\", \"-f\", \"-p\", \"8080\", \"-h\", \"/www\"]
";

/// Writes all files of the fleet.
pub fn write(root: &Path) {
    let write = |path: &str, text: &str| write_file(root, path, text);
    write("fleet.yaml", FLEET);
    write("images/busybox/Dockerfile", BUSYBOX);
    fs::copy("/bin/busybox", root.join("images/busybox/busybox")).unwrap();
    for (service, config) in [("hello", HELLO), ("greeter", GREETER)] {
        write(&format!("services/{service}/fairway.yaml"), config);
        write(&format!("services/{service}/Dockerfile"), DOCKERFILE);
        write(&format!("services/{service}/version.txt"), "one\n");
    }
}

/// Writes a file and the folders above it.
pub fn write_file(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

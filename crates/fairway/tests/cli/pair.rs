//! A fleet of two services that end as servers should: `catalog` has two replicas, `orders` asks it
//! over kept connections. Both are nginx, copied from this machine with the libraries it needs.

use crate::{fleet::write_file, world::World};
use std::{fs, path::Path, process::Command};

const NGINX: &str = "/usr/sbin/nginx";

const FLEET: &str = "\
fleet: pair
services: [services/*]
bases: { 'nginx:latest': { dockerfile: images/nginx } }
environments: { staging: { engine: embedded } }
";

const BASE: &str = "\
FROM scratch
COPY root/ /
RUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]
";

const DOCKERFILE: &str = "\
FROM nginx
COPY . /srv/
STOPSIGNAL SIGQUIT
CMD [\"/usr/sbin/nginx\", \"-c\", \"/srv/nginx.conf\"]
";

const CATALOG: &str = "\
service: catalog
port: 8080
ready: { http: /version.txt }
replicas: 2
routes: [{ path: /catalog, strip: true }]
pipeline: { stages: { unit: { steps: ['true'] } } }
";

const ORDERS: &str = "\
service: orders
port: 8080
ready: { http: /healthz }
uses: { catalog: { service: catalog } }
routes: [{ path: /orders }]
pipeline: { stages: { unit: { image: nginx, steps: ['true'] } } }
";

/// `/slow` takes two seconds.
const CATALOG_CONF: &str = "\
server {
    listen 8080;
    root /srv;
    location /slow { limit_rate 2k; limit_rate_after 1; }
}
";

const ORDERS_CONF: &str = "\
upstream catalog { server catalog:8080; keepalive 16; }
server {
    listen 8080;
    location = /healthz { return 200 ok; }
    location /orders/ {
        proxy_pass http://catalog/;
        proxy_http_version 1.1;
        proxy_set_header Connection '';
    }
}
";

/// How many bytes `/slow` has.
pub const SLOW_BYTES: usize = 4096;

/// Writes all files of the fleet.
pub fn write(root: &Path) {
    let write = |path: &str, text: &str| write_file(root, path, text);
    write("fleet.yaml", FLEET);
    write("images/nginx/Dockerfile", BASE);
    copy_nginx(&root.join("images/nginx/root"));
    for (service, config, conf) in
        [("catalog", CATALOG, CATALOG_CONF), ("orders", ORDERS, ORDERS_CONF)]
    {
        write(&format!("services/{service}/fairway.yaml"), config);
        write(&format!("services/{service}/Dockerfile"), DOCKERFILE);
        write(&format!("services/{service}/nginx.conf"), &in_full(conf));
    }
    write("services/catalog/version.txt", "1");
    write("services/catalog/slow", &"a".repeat(SLOW_BYTES));
}

/// Two releases of `catalog` and one of `orders`, of which the first ones are live.
pub fn with_two_releases() -> World {
    let world = World::of(write);
    world.fairway(&["run"]).passed();
    world.write("services/catalog/version.txt", "2");
    world.commit();
    world.fairway(&["run", "catalog"]).passed();
    world.fairway(&["promote", "catalog@1", "staging"]).passed();
    world.fairway(&["promote", "orders", "staging"]).passed();
    world
}

fn in_full(server: &str) -> String {
    format!(
        "daemon off; user root root; worker_processes 1; error_log stderr; pid /tmp/nginx.pid;
         events {{ worker_connections 512; }}
         http {{ access_log off; keepalive_requests 1000000; {server} }}"
    )
}

fn copy_nginx(root: &Path) {
    let libraries = Command::new("ldd").arg(NGINX).output().unwrap();
    let libraries = String::from_utf8(libraries.stdout).unwrap();
    let paths = libraries.split_whitespace().filter(|word| word.starts_with('/'));
    for path in paths.chain([NGINX, "/bin/busybox"]) {
        let target = root.join(path.trim_start_matches('/'));
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(path, target).unwrap();
    }
    for folder in ["var/log/nginx", "var/lib/nginx", "tmp"] {
        write_file(root, &format!("{folder}/.keep"), "");
    }
    write_file(root, "etc/passwd", "root:x:0:0::/:/bin/sh\n");
    write_file(root, "etc/group", "root:x:0:\n");
}

/// The address of the gateway.
pub fn gateway(world: &World) -> String {
    let status = world.fairway(&["status", "staging", "--output", "json"]).passed().json();
    status[0]["gateway"].as_str().unwrap().to_owned()
}

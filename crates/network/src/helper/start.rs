//! How a helper comes up: for a new network, or for one whose helper was killed.

use super::kernel::Kernel;
use super::ports::Ports;
use super::requests::Helper;
use super::{Announcement, Order, announce, detach, holder};
use crate::addresses::{Plan, parse_routes};
use crate::error::Fault;
use crate::files::{self, Files};
use crate::host_rules::Firewall;
use crate::names::NameServer;
use crate::namespace::Namespace;
use crate::protocol::VERSION;
use crate::state::State;
use rustix::fs::FlockOperation;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::Path,
};
use tokio::{net::UnixListener, sync::watch};

/// The MTU where the host does not say.
const MTU: u32 = 1500;

/// Serves a network until it is removed or its owner ends.
pub(super) fn serve(order: &Order) -> Result<(), Fault> {
    detach()?;
    let files = order.files();
    let Some(lock) = lock(&files).map_err(Fault::doing("lock the network"))? else {
        return announce(&Announcement::Busy).map_err(Fault::doing("say so"));
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Fault::doing("start the runtime"))?;
    let served = runtime.block_on(async {
        let (helper, listener) = start(order, files).await?;
        announce(&Announcement::Ready).map_err(Fault::doing("say that all is ready"))?;
        helper.run(listener).await
    });
    drop(lock);
    served
}

fn lock(files: &Files) -> io::Result<Option<File>> {
    let file = File::create(files.lock())?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

async fn start(order: &Order, files: Files) -> Result<(Helper, UnixListener), Fault> {
    let host = Namespace::current().map_err(Fault::doing("look at the host's namespace"))?;
    let state = load(&files, order)?;
    let (inner, found) = namespace(order, &files, &host, &state).await?;
    let started = bring_up(order, files.clone(), Kernel::open(host, inner), (state, found)).await;
    if started.is_err()
        && found == Namespaced::New
        && let Some(holder) = files.holder()
    {
        holder.kill().map_err(Fault::doing("end the holder"))?;
    }
    started
}

async fn bring_up(
    order: &Order,
    files: Files,
    kernel: io::Result<Kernel>,
    (mut state, found): (State, Namespaced),
) -> Result<(Helper, UnixListener), Fault> {
    let kernel = kernel.map_err(Fault::doing("talk to the kernel"))?;
    state.members.retain(|_, place| place.process.is_alive());
    if found == Namespaced::New {
        kernel.furnish(&mut state).await?;
    }
    let uplink = state.uplink.expect("a furnished network has an uplink");
    state.firewall = kernel.apply_all(&state, uplink).await?;
    if found == Namespaced::New {
        for place in state.members.values() {
            kernel.plug(place, &state).await?;
        }
    }
    furnish_helper(order, files, kernel, state).await
}

async fn furnish_helper(
    order: &Order,
    files: Files,
    kernel: Kernel,
    state: State,
) -> Result<(Helper, UnixListener), Fault> {
    let (names, seen) = watch::channel(state.zone());
    let gateway = state.plan.inner.gateway();
    let server = kernel
        .inner
        .enter(|| NameServer::bind(gateway, seen))
        .and_then(|bound| bound)
        .map_err(Fault::doing("start the name server"))?;
    tokio::spawn(server.serve());
    let listener = listen(&files).map_err(Fault::doing("listen for requests"))?;
    let order = order.clone();
    let mut helper = Helper { order, files, kernel, state, names, ports: Ports::default() };
    helper.reopen_ports().await;
    helper.save()?;
    Ok((helper, listener))
}

/// Whether a namespace was there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Namespaced {
    Found,
    New,
}

async fn namespace(
    order: &Order,
    files: &Files,
    host: &Namespace,
    state: &State,
) -> Result<(Namespace, Namespaced), Fault> {
    if let (Some(found), Some(_)) = (holder::find(files, host), state.uplink) {
        return Ok((found, Namespaced::Found));
    }
    if let Some(unfinished) = files.holder() {
        unfinished.kill().map_err(Fault::doing("end an unfinished holder"))?;
    }
    Ok((holder::start(order, None).await?, Namespaced::New))
}

/// The state as it was left since the machine started, else that of a new network.
fn load(files: &Files, order: &Order) -> Result<State, Fault> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map_err(Fault::doing("read the boot id"))?;
    if let Ok(bytes) = files::read(&files.state())
        && let Ok(state) = serde_json::from_slice::<State>(&bytes)
        && state.boot == boot
        && state.version == VERSION
    {
        return Ok(State { owner: order.owner, ..state });
    }
    let routes =
        fs::read_to_string("/proc/thread-self/net/route").map_err(Fault::doing("read routes"))?;
    let (routes, default) = parse_routes(&routes);
    Ok(State {
        version: VERSION,
        boot,
        id: order.id.clone(),
        owner: order.owner,
        plan: Plan::beside(&routes),
        mtu: default.and_then(|link| mtu_of(&link)).unwrap_or(MTU),
        uplink: None,
        firewall: Firewall::Open,
        members: BTreeMap::new(),
        last_member: 0,
        services: BTreeMap::new(),
        published: Vec::new(),
    })
}

fn mtu_of(link: &str) -> Option<u32> {
    fs::read_to_string(format!("/sys/class/net/{link}/mtu")).ok()?.trim().parse().ok()
}

fn listen(files: &Files) -> io::Result<UnixListener> {
    let socket = files.socket();
    match fs::remove_file(&socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // By the descriptor of its directory: paths of sockets are short.
    let directory = File::open(files.directory())?;
    UnixListener::bind(short(&directory, &socket))
}

/// A short path of a file in an open directory.
pub(crate) fn short(directory: &File, path: &Path) -> std::path::PathBuf {
    use std::os::fd::AsRawFd as _;
    let name = path.file_name().unwrap_or_default();
    Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string()).join(name)
}

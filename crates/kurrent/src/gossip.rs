//! `Gossip/Read`: there is one node, it leads, and it is where the caller called it.

use crate::{
    recorded::Ids,
    wire::gossip::{ClusterInfo, EndPoint, LEADER, MemberInfo},
};
use fairway_ledger::{EventId, Ledger};
use http::{HeaderMap, Uri, header::HOST, uri::Authority};

/// What the caller called this server.
pub(crate) fn called(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let host = || headers.get(HOST)?.to_str().ok()?.parse().ok();
    uri.authority().cloned().or_else(host)
}

/// The one node.
pub(crate) fn cluster(ledger: &Ledger, called: Option<Authority>, is_tls: bool) -> ClusterInfo {
    let mut id = [0; 16];
    id[8..].copy_from_slice(&ledger.id().0.to_be_bytes());
    let end_point = called.map(|authority| EndPoint {
        address: authority.host().trim_matches(['[', ']']).to_owned(),
        port: u32::from(authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 })),
    });
    ClusterInfo {
        members: vec![MemberInfo {
            instance_id: Some(Ids::Text.send(EventId(id))),
            time_stamp: i64::try_from(ledger.clock().now().0).unwrap_or(i64::MAX),
            state: LEADER,
            is_alive: true,
            http_end_point: end_point,
        }],
    }
}

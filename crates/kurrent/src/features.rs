//! `ServerFeatures/GetSupportedMethods`: what this server can do, as clients ask on connecting.

use crate::wire::features::{SupportedMethod, SupportedMethods};

/// The version of KurrentDB whose behaviour is followed.
const VERSION: &str = "26.1.0";

/// Services, methods and their features.
const SUPPORTED: &[(&str, &[&str], &[&str])] = &[
    ("event_store.client.gossip.gossip", &["read"], &[]),
    (
        "event_store.client.streams.streams",
        &["read", "append", "batchappend", "delete", "tombstone"],
        &[],
    ),
    (
        "event_store.client.persistent_subscriptions.persistentsubscriptions",
        &["create", "update", "delete", "read", "getinfo", "replayparked", "list"],
        &["stream", "all"],
    ),
    (
        "event_store.client.persistent_subscriptions.persistentsubscriptions",
        &["restartsubsystem"],
        &[],
    ),
    ("kurrentdb.protocol.v2.streams.streamsservice", &["appendsession", "appendrecords"], &[]),
    ("event_store.client.server_features.serverfeatures", &["getsupportedmethods"], &[]),
];

/// All that is supported.
pub(crate) fn supported() -> SupportedMethods {
    let method = |service: &str, method: &str, features: &[&str]| SupportedMethod {
        method_name: method.to_owned(),
        service_name: service.to_owned(),
        features: features.iter().map(|&feature| feature.to_owned()).collect(),
    };
    let methods = SUPPORTED.iter().flat_map(|(service, methods, features)| {
        methods.iter().map(move |name| method(service, name, features))
    });
    SupportedMethods { methods: methods.collect(), event_store_server_version: VERSION.to_owned() }
}

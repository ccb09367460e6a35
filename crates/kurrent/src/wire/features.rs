//! Messages of `event_store.client.server_features.ServerFeatures`.

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SupportedMethods {
    #[prost(message, repeated, tag = "1")]
    pub(crate) methods: Vec<SupportedMethod>,
    #[prost(string, tag = "2")]
    pub(crate) event_store_server_version: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SupportedMethod {
    #[prost(string, tag = "1")]
    pub(crate) method_name: String,
    #[prost(string, tag = "2")]
    pub(crate) service_name: String,
    #[prost(string, repeated, tag = "3")]
    pub(crate) features: Vec<String>,
}

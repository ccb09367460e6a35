//! The access log: one record per request, handed to a bounded queue that never makes a request
//! wait. A record that finds the queue full is counted and dropped.

use fairway_model::{ServiceName, Timestamp};
use http::{HeaderValue, Method, StatusCode, Uri};
use serde::{Serialize, Serializer, ser::SerializeStruct};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::mpsc;

/// The time of day, for records; the caller has the clock.
pub type Clock = fn() -> Timestamp;

/// Where a gateway hands its records.
#[derive(Debug, Clone)]
pub struct AccessLog {
    sender: mpsc::Sender<AccessRecord>,
    dropped: Arc<AtomicU64>,
    clock: Clock,
}

/// The reading end of an access log.
#[derive(Debug)]
pub struct AccessRecords {
    receiver: mpsc::Receiver<AccessRecord>,
    dropped: Arc<AtomicU64>,
}

/// What became of one request.
#[derive(Debug, Clone)]
pub struct AccessRecord {
    /// When its head was read.
    pub time: Timestamp,
    /// Its method; none if the request could not be parsed.
    pub method: Option<Method>,
    /// Its target; none if the request could not be parsed. Serialized without its query, which may
    /// hold what does not belong in logs.
    pub target: Option<Uri>,
    /// The status the client was sent; none if it left before.
    pub status: Option<StatusCode>,
    /// How it ended.
    pub ending: Ending,
    /// Bytes of body read from the client.
    pub bytes_in: u64,
    /// Bytes of body handed to the client's connection.
    pub bytes_out: u64,
    /// From its head being read to the last byte of its response being handed on.
    pub duration: Duration,
    /// The service its route leads to.
    pub service: Option<Arc<ServiceName>>,
    /// The backend that was asked last.
    pub backend: Option<SocketAddr>,
    /// The id it carries to the service and back.
    pub request_id: Option<HeaderValue>,
    /// Attempts after the first.
    pub retries: u32,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The client got a response, whole.
    Complete,
    /// The client left, or took too long to take its response.
    ClientGone,
    /// The backend broke off its response or paused for too long in it.
    BackendGone,
}

impl AccessLog {
    /// Makes a log that holds at most `capacity` records that were not read yet.
    ///
    /// # Panics
    /// If the capacity is 0.
    pub fn bounded(capacity: usize, clock: Clock) -> (Self, AccessRecords) {
        let (sender, receiver) = mpsc::channel(capacity);
        let dropped = Arc::new(AtomicU64::new(0));
        (Self { sender, dropped: dropped.clone(), clock }, AccessRecords { receiver, dropped })
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub(crate) fn hand_on(&self, record: AccessRecord) {
        if self.sender.try_send(record).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl AccessRecords {
    /// Waits for records and moves up to `limit` of them into `into`; 0 when the log is closed.
    pub async fn receive(&mut self, into: &mut Vec<AccessRecord>, limit: usize) -> usize {
        self.receiver.recv_many(into, limit).await
    }

    /// Records that were dropped because the queue was full, since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl AccessRecord {
    /// The path of the request, without its query.
    pub fn path(&self) -> Option<&str> {
        self.target.as_ref().map(Uri::path)
    }
}

impl Serialize for AccessRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("AccessRecord", 12)?;
        fields.serialize_field("time", &self.time)?;
        fields.serialize_field("method", &self.method.as_ref().map(Method::as_str))?;
        fields.serialize_field("path", &self.path())?;
        fields.serialize_field("status", &self.status.map(|status| status.as_u16()))?;
        fields.serialize_field("ending", &self.ending)?;
        fields.serialize_field("bytes_in", &self.bytes_in)?;
        fields.serialize_field("bytes_out", &self.bytes_out)?;
        fields.serialize_field("duration_ms", &(self.duration.as_secs_f64() * 1000.0))?;
        fields.serialize_field("service", &self.service.as_deref())?;
        fields.serialize_field("backend", &self.backend)?;
        let id = self.request_id.as_ref().and_then(|id| id.to_str().ok());
        fields.serialize_field("request_id", &id)?;
        fields.serialize_field("retries", &self.retries)?;
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn record() -> AccessRecord {
        AccessRecord {
            time: Timestamp(1_700_000_000_000),
            method: Some(Method::GET),
            target: Some("/orders/1?token=secret".parse().unwrap()),
            status: Some(StatusCode::OK),
            ending: Ending::Complete,
            bytes_in: 0,
            bytes_out: 12,
            duration: Duration::from_micros(1500),
            service: Some(Arc::new("orders".parse().unwrap())),
            backend: Some("10.0.0.2:80".parse().unwrap()),
            request_id: Some(HeaderValue::from_static("abc")),
            retries: 0,
        }
    }

    #[test]
    fn a_record_is_one_json_object_without_the_query() {
        let json = serde_json::to_string(&record()).unwrap();
        expect![[r#"{"time":1700000000000,"method":"GET","path":"/orders/1","status":200,"ending":"complete","bytes_in":0,"bytes_out":12,"duration_ms":1.5,"service":"orders","backend":"10.0.0.2:80","request_id":"abc","retries":0}"#]].assert_eq(&json);
    }

    #[test]
    fn a_full_log_counts_what_it_drops() {
        let (log, records) = AccessLog::bounded(2, || Timestamp(0));
        (0..5).for_each(|_| log.hand_on(record()));
        assert_eq!(records.dropped(), 3);
    }
}

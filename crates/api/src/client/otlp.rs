//! Spans on their way to a collector: OTLP over HTTP, as protobuf
//! (opentelemetry-proto 1.x, `trace/v1/trace.proto` and `collector/trace/v1/trace_service.proto`).
//!
//! The few messages that are needed are written here. Nothing is read but the status of the answer.

use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use reqwest::Method;

use super::{ClientError, Connection, Target};
use crate::trace::{Fact, Span, Tracer};

/// Spans of one request, and how long they are gathered.
const BATCH_MOST: usize = 512;
const GATHER: Duration = Duration::from_secs(1);
/// How long the collector may take.
const ANSWER_MOST: Duration = Duration::from_secs(5);

/// Sends spans on a thread of its own. Dropped, it sends what was told so far, and is done within a bound.
#[derive(Debug)]
pub struct Exporter {
    stop: Option<std::sync::mpsc::SyncSender<()>>,
    done: Receiver<()>,
}

impl Exporter {
    /// Sends to a collector what the tracer is told; `service` says whose it is. `said` hears when the collector does not
    /// take it, and when it does again.
    ///
    /// # Errors
    /// When the connection cannot be set up, or no thread started.
    pub fn start(
        collector: &str,
        service: &'static str,
        percent: u8,
        said: impl Fn(Result<(), String>) + Send + 'static,
    ) -> Result<(Tracer, Exporter), ClientError> {
        let target: Target = collector.parse().map_err(ClientError::Setup)?;
        // The address of a collector is completed as the OpenTelemetry specification has it, unless it has a path already.
        let path = match &target {
            Target::Url(url) if url.split_once("://").is_some_and(|(_, rest)| rest.contains('/')) => "",
            Target::Url(_) | Target::Socket(_) => "/v1/traces",
        };
        let connection = Connection::new(target, None, None)?;
        let failed = |error: std::io::Error| ClientError::Setup(format!("a thread cannot be started: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (tracer, spans) = Tracer::new(percent);
        let ((stop, stopped), (finished, done)) = (sync_channel(1), sync_channel(1));
        let counting = tracer.clone();
        let work = move || {
            let mut away = false;
            loop {
                let (batch, last) = gathered(&spans, &stopped);
                if !batch.is_empty() {
                    let count = batch.len() as u64;
                    let body = request(service, &batch);
                    let sent = runtime.block_on(send(&connection, path, body));
                    if sent.is_err() {
                        counting.dropped(count);
                    }
                    // Said once, not with each batch.
                    if sent.is_err() != away {
                        away = sent.is_err();
                        said(sent);
                    }
                }
                if last {
                    break;
                }
            }
            let _ = finished.send(());
        };
        std::thread::Builder::new().name("otlp".into()).spawn(work).map_err(failed)?;
        Ok((tracer, Exporter { stop: Some(stop), done }))
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.done.recv_timeout(ANSWER_MOST);
    }
}

/// The next spans, and whether they are the last.
fn gathered(spans: &Receiver<Span>, stopped: &Receiver<()>) -> (Vec<Span>, bool) {
    let mut batch = Vec::new();
    let until = Instant::now() + GATHER;
    loop {
        let stops = matches!(stopped.try_recv(), Err(std::sync::mpsc::TryRecvError::Disconnected));
        if stops {
            batch.extend(spans.try_iter());
            return (batch, true);
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || batch.len() >= BATCH_MOST {
            return (batch, false);
        }
        match spans.recv_timeout(left.min(Duration::from_millis(100))) {
            Ok(span) => batch.push(span),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return (batch, true),
        }
    }
}

async fn send(connection: &Connection, path: &str, body: Vec<u8>) -> Result<(), String> {
    let request = connection.request(Method::POST, path).header("content-type", "application/x-protobuf").body(body);
    let answer = connection.send(request.timeout(ANSWER_MOST)).await;
    answer.map(drop).map_err(|error| error.to_string())
}

/// A message of protobuf: fields by number.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn number(mut self, field: u32, value: u64) -> Message {
        self.varint(u64::from(field) << 3);
        self.varint(value);
        self
    }

    fn fixed64(mut self, field: u32, value: u64) -> Message {
        self.varint(u64::from(field) << 3 | 1);
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn bytes(mut self, field: u32, bytes: &[u8]) -> Message {
        self.varint(u64::from(field) << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    fn each<T>(self, all: impl IntoIterator<Item = T>, put: impl Fn(Message, T) -> Message) -> Message {
        all.into_iter().fold(self, put)
    }
}

/// KeyValue with an AnyValue.
fn attribute(name: &str, fact: &Fact) -> Vec<u8> {
    let value = match fact {
        Fact::Text(text) => Message::default().bytes(1, text.as_bytes()),
        // A negative one is ten bytes, as of any int64.
        Fact::Number(number) => Message::default().number(3, *number as u64),
    };
    Message::default().bytes(1, name.as_bytes()).bytes(2, &value.0).0
}

/// Span.
fn span(span: &Span) -> Vec<u8> {
    const INTERNAL: u64 = 1;
    const ERROR: u64 = 2;
    let Span { job, id, parent, name, from_ns, to_ns, facts, link, failed } = span;
    let mut message = Message::default().bytes(1, &job.as_u128().to_be_bytes()).bytes(2, &id.0.to_be_bytes());
    if let Some(parent) = parent {
        message = message.bytes(4, &parent.0.to_be_bytes());
    }
    message = message.bytes(5, name.as_bytes()).number(6, INTERNAL).fixed64(7, *from_ns).fixed64(8, *to_ns);
    let of_job = ("job.id", Fact::Text(job.to_string()));
    message = message
        .each(std::iter::once(&of_job).chain(facts), |message, (name, fact)| message.bytes(9, &attribute(name, fact)));
    if let Some(link) = link {
        let link = Message::default().bytes(1, &link.trace.to_be_bytes()).bytes(2, &link.span.to_be_bytes());
        message = message.bytes(13, &link.0);
    }
    if *failed {
        message = message.bytes(15, &Message::default().number(3, ERROR).0);
    }
    message.0
}

/// ExportTraceServiceRequest.
fn request(service: &str, spans: &[Span]) -> Vec<u8> {
    let facts = [("service.name", service), ("service.version", env!("CARGO_PKG_VERSION"))];
    let resource = Message::default()
        .each(facts, |message, (name, value)| message.bytes(1, &attribute(name, &Fact::Text(value.to_owned()))));
    let scope = Message::default().bytes(1, b"gambeson");
    let of_scope = Message::default().bytes(1, &scope.0).each(spans, |message, one| message.bytes(2, &span(one)));
    let of_resource = Message::default().bytes(1, &resource.0).bytes(2, &of_scope.0);
    Message::default().bytes(1, &of_resource.0).0
}

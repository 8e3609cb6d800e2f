//! Raw connections against the accept loop: what hyper, our limits and our closing make of them.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use futures_util::stream;
use gambeson_api::{BlobQuery, Problem};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::*;
use crate::body::{BlobBody, Bounds, Json};

/// Told of what happens inside.
#[derive(Clone, Default)]
struct Seen {
    entered: Arc<Notify>,
    left: Arc<Notify>,
    go: Arc<Notify>,
    drained: Arc<OnceLock<()>>,
}

struct Leaves(Arc<Notify>);

impl Drop for Leaves {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

fn routes(seen: &Seen, bounds: Bounds) -> Router {
    let parked = seen.clone();
    let endless = seen.left.clone();
    let router = Router::new()
        .route("/json", post(|Json(query): Json<BlobQuery>| async move { Json(query) }))
        .route(
            "/blob",
            post(|BlobBody(mut body): BlobBody| async move {
                let mut size = 0;
                while let Some(piece) = body.piece().await? {
                    size += piece.len();
                }
                crate::failure::Answered::Ok(format!("{size} bytes"))
            }),
        )
        .route(
            "/parked",
            get(move || async move {
                let _leaves = Leaves(parked.left);
                parked.entered.notify_one();
                parked.go.notified().await;
                "at last"
            }),
        )
        .route(
            "/endless",
            get(move || async move {
                let leaves = Leaves(endless);
                let chunk = Bytes::from(vec![b'x'; 64 << 10]);
                Body::from_stream(stream::repeat_with(move || {
                    let _held = &leaves;
                    Ok::<_, Infallible>(chunk.clone())
                }))
            }),
        );
    crate::routes::finished(router.with_state(bounds), crate::envelope::Envelope::default())
}

struct Server {
    addresses: Vec<Address>,
    seen: Seen,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), ServeError>>,
}

/// Small patience, so that tests need little; what must not run out in a test is long.
fn options() -> Options {
    Options { listen: vec!["127.0.0.1:0".parse().unwrap()], body_max: 1 << 20, blob_max: 2 << 20, ..Options::default() }
}

async fn start(options: Options) -> Server {
    let seen = Seen::default();
    let router = routes(&seen, options.bounds());
    let (stop, stopped) = oneshot::channel::<()>();
    let (tell, told) = oneshot::channel();
    let drained = Arc::clone(&seen.drained);
    let ended = tokio::spawn(async move {
        let stop = async { drop(stopped.await) };
        let drain = async move { drained.set(()).unwrap() };
        serve_router(router, &options, stop, |addresses| tell.send(addresses.to_vec()).unwrap(), drain).await
    });
    let addresses = told.await.expect("it listens");
    Server { addresses, seen, stop, ended }
}

impl Server {
    async fn connect(&self) -> TcpStream {
        let Address::Tcp { address, .. } = &self.addresses[0] else { panic!("no TCP") };
        TcpStream::connect(address).await.unwrap()
    }

    /// All that comes back for `request` until the server closes.
    async fn talk(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        // The server may close before it has read all.
        let _ = stream.write_all(request.as_ref()).await;
        rest(&mut stream).await
    }
}

async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One answer with a Content-Length.
async fn one_answer(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    loop {
        bytes.push(stream.read_u8().await.expect("an answer"));
        if !bytes.ends_with(b"\r\n\r\n") {
            continue;
        }
        let head = String::from_utf8(bytes.clone()).unwrap().to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
        let mut body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut body).await.unwrap();
        bytes.extend_from_slice(&body);
        return String::from_utf8(bytes).unwrap();
    }
}

fn problem_of(answer: &str) -> Problem {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    assert!(head.contains("content-type: application/problem+json"), "{head}");
    serde_json::from_str(body).unwrap()
}

const JSON: &str = "POST /json HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";

#[tokio::test]
async fn kept_and_pipelined_requests_are_answered_in_order() {
    let server = start(options()).await;
    let body = r#"{"digests":[]}"#;
    let one = format!("{JSON}Content-Length: {}\r\n\r\n{body}", body.len());
    let answers = server.talk(format!("{one}{one}GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await;
    let statuses: Vec<&str> = answers.lines().filter_map(|line| line.split("HTTP/1.1 ").nth(1)).collect();
    assert_eq!(statuses, ["200 OK", "200 OK", "404 Not Found"], "{answers}");
    assert_eq!(answers.matches("x-request-id: req_").count(), 3);
}

#[tokio::test]
async fn chunked_bodies_and_expectations_are_met() {
    let server = start(options()).await;
    let chunked = "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\n{\"dig\r\n9\r\nests\":[]}\r\n0\r\n\r\n";
    let answer = server.talk(format!("{JSON}{chunked}")).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(r#"{"digests":[]}"#), "{answer}");
    let mut stream = server.connect().await;
    let head = format!("{JSON}Content-Length: 14\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let go_on = one_answer(&mut stream).await;
    assert_eq!(go_on, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(br#"{"digests":[]}"#).await.unwrap();
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_body_of_two_lengths_smuggles_no_request() {
    let server = start(options()).await;
    let smuggled = "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n";
    let chunked = format!("0\r\n\r\n{smuggled}");
    for lengths in [
        format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", chunked.len()),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {}\r\n", chunked.len()),
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n".into(),
    ] {
        let answer = server.talk(format!("{JSON}{lengths}\r\n{chunked}")).await;
        // The body is the empty chunked one, and the connection ends with its answer.
        assert_eq!(problem_of(&answer).code.as_str(), "invalid_json", "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    }
    for lengths in [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 5 \r\n : x\r\n",
        "Transfer-Encoding : chunked\r\n",
        "X: a\r\n Transfer-Encoding: chunked\r\n",
    ] {
        let answer = server.talk(format!("{JSON}{lengths}\r\n{chunked}")).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{lengths}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    }
}

#[tokio::test]
async fn nonsense_and_oversized_heads_are_refused_and_the_server_lives() {
    let server = start(options()).await;
    let many: String = (0..200).map(|n| format!("X-{n}: 1\r\n")).collect();
    for (request, status) in [
        ("\0\0\0\0\r\n\r\n".to_owned(), "HTTP/1.1 400"),
        ("GET / HTTP/9.9\r\n\r\n".into(), "HTTP/1.1 400"),
        ("GET /a b HTTP/1.1\r\n\r\n".into(), "HTTP/1.1 400"),
        ("GET / HTTP/1.1\r\nX: \0\r\n\r\n".into(), "HTTP/1.1 400"),
        (format!("GET / HTTP/1.1\r\n{many}\r\n"), "HTTP/1.1 431"),
        (format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(BUFFER * 2)), "HTTP/1.1 431"),
        (format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(BUFFER * 2)), "HTTP/1.1 4"),
        ("CONNECT x:1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".into(), "HTTP/1.1 404"),
        ("OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".into(), "HTTP/1.1 404"),
        ("GET http://elsewhere/json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".into(), "HTTP/1.1 405"),
    ] {
        let answer = server.talk(&request).await;
        assert!(answer.starts_with(status), "{:.60}: {answer}", request);
    }
    assert!(server.talk("GET /x HTTP/1.0\r\n\r\n").await.starts_with("HTTP/1.0 404"));
}

#[tokio::test]
async fn slow_heads_are_cut_off() {
    let server = start(Options { header_timeout: Duration::from_millis(50), ..options() }).await;
    for said in ["", "P", "PRI * HTTP/2.0\r\n\r\n", "GET /json HTTP/1.1\r\n", "GET /json HTTP/1.1\r\nX: "] {
        let mut stream = server.connect().await;
        stream.write_all(said.as_bytes()).await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(!answer.contains("200"), "{said:?}: {answer}");
    }
    // A kept connection that asks nothing more ends too.
    let mut stream = server.connect().await;
    stream.write_all(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn a_parked_request_outlives_the_time_for_heads() {
    let server = start(Options { header_timeout: Duration::from_millis(50), ..options() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /parked HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    server.seen.entered.notified().await;
    // Another connection comes and is cut off for its slowness: so much time has passed for this one too.
    assert_eq!(rest(&mut server.connect().await).await, "");
    server.seen.go.notify_one();
    assert!(one_answer(&mut stream).await.ends_with("at last"));
}

#[tokio::test]
async fn a_slow_body_gets_its_problem() {
    let server = start(Options { body_timeout: Duration::from_millis(50), ..options() }).await;
    let answer = server.talk(format!("{JSON}Content-Length: 14\r\n\r\n{{\"dig")).await;
    let problem = problem_of(&answer);
    assert_eq!((problem.status, problem.code.as_str()), (408, "timed_out"));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_answered_while_it_is_still_sent() {
    let server = start(options()).await;
    let large = vec![b' '; 8 << 20];
    for head in ["Content-Length: 8388608\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n800000\r\n"] {
        let mut request = format!("{JSON}{head}").into_bytes();
        request.extend_from_slice(&large);
        let mut stream = server.connect().await;
        // Sends everything before it reads, as simple clients do.
        stream.write_all(&request).await.expect("the server reads on after its answer");
        assert_eq!(problem_of(&rest(&mut stream).await).code.as_str(), "too_large");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_harms_nobody() {
    let server = start(options()).await;
    let mut stream = server.connect().await;
    stream.write_all(format!("{JSON}Content-Length: 14\r\n\r\n{{\"dig").as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    assert!(!rest(&mut stream).await.contains("HTTP/1.1 2"));
    let answer = server.talk(format!("{JSON}Transfer-Encoding: chunked\r\n\r\nzz\r\n{{}}")).await;
    assert!(!answer.contains("HTTP/1.1 5"), "{answer}");
}

#[tokio::test]
async fn a_client_that_goes_away_ends_the_work_for_it() {
    let server = start(options()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /parked HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    server.seen.entered.notified().await;
    drop(stream);
    server.seen.left.notified().await;
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_given_up() {
    let server = start(Options { stall_timeout: Duration::from_millis(100), ..options() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    server.seen.left.notified().await;
    drop(stream);
}

#[tokio::test]
async fn connections_beyond_the_most_wait_for_their_turn() {
    let server = start(Options { connections_max: 1, ..options() }).await;
    let mut first = server.connect().await;
    first.write_all(b"GET /parked HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    server.seen.entered.notified().await;
    let mut second = server.connect().await;
    second.write_all(b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(100), second.read_u8()).await;
    assert!(early.is_err(), "it was answered beside the only connection that is allowed");
    server.seen.go.notify_one();
    assert!(rest(&mut first).await.ends_with("at last"));
    assert!(rest(&mut second).await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn one_address_cannot_take_the_places_of_all() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("run/server.sock");
    let server = start(Options { connections_per_address: 1, socket: Some(socket.clone()), ..options() }).await;
    let mut first = server.connect().await;
    first.write_all(b"GET /parked HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    server.seen.entered.notified().await;
    let mut second = server.connect().await;
    assert!(second.read_u8().await.is_err(), "it is closed at once");
    let mut local = UnixStream::connect(&socket).await.unwrap();
    local.write_all(b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    assert!(rest(&mut local).await.starts_with("HTTP/1.1 404"), "the socket has no address");
    server.seen.go.notify_one();
    assert!(rest(&mut first).await.ends_with("at last"));
}

#[tokio::test]
async fn a_stop_lets_requests_finish_and_takes_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("run/server.sock");
    let server = start(Options { socket: Some(socket.clone()), ..options() }).await;
    assert_eq!(server.addresses[1], Address::Socket(socket.clone()));
    let mut idle = server.connect().await;
    idle.write_all(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    one_answer(&mut idle).await;
    let mut busy = UnixStream::connect(&socket).await.unwrap();
    busy.write_all(b"GET /parked HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    server.seen.entered.notified().await;
    server.stop.send(()).unwrap();
    // The idle one is closed at once, the busy one is not.
    assert_eq!(rest(&mut idle).await, "");
    let Address::Tcp { address, .. } = &server.addresses[0] else { panic!() };
    assert!(TcpStream::connect(address).await.is_err());
    assert!(UnixStream::connect(&socket).await.is_err());
    assert!(server.seen.drained.get().is_some());
    server.seen.go.notify_one();
    let answer = rest(&mut busy).await;
    assert!(answer.contains("connection: close") && answer.ends_with("at last"), "{answer}");
    drop(busy);
    server.ended.await.unwrap().unwrap();
    assert!(!socket.exists());
}

#[tokio::test]
async fn what_does_not_finish_in_time_is_cut_off() {
    let server = start(Options { drain: Duration::from_millis(50), ..options() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /parked HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    server.seen.entered.notified().await;
    server.stop.send(()).unwrap();
    server.ended.await.unwrap().unwrap();
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn an_address_that_is_taken_is_an_error_that_names_it() {
    let server = start(options()).await;
    let Address::Tcp { address, .. } = server.addresses[0] else { panic!() };
    let options = Options { listen: vec![address], ..Options::default() };
    let bounds = options.bounds();
    let router = routes(&Seen::default(), bounds);
    let failed = serve_router(router, &options, std::future::pending(), |_| {}, async {}).await.unwrap_err();
    assert_eq!(failed.to_string(), format!("failed to listen on {address}"));
}

/// A server with a certificate of its own, and what a client needs to trust it.
async fn start_tls(dir: &std::path::Path, options: Options) -> (Server, Arc<rustls::RootCertStore>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let write = |name: &str, text: String| -> PathBuf {
        std::fs::write(dir.join(name), text).unwrap();
        dir.join(name)
    };
    let tls = (write("cert.pem", made.cert.pem()), write("key.pem", made.signing_key.serialize_pem()));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    (start(Options { tls: Some(tls), ..options }).await, Arc::new(roots))
}

async fn tls_connect(
    server: &Server,
    roots: &Arc<rustls::RootCertStore>,
    alpn: &[&str],
) -> impl AsyncRead + AsyncWrite + Unpin + use<> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(Arc::clone(roots)).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let stream = connector.connect("localhost".try_into().unwrap(), server.connect().await).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), alpn.first().map(|name| name.as_bytes()));
    stream
}

#[tokio::test]
async fn tls_is_spoken_with_the_given_certificate_and_nothing_else_is() {
    let dir = tempfile::tempdir().unwrap();
    let short = Options { header_timeout: Duration::from_millis(200), ..options() };
    let (server, roots) = start_tls(dir.path(), short).await;
    assert!(server.addresses[0].to_string().starts_with("https://127.0.0.1:"));
    let mut stream = tls_connect(&server, &roots, &["http/1.1"]).await;
    stream.write_all(b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    assert_eq!(problem_of(&rest(&mut stream).await).code.as_str(), "no_route");
    // The first frame of an HTTP/2 server is its settings (RFC 9113, section 3.4).
    let mut stream = tls_connect(&server, &roots, &["h2"]).await;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[3], 4, "{frame:?}");
    assert!(!server.talk("GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n").await.contains("HTTP/"));
    // A handshake that is not gone on with.
    assert_eq!(rest(&mut server.connect().await).await, "");
}

#[tokio::test]
async fn browsers_are_told_to_come_over_tls_alone_and_only_over_tls_are_they_told() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("run/server.sock");
    let (server, roots) = start_tls(dir.path(), Options { socket: Some(socket.clone()), ..options() }).await;
    let request = b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let mut stream = tls_connect(&server, &roots, &["http/1.1"]).await;
    stream.write_all(request).await.unwrap();
    assert!(rest(&mut stream).await.contains("\r\nstrict-transport-security: max-age=31536000\r\n"));
    // Beside TLS there is a socket of plain text, and elsewhere a server of nothing else.
    let mut local = UnixStream::connect(&socket).await.unwrap();
    local.write_all(request).await.unwrap();
    let plain = start(options()).await.talk("GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    for answer in [rest(&mut local).await, plain] {
        assert!(answer.starts_with("HTTP/1.1 404") && !answer.contains("strict-transport-security"), "{answer}");
    }
}

#[tokio::test]
async fn http_2_without_tls_is_understood() {
    let server = start(options()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    // HEADERS, end of stream and of headers, stream 1: GET (2), http (6), path "/nowhere" as a literal, :authority "x".
    let block = [&[0x82, 0x86, 0x04, 8][..], b"/nowhere", &[0x01, 1], b"x"].concat();
    let head = [&[0, 0, block.len() as u8, 1, 5, 0, 0, 0, 1][..], &block].concat();
    stream.write_all(&head).await.unwrap();
    loop {
        let mut frame = [0; 9];
        stream.read_exact(&mut frame).await.unwrap();
        let mut payload = vec![0; usize::from(frame[1]) << 8 | usize::from(frame[2])];
        stream.read_exact(&mut payload).await.unwrap();
        // DATA of stream 1.
        if frame[3] == 0 {
            let problem: Problem = serde_json::from_slice(&payload).unwrap();
            assert_eq!(problem.code.as_str(), "no_route");
            break;
        }
    }
}

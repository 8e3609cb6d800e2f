//! What nobody should send, sent to the real binary over plain sockets.
//!
//! Whatever comes: an answer or an end in time, a problem with a code of the table where there is an answer, never a
//! failure of ours, nothing of our insides in its words, and a server that goes on answering others.

#[path = "walk/http.rs"]
mod http;
#[path = "hostile/numbers.rs"]
mod numbers;
#[path = "hostile/server.rs"]
mod server;

use std::io::{Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use http::{Answer, connect, raw, rest};
use serde_json::json;
use server::{BUSY, Server, TIMEOUT, code, is};

/// Sends a beginning, then a little again and again, until the server has enough of it. How long it took, and the answer.
fn drip(server: &Server, beginning: &str, drop: &[u8]) -> (Duration, Option<Answer>) {
    let mut stream = connect(server.at);
    stream.set_read_timeout(Some(Duration::from_millis(200))).expect("a socket");
    stream.write_all(beginning.as_bytes()).expect("it listens");
    let began = Instant::now();
    let mut said = Vec::new();
    let mut space = [0; 4096];
    while began.elapsed() < Duration::from_secs(20) {
        match stream.read(&mut space) {
            Ok(0) => break,
            Ok(count) => said.extend_from_slice(&space[..count]),
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                if !drop.is_empty() && stream.write_all(drop).is_err() {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    (began.elapsed(), Answer::of(&said))
}

#[test]
fn who_sends_slowly_is_given_up_in_time() {
    let server = Server::start();
    let post = server.head("POST /v1/jobs") + "Content-Type: application/json\r\n";
    for (what, beginning, drop, expected) in [
        ("silence", String::new(), &b""[..], None),
        ("a request line that never ends", "GET /".into(), b"x", None),
        ("headers that never end", "GET / HTTP/1.1\r\nHost: walk\r\n".into(), b"X-A: b\r\n", None),
        ("the half of an HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nS".into(), b"", None),
        ("silence after an HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), b"", None),
        ("a body that drips", format!("{post}Content-Length: 1000\r\n\r\n{{"), b" ", Some(is(408, "timed_out"))),
        ("a body that never begins", format!("{post}Content-Length: 1000\r\n\r\n"), b"", Some(is(408, "timed_out"))),
        (
            "chunks that drip",
            format!("{post}Transfer-Encoding: chunked\r\n\r\n"),
            b"1\r\n \r\n",
            Some(is(408, "timed_out")),
        ),
    ] {
        let (took, answer) = drip(&server, &beginning, drop);
        assert!(took < TIMEOUT * 2 + BUSY, "{what} was borne for {took:?}");
        match (&answer, &expected) {
            (Some(answer), Some(expected)) => {
                server.check(what, answer);
                assert_eq!(&code(answer), expected, "{what}");
            }
            // Without a whole head there may be a bare 408, or just the end.
            (answer, None) => assert!(answer.as_ref().is_none_or(|answer| answer.status == 408), "{what}: {answer:?}"),
            (None, Some(_)) => panic!("{what}: no answer"),
        }
        server.lives(what);
    }
    server.end();
}

#[test]
fn bodies_that_break_off_lie_or_are_too_large_are_refused() {
    let server = Server::start();
    let post = server.head("POST /v1/jobs") + "Content-Type: application/json\r\n";
    let digest = gambeson_api::Digest::of(b"");
    let put = server.head(&format!("PUT /v1/blobs/{digest}?project=default"));
    let chunked = |body: &str| format!("Transfer-Encoding: chunked\r\n\r\n{body}");
    let much = format!("{:x}\r\n{}\r\n0\r\n\r\n", 1 << 20, " ".repeat(1 << 20));
    for (what, request, expected) in [
        ("more than there may be", format!("{post}Content-Length: 99999999999\r\n\r\n{{"), Some(is(413, "too_large"))),
        (
            "more than a number holds",
            format!("{post}Content-Length: 99999999999999999999999\r\n\r\n{{"),
            Some(is(400, "")),
        ),
        ("less than nothing", format!("{post}Content-Length: -1\r\n\r\n{{"), Some(is(400, ""))),
        ("a plus", format!("{post}Content-Length: +2\r\n\r\n{{}}"), Some(is(400, ""))),
        ("a megabyte in a chunk", format!("{post}{}", chunked(&much)), Some(is(413, "too_large"))),
        ("a blob that says it is too large", format!("{put}Content-Length: 65537\r\n\r\n"), Some(is(413, "too_large"))),
        ("a blob that is too large", format!("{put}{}", chunked(&much)), Some(is(413, "too_large"))),
        ("a chunk of no size", format!("{post}{}", chunked("zz\r\n{}\r\n0\r\n\r\n")), Some(is(400, "invalid_json"))),
        (
            "a chunk of too great a size",
            format!("{post}{}", chunked("ffffffffffffffffff\r\n{}")),
            Some(is(400, "invalid_json")),
        ),
        ("a chunk without its end", format!("{post}{}", chunked("2\r\n{}XX0\r\n\r\n")), Some(is(400, "invalid_json"))),
        (
            "a long extension of a chunk",
            format!("{post}{}", chunked(&format!("2;{}\r\n{{}}", "x".repeat(1 << 20)))),
            Some(is(400, "invalid_json")),
        ),
        (
            "endless trailers",
            format!("{post}{}", chunked(&format!("2\r\n{{}}\r\n0\r\n{}", "A: b\r\n".repeat(50_000)))),
            Some(is(400, "invalid_json")),
        ),
        ("two lengths", format!("{post}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}"), Some(is(400, ""))),
        ("two lengths in one", format!("{post}Content-Length: 2, 3\r\n\r\n{{}}"), Some(is(400, ""))),
        (
            "an encoding that is not the last",
            format!("{post}Transfer-Encoding: chunked, gzip\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"),
            Some(is(400, "")),
        ),
        ("an encoding without chunks", format!("{post}Transfer-Encoding: identity\r\n\r\n{{}}"), Some(is(400, ""))),
    ] {
        let answer = server.raw(what, request.as_bytes());
        assert_eq!(answer.as_ref().map(code), expected, "{what}");
    }
    // The client ends in the middle.
    for (what, request) in [
        ("a body", format!("{post}Content-Length: 1000\r\n\r\n{{\"files\"")),
        ("chunks", format!("{post}Transfer-Encoding: chunked\r\n\r\n8\r\n{{\"f")),
        ("a blob", format!("{put}Content-Length: 1000\r\n\r\nabc")),
        ("a head", format!("{post}Content-Le")),
    ] {
        let mut stream = connect(server.at);
        stream.write_all(request.as_bytes()).expect("it listens");
        stream.shutdown(Shutdown::Write).expect("a socket");
        let answer = Answer::of(&rest(&mut stream));
        if let Some(answer) = &answer {
            server.check(what, answer);
            assert_eq!(answer.status, 400, "{what}: {answer:?}");
        }
        server.lives(what);
    }
    let jobs = server.ask("GET", "/v1/jobs", None).json();
    assert_eq!(jobs["jobs"], json!([]), "none of this was a submission");
    server.end();
}

#[test]
fn a_request_means_one_thing_or_is_refused() {
    let server = Server::start();
    let post = server.head("POST /v1/jobs") + "Content-Type: application/json\r\n";
    let smuggled = "GET /v1/whoami HTTP/1.1\r\nHost: walk\r\n\r\n";
    let answers = |request: &str| {
        let said = raw(server.at, request.as_bytes());
        String::from_utf8_lossy(&said).matches("HTTP/1.1 ").count()
    };
    // Proxies believe the one header or the other: what they would take for the next request must not be one.
    let both = format!("{post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n{smuggled}");
    assert_eq!(server.raw("both a length and chunks", both.as_bytes()).map(|answer| answer.status), Some(400));
    assert_eq!(answers(&both), 1, "what follows is not read");
    for (what, request) in [
        (
            "a body of the wrong kind that is a request",
            format!(
                "{}Content-Type: text/plain\r\nContent-Length: {}\r\n\r\n{smuggled}",
                server.head("POST /v1/jobs"),
                smuggled.len()
            ),
        ),
        (
            "a body that nobody reads",
            format!("{}Content-Length: {}\r\n\r\n{smuggled}", server.head("GET /v1/jobs"), smuggled.len()),
        ),
        (
            "a body without a key",
            format!("POST /v1/jobs HTTP/1.1\r\nHost: walk\r\nContent-Length: {}\r\n\r\n{smuggled}", smuggled.len()),
        ),
    ] {
        assert_eq!(answers(&request), 1, "{what}");
        server.raw(what, request.as_bytes());
    }
    let many = "GET /healthz HTTP/1.1\r\nHost: walk\r\n\r\n".repeat(50);
    let many = many + "GET /healthz HTTP/1.1\r\nHost: walk\r\nConnection: close\r\n\r\n";
    assert_eq!(answers(&many), 51, "requests on end");
    let bad_first = format!("GET / HTTP/9.9\r\n\r\n{smuggled}");
    assert!(answers(&bad_first) <= 1, "after nonsense nothing is read");
    // Two keys are no key: we and a proxy might choose differently.
    let twice = format!(
        "{}Authorization: Bearer {}\r\nConnection: close\r\n\r\n",
        server.head("GET /v1/whoami"),
        server.platform.key
    );
    assert_eq!(server.raw("two keys", twice.as_bytes()).as_ref().map(code), Some(is(401, "unauthenticated")));
    server.end();
}

#[test]
fn what_is_no_http_of_ours_ends_the_connection_and_nothing_else() {
    let server = Server::start();
    let long = "x".repeat(100_000);
    let names = (0..300).map(|n| format!("X-{n}: 1\r\n")).collect::<String>();
    let huge_headers: Vec<u8> = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &[0xff; 4096]].concat();
    let h2_headers: Vec<u8> = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(),
        &[0, 0, 0, 4, 0, 0, 0, 0, 0],
        &[0, 0, 5, 1, 5, 0, 0, 0, 1],
        b"\xff\xff\xff\xff\xff",
    ]
    .concat();
    let close = "Connection: close\r\n\r\n";
    for (what, bytes) in [
        ("a frame of all ones after the preface", huge_headers),
        ("HPACK nonsense", h2_headers),
        ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec()),
        ("zeros", vec![0; 10_000]),
        ("HTTP/0.9", b"GET /\r\n".to_vec()),
        ("HTTP/3 in words", b"GET / HTTP/3.0\r\n\r\n".to_vec()),
        ("no host", format!("GET / HTTP/1.1\r\n{close}").into_bytes()),
        ("two hosts", format!("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n{close}").into_bytes()),
        ("a method of everything", format!("{long} / HTTP/1.1\r\n{close}").into_bytes()),
        ("a long path", format!("GET /{long} HTTP/1.1\r\nHost: walk\r\n{close}").into_bytes()),
        ("a long query", format!("GET /v1/jobs?{long} HTTP/1.1\r\nHost: walk\r\n{close}").into_bytes()),
        ("a long header", format!("GET / HTTP/1.1\r\nHost: walk\r\nX: {long}\r\n{close}").into_bytes()),
        ("many headers", format!("GET / HTTP/1.1\r\nHost: walk\r\n{names}{close}").into_bytes()),
        ("a header that is folded", format!("GET / HTTP/1.1\r\nHost: walk\r\nX: a\r\n b\r\n{close}").into_bytes()),
        ("a header name with a space", format!("GET / HTTP/1.1\r\nHost: walk\r\nX : a\r\n{close}").into_bytes()),
        ("a header with a NUL", format!("GET / HTTP/1.1\r\nHost: walk\r\nX: a\0b\r\n{close}").into_bytes()),
        ("a header that is no text", [b"GET / HTTP/1.1\r\nHost: walk\r\nX: \xff\xfe\r\n", close.as_bytes()].concat()),
        ("line ends without CR", b"GET / HTTP/1.1\nHost: walk\nConnection: close\n\n".to_vec()),
        ("a raw byte in the path", [b"GET /v1/\xff HTTP/1.1\r\nHost: walk\r\n", close.as_bytes()].concat()),
        ("a NUL in the path", [b"GET /v1/\0 HTTP/1.1\r\nHost: walk\r\n", close.as_bytes()].concat()),
        ("an upgrade", format!("GET / HTTP/1.1\r\nHost: walk\r\nUpgrade: h2c\r\nHTTP2-Settings: AAAA\r\nConnection: Upgrade, HTTP2-Settings\r\n{close}").into_bytes()),
        ("an expectation of nonsense", format!("POST /v1/jobs HTTP/1.1\r\nHost: walk\r\nExpect: 999-magic\r\nContent-Length: 2\r\n{close}{{}}").into_bytes()),
        ("CONNECT", format!("CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n{close}").into_bytes()),
        ("OPTIONS of everything", format!("OPTIONS * HTTP/1.1\r\nHost: walk\r\n{close}").into_bytes()),
        ("TRACE", format!("TRACE / HTTP/1.1\r\nHost: walk\r\n{close}").into_bytes()),
    ] {
        server.raw(what, &bytes);
    }
    // A target in absolute form is read as its path, whatever host it names; a scheme changes nothing.
    for target in ["http://example.org/healthz", "https://walk/healthz"] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: walk\r\n{close}");
        assert_eq!(server.raw(target, request.as_bytes()).map(|answer| answer.status), Some(200), "{target}");
    }
    for target in
        ["http://user:password@example.org/../etc/passwd", "file:///etc/passwd", "gopher://walk/1", "//v1/jobs", "*"]
    {
        let request = format!("GET {target} HTTP/1.1\r\nHost: walk\r\n{close}");
        let answer = server.raw(target, request.as_bytes()).expect("an answer");
        assert!((400..500).contains(&answer.status), "{target}: {answer:?}");
    }
    server.end();
}

#[test]
fn addresses_that_climb_or_are_no_text_lead_nowhere() {
    let server = Server::start();
    let submitted = server.json("POST", "/v1/jobs", r#"{"files":{"main.py":"1"}}"#).json();
    let job = submitted["id"].as_str().expect("a job").to_owned();
    let at = |rest: &str| format!("/v1/jobs/{job}/artifacts/{rest}");
    let long = "a".repeat(5000);
    for path in [
        at(".."),
        at("../../../../etc/passwd"),
        at("%2e%2e/%2e%2e/etc/passwd"),
        at("%2e%2e%2f%2e%2e%2fetc%2fpasswd"),
        at("..%5c..%5cwindows"),
        at("%252e%252e%252fetc"),
        at("%2Fetc%2Fpasswd"),
        at("a//b"),
        at("a/./b"),
        at("%00"),
        at("a%00.txt"),
        at("a%0d%0aSet-Cookie:x"),
        at("%ff%fe"),
        at("%c0%ae%c0%ae/"),
        at("%ed%a0%80"),
        at("%"),
        at("%zz"),
        at("%E2%80%AEtxt.exe"),
        at(&long),
        at(""),
        "/v1/blobs/..".into(),
        "/v1/blobs/%2e%2e%2f%2e%2e%2faudit.key".into(),
        "/v1/blobs/sha256:..%2f..%2f".into(),
        format!("/v1/blobs/sha256:{}", "A".repeat(64)),
        format!("/v1/blobs/sha256:{}%00", "a".repeat(64)),
        format!("/v1/blobs/sha256:{}", "a".repeat(63)),
        format!("/v1/blobs/sha512:{}", "a".repeat(64)),
        format!("/v1/jobs/{}", job.to_uppercase()),
        format!("/v1/jobs/{job}%00"),
        format!("/v1/jobs/{job}%20"),
        "/v1/jobs/job_ffffffffffffffffffffffffffffffff".into(),
        "/v1/jobs/job_00000000000000000000000000000000".into(),
        "/v1/projects/%2e%2e".into(),
        "/v1/projects/%00".into(),
        "/v1/projects/%E2%80%AEtluafed".into(),
        format!("/v1/projects/{}", "p".repeat(300)),
        "/v1/jobs?%00=1".into(),
        "/v1/jobs?project=%00".into(),
        "/v1/jobs?project=%ff".into(),
        "/v1/jobs?project=%ed%a0%80".into(),
        "/v1/jobs?cursor=job_..".into(),
        "/v1/jobs?label=%27%20OR%201=1--".into(),
        "/v1/jobs?label=%25".into(),
        "/v1/jobs?user=%27;DROP%20TABLE%20jobs".into(),
        "/v1/jobs?limit=1&limit=2".into(),
        "/v1/jobs?limit[]=1".into(),
        "/v1/jobs?limit=NaN".into(),
        "/v1/jobs?limit=1e3".into(),
        "/v1/jobs?limit=0x10".into(),
        "/v1/jobs?limit=%D9%A1".into(),
        format!("/v1/jobs?{}", "a=1&".repeat(10_000)),
        format!("/v1/jobs?label={}", "x".repeat(60_000)),
        "/v1/usage?day=2026-13-45".into(),
        "/v1/usage?day=-271821-04-20".into(),
        "/v1/usage?day=999999-01-01".into(),
        "/v1/usage?day=2026-01-01T00:00:00Z".into(),
        "/v1/audit/verify?head=%27".into(),
    ] {
        let answer = server.ask("GET", &path, None);
        let harmless = ["label=%27", "label=%25", "head=", "day="].iter().any(|word| path.contains(word));
        assert!(harmless || (400..500).contains(&answer.status), "{path}: {} {}", answer.status, answer.text());
        assert!(answer.header("set-cookie").is_none(), "{path}: {answer:?}");
    }
    server.end();
}

#[test]
fn json_that_is_deep_double_or_no_json_is_refused_by_its_place() {
    let server = Server::start();
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(30_000), close.repeat(30_000));
    let inside = |value: &str| format!(r#"{{"action":"job.list","context":{{"v":{value}}}}}"#);
    for (what, path, body) in [
        ("brackets", "/v1/jobs", deep("[", "]")),
        ("only opening ones", "/v1/jobs", "[".repeat(60_000)),
        ("braces", "/v1/jobs", "{\"a\":".repeat(12_000)),
        ("depth where anything may stand", "/v1/access/explain", inside(&deep("[", "]"))),
        (
            "depth of objects there",
            "/v1/access/explain",
            inside(&format!("{}1{}", "{\"a\":".repeat(9000), "}".repeat(9000))),
        ),
        ("a member twice", "/v1/jobs", r#"{"files":{"main.py":"1"},"files":{"main.py":"2"}}"#.into()),
        ("a file twice", "/v1/jobs", r#"{"files":{"main.py":"1","m\u0061in.py":"2"}}"#.into()),
        ("a limit twice", "/v1/jobs", r#"{"files":{"main.py":"1"},"limits":{"memory":"1G","memory":"64M"}}"#.into()),
        ("a key's user twice", "/v1/keys", r#"{"name":"a","scopes":["*"],"user":"owner","user":"owner"}"#.into()),
        ("a member twice where anything may stand", "/v1/access/explain", inside(r#"{"a":1,"a":2}"#)),
        ("a member that nobody knows", "/v1/jobs", r#"{"files":{"main.py":"1"},"__proto__":{}}"#.into()),
        ("half a pair of surrogates", "/v1/jobs", r#"{"files":{"main.py":"\ud800"}}"#.into()),
        ("half a pair in a name", "/v1/projects", r#"{"name":"\udfff"}"#.into()),
        ("an escape that is none", "/v1/jobs", r#"{"files":{"main.py":"\x41"}}"#.into()),
        ("a NUL in a file's name", "/v1/jobs", r#"{"files":{"main.py":"1","a\u0000b":"2"}}"#.into()),
        ("a NUL in an argument", "/v1/jobs", r#"{"files":{"main.py":"1"},"args":["a\u0000b"]}"#.into()),
        ("a NUL in a variable", "/v1/jobs", r#"{"files":{"main.py":"1"},"env":{"A":"a\u0000b"}}"#.into()),
        ("an equals sign in a variable's name", "/v1/jobs", r#"{"files":{"main.py":"1"},"env":{"A=B":"c"}}"#.into()),
        ("NaN", "/v1/access/explain", inside("NaN")),
        ("infinity", "/v1/access/explain", inside("-Infinity")),
        ("too great a number", "/v1/access/explain", inside("1e999")),
        ("a number in another form", "/v1/access/explain", inside("0x10")),
        ("leading zeros", "/v1/access/explain", inside("007")),
        ("a comment", "/v1/jobs", r#"{"files":{"main.py":"1"}/* */}"#.into()),
        ("a comma too many", "/v1/jobs", r#"{"files":{"main.py":"1"},}"#.into()),
        ("two documents", "/v1/jobs", r#"{"files":{"main.py":"1"}}{}"#.into()),
        ("a byte order mark", "/v1/jobs", "\u{feff}{\"files\":{\"main.py\":\"1\"}}".into()),
        ("nothing", "/v1/jobs", String::new()),
        ("null", "/v1/jobs", "null".into()),
        ("an array for an object", "/v1/jobs", "[]".into()),
        ("a file that climbs", "/v1/jobs", r#"{"files":{"main.py":"1","../x":"2"}}"#.into()),
        ("an absolute file", "/v1/jobs", r#"{"files":{"main.py":"1","/etc/passwd":"2"}}"#.into()),
        ("an entry that climbs", "/v1/jobs", r#"{"files":{"main.py":"1"},"entry":"../main.py"}"#.into()),
        ("a file below a file", "/v1/jobs", r#"{"files":{"main.py":"1","main.py/x":"2"}}"#.into()),
        ("base64 that is none", "/v1/jobs", r#"{"files":{"main.py":{"base64":"%%%"}}}"#.into()),
        ("text and base64", "/v1/jobs", r#"{"files":{"main.py":{"text":"1","base64":"MQ=="}}}"#.into()),
        ("a backup that climbs", "/v1/backup", r#"{"name":"../../etc/cron.d/x"}"#.into()),
        ("a hidden backup", "/v1/backup", r#"{"name":".."}"#.into()),
    ] {
        let answer = server.json("POST", path, &body);
        assert_eq!(answer.status, 400, "{what}: {}", answer.text());
    }
    let answer = server.ask("POST", "/v1/jobs", Some(("application/json", b"{\"files\":{\"main.py\":\"\xff\xfe\"}}")));
    assert_eq!(code(&answer), is(400, "invalid_json"), "bytes that are no text");
    let utf16: Vec<u8> = "{\"files\":{}}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(
        code(&server.ask("POST", "/v1/jobs", Some(("application/json", &utf16)))),
        is(400, "invalid_json"),
        "UTF-16"
    );
    server.end();
}

#[test]
fn bodies_of_another_kind_are_refused_unread() {
    let server = Server::start();
    let good = r#"{"files":{"main.py":"1"}}"#;
    for media in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json, text/plain",
        "application/jsonx",
        "",
        "\u{ff}",
    ] {
        let answer = server.ask("POST", "/v1/jobs", Some((media, good.as_bytes())));
        assert_eq!(code(&answer), is(415, "unsupported_media"), "{media:?}");
    }
    // Ten kilobytes that would be ten megabytes; that it is not even read shows in the answer that comes before its end.
    for encoding in ["gzip", "x-gzip", "deflate", "br", "zstd", "gzip, gzip", "identity, gzip"] {
        for line in ["POST /v1/jobs".to_owned(), format!("PUT /v1/blobs/{}", gambeson_api::Digest::of(b""))] {
            let mut stream = connect(server.at);
            let head = server.head(&line);
            let head = format!(
                "{head}Content-Type: application/json\r\nContent-Encoding: {encoding}\r\nContent-Length: 10000\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).expect("it listens");
            stream.write_all(b"\x1f\x8b\x08\x00\x00\x00\x00\x00").expect("it listens");
            let began = Instant::now();
            let answer = Answer::of(&rest(&mut stream)).expect("an answer");
            server.check(&line, &answer);
            assert_eq!(code(&answer), is(415, "unsupported_media"), "{line} {encoding}");
            assert!(began.elapsed() < TIMEOUT, "it waited for a body that it does not want: {:?}", began.elapsed());
        }
    }
    server.end();
}

#[test]
fn names_that_deceive_are_refused_or_shown_as_they_are() {
    let server = Server::start();
    let long = "n".repeat(300);
    for name in [
        "",
        " ",
        "a b",
        "a/b",
        "..",
        "a\u{202e}b",
        "a\u{0}b",
        "a\nb",
        "a\u{7f}b",
        "\u{feff}a",
        "é",
        "аdmin",
        "😀",
        "platform",
        "prj_x",
        "usr_1",
        &long,
    ] {
        let name_json = json!(name);
        for (path, body) in [
            ("/v1/projects", json!({"name": name_json})),
            ("/v1/users", json!({"name": name_json})),
            ("/v1/backup", json!({"name": name_json})),
        ] {
            let answer = server.json("POST", path, &body.to_string());
            let usable = name == ".." && path != "/v1/backup"
                || matches!(name, "platform" | "prj_x" | "usr_1") && answer.status == 400;
            assert!(
                usable || code(&answer) == is(400, "invalid_name"),
                "{path} {name:?}: {} {}",
                answer.status,
                answer.text()
            );
        }
        server.json("POST", "/v1/members", &json!({"user": name, "project": name, "role": name}).to_string());
        server.json("POST", "/v1/access/explain", &json!({"action": name, "project": name, "user": name}).to_string());
        server.json("POST", "/v1/keys", &json!({"name": name, "scopes": [name]}).to_string());
        server.json("POST", "/v1/blobs/missing", &json!({"project": name, "digests": [name]}).to_string());
        let key =
            server.json("POST", "/v1/keys", &json!({"name": name, "scopes": ["*"], "expires_in": "1m"}).to_string());
        if name.is_empty() || name.len() > 64 || name.chars().any(char::is_control) {
            assert_eq!(code(&key), is(400, "invalid_name"), "{name:?}");
        } else {
            assert_eq!(key.json()["key"]["name"], name, "as it was given");
        }
        for body in [
            json!({"files": {"main.py": "1", name: "2"}}),
            json!({"files": {"main.py": "1"}, "labels": {name: name}}),
            json!({"files": {"main.py": "1"}, "env": {name: name}}),
            json!({"files": {"main.py": "1"}, "entry": name}),
            json!({"files": {"main.py": "1"}, "idempotency_key": name}),
            json!({"files": {"main.py": "1"}, "project": name}),
            json!({"files": {"main.py": "1"}, "args": [name], "stdin": name}),
        ] {
            let answer = server.json("POST", "/v1/jobs", &body.to_string());
            if answer.status == 202 {
                let id = answer.json()["id"].as_str().expect("a job").to_owned();
                assert_eq!(server.ask("GET", &format!("/v1/jobs/{id}"), None).status, 200, "{body}");
                assert_eq!(server.ask("GET", &format!("/v1/jobs/{id}/source"), None).status, 200, "{body}");
            }
        }
        server.lives(name);
    }
    server.end();
}

#[test]
fn a_thousand_idle_connections_keep_nobody_out() {
    let server = Server::start();
    let idle: Vec<_> = (0..1000).map(|_| connect(server.at)).collect();
    let began = Instant::now();
    for _ in 0..20 {
        server.lives("a thousand idle connections");
    }
    assert_eq!(server.ask("GET", "/v1/whoami", None).status, 200);
    // And they do not stay for ever: each is closed, or says that it took too long.
    for mut stream in idle {
        let said = rest(&mut stream);
        assert!(Answer::of(&said).is_none_or(|answer| answer.status == 408), "{said:?}");
    }
    assert!(began.elapsed() < TIMEOUT * 3 + BUSY * 2, "they were borne for {:?}", began.elapsed());
    server.end();
}

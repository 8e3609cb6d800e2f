//! The first bytes of a connection to the proxy: what the program asks for.
//!
//! Hostile bytes, decoded by `httparse` within bounds; whatever could be read in two ways is refused.

use gambeson_api::{Host, split_host_and_port};

/// Bytes of a request's head, at most.
pub(super) const HEAD_MOST: usize = 16 << 10;
const HEADERS_MOST: usize = 100;

/// What a program asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) host: Host,
    pub(super) port: u16,
    pub(super) wanted: Wanted,
    /// Bytes of what was read that the head took.
    pub(super) head: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A connection (RFC 9110, 9.3.6).
    Tunnel,
    /// This request passed on, as its host is to see it; then the connection is as good as a tunnel.
    Passed(Vec<u8>),
}

/// Why a head is no request that can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadRequest {
    #[error("the request's head is too large")]
    TooLarge,
    #[error("the request cannot be read")]
    Unreadable,
    #[error("the request names no host and port in a form that has one meaning")]
    Target,
    #[error("this is a proxy: ask it for http://HOST/..., or to CONNECT")]
    Origin,
    #[error("the request says its length in more than one way")]
    Length,
}

/// Reads the head of a request; `None` as long as more of it has to come.
pub(super) fn read(bytes: &[u8]) -> Result<Option<Request>, BadRequest> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MOST];
    let mut request = httparse::Request::new(&mut headers);
    let head = match request.parse(&bytes[..bytes.len().min(HEAD_MOST)]) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) if bytes.len() < HEAD_MOST => return Ok(None),
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => return Err(BadRequest::TooLarge),
        Err(_) => return Err(BadRequest::Unreadable),
    };
    let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version) else {
        return Err(BadRequest::Unreadable);
    };
    if method == "CONNECT" {
        let (host, port) = authority(target, None)?;
        return Ok(Some(Request { host, port, wanted: Wanted::Tunnel, head }));
    }
    let scheme = b"http://";
    let absolute = target.get(..scheme.len()).is_some_and(|start| start.as_bytes().eq_ignore_ascii_case(scheme));
    if !absolute {
        return Err(BadRequest::Origin);
    }
    let rest = &target[scheme.len()..];
    let (named, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (host, port) = authority(named, Some(80))?;
    if path.contains('#') {
        return Err(BadRequest::Target);
    }
    let passed = rewrite(method, &host, port, path, version, request.headers)?;
    Ok(Some(Request { host, port, wanted: Wanted::Passed(passed), head }))
}

fn authority(text: &str, usual: Option<u16>) -> Result<(Host, u16), BadRequest> {
    // In a request names are ASCII already: whoever sends others means something that we cannot know.
    if !text.is_ascii() {
        return Err(BadRequest::Target);
    }
    let has_port = text.rsplit_once(']').map_or(text, |(_, rest)| rest).contains(':');
    let (host, port) = match usual {
        Some(usual) if !has_port => (text, usual),
        _ => split_host_and_port(text).map_err(|_| BadRequest::Target)?,
    };
    Ok((host.parse().map_err(|_| BadRequest::Target)?, port))
}

/// The request in the form that its host takes, without what is meant for us, and as the last on its connection.
fn rewrite(
    method: &str,
    host: &Host,
    port: u16,
    path: &str,
    version: u8,
    headers: &[httparse::Header<'_>],
) -> Result<Vec<u8>, BadRequest> {
    let is = |header: &httparse::Header<'_>, name: &str| header.name.eq_ignore_ascii_case(name);
    let count = |name| headers.iter().filter(|header| is(header, name)).count();
    if count("content-length") + count("transfer-encoding") > 1 {
        return Err(BadRequest::Length);
    }
    let mut named: Vec<&str> = Vec::new();
    for header in headers.iter().filter(|header| is(header, "connection")) {
        let value = str::from_utf8(header.value).map_err(|_| BadRequest::Unreadable)?;
        named.extend(value.split(',').map(str::trim));
    }
    const OURS: [&str; 9] = [
        "host",
        "connection",
        "proxy-connection",
        "proxy-authorization",
        "proxy-authenticate",
        "keep-alive",
        "te",
        "trailer",
        "upgrade",
    ];
    // Without these a body would be the beginning of another request.
    let framing = |header: &httparse::Header<'_>| is(header, "content-length") || is(header, "transfer-encoding");
    let slash = if path.starts_with('/') { "" } else { "/" };
    let authority = if port == 80 { host.to_string() } else { format!("{host}:{port}") };
    let mut head = format!("{method} {slash}{path} HTTP/1.{version}\r\nHost: {authority}\r\n").into_bytes();
    for header in headers {
        let dropped = OURS.iter().any(|name| is(header, name)) || named.iter().any(|name| is(header, name));
        if !dropped || framing(header) {
            head.extend_from_slice(header.name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(header.value);
            head.extend_from_slice(b"\r\n");
        }
    }
    head.extend_from_slice(b"Connection: close\r\n\r\n");
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn connect(target: &str) -> Result<String, BadRequest> {
        let head = format!("CONNECT {target} HTTP/1.1\r\nHost: decoy.example\r\n\r\n");
        read(head.as_bytes()).map(|request| {
            let request = request.expect("it is whole");
            assert_eq!((request.wanted, request.head), (Wanted::Tunnel, head.len()));
            format!("{}:{}", request.host, request.port)
        })
    }

    fn passed(head: &str) -> Result<(String, String), BadRequest> {
        read(head.as_bytes()).map(|request| {
            let request = request.expect("it is whole");
            let Wanted::Passed(head) = request.wanted else { panic!("it is a tunnel") };
            (format!("{}:{}", request.host, request.port), String::from_utf8(head).unwrap())
        })
    }

    #[test]
    fn a_tunnel_is_to_what_the_target_says_and_not_the_host_header() {
        assert_eq!(connect("PyPI.org:443"), Ok("pypi.org:443".into()));
        assert_eq!(connect("pypi.org.:443"), Ok("pypi.org:443".into()));
        assert_eq!(connect("[2606:2800::1]:443"), Ok("[2606:2800::1]:443".into()));
    }

    #[test]
    fn a_target_that_can_be_read_in_two_ways_is_refused() {
        for target in [
            "allowed.org:443@evil.org",
            "allowed.org:443@evil.org:443",
            "user@allowed.org:443",
            "allowed.org",
            ":443",
            "allowed.org:",
            "allowed.org:0",
            "allowed.org:+443",
            "allowed.org:0443",
            "allowed.org:443:443",
            "http://a.org:443",
            "/",
            "*",
            "a.org:443/x",
            "a.org:443?x",
            "a.org:443#x",
            "a.org\\:443",
            "a%2eorg:443",
            "127.1:80",
            "0177.0.0.1:80",
            "0x7f000001:80",
            "2130706433:80",
            "1.2.3.4.:80x",
            "::1:80",
            "[::1]",
            "[::1%lo]:80",
            "*.org:443",
            "b\u{fc}.org:443",
            "a..org:443",
        ] {
            let said = connect(target);
            assert!(matches!(said, Err(BadRequest::Target | BadRequest::Unreadable)), "{target:?}: {said:?}");
        }
    }

    #[test]
    fn a_plain_request_is_rewritten_for_its_host() {
        let (to, head) = passed(
            "GET http://Example.org:8080/a?b HTTP/1.1\r\nHost: evil.org\r\nProxy-Authorization: secret\r\nX-One: 1\r\n\
             Connection: keep-alive, X-Two\r\nX-Two: 2\r\nProxy-Connection: keep-alive\r\nUpgrade: h2c\r\n\r\n",
        )
        .unwrap();
        assert_eq!(to, "example.org:8080");
        assert_eq!(head, "GET /a?b HTTP/1.1\r\nHost: example.org:8080\r\nX-One: 1\r\nConnection: close\r\n\r\n");
        let (to, head) = passed("POST http://example.org?x HTTP/1.0\r\nContent-Length: 3\r\n\r\n").unwrap();
        assert_eq!(to, "example.org:80");
        assert_eq!(head, "POST /?x HTTP/1.0\r\nHost: example.org\r\nContent-Length: 3\r\nConnection: close\r\n\r\n");
    }

    #[test]
    fn what_tells_a_body_its_length_is_never_dropped_or_doubled() {
        let (_, head) =
            passed("POST http://a.org/ HTTP/1.1\r\nConnection: content-length\r\nContent-Length: 3\r\n\r\n").unwrap();
        assert!(head.contains("Content-Length: 3"));
        for double in ["Content-Length: 3\r\nContent-Length: 4", "Content-Length: 3\r\nTransfer-Encoding: chunked"] {
            let head = format!("POST http://a.org/ HTTP/1.1\r\n{double}\r\n\r\n");
            assert_eq!(passed(&head), Err(BadRequest::Length));
        }
    }

    #[test]
    fn smuggled_heads_are_unreadable() {
        for head in [
            "GET http://a.org/ HTTP/1.1\r\nX: 1\r\n folded\r\n\r\n",
            "GET http://a.org/ HTTP/1.1\r\nX : 1\r\n\r\n",
            "GET http://a.org/ HTTP/1.1\r\nX\0: 1\r\n\r\n",
            "GET http://a.org/ HTTP/1.1\r\nX: a\rb\r\n\r\n",
            "GET http://a.org/\0 HTTP/1.1\r\n\r\n",
            "GET http://a.org/ HTTP/2.0\r\n\r\n",
            "\x16\x03\x01\x00\x05hello\r\n\r\n",
        ] {
            assert_eq!(passed(head), Err(BadRequest::Unreadable), "{head:?}");
        }
        for target in
            ["http://a.org@evil.org/", "http://a.org:80@evil.org/", "http:///", "http://a.org/#x", "HTTP://a b/"]
        {
            let said = passed(&format!("GET {target} HTTP/1.1\r\n\r\n"));
            assert!(matches!(said, Err(BadRequest::Target | BadRequest::Unreadable)), "{target:?}: {said:?}");
        }
        for target in ["/", "https://a.org/", "ftp://a.org/", "*"] {
            assert_eq!(passed(&format!("GET {target} HTTP/1.1\r\n\r\n")), Err(BadRequest::Origin), "{target}");
        }
    }

    #[test]
    fn a_head_has_a_bound() {
        assert_eq!(read(b"CONNECT a.org:443 HTTP/1.1\r\n"), Ok(None));
        let long = format!("CONNECT a.org:443 HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(HEAD_MOST));
        assert_eq!(read(long.as_bytes()), Err(BadRequest::TooLarge));
        let many = format!("CONNECT a.org:443 HTTP/1.1\r\n{}\r\n", "X: 1\r\n".repeat(HEADERS_MOST + 1));
        assert_eq!(read(many.as_bytes()), Err(BadRequest::TooLarge));
    }

    proptest! {
        #[test]
        fn whatever_is_passed_on_is_one_head_for_the_host_that_was_checked(
            target in "(http://)?[a-z.:@\\[\\]0-9/?#%-]{0,24}",
            name in "[A-Za-z-]{1,12}",
            value in "[ -~\t]{0,24}",
        ) {
            let head = format!("GET {target} HTTP/1.1\r\n{name}: {value}\r\n\r\n");
            if let Ok(Some(Request { host, port, wanted: Wanted::Passed(passed), .. })) = read(head.as_bytes()) {
                let mut headers = [httparse::EMPTY_HEADER; 8];
                let mut again = httparse::Request::new(&mut headers);
                prop_assert_eq!(again.parse(&passed), Ok(httparse::Status::Complete(passed.len())));
                prop_assert!(again.path.unwrap().starts_with('/'));
                let hosts: Vec<_> = again.headers.iter().filter(|h| h.name.eq_ignore_ascii_case("host")).collect();
                prop_assert_eq!(hosts.len(), 1);
                let said = str::from_utf8(hosts[0].value).unwrap();
                let whole = format!("{host}:{port}");
                prop_assert!(said == host.to_string() || said == whole);
            }
        }
    }
}

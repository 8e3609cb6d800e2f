//! Requests as bytes on a socket: what a client library would never send can be sent, and nothing is repaired on the way.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long any answer may take.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// An answer, as far as it came.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    /// The head, in lower case.
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// From the bytes of one connection. `None` without a whole head.
    pub fn of(bytes: &[u8]) -> Option<Answer> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let status = head.strip_prefix("http/1.")?.get(2..5)?.parse().ok()?;
        Some(Answer { status, head, body: bytes[end + 4..].to_vec() })
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A connection on which nothing waits for ever.
///
/// # Panics
/// When the server takes no connection.
pub fn connect(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&server, PATIENCE).expect("it takes connections");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    stream.set_write_timeout(Some(PATIENCE)).expect("a socket");
    stream.set_nodelay(true).expect("a socket");
    stream
}

/// All that the server says on a connection until it closes it.
pub fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    // A reset after the answer is no worse than an end.
    let _ = stream.read_to_end(&mut said);
    said
}

/// Sends some bytes and reads to the end. A server that stopped reading has its reasons: they are in its answer.
pub fn raw(server: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(server);
    let _ = stream.write_all(bytes);
    rest(&mut stream)
}

/// One request, one answer. A `body` has its media type.
///
/// # Panics
/// When no answer comes.
pub fn ask(server: SocketAddr, method: &str, path: &str, bearer: Option<&str>, body: Option<(&str, &[u8])>) -> Answer {
    let authorization = bearer.map(|bearer| ("Authorization", format!("Bearer {bearer}")));
    ask_with(server, method, path, authorization.as_slice(), body)
}

/// The same with any headers.
///
/// # Panics
/// When no answer comes.
pub fn ask_with(
    server: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, String)],
    body: Option<(&str, &[u8])>,
) -> Answer {
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some((media, body)) = body {
        request.push_str(&format!("Content-Type: {media}\r\nContent-Length: {}\r\n", body.len()));
    } else if method != "GET" {
        request.push_str("Content-Length: 0\r\n");
    }
    let mut bytes = (request + "\r\n").into_bytes();
    bytes.extend_from_slice(body.map_or(b"", |(_, body)| body));
    let said = raw(server, &bytes);
    Answer::of(&said).unwrap_or_else(|| panic!("{method} {path}: {:?}", String::from_utf8_lossy(&said)))
}

//! How to serve, as values.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::body::Bounds;

/// Where to listen, and what to bear from clients.
#[derive(Debug, Clone)]
pub struct Options {
    /// TCP addresses. Port 0 takes a free one; [`serve`](crate::serve) tells which.
    pub listen: Vec<SocketAddr>,
    /// A Unix socket: made with mode 0600, in a directory that is made with mode 0700 where there is none.
    pub socket: Option<PathBuf>,
    /// Files with the certificate chain and the private key (PEM): with them, TCP speaks TLS and nothing else.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Connections at once on each address; more wait to be accepted.
    pub connections_max: usize,
    /// Connections at once from one address (of IPv6, from one /64), on all listeners together; more are closed at once.
    pub connections_per_address: usize,
    /// How long a client may take for a TLS handshake, for the headers of a request, and between two requests.
    pub header_timeout: Duration,
    /// How long a body may take, beside a second for each 16 KiB.
    pub body_timeout: Duration,
    /// How long a client may take none of what it is sent.
    pub stall_timeout: Duration,
    /// The largest JSON body, bytes.
    pub body_max: u64,
    /// The largest blob, bytes.
    pub blob_max: u64,
    /// How long requests may go on after the stop.
    pub drain: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            listen: Vec::new(),
            socket: None,
            tls: None,
            connections_max: 1024,
            connections_per_address: 256,
            header_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(30),
            stall_timeout: Duration::from_secs(60),
            body_max: 16 << 20,
            blob_max: 1 << 30,
            drain: Duration::from_secs(10),
        }
    }
}

impl Options {
    pub(crate) fn bounds(&self) -> Bounds {
        Bounds { body_max: self.body_max, blob_max: self.blob_max, body_timeout: self.body_timeout }
    }
}

/// Where we listen. Its text is what a client takes as its server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// TCP.
    Tcp {
        /// The address, with the port that was taken.
        address: SocketAddr,
        /// Whether it speaks TLS.
        tls: bool,
    },
    /// A Unix socket.
    Socket(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp { address, tls: false } => write!(f, "http://{address}"),
            Address::Tcp { address, tls: true } => write!(f, "https://{address}"),
            Address::Socket(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

//! The accept loop: how many connections, how long, and how they end.

use std::convert::Infallible;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::STRICT_TRANSPORT_SECURITY;
use axum::middleware::map_response;
use axum::response::Response;
use futures_util::future::{join, join_all};
use gambeson_control::Control;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tracing::{debug, warn};

use crate::guarded::Guarded;
use crate::listener::{Listener, Stream};
use crate::options::{Address, Options};
use crate::peers::{PeerPlace, Peers};
use crate::tls::{self, TlsError};

/// Bytes of a request's headers, and of what is read or written at once.
const BUFFER: usize = 64 << 10;
/// Requests at once on one HTTP/2 connection.
const STREAMS_MOST: u32 = 128;
/// For a year a browser that was here over TLS comes back over nothing else. Of names below ours nothing is said: they are not ours.
const ONLY_OVER_TLS: HeaderValue = HeaderValue::from_static("max-age=31536000");
/// After an accept that failed for want of descriptors or memory.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address cannot be listened on.
    #[error("failed to listen on {on}")]
    Listen {
        /// Which.
        on: String,
        /// Why.
        source: io::Error,
    },
    /// No TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Nowhere to listen.
    #[error("there is neither an address nor a socket to listen on")]
    Nowhere,
}

/// Serves until `stop`, then lets requests finish for as long as the options say, and closes `control`.
/// `listening` is told where, once connections are taken.
///
/// # Errors
/// When it cannot be listened, or the certificate is of no use; afterwards nothing ends it but `stop`.
pub async fn serve(
    control: Control,
    options: Options,
    stop: impl Future<Output = ()>,
    listening: impl FnOnce(&[Address]),
) -> Result<(), ServeError> {
    let router = crate::router(control.clone(), &options);
    let served = serve_router(router, &options, stop, listening, control.drain()).await;
    control.close().await;
    served
}

/// As [`serve`], for any router; `drain` runs once after `stop`.
async fn serve_router(
    router: Router,
    options: &Options,
    stop: impl Future<Output = ()>,
    listening: impl FnOnce(&[Address]),
    drain: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let tls = match &options.tls {
        Some((certificate, key)) => Some(tls::acceptor(certificate, key)?),
        None => None,
    };
    let mut listeners = Vec::new();
    for address in &options.listen {
        listeners.push(Listener::tcp(*address).await?);
    }
    if let Some(path) = &options.socket {
        listeners.push(Listener::socket(path).await?);
    }
    if listeners.is_empty() {
        return Err(ServeError::Nowhere);
    }
    let unknown = |source| ServeError::Listen { on: "an address of unknown name".into(), source };
    let addresses: Result<Vec<Address>, io::Error> =
        listeners.iter().map(|listener| listener.address(tls.is_some())).collect();
    listening(&addresses.map_err(unknown)?);

    let (stopped, stopping) = watch::channel(false);
    let talk = Arc::new(Talk {
        http: http(options),
        over_tls: router.clone().layer(map_response(only_over_tls)),
        router,
        options: options.clone(),
        peers: Peers::new(options.connections_per_address),
    });
    let accepting = join_all(listeners.into_iter().map(|listener| {
        // Who may open the socket is trusted with plain text: it never leaves the machine.
        let tls = match listener {
            Listener::Tcp(_) => tls.clone(),
            Listener::Socket(..) => None,
        };
        accept(listener, tls, Arc::clone(&talk), stopping.clone())
    }));
    let stop = async {
        stop.await;
        stopped.send_replace(true);
        drain.await;
    };
    let (mut open, ()) = join(accepting, stop).await;
    let finished = async {
        for connections in &mut open {
            while connections.join_next().await.is_some() {}
        }
    };
    if tokio::time::timeout(options.drain, finished).await.is_err() {
        let left: usize = open.iter().map(JoinSet::len).sum();
        warn!(connections = left, "closed {left} connections whose requests did not finish in time");
    }
    for connections in &mut open {
        connections.shutdown().await;
    }
    Ok(())
}

/// What every connection needs.
struct Talk {
    http: auto::Builder<TokioExecutor>,
    router: Router,
    /// The same for who speaks TLS with us. Over plain text a browser must not look at what it says (RFC 6797, section 7.2), and
    /// a proxy may have reasons to say something else.
    over_tls: Router,
    options: Options,
    peers: Peers,
}

fn http(options: &Options) -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_timeout)
        // Headers that do not fit are answered 431. Bodies are read, and slow readers written to, by no more at a time.
        .max_buf_size(BUFFER);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MOST)
        .max_header_list_size(BUFFER as u32)
        // Who does not answer these is gone.
        .keep_alive_interval(options.header_timeout)
        .keep_alive_timeout(options.header_timeout);
    http
}

async fn only_over_tls(mut response: Response) -> Response {
    response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, ONLY_OVER_TLS);
    response
}

/// Takes connections until the stop; those that are still open are returned.
async fn accept(
    listener: Listener,
    tls: Option<TlsAcceptor>,
    talk: Arc<Talk>,
    stopping: watch::Receiver<bool>,
) -> JoinSet<()> {
    // Each listener has its own places: a flood from the network leaves the local worker's socket alone.
    let places = Arc::new(Semaphore::new(talk.options.connections_max));
    let mut connections = JoinSet::new();
    let taking = async {
        loop {
            // First the place, then the connection: who finds none waits in the kernel's queue, and costs us nothing.
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            while connections.try_join_next().is_some() {}
            match listener.accept().await {
                Ok((stream, from)) => {
                    let peer = from.map(|from| talk.peers.take(from));
                    if let Some(None) = peer {
                        // Before a handshake and without a word, which would cost us more than them.
                        debug!("closed a connection: too many from one address");
                        continue;
                    }
                    let places = (place, peer.flatten());
                    connections.spawn(converse(stream, tls.clone(), Arc::clone(&talk), stopping.clone(), places));
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    warn!("failed to accept a connection: {error}");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            }
        }
    };
    let mut told = stopping.clone();
    tokio::select! {
        () = taking => {}
        _ = told.wait_for(|stopped| *stopped) => {}
    }
    connections
}

/// Whether an accept failed for a reason of that connection alone.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::NotConnected)
}

/// One connection, from its handshake to its end.
async fn converse(
    stream: Box<dyn Stream>,
    tls: Option<TlsAcceptor>,
    talk: Arc<Talk>,
    mut stopping: watch::Receiver<bool>,
    _places: (OwnedSemaphorePermit, Option<PeerPlace>),
) {
    let Options { header_timeout, stall_timeout, .. } = talk.options;
    let (stream, router): (Box<dyn Stream>, _) = match tls {
        None => (stream, &talk.router),
        Some(tls) => match tokio::time::timeout(header_timeout, tls.accept(stream)).await {
            Ok(Ok(stream)) => (Box::new(stream), &talk.over_tls),
            Ok(Err(error)) => return debug!("a client could not agree on TLS: {error}"),
            Err(_) => return debug!("a client did not finish its TLS handshake"),
        },
    };
    let io = TokioIo::new(Guarded::new(stream, header_timeout, stall_timeout));
    let service = TowerToHyperService::new(router.clone());
    let mut connection = pin!(talk.http.serve_connection(io, service));
    let stop = async {
        // An error means that whoever would tell us is gone.
        let _ = stopping.wait_for(|stopped| *stopped).await;
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Clients that leave, stall or speak nonsense: nothing of ours failed.
        debug!("a connection ended early: {error}");
    }
}

// A router answers everything, failures included; the compiler holds us to it.
const _: fn(Router) = |router| {
    fn answers_always<S: tower::Service<axum::extract::Request, Error = Infallible>>(_: S) {}
    answers_always(router);
};

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;

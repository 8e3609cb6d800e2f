//! One connection of a program to the proxy.

use std::io;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gambeson_api::{Egress, Host};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::debug;

use super::hello::{self, Hello};
use super::reach::Unreached;
use super::request::{self, BadRequest, HEAD_MOST, Request, Wanted};
use super::{ADDRESSES, Job, RULE, TLS, denial};

/// Bytes that one direction of a connection has in the worker's memory.
const PIECE: usize = 16 << 10;

/// What a program is told instead of a connection.
struct Answer {
    status: &'static str,
    why: String,
}

/// Serves one connection to its end.
pub(super) async fn serve(mut client: TcpStream, job: &Job) {
    // Bounded by the total time too: a byte now and then does not keep it.
    let read = timeout(job.times.head, head(&mut client)).await;
    let answer = match read {
        Err(_) => Some(Answer { status: "408 Request Timeout", why: "the request's head did not come in time".into() }),
        // It went away.
        Ok(Err(_)) => None,
        Ok(Ok(Err(bad))) => Some(unreadable(bad)),
        Ok(Ok(Ok((request, read)))) => match reach(&request, job).await {
            Ok(server) => return relay(client, server, request, read, job).await,
            Err(answer) => Some(answer),
        },
    };
    if let Some(answer) = answer {
        let _ = timeout(job.times.goodbye, refuse(&mut client, &answer)).await;
    }
}

fn unreadable(bad: BadRequest) -> Answer {
    let status = match bad {
        BadRequest::TooLarge => "431 Request Header Fields Too Large",
        BadRequest::Unreadable | BadRequest::Target | BadRequest::Origin | BadRequest::Length => "400 Bad Request",
    };
    Answer { status, why: bad.to_string() }
}

/// Reads a request, and what already follows it.
async fn head(client: &mut TcpStream) -> io::Result<Result<(Request, Vec<u8>), BadRequest>> {
    let mut bytes = Vec::with_capacity(1024);
    loop {
        if client.take((HEAD_MOST - bytes.len()) as u64).read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match request::read(&bytes) {
            Ok(Some(request)) => {
                let rest = bytes.split_off(request.head);
                return Ok(Ok((request, rest)));
            }
            Ok(None) => {}
            Err(bad) => return Ok(Err(bad)),
        }
    }
}

/// The connection that a request is about, if the job may have it.
async fn reach(request: &Request, job: &Job) -> Result<TcpStream, Answer> {
    let Request { host, port, .. } = request;
    let place = format!("{host}:{port}");
    let refused = |rule, why: String| {
        let answer = Answer { status: "403 Forbidden", why: format!("{place}: {why}") };
        job.ledger.refused(denial(place.clone(), rule, why));
        answer
    };
    if !job.allows(host, *port) {
        return Err(refused(RULE, super::NOT_ALLOWED.into()));
    }
    let bad = |status, why: &str, error: &io::Error| Answer { status, why: format!("{place} {why}: {error}") };
    match job.reach.connect(host, *port).await {
        Ok(server) => Ok(server),
        Err(Unreached::Refused(why)) => {
            // Not of which kind: what names mean inside of the operator's network is nothing for a program to learn.
            debug!("a job's connection was refused: an address of its host {why}");
            Err(refused(ADDRESSES, "has no public address".into()))
        }
        Err(Unreached::Unknown(error)) => Err(bad("502 Bad Gateway", "has no address that could be found", &error)),
        Err(Unreached::Silent(error)) if error.kind() == io::ErrorKind::TimedOut => {
            Err(bad("504 Gateway Timeout", "did not answer", &error))
        }
        Err(Unreached::Silent(error)) => Err(bad("502 Bad Gateway", "could not be connected to", &error)),
    }
}

/// Says why not, in a form that programs show: most print the first line.
async fn refuse(client: &mut TcpStream, answer: &Answer) -> io::Result<()> {
    let Answer { status, why } = answer;
    let code = status.split(' ').next().unwrap_or_default();
    // Names of hosts and words of ours; but whatever it is, it stays on its line.
    let line: String = why.chars().filter(|c| c.is_ascii() && !c.is_ascii_control()).collect();
    let body = format!("gambeson: {line}\n");
    let head = format!(
        "HTTP/1.1 {code} {line}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    client.write_all(head.as_bytes()).await?;
    client.write_all(body.as_bytes()).await?;
    client.shutdown().await?;
    // What it still sends is read and forgotten: a connection that is closed with bytes unread is reset, and takes the
    // answer with it.
    let mut left = 64 << 10;
    let mut scrap = [0; 4096];
    while left > 0 {
        match client.read(&mut scrap).await? {
            0 => break,
            count => left -= count.min(left),
        }
    }
    Ok(())
}

/// What went through, told when the connection is over, in whatever way.
struct Counts<'a> {
    job: &'a Job,
    host: String,
    port: u16,
    since: Instant,
    last: Mutex<Instant>,
    up: AtomicU64,
    down: AtomicU64,
}

impl Counts<'_> {
    fn moved(&self, counter: &AtomicU64, bytes: usize) {
        counter.fetch_add(bytes as u64, Ordering::Relaxed);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Ends when nothing moved for so long.
    async fn idle(&self, most: Duration) {
        loop {
            let until = *self.last.lock().unwrap_or_else(PoisonError::into_inner) + most;
            if Instant::now() >= until {
                return;
            }
            sleep_until(until).await;
        }
    }
}

impl Drop for Counts<'_> {
    fn drop(&mut self) {
        self.job.ledger.over(Egress {
            host: std::mem::take(&mut self.host),
            port: self.port,
            connections: 1,
            up_bytes: self.up.load(Ordering::Relaxed),
            down_bytes: self.down.load(Ordering::Relaxed),
            ms: self.since.elapsed().as_millis() as u64,
        });
    }
}

/// Moves bytes both ways until both sides have ended, one has failed, or nothing moves.
async fn relay(mut client: TcpStream, mut server: TcpStream, request: Request, read: Vec<u8>, job: &Job) {
    // Small pieces go at once: both ends decide themselves what waits for what.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let now = Instant::now();
    let counts = Counts {
        job,
        host: request.host.to_string(),
        port: request.port,
        since: now,
        last: Mutex::new(now),
        up: AtomicU64::new(0),
        down: AtomicU64::new(0),
    };
    let tunnel = request.wanted == Wanted::Tunnel;
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let up = async {
        let mut first = read;
        match request.wanted {
            Wanted::Tunnel => greet(&mut from_client, &mut first, &request.host, request.port, job).await?,
            Wanted::Passed(mut head) => {
                head.append(&mut first);
                first = head;
            }
        }
        to_server.write_all(&first).await?;
        counts.moved(&counts.up, first.len());
        drop(first);
        pump(&mut from_client, &mut to_server, &counts, &counts.up).await
    };
    let down = async {
        if tunnel {
            to_client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
        }
        pump(&mut from_server, &mut to_client, &counts, &counts.down).await
    };
    tokio::select! {
        _ = async { tokio::try_join!(up, down) } => {}
        () = counts.idle(job.times.idle) => {}
    }
}

/// Reads what a tunnel begins with, as far as it has to be looked at: where it is the hello of a TLS client, that asks
/// for the host that the tunnel is to, or for another that the job may have. A server that stands for several, as those
/// of content networks do, would else show one that is not allowed.
async fn greet(from: &mut ReadHalf<'_>, first: &mut Vec<u8>, host: &Host, port: u16, job: &Job) -> io::Result<()> {
    let refused = |rule, place: String, why: &str| {
        job.ledger.refused(denial(place, rule, why.into()));
        Err(io::ErrorKind::PermissionDenied.into())
    };
    loop {
        match hello::read(first) {
            Hello::Other | Hello::Tls(None) => return Ok(()),
            Hello::Tls(Some(name)) => {
                let named: Option<Host> = name.parse().ok();
                if named.as_ref().is_some_and(|named| named == host || job.allows(named, port)) {
                    return Ok(());
                }
                let name: String = name.chars().filter(char::is_ascii_graphic).take(253).collect();
                let why = format!("asked for by TLS over a connection to {host}, and {}", super::NOT_ALLOWED);
                return refused(RULE, format!("{name}:{port}"), &why);
            }
            Hello::Broken => return refused(TLS, format!("{host}:{port}"), "got a TLS hello that cannot be read"),
            Hello::Partial => {}
        }
        if first.len() >= hello::HELLO_MOST {
            return refused(TLS, format!("{host}:{port}"), "got a TLS hello that cannot be read");
        }
        if from.take((hello::HELLO_MOST - first.len()) as u64).read_buf(first).await? == 0 {
            return Ok(());
        }
    }
}

async fn pump(
    from: &mut ReadHalf<'_>,
    to: &mut WriteHalf<'_>,
    counts: &Counts<'_>,
    counter: &AtomicU64,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let count = from.read(&mut piece).await?;
        if count == 0 {
            return to.shutdown().await;
        }
        to.write_all(&piece[..count]).await?;
        counts.moved(counter, count);
    }
}

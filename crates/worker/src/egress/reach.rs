//! From a name to a connection: resolved outside, once, and only what was checked is connected to.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use gambeson_api::{Host, address_is_public};
use rustix::io::Errno;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Addresses of one name that are tried, and those that are looked at, at most: each look is several calls of the kernel.
const ADDRESSES_MOST: usize = 8;
const LOOKED_AT_MOST: usize = 64;
/// Bytes that wait in the kernel in one direction of a connection; it takes twice as many for them.
const BUFFER: u32 = 128 << 10;

/// Who knows the addresses of a name. How long an answer takes is not ours to say.
pub(super) trait Resolver: fmt::Debug + Send + Sync {
    /// All addresses of `name`, in the order in which they are to be tried. Waits for them.
    fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The host's own way to look names up.
#[derive(Debug)]
pub(super) struct System;

impl Resolver for System {
    fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        // With a dot at its end a name is whole: no search domain of the host's is put behind it (resolv.conf(5)), and
        // what the host calls its neighbours (hosts(5)) is not asked.
        let found = (format!("{name}.").as_str(), 0).to_socket_addrs()?;
        Ok(found.map(|one| one.ip()).take(LOOKED_AT_MOST).collect())
    }
}

/// Places for look-ups: a job's own, and those of all jobs, each of which is a thread. A look-up has one of both until
/// it is over, whether or not somebody still waits for it: else names that nobody answers for could use up all threads
/// of the worker, or all places of other jobs.
#[derive(Debug, Clone)]
pub(super) struct Places {
    own: Arc<Semaphore>,
    all: Arc<Semaphore>,
}

impl Places {
    /// Of all jobs.
    pub(super) fn new(most: usize) -> Places {
        Places { own: Arc::new(Semaphore::new(most)), all: Arc::new(Semaphore::new(most)) }
    }

    /// Of one job, at most so many of those.
    pub(super) fn of_a_job(&self, most: usize) -> Places {
        Places { own: Arc::new(Semaphore::new(most)), all: Arc::clone(&self.all) }
    }

    async fn look_up(&self, resolver: &Arc<dyn Resolver>, name: &str) -> io::Result<Vec<IpAddr>> {
        let own = Arc::clone(&self.own).acquire_owned().await.map_err(io::Error::other)?;
        let all = Arc::clone(&self.all).acquire_owned().await.map_err(io::Error::other)?;
        let (resolver, name) = (Arc::clone(resolver), name.to_owned());
        let looked_up = tokio::task::spawn_blocking(move || {
            let found = resolver.resolve(&name);
            drop((own, all));
            found
        });
        looked_up.await.map_err(io::Error::other)?
    }
}

/// Which addresses may be connected to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addresses {
    /// Servers of tests are on this machine. Only a test can be built that says so.
    #[cfg(test)]
    loopback: bool,
}

impl Addresses {
    /// Those of the Internet, and of it not this machine's.
    pub(super) fn public() -> Addresses {
        Addresses {
            #[cfg(test)]
            loopback: false,
        }
    }

    #[cfg(test)]
    pub(super) fn public_and_loopback() -> Addresses {
        Addresses { loopback: true }
    }

    fn check(self, address: IpAddr) -> Result<(), &'static str> {
        #[cfg(test)]
        if self.loopback && address.is_loopback() && address.is_ipv4() {
            return Ok(());
        }
        address_is_public(address)?;
        if is_own(address) { Err("is an address of the worker's own machine") } else { Ok(()) }
    }
}

/// Whether an address is one of this machine's: a service that listens there would be reached from within, where no
/// firewall stands. The kernel says so without sending anything. It lets a socket have its own addresses only (bind(2)),
/// unless it is told to give out any (ip_nonlocal_bind, ip(7)); then what is left is that who would send to an address
/// of its own would send from it.
fn is_own(address: IpAddr) -> bool {
    let (nobodys, any): (IpAddr, IpAddr) = match address {
        IpAddr::V4(_) => (Ipv4Addr::new(192, 0, 2, 1).into(), Ipv4Addr::UNSPECIFIED.into()),
        IpAddr::V6(_) => (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(), Ipv6Addr::UNSPECIFIED.into()),
    };
    let can_have = |address: IpAddr| UdpSocket::bind((address, 0)).map(drop);
    let source = || -> io::Result<IpAddr> {
        let socket = UdpSocket::bind((any, 0))?;
        socket.connect((address, 9))?;
        Ok(socket.local_addr()?.ip())
    };
    own(can_have(address), can_have(nobodys), source().map(|source| source == address))
}

/// From whether a socket can have the address, whether it can have one that is nobody's, and whether it would send from
/// the address. What the kernel does not say, for want of a descriptor or of memory, may be either: then it is taken for ours.
fn own(can_have: io::Result<()>, can_have_any: io::Result<()>, sends_from: io::Result<bool>) -> bool {
    const NOT_HERE: &[Errno] = &[Errno::ADDRNOTAVAIL];
    const NO_WAY: &[Errno] = &[Errno::NETUNREACH, Errno::HOSTUNREACH, Errno::ADDRNOTAVAIL];
    let says =
        |error: &io::Error, these: &[Errno]| these.iter().any(|one| error.raw_os_error() == Some(one.raw_os_error()));
    match can_have {
        Ok(()) if can_have_any.is_err() => return true,
        Err(error) if !says(&error, NOT_HERE) => return true,
        Ok(()) | Err(_) => {}
    }
    match sends_from {
        Ok(same) => same,
        Err(error) => !says(&error, NO_WAY),
    }
}

/// Connects with buffers of a fixed size: the kernel lets those that it sizes itself grow to megabytes (tcp(7)), which are
/// the worker's memory.
async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Before it connects: then the other side hears of it, too.
    socket.set_recv_buffer_size(BUFFER)?;
    socket.set_send_buffer_size(BUFFER)?;
    socket.connect(address).await
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum Unreached {
    /// No address of it may be connected to; what one of them is.
    Refused(&'static str),
    /// It has no address.
    Unknown(io::Error),
    /// None of its addresses answered.
    Silent(io::Error),
}

/// How a host is reached.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    pub(super) resolver: Arc<dyn Resolver>,
    pub(super) places: Places,
    pub(super) addresses: Addresses,
    pub(super) lookup_most: Duration,
    pub(super) connect_most: Duration,
}

impl Reach {
    /// Connects to the first of the host's addresses that may be connected to and answers.
    pub(super) async fn connect(&self, host: &Host, port: u16) -> Result<TcpStream, Unreached> {
        let found = match host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => match timeout(self.lookup_most, self.places.look_up(&self.resolver, name)).await {
                Ok(found) => found.map_err(Unreached::Unknown)?,
                Err(_) => return Err(Unreached::Unknown(io::ErrorKind::TimedOut.into())),
            },
        };
        let mut refused = None;
        let mut checked: Vec<IpAddr> = Vec::new();
        for address in found.into_iter().take(LOOKED_AT_MOST) {
            if checked.len() == ADDRESSES_MOST {
                break;
            }
            match self.addresses.check(address) {
                Ok(()) if !checked.contains(&address) => checked.push(address),
                Ok(()) => {}
                Err(why) => refused = Some(why),
            }
        }
        if let (true, Some(why)) = (checked.is_empty(), refused) {
            return Err(Unreached::Refused(why));
        }
        let mut silent = io::Error::from(io::ErrorKind::NotFound);
        for address in checked {
            match timeout(self.connect_most, open(SocketAddr::new(address, port))).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => silent = error,
                Err(_) => silent = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(Unreached::Silent(silent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_knows_its_own_addresses() {
        assert!(is_own(Ipv4Addr::LOCALHOST.into()) && is_own("127.9.9.9".parse().unwrap()));
        assert!(!is_own("8.8.8.8".parse().unwrap()));
    }

    #[test]
    fn what_the_kernel_does_not_say_is_taken_for_the_machines_own() {
        let fails = |errno: Errno| io::Error::from_raw_os_error(errno.raw_os_error());
        let not_here = || Err(fails(Errno::ADDRNOTAVAIL));
        // Somebody else's, with a way and without one.
        assert!(!own(not_here(), not_here(), Ok(false)));
        assert!(!own(not_here(), not_here(), Err(fails(Errno::NETUNREACH))));
        // Sockets can have any address here.
        assert!(!own(Ok(()), Ok(()), Ok(false)) && own(Ok(()), Ok(()), Ok(true)));
        assert!(own(Ok(()), not_here(), Ok(false)));
        for errno in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::ACCESS, Errno::NOMEM] {
            assert!(own(Err(fails(errno)), not_here(), Ok(false)), "{errno}");
            assert!(own(Ok(()), Err(fails(errno)), Ok(false)), "{errno}");
            assert!(own(not_here(), not_here(), Err(fails(errno))), "{errno}");
        }
    }

    /// Answers for what begins with `ok`; for other names when a test says so.
    #[derive(Debug)]
    struct Hanging(std::sync::Mutex<std::sync::mpsc::Receiver<()>>);

    impl Resolver for Hanging {
        fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
            if !name.starts_with("ok") {
                // Its sender is dropped at the end.
                let _ = self.0.lock().unwrap().recv();
            }
            Ok(vec!["10.0.0.1".parse().unwrap()])
        }
    }

    #[tokio::test]
    async fn a_job_whose_look_ups_hang_leaves_those_of_others_their_places() {
        let (end, hang) = std::sync::mpsc::channel::<()>();
        let resolver: Arc<dyn Resolver> = Arc::new(Hanging(hang.into()));
        let all = Places::new(3);
        let (one, other) = (all.of_a_job(2), all.of_a_job(2));
        let soon = Duration::from_millis(50);
        for _ in 0..4 {
            // Nobody waits for it any more, and it keeps its place.
            assert!(timeout(soon, one.look_up(&resolver, "hangs.test")).await.is_err());
        }
        assert!(timeout(soon, one.look_up(&resolver, "ok.test")).await.is_err(), "its own are taken");
        let long = Duration::from_secs(20);
        assert!(timeout(long, other.look_up(&resolver, "ok.test")).await.unwrap().is_ok());
        drop(end);
        assert!(timeout(long, one.look_up(&resolver, "ok.test")).await.unwrap().is_ok(), "and given back at their end");
    }

    /// Two hundred addresses that are not public, then one that a test may reach.
    #[derive(Debug)]
    struct Many(u8);

    impl Resolver for Many {
        fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            let private = (0..self.0).map(|last| Ipv4Addr::new(10, 0, 0, last).into());
            Ok(private.chain([Ipv4Addr::LOCALHOST.into()]).collect())
        }
    }

    #[tokio::test]
    async fn of_many_addresses_the_first_are_looked_at() {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let connect = async |private: u8| {
            let reach = Reach {
                resolver: Arc::new(Many(private)),
                places: Places::new(1),
                addresses: Addresses::public_and_loopback(),
                lookup_most: Duration::from_secs(20),
                connect_most: Duration::from_secs(20),
            };
            reach.connect(&"many.test".parse().unwrap(), port).await
        };
        let stream = connect(63).await.expect("the control: the sixty-fourth is");
        use rustix::net::sockopt::{socket_recv_buffer_size, socket_send_buffer_size};
        for size in [socket_recv_buffer_size(&stream), socket_send_buffer_size(&stream)] {
            assert!(size.unwrap() <= 256 << 10, "{size:?}");
        }
        assert!(matches!(connect(64).await, Err(Unreached::Refused(_))));
    }

    #[test]
    fn only_a_test_may_reach_loopback() {
        let local = Ipv4Addr::LOCALHOST.into();
        assert!(Addresses::public().check(local).is_err());
        assert!(Addresses::public_and_loopback().check(local).is_ok());
        for other in ["10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00:ec2::254"] {
            assert!(Addresses::public_and_loopback().check(other.parse().unwrap()).is_err(), "{other}");
        }
    }
}
